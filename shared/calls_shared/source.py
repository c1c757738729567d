"""`CallsSource`: the source class of a connector, and the declarative source inside it."""

import logging
import sys
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Any

from airbyte_cdk.models import (
    AirbyteCatalog,
    AirbyteConnectionStatus,
    AirbyteMessage,
    AirbyteStateMessage,
    AirbyteTraceMessage,
    ConfiguredAirbyteCatalog,
    ConnectorSpecification,
    FailureType,
    Status,
    TraceType,
    Type,
)
from airbyte_cdk.sources.declarative.concurrent_declarative_source import (
    ConcurrentDeclarativeSource,
)
from airbyte_cdk.sources.message import MessageRepository
from airbyte_cdk.sources.source import Source
from airbyte_cdk.utils.airbyte_secrets_utils import filter_secrets
from airbyte_cdk.utils.traced_exception import AirbyteTracedException
from airbyte_cdk.utils.yaml_loader import safe_load_yaml

from calls_shared import converters
from calls_shared.budget import CallBudget
from calls_shared.configuration import check_config, refusal
from calls_shared.heartbeat import Heartbeat
from calls_shared.manifest import budget_from, stream_cursors
from calls_shared.patience import CHECK_PATIENCE, Patience
from calls_shared.secrets import clean_trace, mask_secrets
from calls_shared.state import StateGuard
from calls_shared.tally import RecordTally

_QUEUED_RECORDS = 1_000


class DeclarativeCalls(ConcurrentDeclarativeSource):
    """The CDK's declarative source with our budget, which it hands to all of its components."""

    def __init__(self, budget: CallBudget, **arguments: Any) -> None:
        self.budget = budget
        super().__init__(**arguments)
        # The CDK queues 10,000 records; with transcripts of 50 KB that took 660 MB (facts, 6.4).
        self._concurrent_source._queue.maxsize = _QUEUED_RECORDS

    def _prepare_for_stream_build(self) -> None:
        # The CDK would build its own budget here, from the same lines of the manifest.
        self._constructor._api_budget = self.budget  # type: ignore[assignment]


class CallsSource(Source):
    """A source of calls, defined by the `manifest.yaml` beside or inside its package.

    It needs no constructor arguments and builds the declarative source once the configuration (and
    catalog and state) are known, because the CDK's own takes them in its constructor only.
    """

    def __init__(self) -> None:
        self._inner: DeclarativeCalls | None = None

    @cached_property
    def manifest(self) -> Mapping[str, Any]:
        """The manifest: from inside the package (wheel), else from beside it (checkout)."""
        package = Path(sys.modules[type(self).__module__].__file__ or "").parent
        for folder in (package, package.parent):
            if (file := folder / "manifest.yaml").is_file():
                manifest: Mapping[str, Any] = safe_load_yaml(file.read_text(encoding="utf-8"))
                return manifest
        raise FileNotFoundError(f"no manifest.yaml in or beside the package {package.name}")

    @property
    def specification(self) -> Mapping[str, Any]:
        """The JSON schema of the configuration."""
        schema: Mapping[str, Any] = self.manifest["spec"]["connection_specification"]
        return schema

    @property
    def message_repository(self) -> MessageRepository | None:
        """Messages that the declarative source has queued; the entry point emits them."""
        return self._inner._message_repository if self._inner else None

    def configure(self, config: Mapping[str, Any], temp_dir: str) -> Mapping[str, Any]:
        """The configuration as it is; unlike the CDK's own, it is not written to a file."""
        return config

    def spec(self, logger: logging.Logger) -> ConnectorSpecification:
        """The specification that the manifest holds."""
        return ConnectorSpecification(
            connectionSpecification=dict(self.specification),
            documentationUrl=self.manifest["spec"].get("documentation_url"),
        )

    def _build(
        self,
        config: Mapping[str, Any],
        patience: Patience | None = None,
        catalog: ConfiguredAirbyteCatalog | None = None,
        states: list[AirbyteStateMessage] | None = None,
    ) -> DeclarativeCalls:
        check_config(config, self.specification)
        mask_secrets(config, self.specification)
        self._inner = DeclarativeCalls(
            budget_from(self.manifest, config, patience),
            catalog=catalog,
            config=dict(config),
            state=states or [],
            source_config=dict(self.manifest),
        )
        return self._inner

    def check(self, logger: logging.Logger, config: Mapping[str, Any]) -> AirbyteConnectionStatus:
        """Prove the key with one request to the real resource; an empty workspace is fine."""
        try:
            # without a start date the first call of the first page ends the check
            config = {key: value for key, value in config.items() if key != "start_date"}
            inner = self._build(config, CHECK_PATIENCE)
        except AirbyteTracedException as failure:
            return _failed(failure)
        wanted = self.manifest["check"]["stream_names"]
        try:
            for stream in inner.streams(config=config):
                if stream.name in wanted:
                    partition = next(iter(stream.generate_partitions()), None)
                    if partition is not None:
                        next(iter(partition.read()), None)
        except AirbyteTracedException as failure:
            return _failed(failure)
        finally:
            inner.budget.stopped.set()
        return AirbyteConnectionStatus(status=Status.SUCCEEDED)

    def discover(self, logger: logging.Logger, config: Mapping[str, Any]) -> AirbyteCatalog:
        """The streams that this configuration offers."""
        return self._build(config).discover(logger, config)

    def read(
        self,
        logger: logging.Logger,
        config: Mapping[str, Any],
        catalog: ConfiguredAirbyteCatalog,
        state: list[AirbyteStateMessage] | None = None,
    ) -> Iterator[AirbyteMessage]:
        """Read the configured streams.

        Raises:
            AirbyteTracedException: the failure of the (last) stream that failed, in its own words.
        """
        cursors = stream_cursors(self.manifest)
        guard = StateGuard(cursors, state or [], converters.format_timestamp(datetime.now(UTC)))
        inner = self._build(config, catalog=catalog, states=guard.usable)
        self._check_streams(inner, catalog, config)
        tally = RecordTally({n: (cursors[n].field, guard.known.get(n)) for n in cursors})
        failure: Exception | None = None
        last_failure: AirbyteMessage | None = None
        heartbeat = Heartbeat(inner.budget.is_paused, inner.budget.stopped.set)
        try:
            for message in _with_heartbeat(inner.read(logger, config, catalog, state), heartbeat):
                if message.type is Type.RECORD and message.record is not None:
                    tally.record(message.record)
                elif message.type is Type.STATE and message.state is not None:
                    guard.cap(message.state)
                elif message.trace is not None and message.trace.type is TraceType.ERROR:
                    clean_trace(message.trace)
                    if last_failure is not None and not _same_error(last_failure, message):
                        yield last_failure
                    last_failure = message
                    continue
                yield message
        except AirbyteTracedException as summary:
            # The CDK's summary is always a config_error; the stream's own failure tells more.
            trace = last_failure.trace if last_failure else None
            failure = _as_exception(trace) if trace else summary
        finally:
            inner.budget.stopped.set()
        for sentence in inner.budget.report.sentences():
            logger.warning(sentence)
        for sentence in tally.sentences([s.stream.name for s in catalog.streams]):
            logger.info(sentence)
        if (failure := failure or inner.budget.report.failure()) is not None:
            raise failure

    def _check_streams(
        self,
        inner: DeclarativeCalls,
        catalog: ConfiguredAirbyteCatalog,
        config: Mapping[str, Any],
    ) -> None:
        names = [stream.name for stream in inner.streams(config=config)]
        for configured in catalog.streams:
            if configured.stream.name not in names:
                raise refusal(
                    f"The catalog asks for the stream {configured.stream.name}, which this"
                    f" configuration does not offer. It offers {', '.join(names)}; remove the"
                    " other from the catalog, or refresh the schema."
                )


def _with_heartbeat(
    messages: Iterable[AirbyteMessage], heartbeat: Heartbeat
) -> Iterator[AirbyteMessage]:
    with heartbeat:
        for message in messages:
            heartbeat.emitted()
            if message.trace is not None and message.trace.stream_status is not None:
                status = message.trace.stream_status
                heartbeat.status(status.stream_descriptor.name, status.status.value)
            yield message


def _failed(failure: AirbyteTracedException) -> AirbyteConnectionStatus:
    message = filter_secrets(failure.message or "")
    return AirbyteConnectionStatus(status=Status.FAILED, message=message)


def _same_error(one: AirbyteMessage, other: AirbyteMessage) -> bool:
    """Whether two error traces say the same (one failure of many partitions of a stream)."""
    errors = [message.trace.error for message in (one, other) if message.trace]
    return len({(error.message, str(error.stream_descriptor)) for error in errors if error}) == 1


def _as_exception(trace: AirbyteTraceMessage) -> AirbyteTracedException:
    error = trace.error
    assert error is not None  # an ERROR trace has one
    return AirbyteTracedException(
        message=error.message,
        internal_message=error.internal_message,
        failure_type=error.failure_type or FailureType.system_error,
        stream_descriptor=error.stream_descriptor,
    )
