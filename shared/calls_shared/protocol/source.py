"""`CallsSource`: the source class of a connector."""

import logging
import sys
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from functools import cached_property
from typing import Any

from airbyte_cdk.models import (
    AirbyteCatalog,
    AirbyteConnectionStatus,
    AirbyteMessage,
    AirbyteStateMessage,
    ConfiguredAirbyteCatalog,
    ConnectorSpecification,
    Status,
    TraceType,
    Type,
)
from airbyte_cdk.sources.message import MessageRepository
from airbyte_cdk.sources.source import Source
from airbyte_cdk.utils.traced_exception import AirbyteTracedException

from calls_shared.http.patience import CHECK_PATIENCE, Patience
from calls_shared.http.sandbox import SANDBOX_URL, sandbox_from_environment
from calls_shared.protocol.bounded import within
from calls_shared.protocol.configuration import check_config, effective, notices, refusal
from calls_shared.protocol.declarative import DeclarativeCalls
from calls_shared.protocol.failures import as_exception, failed_status, same_error
from calls_shared.protocol.files import catalog_in, read_json, states_in
from calls_shared.protocol.heartbeat import Heartbeat
from calls_shared.protocol.manifest import manifest_of
from calls_shared.protocol.manifest_check import checked
from calls_shared.protocol.secrets import clean_trace, mask_secrets
from calls_shared.reading.cursors import stream_cursors
from calls_shared.reading.state import newest_of, of_incremental, usable
from calls_shared.reading.tally import RecordTally

_SANDBOX_IN_FORCE = (
    f"The environment variable {SANDBOX_URL} is in force: all requests go to a sandbox on this"
    " machine, none to the provider. Unset it to read from the provider."
)
_LONGEST_CHECK = 55.0  # seconds; also if what no time-out bounds takes long, such as a host's name
_TOO_LATE = AirbyteConnectionStatus(
    status=Status.FAILED,
    message="The provider did not answer in the time that a check has. Check the network, any proxy"
    " and the name server, then try again.",
)


class CallsSource(Source):
    """A source of calls, defined by the `manifest.yaml` in its package.

    It needs no constructor arguments and builds the declarative source once the configuration (and
    catalog and state) are known, because the CDK's own takes them in its constructor only.
    """

    def __init__(self) -> None:
        self._inner: DeclarativeCalls | None = None

    @cached_property
    def manifest(self) -> Mapping[str, Any]:
        """The manifest in the connector's package.

        Raises:
            ManifestError: (system_error) naming the first key in it that nobody understands.
        """
        return checked(manifest_of(sys.modules[type(self).__module__]))

    @property
    def specification(self) -> Mapping[str, Any]:
        """The JSON schema of the configuration."""
        schema: Mapping[str, Any] = self.manifest["spec"]["connection_specification"]
        return schema

    @property
    def message_repository(self) -> MessageRepository | None:
        """Messages that the declarative source has queued; the entry point emits them."""
        return self._inner._message_repository if self._inner else None

    @staticmethod
    def read_config(config_path: str) -> Any:
        """The configuration in a file, in any encoding of JSON."""
        return read_json(config_path, "--config")

    @classmethod
    def read_catalog(cls, catalog_path: str) -> ConfiguredAirbyteCatalog:
        """The configured catalog in a file."""
        return catalog_in(catalog_path)

    @classmethod
    def read_state(cls, state_path: str) -> list[AirbyteStateMessage]:
        """The states in a file; none without one."""
        return states_in(state_path) if state_path else []

    def configure(self, config: Any, temp_dir: str = "") -> dict[str, Any]:
        """The configuration as far as it counts; unlike the CDK, we do not write it to a file.

        Raises:
            AirbyteTracedException: (config_error) naming the first wrong key and what it must be.
        """
        if isinstance(config, Mapping):
            mask_secrets(config, self.specification)
        counting: dict[str, Any] = effective(config, self.specification)
        check_config(counting, self.specification)
        return counting

    def spec(self, logger: logging.Logger) -> ConnectorSpecification:
        """The specification that the manifest holds."""
        return ConnectorSpecification(
            connectionSpecification=dict(self.specification),
            documentationUrl=self.manifest["spec"].get("documentation_url"),
        )

    def _build(
        self,
        config: dict[str, Any],
        patience: Patience | None = None,
        catalog: ConfiguredAirbyteCatalog | None = None,
        states: list[AirbyteStateMessage] | None = None,
    ) -> DeclarativeCalls:
        self._inner = DeclarativeCalls(
            config,
            patience,
            catalog=catalog,
            state=states or [],
            source_config=dict(self.manifest),
        )
        return self._inner

    def check(self, logger: logging.Logger, config: Mapping[str, Any]) -> AirbyteConnectionStatus:
        """Prove the key with one request to the real resource; an empty workspace is fine."""
        try:
            config = self.configure(config)
            self._warn(logger, config)
            # without a start date the first call of the first page ends the check
            config.pop("start_date", None)
            inner = self._build(config, CHECK_PATIENCE)
        except AirbyteTracedException as failure:
            return failed_status(failure)
        try:
            return within(_LONGEST_CHECK, lambda: self._probe(inner, config)) or _TOO_LATE
        except AirbyteTracedException as failure:
            return failed_status(failure)
        finally:
            inner.end()

    def _probe(self, inner: DeclarativeCalls, config: Mapping[str, Any]) -> AirbyteConnectionStatus:
        wanted = self.manifest["check"]["stream_names"]
        for stream in inner.streams(config=config):
            if stream.name in wanted:
                partition = next(iter(stream.generate_partitions()), None)
                if partition is not None:
                    next(iter(partition.read()), None)
        return AirbyteConnectionStatus(status=Status.SUCCEEDED)

    def discover(self, logger: logging.Logger, config: Mapping[str, Any]) -> AirbyteCatalog:
        """The streams that this configuration offers."""
        config = self.configure(config)
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
        config = self.configure(config)
        states = usable(of_incremental(state or [], catalog))
        inner = self._build(config, catalog=catalog, states=states)
        cursors = stream_cursors(inner.resolved_manifest, config)
        self._check_streams(inner, catalog, config)
        self._warn(logger, config)
        known = newest_of(states, cursors)
        tally = RecordTally({name: (cursors[name].field, known[name]) for name in cursors})
        failure: Exception | None = None
        failures: list[AirbyteMessage] = []
        budget = inner.budget
        heartbeat = Heartbeat(budget.is_paused, budget.stopped.set, inner.put, states)
        try:
            for message in heartbeat.beside(inner.read(logger, config, catalog)):
                if message.type is Type.RECORD and message.record is not None:
                    tally.record(message.record)
                elif message.trace is not None and message.trace.type is TraceType.ERROR:
                    clean_trace(message.trace)
                    if any(same_error(known, message) for known in failures):
                        continue  # one failure of many partitions of a stream
                    failures.append(message)
                    if len(failures) > 1:
                        yield failures[-2]
                    continue
                yield message
        except AirbyteTracedException as summary:
            # The CDK's summary is always a config_error; the stream's own failure tells more.
            trace = failures[-1].trace if failures else None
            failure = as_exception(trace) if trace else summary
        finally:
            inner.end()
        for sentence in budget.report.new_sentences():
            logger.warning(sentence)
        for sentence in tally.sentences([s.stream.name for s in catalog.streams]):
            logger.info(sentence)
        if failure is not None:
            raise failure

    def _warn(self, logger: logging.Logger, config: Mapping[str, Any]) -> None:
        """Tell what the user should know before anything is sent."""
        for sentence in notices(config, self.specification, datetime.now(UTC)):
            logger.warning(sentence)
        if sandbox_from_environment("") is not None:
            logger.warning(_SANDBOX_IN_FORCE)

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
