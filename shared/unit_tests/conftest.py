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
