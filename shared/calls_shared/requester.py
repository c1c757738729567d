"""`CallRequester`: the CDK's `HttpRequester` with our own way of sending.

URL, headers, parameters and authenticator are the CDK's. Only the sending is ours, because the
CDK's `HttpClient` (facts, section 0) follows redirects, gives up on a rate limit after six
answers, counts a broken 200 as success, prefixes our sentences, and logs whole bodies and headers.
"""

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from dataclasses import field as dataclass_field
from typing import Any

import requests
import urllib3
from airbyte_cdk.models import FailureType, StreamDescriptor
from airbyte_cdk.sources.declarative.requesters.http_requester import HttpRequester
from airbyte_cdk.sources.declarative.requesters.request_options import (
    InterpolatedRequestOptionsProvider,
)
from airbyte_cdk.sources.types import StreamSlice, StreamState
from airbyte_cdk.utils.traced_exception import AirbyteTracedException

from calls_shared import errors
from calls_shared.body import PageShape
from calls_shared.budget import CallBudget
from calls_shared.judge import Judge
from calls_shared.transport import Transport, fault_name, sandbox_from_environment
from calls_shared.waiting import growing_pause, named_wait

LOGGER = logging.getLogger("airbyte.calls")
_FAULTS = (requests.RequestException, urllib3.exceptions.HTTPError, OSError)


class _AbandonedError(Exception):
    """The sync was stopped while a request waited."""


@dataclass
class CallRequester(HttpRequester):
    """Requester of one provider's endpoint.

    Attributes:
        provider: the sandbox's and the column `provider`'s name of the provider.
        provider_name: its name for the user.
        key: the configuration key that holds its credential.
        records_at: path of the list of records in a page; "" if the body is one record.
        page_count_at: path of the number of pages, where the provider numbers pages.
        request_headers, request_parameters: as in the CDK's `HttpRequester`.
        error_rows: the provider's rows of the error table (`calls_shared.errors.ErrorRow`).
        connections: connections kept open.
    """

    provider: str = ""
    provider_name: str = ""
    key: str = ""
    records_at: str = ""
    page_count_at: str = ""
    request_headers: Mapping[str, str] = dataclass_field(default_factory=dict)
    request_parameters: Mapping[str, str] = dataclass_field(default_factory=dict)
    error_rows: Sequence[Mapping[str, Any]] = dataclass_field(default_factory=list)
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
        self._constant_url = None if "stream_" in str(self.url) else super().get_url()
        self._judge = Judge(
            self.provider_name,
            self.key,
            errors.rows_from(self.error_rows),
            PageShape(self.records_at, self.page_count_at),
        )
        self._sandbox = sandbox_from_environment(self.provider)
        self._transport = Transport(self._sandbox, self.connections)
        budget = self.api_budget
        self.budget = budget if isinstance(budget, CallBudget) else CallBudget(1_000_000, 1.0)
        self._patience = self.budget.patience
        if self._sandbox is not None:
            self._patience = self._patience.scaled(self._sandbox.wait_scale)

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
        return super().get_url(stream_slice=stream_slice, next_page_token=next_page_token)

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
        url = self._get_url(path=path, stream_slice=stream_slice, next_page_token=next_page_token)
        headers = self._constant_headers
        if headers is None or request_headers:
            headers = self._request_headers({}, stream_slice, next_page_token, request_headers)
        params = self._request_params({}, stream_slice, next_page_token, request_params)
        page = next_page_token.get("next_page_token") if next_page_token else None
        return self._send_patiently(url, headers, params, page)

    def _send_patiently(
        self, url: str, headers: Mapping[str, Any], params: Mapping[str, Any], page: Any
    ) -> requests.Response:
        attempts, waited, started = 0, 0.0, time.monotonic()
        while True:
            self._stop_if_told()
            with self.budget.in_flight():
                self.budget.acquire_call(None)
                self._stop_if_told()
                response, fault = self._exchange(url, headers, params)
            resolution = self._judge.resolve(response, fault, page)
            if resolution.action == "accept" and response is not None:
                self.budget.succeeded()
                return response
            if resolution.action == "skip" and response is not None:
                self.budget.report.note(resolution.message)
                return response
            if resolution.action == "wait" and response is not None:
                pause = named_wait(response.headers) or self._pause(1 + int(waited))
                waited += 1
                longest = self._patience.longest_wait
                if longest is not None and pause > longest:
                    raise self._failure(resolution, response)
                self._wait_for_limit(pause)
                continue
            attempts += 1
            spent = time.monotonic() - started
            if (
                resolution.action != "retry"
                or attempts >= self._patience.attempts
                or spent > self._patience.seconds
            ):
                failure = self._failure(resolution, response)
                self.budget.failed(failure, at_once=resolution.action == "fail")
                raise failure
            LOGGER.info(
                "%s: attempt %d of %d failed (%s); trying again.",
                self.provider_name,
                attempts,
                self._patience.attempts,
                fault_name(fault) if response is None else f"HTTP {response.status_code}",
            )
            self.budget.sleep(self._pause(attempts))

    def _pause(self, attempt: int) -> float:
        return growing_pause(attempt, self._patience.first_pause, self._patience.longest_pause)

    def _exchange(
        self, url: str, headers: Mapping[str, Any], params: Mapping[str, Any]
    ) -> tuple[requests.Response | None, Exception | None]:
        try:
            response = self._transport.send(
                url, headers=headers, params=params, patience=self._patience
            )
        except _FAULTS as fault:
            return None, fault
        self.budget.update_from_response(None, response)
        return response, None

    def _failure(
        self, resolution: errors.Resolution, response: requests.Response | None
    ) -> AirbyteTracedException:
        status = "no answer" if response is None else f"HTTP {response.status_code}"
        return AirbyteTracedException(
            message=resolution.message,
            internal_message=f"stream {self.name}: {resolution.action} after {status}",
            failure_type=FailureType(resolution.failure_type),
            stream_descriptor=StreamDescriptor(name=self.name),
        )

    def _wait_for_limit(self, seconds: float) -> None:
        """Pause all workers; acquire_call waits, and the heartbeat tells that it is a limit."""
        self.budget.pause(seconds)
        LOGGER.info(
            "%s: rate limit reached (HTTP 429); waiting %.1f s.", self.provider_name, seconds
        )

    def _stop_if_told(self) -> None:
        if self.budget.failure is not None:
            raise self.budget.failure
        if self.budget.stopped.is_set():
            raise _AbandonedError
