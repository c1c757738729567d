"""Airbyte source connector that reads phone calls from Quo (formerly OpenPhone)."""

from source_openphone_calls.source import SourceOpenphoneCalls, run

__all__ = ["SourceOpenphoneCalls", "run"]
