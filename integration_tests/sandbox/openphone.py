"""OpenPhone: keys and limits of both versions; v1's phone numbers, conversations, calls.

As https://www.quo.com/docs/mdx/api-reference/calls/list-calls and its neighbours
describe them, and as answers seen live are.
"""

from collections.abc import Callable
from itertools import islice
from math import ceil

import orjson

from .answers import Answer, ApiRequest, Credentials, json_answer
from .limits import Allowance, Clock, MovingWindow
from .openphone_calls import OpenPhoneCall
from .openphone_dated import DatedApi, is_dated
from .openphone_dated_errors import (
    FORBIDDEN,
    VERSION,
    VERSION_HEADER,
    VERSION_MISSING,
    dated_refusal,
)
from .openphone_errors import (
    NO_HEADER,
    NOT_FOUND,
    NOT_NUMBER_USER,
    SUBSCRIPTION_EXPIRED,
    TOO_MANY_PARTICIPANTS,
    TOO_MANY_REQUESTS,
    UNAUTHORIZED,
    Refusal,
    invalid,
    refusal_answer,
    unknown_route,
)
from .openphone_history import OpenPhoneHistory, Thread
from .openphone_parameters import bad_date, date_filter, read_page
from .openphone_records import listed_update, render_call, render_conversation, render_line
from .openphone_tokens import PageTokens
from .openphone_v1_sides import V1Sides, is_side
from .openphone_visibility import on_line, sees, visible_user
from .openphone_workspace import E164, LINES
from .rendering import RenderedCalls
from .switches import OpenPhoneSwitches, Switches
from .times import RealClock

MOST_NUMBERS = 100


class OpenPhoneApi:
    """OpenPhone's behaviour over its true calls."""

    def __init__(self, history: OpenPhoneHistory, clock: Clock = RealClock.wall) -> None:
        self._history = history
        self._rendered = RenderedCalls(render_call)
        self._limiter = MovingWindow(shown=clock)
        self._tokens = PageTokens()
        self._dated = DatedApi(history)
        self._sides = V1Sides(history)

    def answer(self, request: ApiRequest, switches: Switches, credentials: Credentials) -> Answer:
        """See `ProviderApi`. The key is the whole Authorization header, without `Bearer`.

        A path of the dated API needs its version first, whatever the key; then both count alike.
        """
        options = switches.openphone
        is_newer = is_dated(request.path)
        if is_newer and request.headers.get(VERSION_HEADER) != VERSION:
            return dated_refusal(VERSION_MISSING)

        def refused(refusal: Refusal, documented: bool = False) -> Answer:
            if is_newer:
                return dated_refusal(refusal)
            return refusal_answer(refusal, switches, documented)

        key = request.headers.get("authorization")
        allowance = self._limiter.take(
            key or "", options.limit, options.window_seconds, switches.enforce_limits
        )
        if not allowance.allowed:
            answer = refused(TOO_MANY_REQUESTS)
            if options.retry_after == "seconds":
                wait = str(max(1, ceil(allowance.wait_seconds)))
                answer = answer.with_headers({"Retry-After": wait})
        elif key is None or not credentials.knows(key):
            answer = refused(NO_HEADER if key is None else UNAUTHORIZED)
        elif credentials.faults.get(key) == "subscription_expired":
            answer = refused(SUBSCRIPTION_EXPIRED, documented=True)
        elif credentials.faults.get(key) == "not_phone_number_user" and request.path == "/v1/calls":
            answer = refused(NOT_NUMBER_USER)
        elif credentials.faults.get(key) == "forbidden" and is_newer:
            answer = refused(FORBIDDEN)
        else:
            answer = self._route(request, switches)
        live = options.ratelimit_headers == "live" and answer.status in (200, 401, 429)
        return answer.with_headers(live_headers(options, allowance)) if live else answer

    def _route(self, request: ApiRequest, switches: Switches) -> Answer:
        routes: dict[str, Callable[[ApiRequest, Switches], Answer | Refusal]] = {
            "/v1/phone-numbers": self._phone_numbers,
            "/v1/conversations": self._conversations,
            "/v1/calls": self._calls,
        }
        if request.method == "GET" and is_dated(request.path):
            return self._dated.answer(request, switches)
        route = routes.get(request.path) if request.method == "GET" else None
        if request.method == "GET" and is_side(request.path):
            route = self._sides.answer
        if route is None:
            return unknown_route()
        answer = bad_date(request) or route(request, switches)
        return refusal_answer(answer, switches) if isinstance(answer, Refusal) else answer

    def _phone_numbers(self, request: ApiRequest, switches: Switches) -> Answer:
        user = request.value("userId")
        lines = [line for line in LINES if user is None or on_line(user, line)]
        return json_answer(200, {"data": [render_line(line, switches) for line in lines]})

    def _conversations(self, request: ApiRequest, switches: Switches) -> Answer | Refusal:
        page = read_page(request, self._tokens)
        if isinstance(page, Refusal):
            return page
        asked = request.values("phoneNumbers") or request.values("phoneNumber")
        if len(asked) > MOST_NUMBERS:
            return invalid("/phoneNumbers", "phoneNumbers must not have more than 100 items")
        lines = [line for line in LINES if not asked or line.id in asked or line.number in asked]
        if not all(any(one in (line.id, line.number) for line in lines) for one in asked):
            return NOT_FOUND
        user = request.value("userId")
        reached = [line.id for line in lines if user is None or on_line(user, line)]
        created = date_filter(request, switches.openphone, "createdAfter", "createdBefore")
        updated = date_filter(request, switches.openphone, "updatedAfter", "updatedBefore")
        active_only = request.value("excludeInactive") == "true"

        def wanted(thread: Thread) -> bool:
            dates_null, deleted = thread.conversation.dates_null, thread.conversation.deleted
            return (
                created(None if dates_null else thread.created)
                and updated(listed_update(thread, switches))
                and not (active_only and deleted)
            )

        threads = filter(wanted, self._history.newest_threads(reached, page.after))
        found = list(islice(threads, page.size + 1))
        token = None
        if len(found) > page.size:
            last = found[page.size - 1]
            token = self._tokens.token(page.filters, (last.activity, last.conversation.id))
        records = [render_conversation(thread, switches) for thread in found[: page.size]]
        return json_answer(200, {"data": records, **tail(len(records), token)})

    def _calls(self, request: ApiRequest, switches: Switches) -> Answer | Refusal:
        participants = request.values("participants")
        number = request.value("phoneNumberId")
        if not number:
            return invalid("/phoneNumberId", "phoneNumberId is required")
        if not participants or not participants[0]:
            return invalid("/participants", "participants is required: exactly one number")
        if len(participants) > 1:
            return TOO_MANY_PARTICIPANTS
        if not E164.fullmatch(participants[0]):
            return invalid("/participants/0", r"participants must match ^\+[1-9]\d{1,14}$")
        page = read_page(request, self._tokens)
        if isinstance(page, Refusal):
            return page
        line = next((line for line in LINES if line.id == number), None)
        if line is None:
            return NOT_FOUND
        user = request.value("userId")
        if user is not None and not on_line(user, line):
            return NOT_NUMBER_USER
        seen = visible_user(line, user, switches.openphone)
        created = date_filter(request, switches.openphone, "createdAfter", "createdBefore", "since")

        def wanted(call: OpenPhoneCall) -> bool:
            return sees(seen, call, switches.openphone) and created(call.created)

        thread = self._history.thread(number, participants[0])
        found: list[OpenPhoneCall] = []
        if thread is not None:
            calls = filter(wanted, self._history.newest_calls(thread, page.after))
            found = list(islice(calls, page.size + 1))
        token = None
        if len(found) > page.size:
            last = found[page.size - 1]
            token = self._tokens.token(page.filters, (last.created, last.id))
        listed = found[: page.size]
        ending = orjson.dumps(tail(len(listed), token))[1:]
        body = b'{"data":%b,%b' % (self._rendered.array(listed, switches), ending)
        return Answer(200, body, listed=listed)


def tail(count: int, token: str | None) -> dict[str, object]:
    """The end of a list: a `totalItems` that is wrong (as documented) and the next token."""
    return {"totalItems": count // 2, "nextPageToken": token}


def live_headers(options: OpenPhoneSwitches, allowance: Allowance) -> dict[str, str]:
    """The undocumented headers seen live on 200 and 401."""
    seconds = f"{options.window_seconds:g}"
    return {
        "ratelimit": f'"per-second"; r={allowance.remaining}; t={ceil(allowance.wait_seconds)}',
        "ratelimit-policy": f'"per-second"; q={options.limit}; w={seconds}',
    }
