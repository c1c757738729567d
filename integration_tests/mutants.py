"""`python -m integration_tests.mutants`: break the code on purpose; a test must notice each time.

Each mutant is one replacement of text in a copy of the checkout in a temporary folder; the copy's
packages stand first on `PYTHONPATH`, so that tests in the process and console scripts run it. Not
part of the checks of each change: it takes some minutes.
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from argparse import ArgumentParser
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from queue import SimpleQueue

from integration_tests.connectors import CONNECTORS, ROOT
from integration_tests.mutant import (
    KILLS,
    PROMISE,
    PROPERTIES,
    SECRETS,
    SHARED,
    SWITCHES,
    UNIT,
    Mutant,
    manifest,
    requests_of,
)
from integration_tests.mutants_of_answers import MUTANTS_OF_ANSWERS
from integration_tests.mutants_of_certification import MUTANTS_OF_CERTIFICATION
from integration_tests.mutants_of_columns import MUTANTS_OF_COLUMNS
from integration_tests.mutants_of_details import MUTANTS_OF_DETAILS
from integration_tests.mutants_of_fifth import MUTANTS_OF_FIFTH
from integration_tests.mutants_of_listed_calls import MUTANTS_OF_LISTED_CALLS
from integration_tests.mutants_of_lists import MUTANTS_OF_LISTS
from integration_tests.mutants_of_manifests import MUTANTS_OF_MANIFESTS
from integration_tests.mutants_of_people import MUTANTS_OF_PEOPLE
from integration_tests.mutants_of_recent import MUTANTS_OF_RECENT
from integration_tests.mutants_of_register import MUTANTS_OF_REGISTER
from integration_tests.mutants_of_releases import MUTANTS_OF_RELEASES
from integration_tests.mutants_of_versions import MUTANTS_OF_VERSIONS
from integration_tests.mutants_of_windows import MUTANTS_OF_WINDOWS

NEEDED = (
    *("shared", "source-*", "integration_tests", "examples", "deploy", "pyproject.toml"),
    *("release", "docs", "Dockerfile", ".dockerignore", ".gitignore", "*.md", "LICENSE"),
    *("requirements.lock", "runtime.lock", "conftest.py"),
)
LONGEST = 1800.0
"""Seconds for the tests of one mutant; a hanging test is a dead mutant too."""

ANSWERS = "integration_tests/test_odd_answers.py"
SKIPS = "integration_tests/test_earned_skips.py"
FAULTS = "integration_tests/test_faults.py"
STAYS = f"{FAULTS}::test_a_fault_that_stays_fails_the_sync_and_loses_nothing"

MUTANTS: tuple[Mutant, ...] = (
    *MUTANTS_OF_ANSWERS,
    *MUTANTS_OF_COLUMNS,
    *MUTANTS_OF_DETAILS,
    *MUTANTS_OF_FIFTH,
    *MUTANTS_OF_LISTS,
    *MUTANTS_OF_LISTED_CALLS,
    *MUTANTS_OF_MANIFESTS,
    *MUTANTS_OF_CERTIFICATION,
    *MUTANTS_OF_PEOPLE,
    *MUTANTS_OF_RECENT,
    *MUTANTS_OF_REGISTER,
    *MUTANTS_OF_RELEASES,
    *MUTANTS_OF_VERSIONS,
    *MUTANTS_OF_WINDOWS,
    Mutant(
        "a numbered list ends after its first page",
        f"{SHARED}/reading/read_ahead.py",
        "    if announced is not None and announced <= number:\n        return\n",
        "    return\n",
        (f"{UNIT}/reading/test_read_ahead.py",),
    ),
    Mutant(
        "pages past the last one are asked for",
        f"{SHARED}/reading/read_ahead.py",
        "else announced or submitted\n",
        "else (announced or submitted) + 1\n",
        (f"{UNIT}/reading/test_read_ahead.py",),
    ),
    Mutant(
        "any number of pages is held in memory",
        f"{SHARED}/reading/read_ahead.py",
        "while submitted < limit and len(ahead) < max(1, workers()):",
        "while submitted < limit:",
        (f"{UNIT}/reading/test_read_ahead.py",),
    ),
    *(
        Mutant(name, f"{SHARED}/http/places.py", before, after, (f"{UNIT}/http/test_places.py",))
        for name, before, after in (
            (
                "places: their number never grows",
                "self._change(min(2 * self.number, self._most), now)",
                "self._change(self.number, now)",
            ),
            (
                "places: their number has no bound",
                "min(2 * self.number, self._most)",
                "2 * self.number",
            ),
            (
                "places: more of them although the rate holds back",
                "if last.waited > _HELD * last.lasted:",
                "if last.waited > 1e9:",
            ),
            (
                "places: more of them although some are free",
                "if last.was_full and",
                "if",
            ),
            (
                "places: growth that brings nothing is kept",
                "if before is not None and rate < _GAIN * self._rate_before:",
                "if before is not None and rate < 0:",
            ),
            (
                "places: growth is taken back whatever it brings",
                "rate < _GAIN * self._rate_before",
                "rate < 9 * self._rate_before",
            ),
            (
                "places: growth that brought nothing is tried again at once",
                "self._not_before = now + self._pause",
                "self._not_before = now",
            ),
            (
                "places: a setback is never forgotten",
                "            self._pause = _FIRST_PAUSE\n",
                "            pass\n",
            ),
            (
                "places: each of several refusals counts",
                "if sent >= self._shrunk_at:",
                "if True:",
            ),
            (
                "places: answers of before a change count for it",
                "if sent < self._changed_at:",
                "if False:",
            ),
            (
                "places: a refusal changes nothing",
                "self._growth.refused(place.sent, self._clock())",
                "pass",
            ),
            (
                "places: new ones wake nobody",
                "self._changed.notify(max(1, self._number - self._under_way))",
                "self._changed.notify()",
            ),
            (
                "places: a number of the user is only the start",
                "None if fixed else Growth()",
                "Growth(fixed or FIRST)",
            ),
        )
    ),
    Mutant(
        "places: HTTP 503 is no refusal",
        f"{SHARED}/http/sender.py",
        "place.is_refused = response.status_code in _TOO_MANY",
        "place.is_refused = response.status_code == HTTPStatus.TOO_MANY_REQUESTS",
        (f"{UNIT}/http/test_sender.py", "integration_tests/test_requests_at_once.py"),
    ),
    Mutant(
        "places: pages are read ahead as the number was at first",
        f"{SHARED}/reading/retriever.py",
        "workers=self._budget.places.number,",
        "workers=(lambda first=self._budget.places.number(): first),",
        (f"{UNIT}/reading/test_retriever.py", "integration_tests/test_requests_at_once.py"),
    ),
    Mutant(
        "places: what the user says is not looked at",
        f"{SHARED}/http/budget.py",
        'Places(int((config or {}).get("num_workers") or 0) or None)',
        "Places()",
        (f"{UNIT}/http/test_budget.py",),
    ),
    Mutant(
        "a short page ends a chained list",
        f"{SHARED}/reading/pages.py",
        "            if not token:\n",
        "            if not token or len(page.records) < 5:\n",
        (f"{UNIT}/reading/test_retriever.py", PROPERTIES),
    ),
    *(
        Mutant(
            f"{provider}: no lookback",
            manifest(provider),
            "lookback_window: \"P{{ config.get('lookback_days', 7) }}D\"",
            "lookback_window: P0D",
            (requests_of(provider), PROPERTIES),
        )
        for provider in CONNECTORS
    ),
    Mutant(
        "records newer than our clock are dropped",
        f"{SHARED}/reading/list_retriever.py",
        "            in_scope=self._passes_start_date(call.data),\n",
        "            in_scope=self._passes_start_date(call.data)\n"
        '            and (changed or "") < datetime.now(UTC).isoformat(),\n',
        (
            f"{PROMISE}::test_the_state_never_passes_the_start_of_the_sync_and_nothing_newer_is_dropped",
        ),
    ),
    Mutant(
        "the state is not capped",
        f"{SHARED}/reading/state.py",
        "min(value, ceiling, key=times.sort_key)",
        "value",
        (f"{UNIT}/reading/test_state.py",),
    ),
    Mutant(
        "an empty page below the last one ends the list",
        f"{SHARED}/reading/numbered.py",
        "        if self._is_at_end(number) or self._all_seen():\n",
        "        if self._is_at_end(number) or number > 0:\n",
        (f"{UNIT}/reading/test_numbered.py",),
    ),
    Mutant(
        "a body without the list is a good page",
        f"{SHARED}/error_mapping/body.py",
        "        if records is None and self._is_announced_empty(body):\n",
        "        if records is None:\n",
        (f"{UNIT}/error_mapping/test_body.py",),
    ),
    Mutant(
        "a rate limit counts as an attempt",
        f"{SHARED}/http/sender.py",
        "                self._wait_for_limit(pause)\n                continue\n",
        "                self._wait_for_limit(pause)\n"
        "                attempts += 1\n"
        "                if attempts < self.patience.attempts:\n"
        "                    continue\n",
        (f"{UNIT}/http/test_sender.py",),
    ),
    Mutant(
        "Retry-After is ignored",
        f"{SHARED}/http/waiting.py",
        'headers.get("Retry-After", "").strip()',
        '""',
        (f"{UNIT}/http/test_waiting.py",),
    ),
    Mutant(
        "a rate limit holds only the worker that met it",
        f"{SHARED}/http/sender.py",
        "        self.budget.pause(seconds)\n",
        "        self.budget.sleep(0.0)\n",
        (f"{UNIT}/http/test_sender.py",),
    ),
    Mutant(
        "the budget lets every request start",
        f"{SHARED}/http/budget.py",
        "        return self._rate.start(self._clock(), self._per_minute)\n",
        "        return 0.0\n",
        (f"{UNIT}/http/test_budget.py",),
    ),
    Mutant(
        "redirects are followed",
        f"{SHARED}/http/transport.py",
        "allow_redirects=False",
        "allow_redirects=True",
        (f"{UNIT}/http/test_transport.py", SECRETS),
        also=("return iter(())", "return super().resolve_redirects(*args, **kwargs)"),
    ),
    Mutant(
        "a dripping answer may take for ever",
        f"{SHARED}/http/transport.py",
        "if time.monotonic() > deadline:",
        "if time.monotonic() > deadline + 1e6:",
        (f"{UNIT}/http/test_transport.py",),
    ),
    Mutant(
        "a link to another host is followed",
        f"{SHARED}/http/transport.py",
        'if parts.scheme not in ("https", "http") or host != own.host or not same_port:',
        "if not parts.host:",
        (f"{UNIT}/http/test_origin.py",),
        also=("{own.scheme}://{own.netloc}{parts.path", "{parts.scheme}://{host}{parts.path"),
    ),
    Mutant(
        "a page token that looks like a number becomes one",
        f"{SHARED}/reading/pagination.py",
        'return token if token not in (None, "") else None',
        "return (int(token) if str(token).isdigit() else token) or None",
        (f"{UNIT}/reading/test_pagination.py",),
    ),
    Mutant(
        "the key goes through Jinja",
        f"{SHARED}/http/authenticator.py",
        'credential = str(self.config.get(self.key, ""))',
        "from airbyte_cdk.sources.declarative.interpolation import InterpolatedString\n\n"
        '        text = "{{ config[\'" + self.key + "\'] }}"\n'
        "        found = InterpolatedString.create(text, parameters={}).eval(self.config)\n"
        "        credential = str(found)",
        (f"{UNIT}/http/test_authenticator.py",),
    ),
    Mutant(
        "OpenPhone: no request by user",
        f"{SHARED}/reading/fan_out.py",
        "for value in (None, *self._values(extra)):",
        "for value in (None, *self._values({})):",
        (f"{UNIT}/reading/test_fan_out.py",),
    ),
    Mutant(
        "OpenPhone: a call comes out once a user",
        f"{SHARED}/reading/fan_out.py",
        "if call_id not in seen:",
        "if call_id:",
        (f"{UNIT}/reading/test_fan_out.py",),
    ),
    Mutant(
        "OpenPhone: only updatedAt tells an active conversation",
        manifest("openphone"),
        "latest: {active_at: [updatedAt, lastActivityAt, createdAt],",
        "latest: {active_at: [updatedAt],",
        (requests_of("openphone"), f"{SWITCHES}[openphone-conversation_moves=last_activity]"),
    ),
    Mutant(
        "OpenPhone: a new phone number starts at the state of the others",
        f"{SHARED}/reading/parents.py",
        'return "states" in stream_state and "state" in stream_state',
        "return False",
        (f"{UNIT}/reading/test_parents.py",),
    ),
    Mutant(
        "OpenPhone: the state of the conversations is not kept",
        manifest("openphone"),
        "            incremental_dependency: true\n",
        "            incremental_dependency: false\n",
        (f"{UNIT}/protocol/test_manifest.py", PROPERTIES),
    ),
    Mutant(
        "start_date counts on the creation",
        manifest("intercom"),
        "start_date_field: occurred_at",
        "start_date_field: created_at",
        (requests_of("intercom"),),
    ),
    Mutant(
        "a parent that is active since the sync began moves the state",
        f"{SHARED}/reading/oldest_first.py",
        "                    data.pop(self.cursor_field, None)\n",
        "",
        (f"{UNIT}/reading/test_oldest_first.py",),
    ),
    Mutant(
        "what was listed before a failure moves the state",
        f"{SHARED}/reading/oldest_first.py",
        "        if failure is not None:\n",
        "        if failure is None and timeless is None:\n",
        (f"{UNIT}/reading/test_oldest_first.py",),
    ),
    Mutant(
        "all windows are given out at once",
        f"{SHARED}/reading/oldest_first.py",
        "while self._waiting and self._moment(self._waiting[-1]) <= end:",
        "while self._waiting and end:",
        (f"{UNIT}/reading/test_oldest_first.py", KILLS),
    ),
    Mutant(
        "start_date is not applied on our side",
        f"{SHARED}/reading/retriever.py",
        "        if not self._earliest or not self.start_date_field:\n",
        "        if self._earliest or not self.start_date_field:\n",
        (f"{UNIT}/reading/test_retriever.py",),
    ),
    Mutant(
        "an unknown status becomes null",
        f"{SHARED}/normalization/words.py",
        '{"status": "unknown",',
        '{"status": None,',
        (f"{UNIT}/normalization/test_mapping.py",),
    ),
    Mutant(
        "a zero time is a time",
        f"{SHARED}/normalization/times.py",
        "        if value < _FIRST_SECOND:\n",
        "        if value < 0:\n",
        (f"{UNIT}/normalization/test_converters.py", f"{UNIT}/normalization/test_normalization.py"),
    ),
    Mutant(
        "a zero time of a text is a time",
        f"{SHARED}/normalization/times.py",
        "    return None if isinstance(found, str) and found < _FIRST_YEAR else found\n",
        "    return found\n",
        (f"{UNIT}/normalization/test_converters.py",),
    ),
    Mutant(
        "a date that is no date cannot be read, whatever its year",
        f"{SHARED}/normalization/times.py",
        '    if value <= "1989-12-31" and _ZERO_DATE.match(value):\n        return True\n',
        "",
        (f"{UNIT}/normalization/test_converters.py",),
    ),
    Mutant(
        "a UUIDv7 of the year 1970 tells when a call was created",
        f"{SHARED}/normalization/times.py",
        "_FIRST_UUID7 <= value.lower()",
        "value.lower()",
        (f"{UNIT}/normalization/test_converters.py", f"{UNIT}/reading/test_retriever.py"),
    ),
    *(
        Mutant(
            f"{provider}: without a state calls are left out",
            manifest(provider),
            "1990-01-01T00:00:00.000000Z",
            "2000-01-01T00:00:00.000000Z",
            (requests_of(provider), "integration_tests/test_manifests.py"),
        )
        for provider in CONNECTORS
    ),
    Mutant(
        "a change that cannot be read is as old as the call",
        f"{SHARED}/normalization/completion.py",
        'if "updated_at" not in unreadable and "created_at" not in unreadable:',
        'if "created_at" not in unreadable:',
        (f"{UNIT}/normalization/test_normalization.py",),
    ),
    Mutant(
        "of two changes the one that can be read is the last",
        f"{SHARED}/normalization/sources.py",
        "            if moment is UNREADABLE:\n                return UNREADABLE\n",
        "",
        (f"{UNIT}/normalization/test_mapping.py", f"{UNIT}/normalization/test_normalization.py"),
    ),
    Mutant(
        "half an emoji stops the stream",
        f"{SHARED}/error_mapping/json_body.py",
        '        return "\\\\ufffd"\n',
        "        return match[0]\n",
        (f"{UNIT}/error_mapping/test_json_body.py",),
    ),
    Mutant(
        "an escaped backslash counts as half an emoji",
        f"{SHARED}/error_mapping/json_body.py",
        r'[0-9a-fA-F]{2})|\\.",',
        r'[0-9a-fA-F]{2})",',
        (f"{UNIT}/error_mapping/test_json_body.py",),
    ),
    Mutant(
        "a long integer loses its digits",
        f"{SHARED}/error_mapping/json_body.py",
        "    if _MANY_DIGITS in content.translate(_DIGITS) and",
        "    if _MANY_DIGITS in content and",
        (f"{UNIT}/error_mapping/test_json_body.py",),
    ),
    Mutant(
        "the declared character set does not count",
        f"{SHARED}/error_mapping/json_body.py",
        'declared[1] if declared else "utf-8"',
        '"utf-8"',
        (f"{UNIT}/error_mapping/test_json_body.py",),
    ),
    Mutant(
        "an infinite number stays",
        f"{SHARED}/error_mapping/json_body.py",
        "        if math.isfinite(value := float(digits)):\n",
        "        if (value := float(digits)) is not None:\n",
        (f"{UNIT}/error_mapping/test_json_body.py",),
    ),
    Mutant(
        "a body may unpack to any size",
        f"{SHARED}/http/transport.py",
        "        if size > LARGEST_BODY:\n",
        "        if size < 0:\n",
        (f"{UNIT}/http/test_transport.py",),
    ),
    Mutant(
        "no answer is compressed",
        f"{SHARED}/http/transport.py",
        '{"Accept-Encoding": "gzip", **headers}',
        "dict(headers)",
        (f"{UNIT}/http/test_transport.py",),
    ),
    Mutant(
        "words are compared letter by letter",
        f"{SHARED}/normalization/words.py",
        "ours.get(word) or ours.get(folded(word))",
        "ours.get(word)",
        (f"{UNIT}/normalization/test_mapping.py",),
    ),
    Mutant(
        "a text in place of an object says nothing",
        f"{SHARED}/normalization/fields.py",
        'return None if value in (None, "", []) else UNREADABLE',
        "return None",
        (f"{UNIT}/normalization/test_mapping.py", f"{UNIT}/normalization/test_normalization.py"),
    ),
    Mutant(
        "any number of unknown words is kept",
        f"{SHARED}/report.py",
        "len(self._words) < _MOST_WORDS",
        "len(self._words) >= 0",
        (f"{UNIT}/test_report.py",),
    ),
    Mutant(
        "a text is never converted",
        f"{SHARED}/normalization/normalization.py",
        "                value = text(value)\n",
        "                pass\n",
        (f"{UNIT}/normalization/test_normalization.py",),
    ),
    Mutant(
        "week dates are timestamps as they are",
        f"{SHARED}/normalization/times.py",
        'and value[5] != "W"',
        'and value[5] != "V"',
        (f"{UNIT}/normalization/test_converters.py",),
    ),
    Mutant(
        "records come out without their field",
        f"{SHARED}/reading/extractor.py",
        "if self.under else records",
        "if not self.under else records",
        (f"{UNIT}/reading/test_extractor.py",),
    ),
    Mutant(
        "a call that nobody has answered yet counts as unanswered",
        f"{SHARED}/normalization/completion.py",
        "return False if status in _UNANSWERED or (self.states_answers and has_ended) else None",
        "return False",
        (f"{UNIT}/normalization/test_normalization.py",),
    ),
    Mutant(
        "a phone number becomes an integer",
        f"{SHARED}/normalization/converters.py",
        "    if isinstance(value, str):\n        return value\n    if isinstance(value, int)",
        "    if isinstance(value, str):\n"
        '        return str(int(value)) if value.lstrip("+").isdigit() else value\n'
        "    if isinstance(value, int)",
        (f"{UNIT}/normalization/test_converters.py",),
    ),
    Mutant(
        "a refused key is skipped",
        f"{SHARED}/error_mapping/error_table.py",
        'ErrorRow(401, "fail", _BAD_KEY, "config_error"),',
        'ErrorRow(401, "skip", _BAD_KEY, "config_error"),',
        (f"{UNIT}/error_mapping/test_error_table.py",),
    ),
    Mutant(
        "a failure of the server is skipped",
        f"{SHARED}/error_mapping/error_table.py",
        '            "retry",\n            "{provider} could not answer',
        '            "skip",\n            "{provider} could not answer',
        (f"{UNIT}/error_mapping/test_error_table.py",),
    ),
    Mutant(
        "an unknown id of call_ids fails the sync",
        manifest("intercom"),
        "              - status: 404\n                action: skip\n",
        "              - status: 404\n                action: fail\n",
        (f"{UNIT}/error_mapping/test_manifest_rows.py", requests_of("intercom")),
    ),
    Mutant(
        "the sandbox may be any host",
        f"{SHARED}/http/sandbox.py",
        'is_loopback(parts.hostname or "")',
        "bool(parts.hostname)",
        (f"{UNIT}/http/test_transport.py",),
    ),
    Mutant(
        "no secret is masked",
        f"{SHARED}/protocol/secrets.py",
        "update_secrets(sorted(_masked_forms, key=len, reverse=True))",
        "update_secrets([])",
        (f"{UNIT}/protocol/test_secrets.py",),
    ),
    Mutant(
        "only the plain form of a secret is masked",
        f"{SHARED}/protocol/secrets.py",
        "_masked_forms.update(encoded_forms(secret))",
        "_masked_forms.add(secret)",
        (f"{SECRETS}::test_a_failed_read_tells_no_key",),
    ),
    Mutant(
        "a trace is not masked",
        f"{SHARED}/protocol/secrets.py",
        "error.message = filter_secrets(error.message)",
        "error.message = str(error.message)",
        (f"{UNIT}/protocol/test_secrets.py", f"{SECRETS}::test_a_failed_read_tells_no_key"),
    ),
    Mutant(
        "a provider's words are quoted as they come",
        f"{SHARED}/quoting.py",
        "    return clean if len(clean) <= LONGEST_QUOTE else",
        "    return words if words else",
        (f"{SECRETS}::test_harmful_words_of_a_provider",),
    ),
    Mutant(
        "a provider's words are masked only after they were cut",
        f"{SHARED}/quoting.py",
        "filter_secrets(words)[: 4 * LONGEST_QUOTE]",
        "filter_secrets(words[: 4 * LONGEST_QUOTE])",
        (f"{SECRETS}::test_a_key_behind_a_thousand_control_characters_tells_nothing",),
    ),
    Mutant(
        "the status of a failed check is not masked",
        f"{SHARED}/protocol/failures.py",
        'message = filter_secrets(failure.message or "")',
        'message = failure.message or ""',
        (f"{UNIT}/protocol/test_source.py",),
    ),
    Mutant(
        "a key with a blank is accepted",
        f"{SHARED}/protocol/configuration.py",
        "if value != value.strip():",
        "if not value.strip():",
        (f"{UNIT}/protocol/test_configuration.py",),
    ),
    Mutant(
        "a refused configuration is quoted",
        f"{SHARED}/protocol/configuration.py",
        'return f"The configuration key {key} {problem}: {_expected(declared)}"',
        'return f"The configuration key {key} {problem}: {_expected(declared)} {declared!r}"',
        (f"{UNIT}/protocol/test_configuration.py",),
    ),
    Mutant(
        "no sign of life in a silence",
        f"{SHARED}/protocol/heartbeat.py",
        "                        print_running(stream, rate_limited=self._is_limited())\n",
        "                        self._is_limited()\n",
        (f"{KILLS}::test_signs_of_life_while_pages_hold_nothing_new",),
    ),
    Mutant(
        "a sign of life does not tell that a rate limit is the reason",
        f"{SHARED}/protocol/heartbeat.py",
        "rate_limited=self._is_limited()",
        "rate_limited=False",
        (f"{KILLS}::test_signs_of_life_while_waiting_for_a_rate_limit",),
    ),
    Mutant(
        "a closed stdout is not noticed during a wait",
        f"{SHARED}/protocol/heartbeat.py",
        "                self._closed()\n                return\n",
        "                return\n",
        (f"{KILLS}::test_a_stdout_that_closes_during_a_wait_ends_it",),
    ),
    Mutant(
        "nobody looks whether stdout is closed",
        f"{SHARED}/protocol/heartbeat.py",
        "if reader_is_gone():",
        "if False:",
        (f"{KILLS}::test_a_stdout_that_closes_during_a_wait_ends_it",),
    ),
    Mutant(
        "a read that ends does not stop its requests",
        f"{SHARED}/protocol/declarative.py",
        "        self.budget.stopped.set()\n",
        "",
        (f"{UNIT}/protocol/test_source.py",),
    ),
    Mutant(
        "a thread that waits for a place in the queue is left there",
        f"{SHARED}/protocol/declarative.py",
        "            queue.not_full.notify_all()\n",
        "",
        (f"{UNIT}/protocol/test_source.py",),
    ),
    Mutant(
        "the threads of a read are not told that it has ended",
        f"{SHARED}/protocol/declarative.py",
        "        pool.shutdown(wait=False, cancel_futures=True)\n",
        "",
        (f"{UNIT}/protocol/test_source.py",),
    ),
    Mutant(
        "a signal is left to the main thread",
        f"{SHARED}/protocol/entrypoint.py",
        "        with ended_by_signals():\n",
        "        if True:\n",
        (f"{KILLS}::test_a_process_whose_reader_stalls_ends_when_it_is_told_to",),
    ),
    Mutant(
        "a write that nobody reads holds back the end",
        f"{SHARED}/protocol/ending.py",
        "acquire(timeout=_LONGEST_WRITE)",
        "acquire()",
        (f"{UNIT}/protocol/test_ending.py",),
    ),
    Mutant(
        "a line that is being written is cut",
        f"{SHARED}/protocol/ending.py",
        "    PRINT_BUFFER.lock.acquire(timeout=_LONGEST_WRITE)  # held by whoever writes\n",
        "",
        (f"{UNIT}/protocol/test_ending.py",),
    ),
    Mutant(
        "a closed stdout ends in a traceback",
        f"{SHARED}/protocol/entrypoint.py",
        "    except BrokenPipeError:\n        end_unread()",
        "    except ZeroDivisionError:\n        end_unread()",
        (f"{KILLS}::test_a_stdout_that_was_never_open",),
    ),
    Mutant(
        "a full refresh goes by a state",
        f"{SHARED}/protocol/source.py",
        "of_incremental(state or [], catalog)",
        "state or []",
        (f"{UNIT}/protocol/test_source.py",),
    ),
    Mutant(
        "a state is read in one form only",
        f"{SHARED}/reading/checked_state.py",
        "in_own_form(stream_state, fields)",
        "dict(stream_state)",
        (f"{UNIT}/reading/test_checked_state.py",),
    ),
    Mutant(
        "a state of the future is not warned of",
        f"{SHARED}/reading/retriever.py",
        "            if not self._gate.is_parent and (far :=",
        "            if self._gate.is_parent and (far :=",
        (f"{UNIT}/protocol/test_source.py",),
    ),
    Mutant(
        "a cursor may be where arithmetic does not bear it",
        f"{SHARED}/reading/state.py",
        "times.format_timestamp(within_bounds(moment))",
        "times.format_timestamp(moment)",
        (f"{UNIT}/reading/test_state.py",),
    ),
    Mutant(
        "an optional key that is empty counts",
        f"{SHARED}/protocol/configuration.py",
        'return value is None or value in ("", [])',
        "return value is None",
        (f"{UNIT}/protocol/test_configuration.py",),
    ),
    Mutant(
        "the secrets of an earlier source are forgotten",
        f"{SHARED}/protocol/secrets.py",
        "    with _lock:\n",
        "    with _lock:\n        _masked_forms.clear()\n",
        (f"{UNIT}/protocol/test_secrets.py",),
    ),
    Mutant(
        "a secret under a misspelt key is told",
        f"{SHARED}/protocol/secrets.py",
        "                yield entry\n",
        "                yield from ()\n",
        (f"{UNIT}/protocol/test_secrets.py",),
    ),
    Mutant(
        "the failure of a stream is swallowed",
        f"{SHARED}/protocol/source.py",
        "        if failure is not None:\n            raise failure\n",
        "",
        (f"{UNIT}/protocol/test_source.py",),
    ),
    Mutant(
        "a state overtakes a record",
        f"{SHARED}/protocol/source.py",
        "                    tally.record(message.record)\n",
        "                    tally.record(message.record)\n"
        "                    held = self.__dict__.setdefault('held', [])\n"
        "                    held.append(message)\n"
        "                    if len(held) < 2:\n"
        "                        continue\n"
        "                    message = held.pop(0)\n",
        (f"{KILLS}::test_a_sync_may_be_cut_after_any_message",),
        (
            "        for sentence in budget.report.new_sentences():\n",
            "        yield from self.__dict__.pop('held', [])\n"
            "        for sentence in budget.report.new_sentences():\n",
        ),
    ),
    Mutant(
        "the queue of records has no bound",
        f"{SHARED}/protocol/declarative.py",
        "self._concurrent_source._queue.maxsize = QUEUED_RECORDS",
        "self._concurrent_source._queue.maxsize = 0",
        (f"{UNIT}/protocol/test_source.py", f"{UNIT}/reading/test_retriever.py"),
    ),
    Mutant(
        "a gateway's page may be skipped",
        f"{SHARED}/error_mapping/errors.py",
        'if (self.own is not None or self.action == "skip") and answer.own',
        "if self.own is not None and answer.own",
        (f"{STAYS}[intercom-calls_by_id-first_id-status_404_html]",),
    ),
    Mutant(
        "OpenPhone: any refusal of the provider may be skipped",
        manifest("openphone"),
        '          code: "0101403"\n          title: Not Phone Number User\n',
        "",
        (f"{SKIPS}::test_a_refusal_with_another_code_is_no_skip",),
    ),
    Mutant(
        "OpenPhone: a title counts in the documented form only",
        manifest("openphone"),
        "titles: [title, key, message]",
        "titles: [title]",
        (f"{SKIPS}::test_an_earned_404_or_400_closes_the_conversation",),
    ),
    Mutant(
        "OpenPhone: a refused conversation has been read",
        f"{SHARED}/reading/fan_out.py",
        "if is_broken_off or not (200 in statuses or statuses <= set(self.closing_statuses)):",
        "if is_broken_off or not statuses:",
        (f"{SKIPS}::test_one_conversation_that_is_refused_is_a_hole_whatever_the_timing",),
    ),
    Mutant(
        "OpenPhone: a state passes a hole",
        f"{SHARED}/reading/progress.py",
        "while place.waiting and place.waiting[0].closed:",
        "while place.waiting:",
        (f"{SKIPS}::test_one_conversation_that_is_refused_is_a_hole_whatever_the_timing",),
    ),
    Mutant(
        "OpenPhone: a sync in which every request was skipped succeeds",
        f"{SHARED}/reading/fan_out.py",
        "if self._is_done and self._has_asked and not self._was_answered:",
        "if self._is_done and not self._has_asked:",
        (f"{SKIPS}::test_a_sync_in_which_every_request_was_skipped_fails_and_moves_no_state",),
    ),
    Mutant(
        "OpenPhone: a state leaves though nothing was answered",
        f"{SHARED}/reading/fan_out.py",
        "        if self._has_asked and not self._was_answered:\n",
        "        if not self._has_asked and self._was_answered:\n",
        (f"{SKIPS}::test_a_sync_in_which_every_request_was_skipped_fails_and_moves_no_state",),
    ),
    Mutant(
        "OpenPhone: numbers without text are one group",
        manifest("openphone"),
        "group_in_slice: phoneNumberId",
        "group_in_slice: number",
        (f"{SKIPS}::test_what_one_number_proves_about_the_filter_by_user_holds_for_it_alone",),
    ),
    Mutant(
        "good answers do not end a row of failures",
        f"{SHARED}/http/budget.py",
        "            self._failures = self._refusals = 0\n",
        "",
        (f"{SKIPS}::test_failures_with_good_answers_between_them_do_not_end_the_sync",),
    ),
    Mutant(
        "a provider that is down is tried for each conversation",
        f"{SHARED}/http/budget.py",
        "_FAILURES_IN_A_ROW = 3\n",
        "_FAILURES_IN_A_ROW = 300\n",
        (f"{SKIPS}::test_a_provider_that_is_down_is_not_tried_for_each_conversation",),
    ),
    Mutant(
        "a key that has worked is refused at once",
        f"{SHARED}/http/sender.py",
        "_TRIES_OF_A_GOOD_KEY = 3\n",
        "_TRIES_OF_A_GOOD_KEY = 1\n",
        (f"{FAULTS}::test_a_key_that_has_worked_is_refused_for_a_moment",),
    ),
    Mutant(
        "waiting for a limit counts as time of the attempts",
        f"{SHARED}/http/sender.py",
        "                self._wait_for_limit(pause)\n",
        "                self._wait_for_limit(pause)\n                spent += pause\n",
        (f"{FAULTS}::test_a_fault_after_a_limit_that_outlasts_the_patience_of_a_request",),
    ),
    Mutant(
        "a list that goes on over the same records is read for ever",
        f"{SHARED}/reading/passes.py",
        "return is_long or (bool(ids) and self._count >= _SAME_PAGES)",
        "return False",
        (f"{ANSWERS}::test_a_list_that_goes_on_over_the_same_records_ends",),
    ),
)


@dataclass(frozen=True)
class Verdict:
    """What became of a mutant: the test that noticed, or why none did."""

    mutant: Mutant
    died: bool
    reason: str
    seconds: float


class Copy:
    """A copy of the checkout whose packages come before the installed ones."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        ignored = shutil.ignore_patterns("__pycache__", "build", ".*", "*.egg-info")
        for pattern in NEEDED:
            for path in ROOT.glob(pattern):
                if path.is_dir():
                    shutil.copytree(path, folder / path.name, ignore=ignored)
                else:
                    shutil.copy2(path, folder / path.name)
        connectors = sorted([*folder.glob("source-*"), *folder.glob("examples/source-*")])
        packages = [folder / "shared", *connectors, folder]
        self.environment = {
            **{key: value for key, value in os.environ.items() if "CALLS_SANDBOX" not in key},
            "PYTHONPATH": os.pathsep.join(map(str, packages)),
            "PYTHONDONTWRITEBYTECODE": "1",
        }

    def python(
        self, *arguments: str, timeout: float | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Run Python in the copy."""
        return subprocess.run(
            [sys.executable, *arguments],
            cwd=self.folder,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )

    def tests(self, *arguments: str, timeout: float | None = None) -> tuple[int, str]:
        """Run tests in the copy; exit status and output."""
        options = ("-q", "--tb=no", "-rfE", "-p", "no:randomly")
        done = self.python("-m", "pytest", *options, *arguments, timeout=timeout)
        return done.returncode, done.stdout + done.stderr

    def prove(self) -> None:
        """Prove that the copy is what Python imports."""
        connectors = [connector.package for connector in CONNECTORS.values()]
        names = ["calls_shared", *connectors, "integration_tests.commands"]
        script = "".join(f"import {name}; print({name}.__file__)\n" for name in names)
        places = self.python("-c", script).stdout.split()
        if len(places) != len(names) or not all(
            place.startswith(str(self.folder)) for place in places
        ):
            raise SystemExit(f"The copy is not what Python imports: {places}")

    def judge(self, mutant: Mutant) -> Verdict:
        """Put the mutant in, run its tests until one fails, and take it out again.

        The test that failed must then pass without the mutant.
        """
        file = self.folder / mutant.file
        sound = file.read_text(encoding="utf-8")
        began = time.monotonic()

        def verdict(died: bool, reason: str) -> Verdict:
            return Verdict(mutant, died, reason, time.monotonic() - began)

        if mutant.before not in sound or mutant.also[0] not in sound:
            return verdict(False, "STALE: the text to replace is not there")
        for tests in mutant.tests:
            file.write_text(mutant.applied(sound), encoding="utf-8")
            try:
                status, output = self.tests("-x", tests, timeout=LONGEST)
            except subprocess.TimeoutExpired:
                return verdict(True, f"{tests} did not end")
            finally:
                file.write_text(sound, encoding="utf-8")
            found = failed(output)
            if status == 1 and found:
                if self.tests(found[0], timeout=LONGEST)[0] != 0:
                    return verdict(False, f"BROKEN: fails without the mutant too: {found[0]}")
                return verdict(True, found[0])
            if status != 0:
                return verdict(False, f"BROKEN: pytest ended with {status}: {output[-300:]}")
        return verdict(False, f"SURVIVED {', '.join(mutant.tests)}")


def failed(output: str) -> list[str]:
    """The tests that failed, by their names in pytest's summary."""
    return re.findall(r"^(?:FAILED|ERROR) (.+?)(?: - .*)?$", output, re.MULTILINE)


def judged(mutants: Iterable[Mutant], jobs: int) -> Iterator[Verdict]:
    """The verdicts, in the order of the mutants, of several copies at once."""
    with tempfile.TemporaryDirectory(prefix="mutants-") as folder:
        copies: SimpleQueue[Copy] = SimpleQueue()
        for number in range(jobs):
            (Path(folder) / str(number)).mkdir()
            copy = Copy(Path(folder) / str(number))
            copy.prove()
            copies.put(copy)

        def judge(mutant: Mutant) -> Verdict:
            copy = copies.get()
            try:
                return copy.judge(mutant)
            finally:
                copies.put(copy)

        with ThreadPoolExecutor(jobs) as pool:
            yield from pool.map(judge, mutants)


def main(arguments: Sequence[str] | None = None) -> int:
    """Judge the mutants and print a table; the exit status is 1 if one survived."""
    parser = ArgumentParser(prog="python -m integration_tests.mutants", description=__doc__)
    parser.add_argument("words", nargs="*", help="only mutants whose name holds one of these")
    parser.add_argument("--jobs", type=int, default=2, help="mutants at once")
    options = parser.parse_args(arguments)
    chosen = [
        mutant
        for mutant in MUTANTS
        if not options.words or any(word in mutant.name for word in options.words)
    ]
    survivors = 0
    for verdict in judged(chosen, max(1, options.jobs)):
        survivors += not verdict.died
        word = "died" if verdict.died else "ALIVE"
        print(
            f"{word:5} {verdict.seconds:4.0f} s  {verdict.mutant.name}\n"
            f"               {verdict.reason}",
            flush=True,
        )
    print(f"{len(chosen) - survivors} of {len(chosen)} mutants died.")
    return 1 if survivors else 0


if __name__ == "__main__":
    sys.exit(main())
