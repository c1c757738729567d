"""What a request that has failed raises, by what the error table makes of its answer."""

from typing import TypeVar

import requests
from airbyte_cdk.models import FailureType, StreamDescriptor
from airbyte_cdk.utils.traced_exception import AirbyteTracedException

from calls_shared.error_mapping import errors
from calls_shared.error_mapping.body import parsed
from calls_shared.error_mapping.envelope import provider_message
from calls_shared.error_mapping.judge import Judge
from calls_shared.http import refusals

Failure = TypeVar("Failure", bound=AirbyteTracedException)


def failure_of(
    resolution: errors.Resolution, response: requests.Response | None, stream: str
) -> AirbyteTracedException:
    """The failure of a request: the sentence and the type of the error table.

    Args:
        resolution: what the table makes of it.
        response: the answer; null if there was none.
        stream: name of the stream that it was sent for.
    """
    return _made(_kind(resolution, response), resolution, response, stream)


def refusal_of(
    resolution: errors.Resolution, response: requests.Response, judge: Judge, stream: str
) -> refusals.RefusedError:
    """The failure of a request whose refusal was foreseen."""
    refusal = _made(refusals.RefusedError, resolution, response, stream)
    refusal.status = response.status_code
    refusal.says = provider_message(parsed(response), judge.forms) or "nothing more."
    return refusal


def out_of_time(provider: str, stream: str) -> AirbyteTracedException:
    """The failure of a check that has no time left."""
    return AirbyteTracedException(
        message=f"{provider} did not answer in the time that a check has. Try again later; if"
        " requests_per_minute is set, raise it.",
        internal_message=f"stream {stream}: no time left",
        failure_type=FailureType.transient_error,
    )


def _made(
    kind: type[Failure],
    resolution: errors.Resolution,
    response: requests.Response | None,
    stream: str,
) -> Failure:
    status = "no answer" if response is None else f"HTTP {response.status_code}"
    return kind(
        message=resolution.message,
        internal_message=f"stream {stream}: {resolution.action} after {status}",
        failure_type=FailureType(resolution.failure_type),
        stream_descriptor=StreamDescriptor(name=stream),
    )


def _kind(
    resolution: errors.Resolution, response: requests.Response | None
) -> type[AirbyteTracedException]:
    is_unforeseen = resolution.action == "fail" and resolution.failure_type == "system_error"
    status = response.status_code if is_unforeseen and response is not None else None
    if resolution.own and status in refusals.STATUSES:
        return refusals.PageRefusedError
    is_bad = status in refusals.BAD_REQUESTS
    return refusals.BadRequestError if is_bad else AirbyteTracedException
