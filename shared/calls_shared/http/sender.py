"""`Sender`: one request, sent until it is answered well, skipped, or has failed for good.

The CDK's `HttpClient` does not do: it follows redirects, gives up on a rate limit after six
answers, counts a broken 200 as success, prefixes our sentences, and logs whole bodies and headers.
"""

import logging
import time
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

import requests
import urllib3
from airbyte_cdk.utils.traced_exception import AirbyteTracedException

from calls_shared.error_mapping import errors
from calls_shared.error_mapping.judge import Judge
from calls_shared.faults import ForeignUrlError, fault_name
from calls_shared.http.budget import CallBudget
from calls_shared.http.failing import failure_of, out_of_time, refusal_of
from calls_shared.http.patience import Patience
from calls_shared.http.transport import Transport
from calls_shared.http.waiting import growing_pause, named_wait, retry_after

LOGGER = logging.getLogger("airbyte.calls")
_FAULTS = (requests.RequestException, urllib3.exceptions.HTTPError, OSError, ForeignUrlError)
_TRIES_OF_A_GOOD_KEY = 3
_TOO_MANY = (HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE)


class _AbandonedError(Exception):
    """The sync was stopped while a request waited."""


@dataclass(frozen=True)
class Request:
    """What is sent.

    Attributes:
        origin: a URL of the provider's own.
        url: what is asked for, from the manifest or from a link; it may be relative to the origin.
        headers, params: those of the request.
        about: what is asked about, for the sentences of the error table.
        method: the method of HTTP; one that may be sent again.
        body: what is sent as the JSON body; null for none.
        refusable: the statuses under which the provider's own envelope is foreseen.
    """

    origin: str
    url: str
    headers: Mapping[str, Any]
    params: Mapping[str, Any]
    about: str = ""
    method: str = "GET"
    body: Any = None
    refusable: frozenset[int] = frozenset()


@dataclass(frozen=True)
class Sender:
    """Sends the requests of one endpoint; safe for several threads.

    Attributes:
        stream: name of the stream that the endpoint belongs to.
        judge: says what an answer means.
        transport: sends one request.
        budget: the rate, the pauses and the report that all requests of the process share.
        patience: how long a request is tried.
        reset_header: the response header that names when a limit that was met ends.
    """

    stream: str
    judge: Judge
    transport: Transport
    budget: CallBudget
    patience: Patience
    reset_header: str = ""

    def send(self, request: Request) -> requests.Response:
        """Send a request until it is answered well, skipped, or has failed for good.

        A wait that the provider names is waited for by all workers, and does not count as time of
        the attempts.

        Returns:
            The answer; one of status 400 or more is to be skipped (`bool(response)` is false).

        Raises:
            RefusedError: if it is refused as it was foreseen.
            AirbyteTracedException: with the sentence and failure type of the error table.
        """
        attempts, spent, limited = 0, 0.0, 0
        while True:
            response, fault, lasted = self._exchange(request)
            resolution = self.judge.resolve(
                response, fault, attempt=attempts + 1, about=request.about
            )
            if response is not None and resolution.action in ("accept", "skip"):
                if resolution.action == "accept":
                    self.budget.succeeded()
                    for sentence, count in self.judge.shape.notes(response).items():
                        self.budget.report.note(sentence, count)
                if resolution.message:
                    self.budget.report.note(resolution.message)
                return response
            headers: Mapping[str, str] = {} if response is None else response.headers
            status = 0 if response is None else response.status_code
            if response is not None and resolution.own and status in request.refusable:
                raise refusal_of(resolution, response, self.judge, self.stream)
            if resolution.action == "wait":
                limited += 1
                pause = named_wait(headers, self.reset_header) or self._pause(limited)
                if not self.budget.has_time(pause):
                    raise failure_of(resolution, response, self.stream)
                self._wait_for_limit(pause)
                continue
            attempts += 1
            spent += lasted if attempts > 1 else 0.0
            named = retry_after(headers)
            pause = named or self._pause(attempts)
            if not self._may_try_again(resolution, response, attempts, spent, pause):
                raise self._failed(resolution, response)
            LOGGER.info(
                "%s: attempt %d of %d failed (%s); trying again.",
                self.judge.provider_name,
                attempts,
                self.patience.attempts,
                fault_name(fault) if response is None else f"HTTP {response.status_code}",
            )
            if named is not None:
                self.budget.pause(named)
            else:
                spent += pause
                self.budget.sleep(pause)

    def _may_try_again(
        self,
        resolution: errors.Resolution,
        response: requests.Response | None,
        attempts: int,
        spent: float,
        pause: float,
    ) -> bool:
        if response is not None and response.status_code == 401:
            # providers have refused a good key for a moment
            return self.budget.key_worked and attempts < _TRIES_OF_A_GOOD_KEY
        return (
            resolution.action == "retry"
            and attempts < self.patience.attempts
            and spent <= self.patience.seconds
            and self.budget.has_time(pause)
        )

    def pauses(self) -> list[float]:
        """Seconds before each further attempt at an answer that may be better the next time."""
        return [self._pause(attempt) for attempt in range(1, self.patience.attempts)]

    def _pause(self, attempt: int) -> float:
        return growing_pause(attempt, self.patience.first_pause, self.patience.longest_pause)

    def _exchange(
        self, request: Request
    ) -> tuple[requests.Response | None, Exception | None, float]:
        """One request: the answer, or the fault in place of one, and how long it took."""
        self._stop_if_told()
        with self.budget.places.one() as place:
            if not self.budget.start():
                raise out_of_time(self.judge.provider_name, self.stream)
            self._stop_if_told()
            self.budget.places.sent(place)
            began = time.monotonic()
            try:
                response = self.transport.send(
                    request.url,
                    origin=request.origin,
                    headers=request.headers,
                    params=request.params,
                    patience=self.patience.within(self.budget.seconds_left()),
                    method=request.method,
                    body=request.body,
                    wants_body=self.judge.shape.wants_body,
                )
            except _FAULTS as fault:
                place.is_refused = True
                return None, fault, time.monotonic() - began
            place.is_refused = response.status_code in _TOO_MANY
        self.budget.learn(response.headers)
        return response, None, time.monotonic() - began

    def _failed(
        self, resolution: errors.Resolution, response: requests.Response | None
    ) -> AirbyteTracedException:
        """The failure, of which the budget is told."""
        failure = failure_of(resolution, response, self.stream)
        refused_group = resolution.failure_type == "config_error" and not resolution.ends_sync
        if not refused_group:  # which says nothing about other groups
            patiently = resolution.action == "retry"
            self.budget.failed(failure, at_once=resolution.ends_sync, patiently=patiently)
        return failure

    def _wait_for_limit(self, seconds: float) -> None:
        """Pause all workers; the budget waits, and the heartbeat tells that it is a limit."""
        self.budget.pause(seconds)
        LOGGER.info(
            "%s: rate limit reached (HTTP 429); waiting %.1f s.", self.judge.provider_name, seconds
        )

    def _stop_if_told(self) -> None:
        if self.budget.failure is not None:
            raise self.budget.failure
        if self.budget.stopped.is_set():
            raise _AbandonedError
