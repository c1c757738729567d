"""When a signed URL expires, as its own parameters say."""

from datetime import UTC, datetime, timedelta
from typing import Final
from urllib.parse import parse_qsl, urlsplit

from calls_shared.normalization import times

_SIGNED_AT: Final = (
    # https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-query-string-auth.html
    ("x-amz-date", "x-amz-expires"),
    # https://cloud.google.com/storage/docs/authentication/signatures
    ("x-goog-date", "x-goog-expires"),
)
_EXPIRES: Final = "expires"  # Unix seconds: older forms of both, and CloudFront's


def expiry_of(url: str) -> str | None:
    """When a URL expires (RFC 3339); null if it does not say, or says no time."""
    try:
        given = {name.lower(): value for name, value in parse_qsl(urlsplit(url).query)}
    except ValueError:
        return None
    for date, seconds in _SIGNED_AT:
        if date in given and seconds in given:
            return _after(given[date], given[seconds])
    return _after("19700101T000000Z", given[_EXPIRES]) if _EXPIRES in given else None


def _after(date: str, seconds: str) -> str | None:
    if not (seconds.isascii() and seconds.isdigit()):
        return None
    try:
        signed = datetime.strptime(date, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
        moment = signed + timedelta(seconds=int(seconds))
    except (ValueError, OverflowError):
        return None
    found = times.timestamp(moment.strftime("%Y-%m-%dT%H:%M:%SZ"))
    return found if isinstance(found, str) else None
