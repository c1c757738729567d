"""Mutants of the streams `call_transcripts` and `call_recordings`."""

from integration_tests.mutant import SHARED, UNIT, Mutant, manifest

DETAILS = "integration_tests/test_details.py"
KILLED = f"{DETAILS}::test_a_sync_that_is_killed_loses_nothing"
AGAIN = f"{DETAILS}::test_only_what_has_changed_within_the_lookback_is_asked_about_again"
PLANS = f"{DETAILS}::test_a_plan_without_it_gives_an_empty_stream_whose_state_stays"
OF_QUEUE = f"{UNIT}/reading/test_details.py"
OF_SOURCES = f"{UNIT}/reading/test_detail_sources.py"
READING = f"{SHARED}/reading"

MUTANTS_OF_DETAILS: tuple[Mutant, ...] = (
    Mutant(
        "details: a list is concluded before the rows of its calls are out",
        f"{READING}/list_retriever.py",
        "        yield Checkpoint()\n",
        "",
        (f"{DETAILS}::test_what_a_complete_reading_brings_is_not_known_before_its_rows_are_out",),
    ),
    Mutant(
        "details: a checkpoint passes before the rows of the calls before it",
        f"{READING}/details.py",
        "                    yield from queue.rest()\n                    if self._plan",
        "                    if self._plan",
        (OF_QUEUE, f"{UNIT}/reading/test_fan_out.py"),
    ),
    Mutant(
        "details: any number of answers is held",
        f"{READING}/detail_queue.py",
        "return len(self._sent) > most or len(self._waiting) > MOST_WAITING",
        "return False and most",
        (OF_QUEUE,),
    ),
    Mutant(
        "details: requests go out one after another",
        f"{READING}/details.py",
        "ThreadPoolExecutor(max_workers=MOST,",
        "ThreadPoolExecutor(max_workers=1,",
        (OF_QUEUE,),
    ),
    Mutant(
        "details: a batch goes out as soon as anything else waits",
        f"{READING}/detail_queue.py",
        "_AHEAD, _LEAST_AHEAD = 2, 8",
        "_AHEAD, _LEAST_AHEAD = 0, 1",
        (OF_QUEUE, f"{DETAILS}::test_intercom_is_asked_about_twenty_conversations_a_request"),
    ),
    Mutant(
        "details: a failure of the list swallows the rows before it",
        f"{READING}/details.py",
        "            yield from queue.rest()\n            raise\n",
        "            yield from ()\n            raise\n",
        (OF_QUEUE,),
    ),
    Mutant(
        "details: a plan that refuses moves the state",
        f"{READING}/retriever.py",
        "            return self._unmoved()\n        return self._leaving(state)",
        "            pass\n        return self._leaving(state)",
        (PLANS,),
    ),
    Mutant(
        "details: a state leaves before it is known whether the plan refuses",
        f"{READING}/details.py",
        "self._asks and not is_ending and self._plan.is_open",
        "False",
        (PLANS, OF_QUEUE),
    ),
    Mutant(
        "details: a plan that refuses is asked for each call",
        f"{READING}/plan.py",
        "if self._refused >= MOST_REFUSALS and not self._is_answered:",
        "if self._refused < 0:",
        (PLANS, f"{UNIT}/reading/test_plan.py"),
    ),
    Mutant(
        "details: refusals close a plan that has answered",
        f"{READING}/plan.py",
        "if self._refused >= MOST_REFUSALS and not self._is_answered:",
        "if self._refused >= MOST_REFUSALS:",
        (f"{DETAILS}::test_what_a_plan_has_for_some_calls_comes_for_these",),
    ),
    Mutant(
        "details: each call of a conversation that is given out is asked about",
        f"{READING}/fan_out.py",
        "return changed is None or times.sort_key(changed) >= since",
        "return True",
        (f"{AGAIN}[openphone-call_recordings]", f"{UNIT}/reading/test_fan_out.py"),
    ),
    Mutant(
        "details: what has changed is told by the cursor of a reading that was killed",
        f"{READING}/progress.py",
        "return self._place(partition).complete if self._keeps_complete else None",
        "return self._place(partition).reached if self._keeps_complete else None",
        (KILLED, f"{UNIT}/reading/test_progress.py"),
    ),
    Mutant(
        "details: of a year that differs only changes are asked about",
        f"{READING}/oldest_first.py",
        "            parent.pop(CHANGED_SINCE, None)\n",
        "            pass\n",
        (f"{UNIT}/reading/test_oldest_first.py",),
    ),
    Mutant(
        "details: all streams share the progress of one parent",
        f"{READING}/progress.py",
        'return f"progress of {id(cursor)}"',
        'return "progress"',
        (f"{DETAILS}::test_all_streams_of_what_there_is_to_calls_are_read_in_one_sync",),
    ),
    Mutant(
        "details: a ticket is closed before the rows are out",
        f"{READING}/fan_out.py",
        "                yield Checkpoint(ticket.close)\n",
        "                ticket.close()\n",
        (f"{UNIT}/reading/test_fan_out.py",),
    ),
    Mutant(
        "details: unanswered calls are asked about",
        manifest("openphone"),
        "asked_if: [answered]",
        "asked_if: [answered, id]",
        (f"{DETAILS}::test_quo_is_asked_about_answered_calls_only_and_once",),
    ),
    Mutant(
        "details: a leg is asked for by the id of its call",
        manifest("intercom"),
        "              own: recording_url\n",
        "              own: id\n",
        (f"{DETAILS}::test_the_rows_are_the_truth[intercom-call_recordings]",),
    ),
    Mutant(
        "details: any URL names a leg",
        f"{READING}/details_of_call.py",
        're.fullmatch(self.leg["pattern"], url)',
        're.search(self.leg["pattern"], url)',
        (OF_SOURCES,),
    ),
    Mutant(
        "details: an id is put into the path as it is",
        f"{READING}/details_of_call.py",
        'quote(asked, safe="")',
        "asked",
        (OF_SOURCES,),
    ),
    Mutant(
        "details: a recording is read",
        f"{SHARED}/error_mapping/shapes.py",
        "return not self.is_an_answer(response.status_code) or _is_a_message(response)",
        "return True",
        (
            f"{DETAILS}::test_no_recording_is_taken_and_the_key_goes_nowhere_else",
            f"{UNIT}/error_mapping/test_shapes.py",
        ),
    ),
    Mutant(
        "details: what is not wanted is read all the same",
        f"{SHARED}/http/transport.py",
        "        if not wants_body(response):\n",
        "        if wants_body is None:\n",
        (f"{DETAILS}::test_no_recording_is_taken_and_the_key_goes_nowhere_else",),
    ),
    Mutant(
        "details: a redirect of a recording is followed",
        f"{SHARED}/http/transport.py",
        "            allow_redirects=False,\n",
        "            allow_redirects=True,\n",
        (f"{DETAILS}::test_no_recording_is_taken_and_the_key_goes_nowhere_else",),
        (
            "    def resolve_redirects(self, *args: Any, **kwargs: Any) -> Iterator[Any]:\n",
            "    def unused(self, *args: Any, **kwargs: Any) -> Iterator[Any]:\n",
        ),
    ),
    Mutant(
        "details: a page under HTTP 200 is a text",
        f"{SHARED}/error_mapping/shapes.py",
        'if "html" in kind or "xml" in kind or body.lstrip()[:1] == "<":',
        'if kind == "?":',
        (f"{UNIT}/error_mapping/test_shapes.py",),
    ),
    Mutant(
        "details: lines are counted anew in each segment",
        f"{READING}/detail_rows.py",
        'given["segment_index"] = index\n',
        'given["segment_index"] = index % 2\n',
        (f"{UNIT}/reading/test_detail_rows.py", f"{DETAILS}::test_the_rows_are_the_truth"),
    ),
    Mutant(
        "details: an unclear line is taken apart",
        f"{SHARED}/normalization/dialogue.py",
        "found = _LINE.fullmatch(text)",
        "found = _LINE.search(text)",
        (f"{UNIT}/normalization/test_dialogue.py",),
    ),
)
