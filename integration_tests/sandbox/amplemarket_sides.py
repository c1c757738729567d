"""What Amplemarket lists beside calls: users, and the outcomes that they can choose for a call.

As https://docs.amplemarket.com/api-reference/users/get-users and
https://docs.amplemarket.com/guides/calls describe them.
"""

from collections.abc import Sequence
from typing import Any

from .amplemarket_errors import refusal
from .amplemarket_people import DISPOSITIONS, USERS, AmplemarketUser
from .answers import Answer, ApiRequest, json_answer, whole_number
from .rendering import Record, with_unknown_fields
from .switches import Switches

DEFAULT_PAGE = 20
PAGE_OF_DISPOSITIONS = 2
"""Where they come in pages: few, so that there are several."""


def side_answer(request: ApiRequest, switches: Switches) -> Answer | None:
    """The answer; None for a path that is none of these."""
    if request.method != "GET":
        return None
    if request.path == "/users":
        users = [with_unknown_fields(render_user(user), switches) for user in USERS]
        return page_of("users", users, DEFAULT_PAGE, request, switches)
    if request.path == "/calls/dispositions":
        listed = [with_unknown_fields(one._asdict(), switches) for one in DISPOSITIONS]
        if switches.amplemarket.sides.dispositions == "whole":
            return json_answer(200, {"dispositions": listed})
        return page_of("dispositions", listed, PAGE_OF_DISPOSITIONS, request, switches)
    return None


def render_user(user: AmplemarketUser) -> Record:
    """The user as Amplemarket lists it."""
    mailbox = {"id": user.id[:8], "email": user.email}
    return {**user._asdict(), "mailboxes": [mailbox] if user.email else []}


def page_of(
    name: str, rows: Sequence[Record], default: int, request: ApiRequest, switches: Switches
) -> Answer:
    """A page of rows, in the order of their making; a cursor is the id of a row."""
    size = whole_number(request.value("page[size]") or str(default))
    if size is None or not 1 <= size <= switches.amplemarket.sides.largest_page:
        return refusal(400, "unsupported_value", "Unsupported Value", "Invalid page size")
    ids = [row["id"] for row in rows]
    after = request.value("page[after]")
    if after is not None and after not in ids:
        return refusal(400, "unsupported_value", "Unsupported Value", "Invalid cursor")
    start = 0 if after is None else ids.index(after) + 1
    page = rows[start : start + size]
    base = f"{request.path}?page[size]={size}"
    links: dict[str, Any] = {"self": {"href": base}}
    if start + size < len(rows):
        links["next"] = {"href": f"{base}&page[after]={page[-1]['id']}"}
    return json_answer(200, {name: page, "_links": links})
