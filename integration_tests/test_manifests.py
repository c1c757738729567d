"""The manifests: their structure, their common schema, and that no typo goes unnoticed."""

import copy
import re
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
import yaml

from calls_shared.normalization.columns import COLUMNS
from calls_shared.normalization.row_columns import ROW_COLUMNS
from calls_shared.protocol.manifest_check import problems, resolved
from integration_tests.commands import config_for
from integration_tests.connectors import ALL
from integration_tests.in_process import LOGGER

SECRETS = {
    "intercom": ["access_token"],
    **{name: ["api_key"] for name in ("openphone", "amplemarket", "skipcall")},
}

OF_A_CALL = ("call_transcripts", "call_recordings")
OF_THE_WORKSPACE = ("users", "call_dispositions")
SHARED = {column.name: column.description for column in COLUMNS}
"""Descriptions that all connectors have; a manifest may add what a column is at its provider."""


def manifest_of(provider: str) -> dict[str, Any]:
    text = (ALL[provider].manifest).read_text(encoding="utf-8")
    loaded: dict[str, Any] = yaml.safe_load(text)
    return loaded


def router_of(stream: Mapping[str, Any]) -> Mapping[str, Any]:
    """The CDK's router of a stream, also inside of one that gives tickets."""
    router: Mapping[str, Any] = stream["retriever"].get("partition_router", {})
    inner: Mapping[str, Any] = router.get("substream", router)
    return inner


def streams_of(provider: str) -> list[dict[str, Any]]:
    streams = []
    for entry in resolved(manifest_of(provider))["streams"]:
        for stream in entry.get("streams", [entry]):
            streams.append(stream)
            router = router_of(stream)
            while "parent_stream_configs" in router:
                (parent,) = router["parent_stream_configs"]
                streams.append(parent["stream"])
                router = router_of(parent["stream"])
    return streams


@pytest.mark.parametrize("provider", ALL)
def test_no_problem_in_the_manifest(provider: str) -> None:
    assert list(problems(manifest_of(provider))) == []


# Below these stand names that are not of the manifest's language.
NAMES = {
    *("request_headers", "request_parameters", "hints", "properties", "optional_parts"),
    *("words", "equals", "where", "unless", "ai", "parents", "latest", "none_if"),
}


def keys_of(node: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The path of every key that belongs to the manifest's language, not to its subject."""
    if isinstance(node, Mapping):
        for key, value in node.items():
            here = (*path, key)
            if key != "$ref" and not (path and path[-1] in NAMES):
                yield here
            yield from keys_of(value, here)
    elif isinstance(node, list):
        for index, item in enumerate(node):
            yield from keys_of(item, (*path, index))


def with_typo(manifest: Mapping[str, Any], path: tuple[Any, ...]) -> dict[str, Any]:
    changed = copy.deepcopy(dict(manifest))
    node: Any = changed
    for part in path[:-1]:
        node = node[part]
    node[f"{path[-1]}x"] = node.pop(path[-1])
    return changed


def kind_of(manifest: Mapping[str, Any], path: tuple[Any, ...]) -> tuple[Any, ...]:
    """What decides whether a key is understood: the component it is in, the key above, the key."""
    node: Any = manifest
    above = ""
    for part in path[:-1]:
        node = node[part]
        above = part if isinstance(part, str) else above
    if "properties" in path or "columns" in path[-3:-1]:
        above = "a field or a column"
    kind = (str(node.get(name)) for name in ("class_name", "type", "$ref"))
    return *kind, above, path[-1]


@pytest.mark.parametrize("provider", ALL)
def test_a_typo_in_any_key_is_a_problem(provider: str) -> None:
    """Of keys of the same kind one; each costs a reading of the whole manifest."""
    manifest = manifest_of(provider)
    found = [path for path in keys_of(manifest) if path != ("definitions",)]
    assert len(found) > 150
    paths = {kind_of(manifest, path): path for path in found}.values()
    unnoticed = [path for path in paths if not list(problems(with_typo(manifest, path)))]
    assert unnoticed == []


def test_the_streams_are_found_behind_their_routers() -> None:
    names = {provider: [s["name"] for s in streams_of(provider)] for provider in ALL}
    parents = ["conversations", "phone_numbers"]
    of_calls = ["calls", "call_transcripts", "call_recordings"]
    by_parents = [name for stream in of_calls for name in (stream, *parents)]
    dated = [*of_calls, "users"]  # those of the other API version
    assert names["openphone"] == ["phone_numbers", *by_parents, "users", *dated]
    assert names["intercom"] == [*of_calls, "listed_calls", "users", "calls_by_id"]
    assert names["amplemarket"] == [*of_calls, "listed_calls", "users", "call_dispositions"]


@pytest.mark.parametrize(
    ("forms", "problem"),
    [
        ([], "a row that skips needs error_envelopes"),
        ([{"needs": []}], "an error envelope needs at least one field"),
        ([{"at": "error"}], "needs"),
        ([{"needs": ["code"], "form": "x"}], "form"),
    ],
)
def test_a_form_of_an_error_that_says_nothing_is_a_problem(forms: Any, problem: str) -> None:
    manifest = manifest_of("openphone")
    manifest["definitions"]["requester"]["error_envelopes"] = forms
    found = [text for text in problems(manifest) if problem in text]
    assert any("retriever.requester" in text for text in found)


@pytest.mark.parametrize("provider", ALL)
def test_each_stream_uses_the_shared_parts(provider: str) -> None:
    for stream in streams_of(provider):
        retriever = stream["retriever"]
        requester = retriever["requester"]
        assert requester["class_name"] == "calls_shared.CallRequester"
        assert requester["provider"] == provider
        assert requester["authenticator"]["class_name"].startswith("calls_shared.")
        assert requester["name"] == stream["name"]
        extractor = retriever["record_selector"]["extractor"]
        assert extractor["class_name"] == "calls_shared.PageRecords"
        assert extractor.get("records_at") == requester.get("records_at")
        assert requester["error_envelopes"]  # else a gateway's answer looks like the provider's
        assert retriever["class_name"] in (
            "calls_shared.CallRetriever",
            "calls_shared.ListRetriever",
            "calls_shared.ListedCallsRetriever",
            "calls_shared.FanOutRetriever",
            "calls_shared.OldestFirstRetriever",
            "calls_shared.WindowsRetriever",
        )
        is_of_calls = stream["name"].startswith(("calls", "listed_calls", *OF_A_CALL))
        assert extractor.get("under", "") == ("provider_record" if is_of_calls else "")
        if is_of_calls:
            parts = [part.get("class_name") for part in stream["transformations"]]
            assert parts.count("calls_shared.CallNormalization") == 1
            place = parts.index("calls_shared.CallNormalization")
            normalization = stream["transformations"][place]
            assert normalization["provider"] == provider
        if stream["name"] in OF_THE_WORKSPACE:
            (rows,) = stream["transformations"]
            assert rows["class_name"] == "calls_shared.RowNormalization"
            assert (rows["provider"], rows["shape"]) == (provider, stream["name"])
            assert stream["primary_key"] == ["provider", "id"]
        schema = "ListedCallSchema" if stream["name"] == "listed_calls" else "CallSchema"
        if stream["name"] in ROW_COLUMNS:
            schema = "RowSchema"
            assert stream["schema_loader"]["shape"] == stream["name"]
        if is_of_calls or stream["name"] in ROW_COLUMNS:
            assert stream["schema_loader"]["class_name"] == f"calls_shared.{schema}"


@pytest.mark.parametrize("provider", [name for name in ALL if name != "openphone"])
def test_what_is_listed_is_read_as_calls_are_and_not_made_shorter(provider: str) -> None:
    """With the same requester, pages, and meaning of id and creation, and no bound by a setting."""
    streams = {stream["name"]: stream for stream in streams_of(provider)}
    calls, listed = streams["calls"], streams["listed_calls"]
    assert listed["primary_key"] == ["provider", "id"]
    assert "incremental_sync" not in listed
    by, like = listed["retriever"], calls["retriever"]
    assert by["class_name"] == "calls_shared.ListedCallsRetriever"
    for part in ("paginator", "record_selector", "requester"):
        assert without(by[part], *NAMED) == without(like[part], *NAMED)
    for part in ("workers", "windows"):
        assert by.get(part) == like.get(part)
    parameters = by["requester"].get("request_parameters", {})
    assert not re.search("start_date|workspace_ids", str(parameters))
    (short,), (whole,) = (
        [one for one in stream["transformations"] if "columns" in one] for stream in (listed, calls)
    )
    assert {"id"} < short["columns"].keys() <= {"id", "created_at", "started_at"}
    assert short["columns"].items() <= whole["columns"].items()
    # what a call has no creation for is told by its start
    assert "created_at" in short["columns"] or "created_at" not in whole["columns"]


NAMED = ("name", "stream_name", "cursor_field", "request_parameters", "$parameters")
"""What a stream's name and its own settings make differ."""


def without(node: Any, *keys: str) -> Any:
    """A part of a manifest without some keys, at any depth."""
    if isinstance(node, Mapping):
        return {key: without(value, *keys) for key, value in node.items() if key not in keys}
    return [without(item, *keys) for item in node] if isinstance(node, list) else node


@pytest.mark.parametrize("provider", ALL)
def test_what_keeps_the_promise_stands_in_the_manifest(provider: str) -> None:
    """So every runner of the manifest keeps it: rate, check of the state, inventory, scope."""
    streams = streams_of(provider)
    rates = [stream["retriever"]["requester"]["rate"] for stream in streams]
    assert rates[0]["requests"] > 1
    assert rates == [rates[0]] * len(rates)  # all share one
    kinds = []
    for calls in (stream for stream in streams if stream["name"] == "calls"):
        retriever = calls["retriever"]
        kinds.append(retriever["class_name"].removeprefix("calls_shared."))
        (check,) = calls["state_migrations"]
        assert check["class_name"] == "calls_shared.CheckedState"
        assert check["cursor_field"] == calls["incremental_sync"]["cursor_field"]
        assert "start_date" in retriever["scope"]
        if "partition_router" not in retriever:
            continue
        # one puts the state of another scope aside, one writes it
        assert check["scope"] == retriever["scope"]
        (parent,) = router_of(calls)["parent_stream_configs"]
        cursor_field = parent["stream"]["incremental_sync"]["cursor_field"]
        assert check["parents"] == {parent["stream"]["name"]: cursor_field}
    of_two_versions = ["FanOutRetriever", "WindowsRetriever"]
    assert kinds == (of_two_versions if provider == "openphone" else ["ListRetriever"])


def test_a_key_of_the_scope_that_the_specification_does_not_know_is_a_problem() -> None:
    manifest = manifest_of("skipcall")
    manifest["streams"][0]["retriever"]["scope"] = ["start_date", "workspace_id"]
    assert list(problems(manifest)) == [
        "the configuration key workspace_id is not in the specification"
    ]


@pytest.mark.parametrize("provider", ALL)
def test_each_incremental_stream_has_a_cursor_that_never_bounds_by_our_clock(provider: str) -> None:
    for stream in streams_of(provider):
        cursor = stream.get("incremental_sync")
        if cursor is not None:
            assert cursor["start_datetime"] == "1990-01-01T00:00:00.000000Z"
            windowed = stream["retriever"]["class_name"] == "calls_shared.OldestFirstRetriever"
            # windows must end; what is newer than our clock then comes with the first one
            assert windowed or cursor["end_datetime"] == "9999-12-30T00:00:00.000000Z"
            assert windowed is ("step" in cursor)
            assert "is_client_side_incremental" not in cursor
            assert "start_time_option" not in cursor


def test_all_calls_schemas_are_equal() -> None:
    found = {}
    for provider, connector in ALL.items():
        catalog = connector.source_class()().discover(LOGGER, config_for(provider))
        (calls,) = (stream for stream in catalog.streams if stream.name == "calls")
        assert calls.source_defined_primary_key == [["id"]]
        assert calls.source_defined_cursor is True
        schema = copy.deepcopy(dict(calls.json_schema))
        known = schema["properties"]["provider_record"].pop("properties")
        assert known
        measured = schema["properties"]["duration_seconds"]["description"]
        assert len(measured) > len(SHARED["duration_seconds"]), provider  # what it measures there
        for name, column in schema["properties"].items():
            assert column.pop("description").startswith(SHARED[name]), (provider, name)
        found[provider] = [(name, column) for name, column in schema["properties"].items()]
        assert [name for name, _ in found[provider]] == [column.name for column in COLUMNS]
    assert [name for name, columns in found.items() if columns != found["intercom"]] == []


@pytest.mark.parametrize("provider", ALL)
def test_common_settings_are_described_alike(provider: str) -> None:
    specification = manifest_of(provider)["spec"]["connection_specification"]
    properties = specification["properties"]
    orders = [declared["order"] for declared in properties.values()]
    assert orders == list(range(len(properties)))
    assert all(d["title"] and d["description"] for d in properties.values())
    secret = [name for name, declared in properties.items() if declared.get("airbyte_secret")]
    assert secret
    assert set(secret) <= set(specification["required"])
    if provider in SECRETS:
        assert secret == SECRETS[provider]
    assert properties["lookback_days"]["default"] == 7
    assert properties["lookback_days"]["minimum"] == 1
    workers = properties["num_workers"]
    assert 1 == workers["minimum"] <= workers["maximum"]
    assert "default" not in workers  # it is found
