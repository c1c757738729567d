"""Airbyte source connector that reads phone calls from Intercom."""

from source_intercom_calls.source import SourceIntercomCalls, run

__all__ = ["SourceIntercomCalls", "run"]
