"""Failures as the protocol tells them: an exception, an error trace, a connection status."""

from airbyte_cdk.models import (
    AirbyteConnectionStatus,
    AirbyteMessage,
    AirbyteTraceMessage,
    FailureType,
    Status,
)
from airbyte_cdk.utils.airbyte_secrets_utils import filter_secrets
from airbyte_cdk.utils.traced_exception import AirbyteTracedException


def failed_status(failure: AirbyteTracedException) -> AirbyteConnectionStatus:
    """What a `check` answers that has failed; without secrets."""
    message = filter_secrets(failure.message or "")
    return AirbyteConnectionStatus(status=Status.FAILED, message=message)


def same_error(one: AirbyteMessage, other: AirbyteMessage) -> bool:
    """Whether two error traces say the same (one failure of many partitions of a stream)."""
    errors = [message.trace.error for message in (one, other) if message.trace]
    return len({(error.message, str(error.stream_descriptor)) for error in errors if error}) == 1


def as_exception(trace: AirbyteTraceMessage) -> AirbyteTracedException:
    """The exception that an error trace tells of."""
    error = trace.error
    assert error is not None  # an ERROR trace has one
    return AirbyteTracedException(
        message=error.message,
        internal_message=error.internal_message,
        failure_type=error.failure_type or FailureType.system_error,
        stream_descriptor=error.stream_descriptor,
    )
