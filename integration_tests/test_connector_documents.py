"""The documents of the connectors: their pages, and what their `CONTRIBUTING.md` says of them."""

import re
from pathlib import Path
from typing import Any

import pytest

from calls_shared.error_mapping.error_table import SHARED_ROWS
from calls_shared.error_mapping.errors import Answered, ErrorRow, resolve
from calls_shared.protocol.manifest_check import resolved
from integration_tests import connector_documents, new_provider, page_tables
from integration_tests.connectors import ALL, CONNECTORS, ConnectorFolder
from integration_tests.error_documents import (
    SHARED,
    Response,
    own_responses,
    rationales,
    shared_responses,
    table,
)
from integration_tests.marked_tables import with_tables
from integration_tests.page_tables import CHANGELOG, discovered
from integration_tests.versions import current_version

STREAM_TITLES = (
    "| Stream | Volume Tier | Relationship | Cursor Field | API Incremental Support"
    " | Current Status | Notes |"
)
STATUSES = {"incremental", "full_refresh", "deferred_no_api_support"}
each_document = pytest.mark.parametrize(
    "path", connector_documents.documents(), ids=lambda path: f"{path.parent.name}/{path.name}"
)


def contributing(provider: str) -> str:
    return (ALL[provider].folder / "CONTRIBUTING.md").read_text(encoding="utf-8")


@each_document
def test_the_tables_are_current(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert connector_documents.with_current_tables(path, text) == text, "run: make docs"


@each_document
def test_what_a_document_links_to_is_there(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    links = re.findall(r"\]\((?!https?:)([^)#]*)(?:#([^)]*))?\)", text)
    assert links
    for link, anchor in links:
        target = path.parent / link
        assert target.is_file(), link
        headings = re.findall(r"^#+ (.+)$", target.read_text(encoding="utf-8"), flags=re.MULTILINE)
        anchors = {re.sub(r"[^\w -]", "", one.lower()).replace(" ", "-") for one in headings}
        assert not anchor or anchor in anchors, (link, anchor)


@each_document
def test_no_document_sends_a_reader_to_the_pages_of_airbyte_cloud(path: Path) -> None:
    """It runs no images of its users. A new connector's page is made of the template."""
    template = Path(new_provider.__file__).with_name("page.md.txt")

    for text in (path.read_text(encoding="utf-8"), template.read_text(encoding="utf-8")):
        assert "docs.airbyte.com/cloud/" not in text


@pytest.mark.parametrize("provider", ALL)
def test_each_row_of_errors_has_a_rationale_and_none_outlives_its_row(provider: str) -> None:
    own = own_responses(ALL[provider])
    texts = [one.text for one in (*own, *shared_responses(own))]
    written = rationales(contributing(provider))

    assert own
    assert len(set(texts)) == len(texts)
    assert [text for text in texts if len(written[text].split()) < 2] == []
    _, _, rest = contributing(provider).partition("<!-- errors: begin -->\n")
    assert len(rest.partition("\n<!-- errors: end -->")[0].splitlines()) == 2 + len(texts)


def test_each_shared_row_has_a_rationale() -> None:
    written = rationales(SHARED.read_text(encoding="utf-8"))
    statuses = [status for one in shared_responses() for status in one.statuses]

    assert statuses == [row.status for row in SHARED_ROWS]
    assert [one.text for one in shared_responses() if len(written[one.text].split()) < 6] == []


def test_a_new_row_is_marked_and_a_written_rationale_is_kept() -> None:
    kept, new = ErrorRow(400, "fail", code="A"), ErrorRow((500, 503), "skip", own=True)
    written = rationales("| HTTP 400, code `A` | `retry` | `config_error` | As the page says. |")

    made = table([Response((400,), kept), Response((500,), new)], written)

    assert made.splitlines()[2:] == [
        "| HTTP 400, code `A` | `fail` | `system_error` | As the page says. |",
        "| HTTP 500, the provider's own form | `skip` | – | FILL IN |",
    ]


def test_how_a_response_is_named() -> None:
    row = ErrorRow(403, "fail", "", "config_error", code="1", title="No", says="x", ends="slice")
    found = Response((403, (500, 599)), row, ("/a", "/b/{id}"))
    assert found.cells == (
        "HTTP 403, 500 to 599, code `1` or title `No`, says `x` (`/a`, `/b/{id}`)",
        "`fail`, this slice only",
        "`config_error`",
    )


@pytest.mark.parametrize("provider", ALL)
@pytest.mark.parametrize("status", [403, 404, 402, 429, 503])
@pytest.mark.parametrize("own", [True, False])
def test_a_shared_row_that_decides_is_shown(provider: str, status: int, own: bool) -> None:
    """Where no row of the manifest decides for all requests, the shared one is in the table."""
    responses = own_responses(ALL[provider])
    mine = [one.row for one in responses if not one.paths]
    words: dict[str, Any] = dict.fromkeys(("provider", "key", "detail", "target"), "")
    words |= dict.fromkeys(("slice", "tried", "again"), "")
    answer = Answered(status, {}, own)

    decided = resolve((*mine, *SHARED_ROWS), answer, words)

    shown = [row for one in shared_responses(responses) for row in one.rows]
    assert decided == resolve((*mine, *shown), answer, words)
    assert len(shown) <= len(SHARED_ROWS)


@pytest.mark.parametrize("provider", ALL)
def test_the_table_of_streams_is_that_of_the_catalog(provider: str) -> None:
    _, found, rest = contributing(provider).partition(
        f"{STREAM_TITLES}\n|---|---|---|---|---|---|---|\n"
    )
    rows = [line.strip("| ").split(" | ") for line in rest.partition("\n\n")[0].splitlines()]

    assert found
    assert "### Future incremental stream candidates" in rest
    streams = {stream.name: stream for stream in discovered(ALL[provider])}
    assert {row[0] for row in rows} == streams.keys()
    for name, volume, relationship, cursor, support, status, note in rows:
        incremental = "incremental" in [m.value for m in streams[name].supported_sync_modes]
        assert [cursor] == (streams[name].default_cursor_field or ["none"])
        assert (status == "incremental") is incremental
        assert status in STATUSES
        assert volume in {"small", "medium", "large"}
        assert relationship in {"top-level parent", "child"}
        assert support
        assert note


@pytest.mark.parametrize("provider", CONNECTORS)
def test_a_page_has_what_its_reader_looks_for(provider: str) -> None:
    connector = CONNECTORS[provider]
    page = connector.page.read_text(encoding="utf-8")
    spec = connector.manifest_as_written()["spec"]["connection_specification"]
    _, _, rest = page.partition("## Prerequisites")
    prerequisites = rest.partition("## ")[0].lower()

    for key in spec["required"]:
        assert spec["properties"][key]["title"].lower() in prerequisites
    for field in spec["properties"].values():
        assert f"| {field['title']} |" in page
    assert f"\n| {current_version()} | " in page.partition("## Changelog")[2]
    for stream in discovered(connector):
        assert f"- `{stream.name}`: " in page.partition("## Supported Streams")[2]


@pytest.mark.parametrize("provider", ALL)
def test_the_columns_that_stay_empty_are_no_others(provider: str) -> None:
    """Of the stream `calls`; what other streams map has the same names at times."""
    said = re.findall(r"`(\w+)`", page_tables.empty_columns(ALL[provider]))
    mapped = set()
    for stream in every_stream(ALL[provider]):
        if stream["$parameters"]["name"] == "calls":
            for transformation in stream["transformations"]:
                mapped |= transformation["columns"].keys()
    assert len(mapped) > 10
    assert said
    assert set(said).isdisjoint(mapped)
    assert {"provider", "id", "provider_record"}.isdisjoint(said)


def every_stream(connector: ConnectorFolder) -> list[dict[str, Any]]:
    """The streams of a manifest, also those of one setting only."""
    streams = resolved(connector.manifest_as_written())["streams"]
    return [one for stream in streams for one in stream.get("streams", [stream])]


def test_quo_states_no_start_of_a_call() -> None:
    """Its stream of recordings has a column of that name."""
    assert "`started_at`" in page_tables.empty_columns(CONNECTORS["openphone"])


def test_a_message_is_told_of_each_plan_that_refuses_a_stream() -> None:
    """What is skipped without a word is no message."""
    rows = page_tables.messages(CONNECTORS["openphone"]).splitlines()
    refused = [row for row in rows if "the stream stays empty" in row]
    assert ["call_transcripts is empty" in row for row in refused] == [True, False]
    assert ["call_recordings is empty" in row for row in refused] == [False, True]
    assert all("(HTTP …)" in row and row.endswith("go on |") for row in refused)
    assert [row for row in rows if row.startswith("|  |")] == []
    assert "the stream stays empty" not in page_tables.messages(CONNECTORS["skipcall"])


def test_the_changelog_of_a_page_names_each_version() -> None:
    text = "# C\n\n## [0.2.0] - 2026-01-02\n\nFirst\nlines.\n\n### Added\n\n- x\n\n"
    text += "## [0.1.0] - 2026-01-01\n\n### Added\n\n- A first\n  item.\n- Another.\n"
    link = "[CHANGELOG.md](../../CHANGELOG.md)"

    made = page_tables.changelog(text)

    assert [line for line in made.splitlines() if line.startswith("| 0")] == [
        f"| 0.2.0 | 2026-01-02 | {link} | First lines. |",
        f"| 0.1.0 | 2026-01-01 | {link} | A first item. |",
    ]
    headings = re.findall(r"^## \[([\d.]+)\]", CHANGELOG.read_text(encoding="utf-8"), re.MULTILINE)
    rows = page_tables.changelog(CHANGELOG.read_text(encoding="utf-8"))
    assert re.findall(r"^\| ([\d.]+) \|", rows, re.MULTILINE) == headings


def test_a_missing_mark_is_named() -> None:
    connector = CONNECTORS["skipcall"]
    with pytest.raises(ValueError, match=r"the page lacks the marks of the table settings"):
        with_tables("# no marks", connector_documents.page_of(connector), "page")
