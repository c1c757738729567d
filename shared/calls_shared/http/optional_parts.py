"""`OptionalParts`: parts of a record that are asked for by name, and that not every plan gives."""

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Final

import requests

from calls_shared.http.refusals import RefusedError
from calls_shared.http.sender import Request

REFUSED: Final = frozenset({400, 402, 403, 422})
"""How a plan may refuse a part."""
_LEFT_OUT: Final = (
    "{provider} refuses the part {part} of {stream} (HTTP {status}), so that its columns stay null."
    " The plan of the workspace may not have it. {provider} says: {says}"
)


class OptionalParts:
    """Asks for all parts, until a request is refused that is not refused without one of them.

    A refusal has to come twice: what is asked for no more is missing in all that follows.

    Safe for several threads.

    Args:
        parts: by request parameter the names of the parts, which are sent joined by commas.
        stream, provider: names for the user.
        note: takes the warning about a part that is asked for no more.
    """

    def __init__(
        self,
        parts: Mapping[str, Sequence[str]],
        stream: str,
        provider: str,
        note: Callable[[str], None],
    ) -> None:
        self._parts = {name: tuple(asked) for name, asked in parts.items()}
        self._stream = stream
        self._provider = provider
        self._note = note
        self._lock = threading.Lock()

    def send(
        self, request: Request, send: Callable[[Request], requests.Response]
    ) -> requests.Response:
        """Send a request with the parts that are asked for.

        Raises:
            AirbyteTracedException: as `send`, if it is refused without any part too.
        """
        for name, asked in self._parts.items():
            if asked:
                return self._with(name, asked, request, send)
        return send(request)

    def _with(
        self,
        name: str,
        asked: Sequence[str],
        request: Request,
        send: Callable[[Request], requests.Response],
    ) -> requests.Response:
        try:
            return send(_naming(request, name, asked))
        except RefusedError as refusal:
            for fewer in (asked, *_fewer(asked)):
                try:
                    response = send(_naming(request, name, fewer) if fewer else request)
                except RefusedError:
                    continue
                if fewer is not asked:
                    self._leave_out(name, asked, fewer, refusal)
                return response
            raise

    def _leave_out(
        self, name: str, asked: Sequence[str], fewer: Sequence[str], refusal: RefusedError
    ) -> None:
        with self._lock:
            if self._parts[name] != tuple(asked):
                return  # another thread was faster
            self._parts = {**self._parts, name: tuple(fewer)}
        for part in asked:
            if part not in fewer:
                words = {"provider": self._provider, "stream": self._stream, "part": part}
                self._note(_LEFT_OUT.format(**words, status=refusal.status, says=refusal.says))


def _naming(request: Request, name: str, parts: Sequence[str]) -> Request:
    parameters = {**request.params, name: ",".join(parts)}
    return replace(request, params=parameters, refusable=REFUSED)


def _fewer(asked: Sequence[str]) -> list[Sequence[str]]:
    """What is asked for instead: all but one, each by itself, nothing."""
    all_but_one = [[part for part in asked if part != left_out] for left_out in asked]
    alone = [[part] for part in asked]
    tried: list[Sequence[str]] = []
    for parts in (*all_but_one, *alone, []):
        if parts not in tried and len(parts) < len(asked):
            tried.append(parts)
    return tried
