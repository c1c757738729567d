"""OpenPhone's page tokens: opaque, kept by the server, some of them easily mistaken for numbers."""

from base64 import b64encode

from .openphone_history import Moment

Filters = tuple[tuple[str, str], ...]


class PageTokens:
    """One token for each (filters, last moment of the page), always the same one."""

    def __init__(self) -> None:
        self._known: dict[str, tuple[Filters, Moment]] = {}
        self._given: dict[tuple[Filters, Moment], str] = {}

    def token(self, filters: Filters, last: Moment) -> str:
        """The token for what follows `last` under the filters."""
        page = (filters, last)
        text = self._given.get(page)
        if text is None:
            text = self._given[page] = spelled(len(self._given) + 1)
            self._known[text] = page
        return text

    def last(self, token: str, filters: Filters) -> Moment | None:
        """Where the page before ended; None for a token never given or given for other filters."""
        given_for, last = self._known.get(token, (None, None))
        return last if given_for == filters else None


def spelled(number: int) -> str:
    """A token text, another one for every number: `1e5`, `002`, `0x3`, `NS8rPT0=`, `+6`, ..."""
    style = number % 5
    if style == 1:
        return f"{number}e5"
    if style == 2:
        return f"00{number}"
    if style == 3:
        return f"0x{number}"
    if style == 4:
        return b64encode(f"{number}/?>~".encode()).decode()
    return f"+{number}"
