import pytest

from calls_shared.normalization.signed_url import expiry_of

SIGNED = "https://files.acme.example/a.mp3?"


@pytest.mark.parametrize(
    ("query", "moment"),
    [
        ("X-Amz-Date=20261001T120000Z&X-Amz-Expires=3600", "2026-10-01T13:00:00Z"),
        ("x-amz-expires=86400&x-amz-date=20261231T000000Z", "2027-01-01T00:00:00Z"),
        ("X-Goog-Date=20261001T120000Z&X-Goog-Expires=60", "2026-10-01T12:01:00Z"),
        ("Expires=1790856000&Signature=made-up", "2026-10-01T12:00:00Z"),
        ("X-Amz-Date=20261001T120000Z", None),
        ("X-Amz-Expires=3600", None),
        ("X-Amz-Date=20261301T120000Z&X-Amz-Expires=3600", None),
        ("X-Amz-Date=20261001T120000Z&X-Amz-Expires=-1", None),
        ("X-Amz-Date=20261001T120000Z&X-Amz-Expires=99999999999999", None),
        ("Expires=soon", None),
        ("Expires=", None),
        ("Expires=0", None),
        ("token=abc", None),
        ("", None),
    ],
)
def test_a_url_says_when_it_expires(query: str, moment: str | None) -> None:
    assert expiry_of(SIGNED + query) == moment


def test_what_is_no_url_says_nothing() -> None:
    assert expiry_of("") is None
    assert expiry_of("http://[") is None
