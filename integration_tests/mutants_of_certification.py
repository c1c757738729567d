"""Mutants of what Airbyte's acceptance tests assert, and of what `make certify` says."""

from integration_tests.mutant import SHARED, Mutant, manifest

CONFORMANCE = "integration_tests/test_conformance.py"
CERTIFICATION = "integration_tests/test_certification.py"
DOCUMENTS = "integration_tests/test_connector_documents.py"
SOURCE = f"{SHARED}/protocol/source.py"
EACH_MESSAGE = """                    continue
                yield message
"""

MUTANTS_OF_CERTIFICATION: tuple[Mutant, ...] = (
    Mutant(
        "a sign of life in the midst of a sync repeats a state of the far future",
        f"{SHARED}/protocol/heartbeat.py",
        "state=replace(known, sourceStats=None))",
        """state=replace(
            known,
            sourceStats=None,
            stream=replace(known.stream, stream_state=AirbyteStateBlob(updated_at=_FAR)),
        ))""",
        (f"{CONFORMANCE}::test_no_state_of_a_further_sync_loses_a_call[skipcall]",),
        (
            "_LOOK = 5.0",
            """from airbyte_cdk.models import AirbyteStateBlob
_FAR = "2999-01-01T00:00:00Z"
_LOOK = 5.0""",
        ),
    ),
    Mutant(
        "a stream is complete before it runs",
        SOURCE,
        EACH_MESSAGE,
        """                    continue
                if "RUNNING" not in str(message.trace):
                    yield message
""",
        (f"{CONFORMANCE}::test_each_stream_starts_runs_and_completes_once[intercom]",),
    ),
    Mutant(
        "a stream that fails is not said to be incomplete",
        SOURCE,
        EACH_MESSAGE,
        """                    continue
                if "INCOMPLETE" not in str(message.trace):
                    yield message
""",
        (f"{CONFORMANCE}::test_a_stream_that_fails_midway_is_incomplete[skipcall]",),
    ),
    Mutant(
        "a record has a column that is not declared",
        SOURCE,
        "tally.record(message.record)",
        """tally.record(message.record)
                    message.record.data["more"] = 1""",
        (f"{CONFORMANCE}::test_records_are_valid_and_hold_nothing_undeclared[amplemarket]",),
    ),
    Mutant(
        "a full refresh obeys the state",
        SOURCE,
        "usable(of_incremental(state or [], catalog))",
        "usable(list(state or []))",
        (f"{CONFORMANCE}::test_two_full_refreshes_are_equal[skipcall]",),
    ),
    Mutant(
        "an error has another failure type than the documents say",
        manifest("skipcall"),
        "code: PLAN_NOT_ELIGIBLE\n        action: fail\n        failure_type: config_error",
        "code: PLAN_NOT_ELIGIBLE\n        action: fail\n        failure_type: system_error",
        (f"{DOCUMENTS}::test_the_tables_are_current",),
    ),
    Mutant(
        "a check that passes is taken for the red one that the list has",
        "integration_tests/certification/verdicts.py",
        "    if found:\n",
        "    if found and result.status == SKIPPED:\n",
        (CERTIFICATION,),
    ),
    Mutant(
        "a check that fails for another reason is taken for the one that the list has",
        "integration_tests/certification/verdicts.py",
        " and one.says in result.message",
        "",
        (CERTIFICATION,),
    ),
)
