"""Mutants of `make register`: what it changes on a platform, and what it must not."""

from integration_tests.mutant import Mutant

REGISTER = "integration_tests/test_register.py"
REFUSALS = "integration_tests/test_register_refusals.py"
DOUBTS = "integration_tests/test_register_doubts.py"
HOSTILE = "integration_tests/test_register_hostile.py"
SCHEDULE = "integration_tests/test_schedule.py"


def _of(name: str, file: str, before: str, after: str, *tests: str) -> Mutant:
    return Mutant(name, f"deploy/{file}.py", before, after, tests or (REGISTER,))


MUTANTS_OF_REGISTER: tuple[Mutant, ...] = (
    _of(
        "a definition is registered anew by every run",
        "plan",
        'one.get("dockerRepository") == wanted.repository',
        'one.get("dockerRepository") == wanted.image',
    ),
    _of(
        "a definition of the platform's own is taken for ours",
        "plan",
        'if one.get("custom") is True and one',
        "if one",
        f"{REGISTER}::test_only_a_custom_definition_of_the_same_image_is_ours",
    ),
    _of(
        "a new tag goes unseen",
        "plan",
        'if existing["dockerImageTag"] != wanted.tag:',
        "if False:",
    ),
    _of(
        "resources that the platform gives back with empty keys look changed",
        "plan",
        'if filled(existing.get("resourceRequirements")) != filled(wanted.resources):',
        'if existing.get("resourceRequirements") != wanted.resources:',
        f"{REGISTER}::test_a_second_run_changes_nothing_and_says_so",
    ),
    _of(
        "stars in place of secrets look like other secrets",
        "plan",
        '{key: "" if key in wanted.secret_keys else value for key, value in one.items()}',
        "dict(one)",
        f"{REGISTER}::test_a_second_run_changes_nothing_and_says_so",
    ),
    _of(
        "without a specification a pod has to run",
        "plan",
        '            "connectorSpecification": wanted.specification,\n',
        "",
        f"{REGISTER}::test_all_definitions_are_registered_whole",
    ),
    _of(
        "all accounts write one namespace",
        "plan_connections",
        '"namespaceFormat": wanted.namespace,',
        '"namespaceFormat": "calls",',
    ),
    _of(
        "a change of the schedule leaves out the streams",
        "plan_connections",
        ', "configurations": {"streams": streams}}',
        "} if streams else {}",
        f"{REGISTER}::test_a_schedule_changes_when_one_is_asked_for_and_the_streams_stay",
    ),
    _of(
        "the time zone behind a schedule looks like another schedule",
        "plan_connections",
        '.removesuffix("UTC").strip()',
        "",
        f"{REGISTER}::test_a_second_run_changes_nothing_and_says_so",
    ),
    _of(
        "only the first page of a list is read",
        "platform",
        "if len(page) < PAGE:",
        "if page or not page:",
        f"{REGISTER}::test_all_pages_of_the_lists_are_read",
    ),
    _of(
        "a token that ended ends the run",
        "client",
        "if answer.status == requests.codes.unauthorized and self._token is not None:",
        "if False:",
        f"{REGISTER}::test_a_token_that_ends_is_replaced",
    ),
    _of(
        "the token follows a redirect",
        "transport",
        "allow_redirects=False,",
        "allow_redirects=True,",
        f"{REFUSALS}::test_odd_answers",
    ),
    _of(
        "a netrc takes the place of the token",
        "transport",
        "            auth=auth,\n",
        '            headers={"Authorization": f"Bearer {getattr(auth, \'token\', None)}"},\n',
        f"{REFUSALS}::test_a_netrc_does_not_take_the_place_of_the_token",
    ),
    _of(
        "what the platform says may quote a secret",
        "failures",
        "masked(text, secrets).strip()",
        "text.strip()",
        f"{REFUSALS}::test_no_message_quotes_a_secret",
    ),
    _of(
        "a file with a wrong key is sent all the same",
        "accounts",
        "    for key, nearest in unknown_keys(configuration, specification).items():",
        "    for key, nearest in {}.items():",
        f"{REFUSALS}::test_a_file_that_will_not_do",
    ),
    _of(
        "two files write one namespace",
        "accounts",
        "if namespaces.count(one) > 1",
        "if namespaces.count(one) > 2",
        f"{REFUSALS}::test_two_files_of_one_namespace",
    ),
    _of(
        "the destination of another workspace is taken",
        "platform",
        'if self._client.send(call)["workspaceId"] != self._workspace_id:',
        'if not self._client.send(call)["workspaceId"]:',
        f"{REFUSALS}::test_a_destination_that_is_not_of_the_workspace",
    ),
    _of(
        "removing takes the connectors of others along",
        "plan",
        "== wanted.repository\n",
        '!= ""\n',
        f"{REGISTER}::test_removing_takes_sources_and_connections_along_and_nothing_else",
    ),
    _of(
        "two connections write one table",
        "register",
        "            check_namespace(source.name, place, own, joined)\n",
        "            continue\n",
        DOUBTS,
    ),
    _of(
        "what writes another table is refused too",
        "plan_connections",
        "return not names or STREAM in names",
        "return True",
        f"{DOUBTS}::test_what_writes_the_same_table",
    ),
    _of(
        "a definition of the organization is removed",
        "remove",
        "if platform.is_of_organization(identifier, name, organization_id):",
        "if False:",
        f"{DOUBTS}::test_a_definition_of_the_organization_is_not_removed",
    ),
    _of(
        "a definition of another name is removed",
        "remove",
        'and existing["name"] != wanted.name',
        "and False",
        f"{DOUBTS}::test_a_definition_of_another_name_is_not_removed",
    ),
    _of(
        "a list that repeats itself has no end",
        "platform",
        "if ids & seen:",
        "if ids & seen and offset > 1000:",
        f"{HOSTILE}::test_a_list_that_does_not_know_offset",
    ),
    _of(
        "a body may drip for ever",
        "transport",
        "if time.monotonic() > until:",
        "if False:",
        f"{HOSTILE}::test_a_body_that_drips",
    ),
    _of(
        "the secret goes to a proxy on its way to this machine",
        "transport",
        '_DIRECT if is_this_machine(urlsplit(url).hostname or "") else {}',
        "{}",
        f"{HOSTILE}::test_this_machine_is_reached_without_a_proxy",
    ),
    _of(
        "an answer is not looked at before it is read",
        "client",
        "        check_answer(content, call.shape, call.purpose)\n",
        "",
        f"{HOSTILE}::test_an_answer_of_another_shape",
    ),
    _of(
        "the wait may be as long as the platform likes",
        "client",
        "min(answer.seconds_to_wait, _LONGEST_WAIT)",
        "answer.seconds_to_wait",
        f"{HOSTILE}::test_a_long_retry_after_is_cut",
    ),
    _of(
        "a pod asks for more memory than its limit",
        "definitions",
        "min(_REQUEST, memory_limit, key=_mebibytes)",
        "_REQUEST",
        f"{HOSTILE}::test_a_small_limit_takes_the_request_along",
    ),
    _of(
        "both days of a schedule may be named",
        "schedule",
        '.count("?") != 1',
        '.count("?") == 9',
        SCHEDULE,
    ),
)
