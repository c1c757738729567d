"""Mutants of what a version promises, and of what counts as breaking it."""

from integration_tests.mutant import SHARED, Mutant, manifest

BREAKING = "integration_tests/snapshots/breaking.py"
CHANGES = ("integration_tests/test_breaking_changes.py",)
SNAPSHOTS = "integration_tests/test_snapshots.py"
STORED = f"{SNAPSHOTS}::test_what_this_version_promises_is_stored"

MUTANTS_OF_VERSIONS: tuple[Mutant, ...] = (
    Mutant(
        "a configuration of the version before is refused",
        manifest("skipcall"),
        "maximum: 3650",
        "maximum: 365",
        (f"{STORED}[skipcall]",),
    ),
    Mutant(
        "a column is gone from the catalogs",
        f"{SHARED}/normalization/columns.py",
        '    Column("notes", "string", "Notes that the person took."),\n',
        "",
        (f"{STORED}[intercom]",),
    ),
    Mutant(
        "the state keeps its inventory under another key",
        f"{SHARED}/reading/list_state.py",
        '"inventory"',
        '"sums"',
        (f"{STORED}[amplemarket]",),
    ),
    Mutant(
        "a state of 0.1.0 bounds what is read",
        f"{SHARED}/reading/state.py",
        'return state if _OWN_FORM.fullmatch(value) else {**state, "complete": {"cursor": value}}',
        'return {**state, "complete": {"cursor": value}}',
        (f"{SNAPSHOTS}::test_a_state_of_the_first_version_brings_everything_once[skipcall]",),
    ),
    Mutant(
        "a new required key breaks nothing",
        BREAKING,
        'if key not in old.get("required", []):',
        "if False:",
        CHANGES,
    ),
    Mutant(
        "a removed property breaks nothing",
        BREAKING,
        '            yield f"{path}.{name}: it is removed"',
        "            pass",
        CHANGES,
    ),
    Mutant(
        "a retyped column breaks nothing",
        BREAKING,
        "    if _types(old) != _types(new):",
        "    if not _types(old):",
        CHANGES,
    ),
    Mutant(
        "a narrowed enum breaks nothing",
        BREAKING,
        'if value not in new["enum"]:',
        "if False:",
        CHANGES,
    ),
    Mutant(
        "another primary key breaks nothing",
        BREAKING,
        '        ("source_defined_primary_key", "the primary key"),\n',
        "",
        CHANGES,
    ),
)
