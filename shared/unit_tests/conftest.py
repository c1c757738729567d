"""Fixtures of the unit tests: the four real manifests, and answers made by hand."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
import requests
import yaml
from airbyte_cdk.sources.declarative.parsers.manifest_reference_resolver import (
    ManifestReferenceResolver,
)
from calls_shared import secrets
from calls_shared.body import PageShape
from calls_shared.envelope import forms_from
from calls_shared.errors import rows_from
from calls_shared.judge import Judge

ROOT = Path(__file__).parents[2]
PROVIDERS = ("intercom", "openphone", "amplemarket", "skipcall")

AnswerMaker = Callable[..., requests.Response]


@pytest.fixture(scope="session")
def raw_manifests() -> dict[str, dict[str, Any]]:
    """The manifests as they stand in the repository, by provider."""
    return {
        provider: yaml.safe_load(
            (ROOT / f"source-{provider}-calls" / "manifest.yaml").read_text(encoding="utf-8")
        )
        for provider in PROVIDERS
    }


@pytest.fixture(scope="session")
def manifests(raw_manifests: Mapping[str, dict[str, Any]]) -> dict[str, Mapping[str, Any]]:
    """The manifests with their references resolved, by provider."""
    resolver = ManifestReferenceResolver()
    return {
        provider: resolver.preprocess_manifest(manifest)
        for provider, manifest in raw_manifests.items()
    }


@pytest.fixture(scope="session")
def specifications(raw_manifests: Mapping[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """The JSON schemas of the four configurations, by provider."""
    return {
        provider: manifest["spec"]["connection_specification"]
        for provider, manifest in raw_manifests.items()
    }


@pytest.fixture(scope="session")
def requesters(manifests: Mapping[str, Any]) -> dict[tuple[str, str], Mapping[str, Any]]:
    """All requesters of the four manifests, by provider and stream."""
    found: dict[tuple[str, str], Mapping[str, Any]] = {}

    def walk(provider: str, node: Any) -> None:
        if isinstance(node, Mapping):
            if node.get("class_name") == "calls_shared.CallRequester":
                found[provider, node["name"]] = node
            for child in node.values():
                walk(provider, child)
        elif isinstance(node, list):
            for child in node:
                walk(provider, child)

    for provider, manifest in manifests.items():
        walk(provider, manifest["streams"])
    return found


@pytest.fixture(scope="session")
def judges(requesters: Mapping[tuple[str, str], Mapping[str, Any]]) -> dict[tuple[str, str], Judge]:
    """The judge of each requester, by provider and stream."""
    return {
        place: Judge(
            requester["provider_name"],
            requester["key"],
            rows_from(requester.get("error_rows", [])),
            forms_from(requester.get("error_envelopes", [])),
            PageShape(requester.get("records_at", ""), requester.get("page_count_at", "")),
        )
        for place, requester in requesters.items()
    }


@pytest.fixture
def answer() -> AnswerMaker:
    """Makes a response: `answer(body, status=200, headers={...})`; a body may be bytes or JSON."""

    def make(
        body: Any = b"", status: int = 200, headers: Mapping[str, str] | None = None
    ) -> requests.Response:
        response = requests.Response()
        response.status_code = status
        response._content = body if isinstance(body, bytes) else json.dumps(body).encode()
        response.headers.update(headers or {})
        return response

    return make


@pytest.fixture(autouse=True)
def _no_sandbox(monkeypatch: pytest.MonkeyPatch) -> None:
    """No test reads the sandbox's address from the machine that it runs on."""
    monkeypatch.delenv("CALLS_SANDBOX_URL", raising=False)
    monkeypatch.delenv("CALLS_SANDBOX_WAIT_SCALE", raising=False)


@pytest.fixture(autouse=True)
def _no_known_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    """No test masks what another one has taught the process."""
    monkeypatch.setattr(secrets, "_masked_forms", set())
