"""Quo's dated API (2026-03-30): calls of the whole workspace, and what surrounds them.

As https://www.quo.com/docs/2026-03-30/calls/list-calls and its neighbours describe it.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice, takewhile

import orjson

from .answers import Answer, ApiRequest, json_answer
from .openphone_calls import OpenPhoneCall
from .openphone_child_records import (
    plan_refuses,
    render_recordings,
    render_transcripts,
)
from .openphone_dated_errors import (
    CALL_NOT_FOUND,
    UNKNOWN_PATH,
    VERSION,
    dated,
    dated_refusal,
    query_invalid,
)
from .openphone_dated_query import CallQuery, Page, read_calls, read_page, read_parts
from .openphone_dated_records import (
    dated_time,
    render_dated_call,
    render_dated_line,
    render_member,
)
from .openphone_errors import Refusal
from .openphone_history import OpenPhoneHistory, moment
from .openphone_switches import Part
from .openphone_tokens import PageTokens
from .openphone_workspace import LINES, MEMBERS
from .rendering import Record, RenderedCalls
from .switches import Switches

PATHS = re.compile(r"/(calls|users|phone-numbers)(/.*)?", re.ASCII)
CALL_PATH = re.compile(r"/calls/([^/]+)(?:/(recordings|transcripts))?", re.ASCII)
CALL_ID = re.compile(r"AC\w+", re.ASCII)
NOT_IN_PLAN = "The plan of this workspace does not include this"
LATEST = 1 << 62


def is_dated(path: str) -> bool:
    """Whether the path is one of this API, which v1's never are."""
    return PATHS.fullmatch(path) is not None


class DatedApi:
    """What the dated API says to requests that have its version and a valid key."""

    def __init__(self, history: OpenPhoneHistory) -> None:
        self._history = history
        self._tokens = PageTokens()
        self._rendered: dict[frozenset[Part], RenderedCalls[OpenPhoneCall]] = {}

    def answer(self, request: ApiRequest, switches: Switches) -> Answer:
        """The answer to a GET request."""
        answer = self._route(request, switches)
        return dated_refusal(answer) if isinstance(answer, Refusal) else answer

    def _route(self, request: ApiRequest, switches: Switches) -> Answer | Refusal:
        if request.path == "/calls":
            return self._calls(request, switches)
        if request.path == "/users":
            return self._list(request, switches, [render_member(one, switches) for one in MEMBERS])
        if request.path == "/phone-numbers":
            return self._phone_numbers(request, switches)
        parts = CALL_PATH.fullmatch(request.path)
        if parts is None:
            return UNKNOWN_PATH
        identifier, child = parts.groups()
        if not CALL_ID.fullmatch(identifier):
            return dated(400, "Expected a call's id (AC...)", "/callId")
        try:
            call = self._history.find(identifier)
        except KeyError:
            return CALL_NOT_FOUND
        return self._child(request, switches, call, child)

    def _calls(self, request: ApiRequest, switches: Switches) -> Answer | Refusal:
        options = switches.openphone_dated
        query = read_calls(request, self._tokens, options)
        if isinstance(query, Refusal):
            return query
        refused = refused_parts(query.parts, switches)
        if refused is not None:
            return refused
        page = query.page
        keyset = options.cursor == "keyset"
        found = list(islice(self._found(query, keyset), page.size + 1))
        listed = found[: page.size]
        cursor = None
        if len(found) > page.size or (options.list_end == "empty_page" and len(found) == page.size):
            place = moment(listed[-1]) if keyset else (offset_of(page) + page.size, "")
            cursor = self._tokens.token(page.filters, place)
        ending = orjson.dumps(list_tail(cursor, switches))[1:]
        comma = b"" if ending == b"}" else b","
        body = b'{"data":%b%b%b' % (self._of(query.parts).array(listed, switches), comma, ending)
        return Answer(200, body, listed=listed, api_version=VERSION)

    def _found(self, query: CallQuery, keyset: bool) -> Iterator[OpenPhoneCall]:
        """The calls from the cursor on, newest first."""
        before = ((LATEST if query.latest is None else query.latest) + 1, "")
        after = query.page.after
        if keyset and after is not None:
            before = min(before, after)
        calls = self._history.newest_of_all(before)
        earliest = query.earliest
        if earliest is not None:
            calls = takewhile(lambda call: call.created >= earliest, calls)
        found = filter(query.wanted, calls)
        return found if keyset else islice(found, offset_of(query.page), None)

    def _of(self, parts: frozenset[Part]) -> RenderedCalls[OpenPhoneCall]:
        if parts not in self._rendered:
            self._rendered[parts] = RenderedCalls(
                lambda call, switches: render_dated_call(call, switches, parts)
            )
        return self._rendered[parts]

    def _child(
        self, request: ApiRequest, switches: Switches, call: OpenPhoneCall, child: str | None
    ) -> Answer | Refusal:
        if child is None:
            parts = read_parts(request)
            if isinstance(parts, Refusal):
                return parts
            refused = refused_parts(parts, switches)
            if refused is not None:
                return refused
            record = self._of(parts).record(call, switches)
            return Answer(200, b'{"data":%b}' % record, listed=[call], api_version=VERSION)
        status = plan_refuses(
            "recordings" if child == "recordings" else "transcripts", call, switches
        )
        if status is not None:
            return dated(status, NOT_IN_PLAN)
        render = render_recordings if child == "recordings" else render_transcripts
        rows = render(call, switches, dated_time)
        if not rows and switches.openphone_children.missing == "404":
            return dated(404, f"No {child} found")
        return self._list(request, switches, rows)

    def _phone_numbers(self, request: ApiRequest, switches: Switches) -> Answer | Refusal:
        include = request.value("include")
        if include not in (None, "restrictions"):
            return query_invalid("include", "Expected restrictions")
        asked = request.values("phoneNumber")
        lines = [line for line in LINES if not asked or line.number in asked]
        rows = [render_dated_line(line, switches, include is not None) for line in lines]
        return self._list(request, switches, rows, ("phoneNumber", "include"))

    def _list(
        self,
        request: ApiRequest,
        switches: Switches,
        rows: Sequence[Record],
        allowed: Sequence[str] = (),
    ) -> Answer | Refusal:
        """A page of a list that stays as it is; its cursor is an offset."""
        page = read_page(request, self._tokens, allowed)
        if isinstance(page, Refusal):
            return page
        start = offset_of(page)
        end = start + page.size
        more = len(rows) > end
        more |= switches.openphone_dated.list_end == "empty_page" and len(rows) == end
        cursor = self._tokens.token(page.filters, (end, "")) if more else None
        return json_answer(200, {"data": rows[start:end], **list_tail(cursor, switches)})


def refused_parts(parts: frozenset[Part], switches: Switches) -> Refusal | None:
    """The refusal of a request that includes a part that the plan does not have."""
    refused = switches.openphone_dated.refused_parts()
    status = next((refused[part] for part in sorted(parts) if part in refused), None)
    if status == 400:
        return query_invalid("include", NOT_IN_PLAN)
    return None if status is None else dated(status, NOT_IN_PLAN)


def offset_of(page: Page) -> int:
    """How many rows stand before a page whose cursor is an offset."""
    return 0 if page.after is None else page.after[0]


def list_tail(cursor: str | None, switches: Switches) -> Mapping[str, str | None]:
    """The end of a list: what names the next page, or tells that there is none."""
    if cursor is None and switches.openphone_dated.list_end == "absent":
        return {}
    return {"nextCursor": cursor}
