"""`Mutant`: a defect that is put into the code on purpose, and where things stand."""

from dataclasses import dataclass

SHARED, UNIT = "shared/calls_shared", "shared/unit_tests"


@dataclass(frozen=True)
class Mutant:
    """A defect: what stands in a file, what takes its place, and the tests that should notice."""

    name: str
    file: str
    before: str
    after: str
    tests: tuple[str, ...]
    also: tuple[str, str] = ("", "")
    """A second replacement in the same file, where one alone changes nothing."""

    def applied(self, sound: str) -> str:
        """The file with the defect in it."""
        return sound.replace(self.before, self.after).replace(*self.also, 1)


def manifest(provider: str) -> str:
    """A connector's manifest."""
    return f"source-{provider}-calls/source_{provider}_calls/manifest.yaml"


def requests_of(provider: str) -> str:
    """A connector's own tests."""
    return f"source-{provider}-calls/unit_tests"


PROMISE = "integration_tests/test_promise.py"
SECRETS = "integration_tests/test_secrets.py"
PROPERTIES = "integration_tests/test_properties.py"
KILLS = "integration_tests/test_kill_and_resume.py"
SWITCHES = "integration_tests/test_every_switch.py::test_two_syncs_equal_the_truth"
