"""Fixtures of the unit tests: the real manifests, and answers made by hand."""

import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from weakref import WeakValueDictionary

import pytest
import requests
import yaml
from airbyte_cdk.utils.airbyte_secrets_utils import update_secrets
from airbyte_cdk.utils.traced_exception import AirbyteTracedException

from calls_shared.error_mapping.body import PageShape
from calls_shared.error_mapping.envelope import EnvelopeForm, forms_from
from calls_shared.error_mapping.errors import rows_from
from calls_shared.error_mapping.judge import Judge
from calls_shared.error_mapping.shapes import SHAPES
from calls_shared.http import budget, sender
from calls_shared.http.budget import CallBudget
from calls_shared.http.patience import Patience
from calls_shared.http.rate import Rate, RateLimit
from calls_shared.http.sender import Request, Sender
from calls_shared.protocol import secrets
from calls_shared.protocol.manifest_check import resolved

ROOT = Path(__file__).parents[2]

AnswerMaker = Callable[..., requests.Response]


@pytest.fixture(scope="session")
def raw_manifests() -> dict[str, dict[str, Any]]:
    """The manifests as they stand in the repository, by provider."""
    found = "source-*-calls/source_*_calls/manifest.yaml"
    files = sorted([*ROOT.glob(found), *ROOT.glob(f"examples/{found}")])
    return {
        file.parent.name.split("_")[1]: yaml.safe_load(file.read_text("utf-8")) for file in files
    }


@pytest.fixture(scope="session")
def manifests(raw_manifests: Mapping[str, dict[str, Any]]) -> dict[str, Mapping[str, Any]]:
    """The manifests with references and parameters in their places, by provider."""
    return {provider: resolved(manifest) for provider, manifest in raw_manifests.items()}


@pytest.fixture(scope="session")
def specifications(raw_manifests: Mapping[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """The JSON schemas of the configurations, by provider."""
    return {
        provider: manifest["spec"]["connection_specification"]
        for provider, manifest in raw_manifests.items()
    }


@pytest.fixture(scope="session")
def requesters(manifests: Mapping[str, Any]) -> dict[tuple[str, str], Mapping[str, Any]]:
    """All requesters of the manifests, by provider and stream."""
    found: dict[tuple[str, str], Mapping[str, Any]] = {}

    def walk(provider: str, node: Any) -> None:
        if isinstance(node, Mapping):
            if node.get("class_name") == "calls_shared.CallRequester":
                found.setdefault((provider, node["name"]), node)  # Quo: API v1
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
            SHAPES[requester.get("answers", "page")](
                *(requester.get(name, "") for name in ("records_at", "page_count_at", "total_at"))
            ),
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


# --- a sender without a network and with a clock of its own ---

REQUEST = Request("https://api.acme.example/calls", "/calls", {}, {})
GOOD = {"data": [{"id": "1"}]}
STEADY = Patience(attempts=4, seconds=600.0, first_pause=1.0, longest_pause=60.0)
ROWS = rows_from(
    [
        {"status": 404, "code": "gone", "action": "skip", "message": "{{count}} were skipped."},
        {
            "status": 403,
            "code": "one",
            "action": "fail",
            "failure_type": "config_error",
            "ends": "slice",
            "message": "One group is refused.",
        },
    ]
)


class Clock:
    """A clock that only sleeping and the answers of the test move."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


class Transport:
    """Gives its answers in turn, the last one for ever; each takes some seconds."""

    def __init__(self, clock: Clock, answers: list[Any], lasts: float) -> None:
        self.clock = clock
        self.answers = answers
        self.lasts = lasts
        self.times: list[float] = []
        self.patience: list[Patience] = []

    def send(self, url: str, *, patience: Patience, **_: Any) -> requests.Response:
        """The next answer."""
        self.times.append(self.clock.now)
        self.patience.append(patience)
        self.clock.now += min(self.lasts, patience.answer)
        found = self.answers[min(len(self.times), len(self.answers)) - 1]
        if isinstance(found, Exception):
            raise found
        assert isinstance(found, requests.Response)
        return found


class Bench:
    """A sender whose clock, sleep and answers the test holds."""

    def __init__(
        self,
        monkeypatch: pytest.MonkeyPatch,
        answers: list[Any],
        patience: Patience = STEADY,
        lasts: float = 0.0,
        limit: int = 1_000_000,
    ) -> None:
        self.clock = Clock()
        monkeypatch.setattr(sender, "time", SimpleNamespace(monotonic=self.clock))
        # without jitter
        monkeypatch.setattr(
            sender,
            "growing_pause",
            lambda attempt, first, most: min(first * 2 ** (attempt - 1), most),
        )
        rate = Rate(RateLimit(limit, 60.0, limit_header="X-Limit"))
        self.budget = CallBudget(rate, patience=patience, clock=self.clock)
        self.slept: list[float] = []

        def sleep(seconds: float) -> None:
            self.slept.append(seconds)
            self.clock.now += seconds

        self.budget.sleep = sleep  # type: ignore[method-assign]
        self.transport = Transport(self.clock, answers, lasts)
        judge = Judge(
            "Acme",
            "api_key",
            ROWS,
            (EnvelopeForm(("code",)),),
            PageShape("data"),
            resumes=patience.whole is None,
        )
        self.sender = Sender("calls", judge, self.transport, self.budget, patience)  # type: ignore[arg-type]

    @property
    def tries(self) -> int:
        """How many requests were sent."""
        return len(self.transport.times)

    def send(self) -> requests.Response:
        """Send a request."""
        return self.sender.send(REQUEST)

    def fail(self) -> AirbyteTracedException:
        """Send a request that fails; its failure."""
        with pytest.raises(AirbyteTracedException) as caught:
            self.send()
        return caught.value


@pytest.fixture
def bench(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Bench]:
    """Makes a bench: `bench(answer, answer, ..., patience=..., lasts=..., limit=...)`."""

    def make(*answers: Any, **more: Any) -> Bench:
        return Bench(monkeypatch, list(answers), **more)

    return make


@pytest.fixture(autouse=True)
def _no_sandbox(monkeypatch: pytest.MonkeyPatch) -> None:
    """No test reads the sandbox's address from the machine that it runs on."""
    monkeypatch.delenv("CALLS_SANDBOX_URL", raising=False)
    monkeypatch.delenv("CALLS_SANDBOX_WAIT_SCALE", raising=False)


@pytest.fixture(autouse=True)
def _no_known_rates(monkeypatch: pytest.MonkeyPatch) -> None:
    """No test waits because another one has used up the rate of the same key."""
    monkeypatch.setattr(budget, "_RATES", WeakValueDictionary())
    monkeypatch.setattr(budget, "_BUSY", [])


@pytest.fixture(autouse=True)
def _no_known_secrets(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """No test masks what another one has taught the process."""
    monkeypatch.setattr(secrets, "_masked_forms", set())
    yield
    update_secrets([])
