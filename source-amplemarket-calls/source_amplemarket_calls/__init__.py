"""Airbyte source connector that reads phone calls from Amplemarket."""

from source_amplemarket_calls.source import SourceAmplemarketCalls, run

__all__ = ["SourceAmplemarketCalls", "run"]
