"""`CallRequester`: the CDK's `HttpRequester` with our own way of sending.

URL, headers, parameters and authenticator are the CDK's; `calls_shared.http.sender` does the rest.
"""

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from dataclasses import field as dataclass_field
from typing import Any, ClassVar

import requests
from airbyte_cdk.models import FailureType
from airbyte_cdk.sources.declarative.requesters.http_requester import HttpRequester
from airbyte_cdk.sources.declarative.requesters.request_options import (
    InterpolatedRequestOptionsProvider,
)
from airbyte_cdk.sources.declarative.requesters.requester import HttpMethod
from airbyte_cdk.sources.types import StreamSlice, StreamState
from airbyte_cdk.utils.traced_exception import AirbyteTracedException

from calls_shared.error_mapping import errors
from calls_shared.error_mapping.envelope import EnvelopeForm, forms_from
from calls_shared.error_mapping.judge import Judge
from calls_shared.error_mapping.shapes import SHAPES
from calls_shared.http.authenticator import spoken
from calls_shared.http.budget import budget_of
from calls_shared.http.hints import Hints
from calls_shared.http.optional_parts import OptionalParts
from calls_shared.http.rate import RateLimit
from calls_shared.http.sandbox import sandbox_from_environment
from calls_shared.http.sender import Request, Sender
from calls_shared.http.transport import Transport
from calls_shared.keys import Keys, keys_of
from calls_shared.paths import field

LOGGER = logging.getLogger("airbyte.calls")


@dataclass
class CallRequester(HttpRequester):
    """Requester of one provider's endpoint.

    Attributes:
        provider: the sandbox's and the column `provider`'s name of the provider.
        provider_name: its name for the user.
        key: the configuration key that holds its credential, or the keys, if it is of several
            parts.
        records_at: path of the list of records in a page; "" if the body is one record.
        page_count_at: path of the number of pages, where the provider numbers pages.
        total_at: path of the announced number of records, where there is one.
        answers: what an answer is (`calls_shared.error_mapping.shapes`): a `page` of records, one
            `object` at the path `records_at`, a `text`, or a `place` (a redirect, which is read
            for its target and never followed).
        http_method: GET or POST; what is sent by POST asks for something, so that it may be sent
            again.
        request_headers, request_parameters: as in the CDK's `HttpRequester`. A parameter that
            names the slice may not come out empty: the request would be for something else.
        optional_parameters: names of those parameters that may.
        hints: parameters that may help and are not needed, such as a sort order of unknown form: if
            a request with them is refused (HTTP 400 or 422), and not without them, none is sent any
            more.
        optional_parts: by parameter the names of parts of a record that not every plan gives. A
            part is left out, with a warning, where a request is refused twice (HTTP 400, 402, 403
            or 422) with it and not without it.
        error_rows: the provider's rows of the error table
            (`calls_shared.error_mapping.errors.ErrorRow`).
        error_envelopes: the forms of the provider's own error body
            (`calls_shared.error_mapping.envelope.EnvelopeForm`).
        slice_named_by: paths in the slice's extra fields or partition; the first text found is
            `{slice}` in the sentences of the error table.
        rate: the provider's published limit (`calls_shared.http.rate.RateLimit`); all requests of
            one process with the same key keep it together.
        connections: connections kept open.
    """

    KEYS: ClassVar[Mapping[str, Keys]] = {
        "rate": keys_of(RateLimit),
        "error_rows": keys_of(errors.ErrorRow),
        "error_envelopes": keys_of(EnvelopeForm),
    }

    provider: str = ""
    provider_name: str = ""
    key: str | Sequence[str] = ""
    records_at: str = ""
    page_count_at: str = ""
    total_at: str = ""
    answers: str = "page"
    http_method: str | HttpMethod = "GET"
    request_headers: Mapping[str, str] = dataclass_field(default_factory=dict)
    request_parameters: Mapping[str, str] = dataclass_field(default_factory=dict)
    optional_parameters: Sequence[str] = dataclass_field(default_factory=list)
    hints: Mapping[str, str] = dataclass_field(default_factory=dict)
    optional_parts: Mapping[str, Sequence[str]] = dataclass_field(default_factory=dict)
    error_rows: Sequence[Mapping[str, Any]] = dataclass_field(default_factory=list)
    error_envelopes: Sequence[Mapping[str, Any]] = dataclass_field(default_factory=list)
    slice_named_by: Sequence[str] = dataclass_field(default_factory=list)
    rate: Mapping[str, Any] = dataclass_field(default_factory=dict)
    connections: int = 32

    def __post_init__(self, parameters: Mapping[str, Any]) -> None:
        self.request_options_provider = InterpolatedRequestOptionsProvider(
            config=self.config,
            parameters=parameters,
            request_headers=self.request_headers,
            request_parameters=self.request_parameters,
        )
        self.use_cache = False  # the CDK would open a cache of answers for each parent stream
        super().__post_init__(parameters)
        # Jinja for what never changes took 11 % of a read of Intercom
        varying = any("{{" in str(value) for value in self.request_headers.values())
        self._constant_headers = None if varying else self._request_headers({}, None, None, {})
        varies = "stream_" in f"{self.url}{self.url_base}{self.path}"
        self._constant_url = None if varies else self._url_with_path()
        self._naming = _that_name_the_slice(self.request_parameters) - {*self.optional_parameters}
        self._hints = Hints(self.hints, self.name, self.provider_name)
        self.budget = budget_of(self.config)
        self._parts = OptionalParts(
            self.optional_parts, self.name, self.provider_name, self.budget.report.note
        )
        limit = RateLimit(**self.rate)
        if self.rate:
            self.budget.adopt(limit, self.provider, self.key)
        sandbox = sandbox_from_environment(self.provider)
        patience = self.budget.patience
        judge = Judge(
            self.provider_name,
            spoken(self.key),
            errors.rows_from(self.error_rows),
            forms_from(self.error_envelopes),
            SHAPES[self.answers](self.records_at, self.page_count_at, self.total_at),
            resumes=patience.whole is None,
        )
        self._sender = Sender(
            self.name,
            judge,
            Transport(sandbox, self.connections),
            self.budget,
            patience if sandbox is None else patience.scaled(sandbox.wait_scale),
            limit.reset_header,
        )

    def get_url(
        self,
        *,
        stream_state: StreamState | None = None,
        stream_slice: StreamSlice | None = None,
        next_page_token: Mapping[str, Any] | None = None,
    ) -> str:
        """The URL before the paginator's path."""
        if self._constant_url is not None:
            return self._constant_url
        return self._url_with_path(stream_slice=stream_slice, next_page_token=next_page_token)

    def _url_with_path(self, **context: Any) -> str:
        base = super().get_url(**context) or self.get_url_base(**context)
        return self._join_url(base, self.get_path(**context))

    def send_request(
        self,
        stream_state: StreamState | None = None,
        stream_slice: StreamSlice | None = None,
        next_page_token: Mapping[str, Any] | None = None,
        path: str | None = None,
        request_headers: Mapping[str, Any] | None = None,
        request_params: Mapping[str, Any] | None = None,
        request_body_data: Mapping[str, Any] | str | None = None,
        request_body_json: Mapping[str, Any] | None = None,
        log_formatter: Callable[[requests.Response], Any] | None = None,
    ) -> requests.Response | None:
        """Send a request until it is answered well, skipped, or has failed for good.

        Returns:
            The answer; one of status 400 or more is to be skipped (`bool(response)` is false).

        Raises:
            AirbyteTracedException: with the sentence and failure type of the error table.
        """
        origin = self.get_url(stream_slice=stream_slice, next_page_token=next_page_token)
        headers = self._constant_headers
        if headers is None or request_headers:
            headers = self._request_headers({}, stream_slice, next_page_token, request_headers)
        parameters = self._request_params({}, stream_slice, next_page_token, request_params)
        self._refuse_empty(parameters)
        request = Request(
            origin=origin,
            url=path or origin,
            headers=headers,
            params=parameters,
            about=self._name_of(stream_slice),
            method=self.get_method().value,
            body=request_body_json or None,
        )
        return self._parts.send(request, lambda asked: self._hints.send(asked, self._sender))

    def _refuse_empty(self, parameters: Mapping[str, Any]) -> None:
        for name in self._naming:
            if parameters.get(name) in (None, "", "None"):  # what Jinja makes of a null
                raise AirbyteTracedException(
                    message=f"A request for {self.name} would go out without its parameter {name},"
                    " so that it would be for something else; the slice that it stands for does not"
                    " hold it. Run the sync again; if it fails again, report it.",
                    internal_message=f"stream {self.name}: parameter {name} came out empty",
                    failure_type=FailureType.system_error,
                )

    def _name_of(self, stream_slice: StreamSlice | None) -> str:
        parts = () if stream_slice is None else (stream_slice.extra_fields, stream_slice.partition)
        names = (field(path)(part) for path in self.slice_named_by for part in parts)
        return next((name for name in names if isinstance(name, str) and name), "")

    def is_an_answer(self, response: requests.Response) -> bool:
        """Whether an answer is one that was promised, and not one to be skipped."""
        return self._sender.judge.shape.is_an_answer(response.status_code)

    def records_of(self, response: requests.Response) -> Sequence[dict[str, Any]]:
        """The records of an answer that was promised."""
        return self._sender.judge.shape.records(response)

    def pauses(self) -> list[float]:
        """Seconds before each further attempt at an answer that may be better the next time."""
        return self._sender.pauses()

    @classmethod
    def check_manifest(cls, node: Mapping[str, Any]) -> None:
        """Refuse what cannot be meant in a requester of a manifest.

        Raises:
            ValueError, TypeError: saying what is wrong.
        """
        RateLimit(**node.get("rate", {}))
        if node.get("answers", "page") not in SHAPES:
            raise ValueError(f"answers {node['answers']!r} is not one of {', '.join(SHAPES)}")
        if node.get("http_method", "GET") not in ("GET", "POST"):
            raise ValueError("http_method is GET or POST: this source only reads")
        rows = errors.rows_from(node.get("error_rows", []))
        forms = forms_from(node.get("error_envelopes", []))
        if not forms and any(row.action == "skip" for row in rows):
            raise ValueError("a row that skips needs error_envelopes")
        optional = {*node.get("optional_parameters", [])}
        if unknown := optional - _that_name_the_slice(node.get("request_parameters", {})):
            raise ValueError(f"{sorted(unknown)[0]} in optional_parameters names no slice")


def _that_name_the_slice(parameters: Mapping[str, Any]) -> frozenset[str]:
    """The parameters whose value comes from the slice."""
    return frozenset(
        name
        for name, value in parameters.items()
        if "stream_slice" in str(value) or "stream_partition" in str(value)
    )
