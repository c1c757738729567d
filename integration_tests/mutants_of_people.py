"""Mutants of the streams `users` and `call_dispositions`."""

from integration_tests.mutant import Mutant, manifest, requests_of

PEOPLE = "integration_tests/test_users.py"
TRUTH = f"{PEOPLE}::test_the_rows_are_the_truth_page_by_page"
REFUSED = f"{PEOPLE}::test_a_key_that_may_not_read_them_still_reads_calls"
AMPLEMARKET = manifest("amplemarket")

MUTANTS_OF_PEOPLE: tuple[Mutant, ...] = (
    Mutant(
        "a team is a user",
        manifest("intercom"),
        "record.type != 'team'",
        "true",
        (f"{TRUTH}[intercom-users]", f"{requests_of('intercom')}/test_users.py"),
    ),
    Mutant(
        "a key that reads no users reads no calls",
        manifest("intercom"),
        """            ends: slice
            message: >-
              Intercom does not let access_token read users""",
        """            ends: sync
            message: >-
              Intercom does not let access_token read users""",
        (REFUSED,),
    ),
    Mutant(
        "a gateway's refusal is the provider's",
        manifest("openphone"),
        "          - status: [401, 403]\n            own: true\n",
        "          - status: [401, 403]\n",
        (f"{PEOPLE}::test_a_gateway_that_refuses_them_is_no_refusal",),
    ),
    Mutant(
        "who is not said to be active is not",
        AMPLEMARKET,
        "{value: false, present: [status]}",
        "{value: false, present: [id]}",
        (f"{TRUTH}[amplemarket-users]", f"{requests_of('amplemarket')}/test_users.py"),
    ),
    Mutant(
        "whoever has a status is active",
        AMPLEMARKET,
        "{value: true, equals: {status: active}}",
        "{value: true, present: [status]}",
        (f"{TRUTH}[amplemarket-users]", f"{requests_of('amplemarket')}/test_users.py"),
    ),
    Mutant(
        "users are asked for in pages as large as those of calls",
        manifest("openphone"),
        "          page_size: 50\n",
        "          page_size: 100\n",
        (f"{TRUTH}[openphone-users]", f"{requests_of('openphone')}/test_users.py"),
    ),
    Mutant(
        "dispositions are asked for as calls are",
        AMPLEMARKET,
        "        path: /calls/dispositions\n        request_parameters: {}\n",
        "        path: /calls/dispositions\n",
        (f"{requests_of('amplemarket')}/test_users.py",),
    ),
)
