"""Breaking changes that were made on purpose, each with its reason."""

from collections.abc import Mapping

Allowance = tuple[str, str, str]
"""The version whose users are hit, the provider, and the sentence of `breaking`."""

ALLOWED: Mapping[Allowance, str] = {}
"""To each the reason, which also stands in `CHANGELOG.md`."""
