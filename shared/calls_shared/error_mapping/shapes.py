"""What answers promise that are no page of records: one object, a text, a place.

An endpoint beside a list (a call's transcript, its recording) answers so. That there is nothing is
a normal answer; whatever nobody promised is a fault of the answer, as with a page.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final
from urllib.parse import urljoin, urlsplit

import requests

from calls_shared.error_mapping.body import BadShapeError, PageShape, parsed, what_it_is
from calls_shared.error_mapping.envelope import says_error
from calls_shared.paths import field

_REDIRECTS: Final = (301, 302, 303, 307, 308)
_OF_A_MESSAGE: Final = ("json", "text/", "xml")


class ObjectShape(PageShape):
    """One object at a path; `{}` in its place, in place of the body, or null there is none."""

    def _found(self, response: requests.Response) -> Sequence[dict[str, Any]]:
        body = parsed(response)
        if not isinstance(body, dict):
            raise BadShapeError(what_it_is(response, body))
        if not body:
            return []
        *parents, name = self.records_at.split(".")
        holder = field(".".join(parents))(body) if parents else body
        if not isinstance(holder, dict) or name not in holder:
            raise BadShapeError(f"nothing under {self.records_at!r}")
        found = holder[name]
        if found is None or found == []:
            return []
        if not isinstance(found, dict):
            raise BadShapeError(f"no object under {self.records_at!r}")
        return [found] if found else []

    def nulls(self, response: requests.Response) -> int:
        """None: there is no list."""
        return 0


class TextShape(PageShape):
    """A text, or JSON in its place; the records are objects with the field `said`."""

    def _found(self, response: requests.Response) -> Sequence[dict[str, Any]]:
        kind = (response.headers.get("Content-Type") or "").lower()
        body = parsed(response)
        if body is None:
            body = _text_of(response)
            if "html" in kind or "xml" in kind or body.lstrip()[:1] == "<":
                raise BadShapeError("an HTML or XML page")
            if "json" in kind:
                raise BadShapeError(what_it_is(response, None))
            if not body.strip() and "text/plain" not in kind:
                raise BadShapeError("an empty body")
        return [] if says_error(body) else [{"said": body}]

    def nulls(self, response: requests.Response) -> int:
        """None: there is no list."""
        return 0


class PlaceShape(PageShape):
    """A redirect whose target is the answer, or the thing itself, whose body is not read.

    The records are objects with the field `url`, the target; without it if the thing itself came.
    """

    def is_an_answer(self, status: int) -> bool:
        """Whether an answer of this status can be the promised one."""
        return status in _REDIRECTS or super().is_an_answer(status)

    def wants_body(self, response: requests.Response) -> bool:
        """Whether the body says something: that of a refusal, or one that is a message."""
        if response.status_code in _REDIRECTS:
            return False
        return not self.is_an_answer(response.status_code) or _is_a_message(response)

    def _found(self, response: requests.Response) -> Sequence[dict[str, Any]]:
        if response.status_code in _REDIRECTS:
            return [{"url": _target_of(response)}]
        if _is_a_message(response):
            raise BadShapeError(what_it_is(response, parsed(response)))
        return [{}]

    def nulls(self, response: requests.Response) -> int:
        """None: there is no list."""
        return 0


def _text_of(response: requests.Response) -> str:
    for encoding in ("utf-8-sig", response.encoding or "latin-1"):
        try:
            return response.content.decode(encoding)
        except (UnicodeError, LookupError):
            continue
    return response.content.decode("utf-8", "replace")


def _is_a_message(response: requests.Response) -> bool:
    kind = (response.headers.get("Content-Type") or "").lower()
    return any(part in kind for part in _OF_A_MESSAGE)


def _target_of(response: requests.Response) -> str:
    """The whole URL that a redirect names."""
    location = response.headers.get("Location") or ""
    try:
        url = urljoin(response.url or "", location)
        parts = urlsplit(url)
    except ValueError:
        raise BadShapeError("a redirect to a place that cannot be read") from None
    if not location or parts.scheme not in ("https", "http") or not parts.hostname:
        raise BadShapeError("a redirect without a place on the web")
    return url


SHAPES: Final[Mapping[str, type[PageShape]]] = {
    "page": PageShape,
    "object": ObjectShape,
    "text": TextShape,
    "place": PlaceShape,
}
"""By the name in a manifest, what an answer is."""
