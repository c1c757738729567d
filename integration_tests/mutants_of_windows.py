"""Mutants of what reads a list in windows of its server: a test must notice each of them."""

from integration_tests.mutant import SHARED, UNIT, Mutant

DATED = "integration_tests/test_dated_calls.py"
WALK = "integration_tests/test_list_walk.py"
MOVING = "integration_tests/test_moving_worlds.py"

MUTANTS_OF_WINDOWS: tuple[Mutant, ...] = (
    Mutant(
        "a part that was refused once is asked for no more",
        f"{SHARED}/http/optional_parts.py",
        "for fewer in (asked, *_fewer(asked)):",
        "for fewer in _fewer(asked):",
        (f"{UNIT}/http/test_optional_parts.py",),
    ),
    Mutant(
        "an interrupted reading of another scope begins anew",
        f"{SHARED}/reading/list_state.py",
        "is_first = self.cursor is None or dict(self.scope) != dict(scope)",
        "is_first = self.cursor is None",
        (f"{DATED}::test_an_interrupted_reading_of_another_scope_goes_on",),
    ),
    Mutant(
        "an interrupted reading is gone on with beside a complete one of its scope",
        f"{SHARED}/reading/list_state.py",
        "return self.under_way if is_of_it and is_first else None",
        "return self.under_way if is_of_it else None",
        (f"{UNIT}/reading/test_list_state.py",),
    ),
    Mutant(
        "a scope that is moved back is told to be read once more",
        f"{SHARED}/reading/windows_retriever.py",
        "convergence.reads_everything and before.under_way is not None",
        "before.under_way is not None",
        (f"{DATED}::test_an_interrupted_reading_of_another_scope_goes_on",),
    ),
    Mutant(
        "a year before 1000 is asked for without its leading zeros",
        f"{SHARED}/reading/windows.py",
        'return f"{moment.replace(tzinfo=None).isoformat()}Z"',
        'return f"{moment:%Y-%m-%dT%H:%M:%SZ}"',
        (f"{UNIT}/reading/test_windows.py",),
    ),
    Mutant(
        "a state says that windows were read which were not",
        f"{SHARED}/reading/windows_at_once.py",
        "            while unread in read:\n                unread += 1\n",
        "            unread = max(unread, step.chain + 1)\n",
        (DATED, f"{WALK} -k 2026", MOVING),
    ),
    Mutant(
        "months that differ are not read again",
        f"{SHARED}/reading/windows_retriever.py",
        "months = months_of(convergence.differing)",
        "months = months_of(sorted(convergence.differing)[:1])",
        (WALK, MOVING),
    ),
)
