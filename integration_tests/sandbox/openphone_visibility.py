"""Which calls OpenPhone v1 lists, to whom, and why it does not list the others."""

from collections.abc import Collection
from typing import Literal

from .openphone_calls import OpenPhoneCall
from .openphone_workspace import E164, OWNER, Line
from .switches import OpenPhoneSwitches

Unseen = Literal["no_line", "group", "no_number", "unlisted_conversation", "nobody_on_the_line"]
"""Why a call that the dated API lists is listed by no request of v1."""


def on_line(user: str, line: Line) -> bool:
    """Whether /v1/phone-numbers lists the user for the number."""
    return any(user == one.id for one in line.users)


def visible_user(line: Line, user: str | None, options: OpenPhoneSwitches) -> str | None:
    """Whose calls a request with this `userId` lists; None = everyone's.

    Both parts are UNKNOWN: the page says that `userId` defaults to the workspace's owner, the API's
    changelog to the owner of the number, and neither whether it filters or only checks access.
    """
    if options.user_effect == "access_scope":
        return None
    if user is not None:
        return user
    owners = {
        "number_owner": line.owner.id,
        "workspace_owner": OWNER.id,
        "first_user": next((one.id for one in line.users), line.owner.id),
        "everyone": None,
    }
    return owners[options.user_default]


def sees(user: str | None, call: OpenPhoneCall, options: OpenPhoneSwitches) -> bool:
    """Whether the call is listed for the user whose calls were asked for; None sees all."""
    involved = [call.user_id]
    if options.user_effect == "involvement":
        involved += [one for one in (call.answered_by, call.initiated_by) if one is not None]
    return user is None or user in involved


def listable(call: OpenPhoneCall, options: OpenPhoneSwitches) -> bool:
    """Whether any allowed request lists the call under the switches."""
    if not call.conversation.askable:
        return False
    line = call.conversation.line
    asked: list[str | None] = [None, *(user.id for user in line.users)]
    return any(sees(visible_user(line, user, options), call, options) for user in asked)


def why_unseen(
    call: OpenPhoneCall, hidden: Collection[str], options: OpenPhoneSwitches
) -> Unseen | None:
    """Why no request of v1 lists a call that the dated API lists; None if one does."""
    conversation = call.conversation
    if not conversation.attached:
        return "no_line"
    if len(conversation.participants) > 1:
        return "group"
    if not E164.fullmatch(conversation.participants[0]):
        return "no_number"
    if conversation.id in hidden or conversation.unlisted:
        return "unlisted_conversation"
    return None if listable(call, options) else "nobody_on_the_line"
