"""Airbyte source connector that reads phone calls from Aircall."""

from source_aircall_calls.source import SourceAircallCalls, run

__all__ = ["SourceAircallCalls", "run"]
