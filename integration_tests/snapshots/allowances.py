"""Breaking changes that were made on purpose, each with its reason."""

from collections.abc import Mapping

Allowance = tuple[str, str, str]
"""The version whose users are hit, the provider, and the sentence of `breaking`."""

_PARTIES = "calls.provider_record.participants[]"
_OF_THE_DATED_API = (
    "In provider_record, the record as Quo sends it, each participant is an object where"
    " api_version is 2026-03-30; with v1, the default, it is a text as before."
)

ALLOWED: Mapping[Allowance, str] = {
    (version, "openphone", f"{_PARTIES}: {change}"): _OF_THE_DATED_API
    for version in ("0.1.0", "0.2.0", "0.3.0", "0.4.0")
    for change in (
        "additionalProperties None became True",
        "the type string became null or object or string",
    )
}
"""To each the reason, which also stands in `CHANGELOG.md`."""
