"""The tables of errors in the documents: Response, Action, Failure type, Rationale.

The first three are the code's: a manifest's `error_rows` and the rows that all providers share. The
rationale is written by hand, in the table itself; it is kept as long as its row is there.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

from calls_shared.error_mapping.error_table import SHARED_ROWS
from calls_shared.error_mapping.errors import LINK, NETWORK, SHAPE, ErrorRow, rows_from
from calls_shared.protocol.manifest_check import resolved
from integration_tests.connectors import ROOT, ConnectorFolder

SHARED = ROOT / "docs" / "errors.md"
"""Where the rationale of the shared rows stands."""
TO_BE_WRITTEN = "FILL IN"
TITLES = "| Response | Action | Failure type | Rationale |\n|---|---|---|---|"
_WITHOUT_STATUS = {
    NETWORK: "no answer",
    SHAPE: "HTTP 2xx that is no page of records",
    LINK: "a link to another host",
}
Status = int | tuple[int, int] | str


@dataclass(frozen=True)
class Response:
    """Rows of the error mapping that differ in the status only, and where they hold.

    Attributes:
        statuses: the statuses of the rows.
        row: the first of the rows.
        paths: the paths of the requests that they hold for; none if for all.
    """

    statuses: tuple[Status, ...]
    row: ErrorRow
    paths: tuple[str, ...] = ()

    @property
    def rows(self) -> tuple[ErrorRow, ...]:
        """All of the rows."""
        return tuple(replace(self.row, status=status) for status in self.statuses)

    @property
    def text(self) -> str:
        """How the table names it."""
        row = self.row
        named = [f"code `{row.code}`"] if row.code else []
        named += [f"title `{row.title}`"] if row.title else []
        parts = [_statuses(self.statuses), *([" or ".join(named)] if named else [])]
        parts += [f"says `{row.says}`"] if row.says else []
        form = {True: "the provider's own form", False: "not the provider's own form"}
        parts += [form[row.own]] if row.own is not None else []
        where = f" ({', '.join(f'`{path}`' for path in self.paths)})" if self.paths else ""
        return f"{', '.join(parts)}{where}"

    @property
    def cells(self) -> tuple[str, str, str]:
        """The first three cells of its row in the table."""
        row = self.row
        action = f"`{row.action}`" + (", this slice only" if row.ends == "slice" else "")
        return self.text, action, "–" if row.action == "skip" else f"`{row.failure_type}`"


def _statuses(statuses: Sequence[Status]) -> str:
    if (named := _WITHOUT_STATUS.get(str(statuses[0]))) is not None:
        return named
    shown = (" to ".join(map(str, s)) if isinstance(s, tuple) else str(s) for s in statuses)
    return f"HTTP {', '.join(shown)}"


@cache
def own_responses(connector: ConnectorFolder) -> tuple[Response, ...]:
    """The rows of a connector's manifest."""
    by_path = dict(_requests(resolved(connector.manifest_as_written())))
    paths: dict[ErrorRow, list[str]] = {}
    for path, rows in by_path.items():
        for row in rows:
            paths.setdefault(row, []).append(path)
    found = (
        Response((row.status,), row, () if len(at) == len(by_path) else tuple(at))
        for row, at in paths.items()
    )
    return tuple(_joined(found))


def shared_responses(after: Iterable[Response] = ()) -> tuple[Response, ...]:
    """The rows that hold for every provider, without those that never get their turn."""
    before = [one.row for one in after if not one.paths]
    reached = [row for row in SHARED_ROWS if not any(_takes_all_of(own, row) for own in before)]
    return tuple(_joined(Response((row.status,), row) for row in reached))


def _takes_all_of(earlier: ErrorRow, later: ErrorRow) -> bool:
    """Whether every answer that the later row matches was taken by the earlier one."""
    unconditional = earlier.code is None and earlier.title is None and earlier.says is None
    return (
        earlier.status == later.status
        and (unconditional or earlier.code == later.code)
        and earlier.action != "skip"
        and earlier.own in (None, later.own)
    )


def _joined(responses: Iterable[Response]) -> Iterator[Response]:
    """Neighbours that differ in the status only are one."""
    current: Response | None = None
    for one in responses:
        if current is not None and _but_status(current) == _but_status(one):
            current = replace(current, statuses=(*current.statuses, *one.statuses))
        else:
            if current is not None:
                yield current
            current = one
    if current is not None:
        yield current


def _but_status(response: Response) -> tuple[ErrorRow, tuple[str, ...]]:
    return replace(response.row, status=0), response.paths


def _requests(node: Any) -> Iterator[tuple[str, tuple[ErrorRow, ...]]]:
    """Path and rows of each requester in a manifest."""
    if isinstance(node, Mapping):
        if str(node.get("type")) == "CustomRequester":
            path = re.sub(r"\{\{.*?\}\}", "{id}", str(node["path"]))
            yield path, rows_from(node.get("error_rows") or ())
        for key, value in node.items():
            if key != "definitions":
                yield from _requests(value)
    elif isinstance(node, list):
        for item in node:
            yield from _requests(item)


def rationales(document: str) -> Mapping[str, str]:
    """What a document says of each response, by the text of the response."""
    rows = re.findall(r"^\| (.+?) \| (.+?) \| (.+?) \| (.+) \|$", document, flags=re.MULTILINE)
    return {response: rationale for response, _, _, rationale in rows}


def table(responses: Iterable[Response], written: Mapping[str, str]) -> str:
    """The table in Markdown; a row without a rationale is marked."""
    rows = (
        f"| {' | '.join(one.cells)} | {written.get(one.text, TO_BE_WRITTEN)} |" for one in responses
    )
    return "\n".join([TITLES, *rows])


def errors_of(connector: ConnectorFolder, document: str) -> str:
    """The table of a connector's `CONTRIBUTING.md`: its own rows, then the shared ones."""
    own = own_responses(connector)
    shared = shared_responses(own)
    repeated = {one.text: _rationale_of(one) for one in shared}
    by_hand = {one.text: rationales(document).get(one.text, TO_BE_WRITTEN) for one in own}
    return table((*own, *shared), {**repeated, **by_hand})


def _rationale_of(shared: Response) -> str:
    """What `docs/errors.md` says of a shared row, which may be one of several there."""
    written = rationales(SHARED.read_text(encoding="utf-8"))
    whole = next(one for one in shared_responses() if {*shared.rows} <= {*one.rows})
    return written.get(whole.text, TO_BE_WRITTEN)


def shared_errors(document: str) -> str:
    """The table of `docs/errors.md`."""
    return table(shared_responses(), rationales(document))
