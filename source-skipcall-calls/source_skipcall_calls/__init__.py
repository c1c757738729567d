"""Airbyte source connector that reads phone calls from Skipcall."""

from source_skipcall_calls.source import SourceSkipcallCalls, run

__all__ = ["SourceSkipcallCalls", "run"]
