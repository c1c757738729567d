"""The mutants themselves run by hand (`make mutants`); here, that none has lost its place."""

import pytest

from integration_tests.connectors import ROOT
from integration_tests.mutant import Mutant
from integration_tests.mutants import MUTANTS


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_a_mutant_changes_the_code(mutant: Mutant) -> None:
    sound = (ROOT / mutant.file).read_text(encoding="utf-8")
    assert mutant.before in sound
    assert mutant.also[0] in sound
    assert mutant.applied(sound) != sound
    assert all((ROOT / test.partition("::")[0]).exists() for test in mutant.tests)


def test_each_mutant_has_a_name_of_its_own() -> None:
    assert len({mutant.name for mutant in MUTANTS}) == len(MUTANTS)
