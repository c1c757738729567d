import math
import re
import uuid
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from calls_shared.normalization import converters, times
from calls_shared.normalization.converters import UNREADABLE

PROPERTY = settings(database=None, deadline=None, max_examples=150)

JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats() | st.text(max_size=40),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=6,
)
OFFSETS = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))
ZONES = OFFSETS | st.just(UTC)
# a little inside the calendar, so that an offset does not lead out of it
MOMENTS = st.datetimes(datetime(1, 1, 3), datetime(9999, 12, 29), timezones=ZONES)
CALL_TIMES = st.datetimes(datetime(1990, 1, 2), datetime(9999, 12, 29), timezones=ZONES)
ZERO_TIMES = st.datetimes(datetime(1, 1, 3), datetime(1989, 12, 30), timezones=ZONES)
RFC_3339 = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d{1,6})?Z")


def in_precision(moment: datetime, digits: int) -> str:
    """A moment as the module under test writes it, built from its parts."""
    utc = moment.astimezone(UTC)
    fraction = f"{utc.microsecond:06d}"[:digits]
    return utc.replace(microsecond=0, tzinfo=None).isoformat() + (fraction and f".{fraction}") + "Z"


TIMESTAMPS_IN_UTC = st.builds(in_precision, MOMENTS, st.integers(0, 6))


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        # epoch seconds, as Intercom sends them
        (1734537437, "2024-12-18T15:57:17Z"),
        (631_152_000, "1990-01-01T00:00:00Z"),
        (99_999_999_999, "5138-11-16T09:46:39Z"),
        # with a fraction
        (1734537437.25, "2024-12-18T15:57:17.250000Z"),
        (1734537437.0, "2024-12-18T15:57:17Z"),
        (631_152_000.5, "1990-01-01T00:00:00.500000Z"),
        # milliseconds
        (631_152_000_000, "1990-01-01T00:00:00.000Z"),
        (1734537437123, "2024-12-18T15:57:17.123Z"),
        (1734537437123.5, "2024-12-18T15:57:17.123500Z"),
        (253402300799999, "9999-12-31T23:59:59.999Z"),
        # ISO 8601 in UTC: as it stands, in its own precision
        ("2026-01-31T00:00:00Z", "2026-01-31T00:00:00Z"),
        ("2026-01-31T00:00:00.1Z", "2026-01-31T00:00:00.1Z"),
        ("2026-01-31T00:00:00.12Z", "2026-01-31T00:00:00.12Z"),
        ("2026-01-31T00:00:00.123Z", "2026-01-31T00:00:00.123Z"),
        ("2026-01-31T00:00:00.000Z", "2026-01-31T00:00:00.000Z"),
        ("2026-01-31T00:00:00.1234Z", "2026-01-31T00:00:00.1234Z"),
        ("2026-01-31T00:00:00.12345Z", "2026-01-31T00:00:00.12345Z"),
        ("2026-01-31T00:00:00.123456Z", "2026-01-31T00:00:00.123456Z"),
        # more than six digits are cut, not rounded
        ("2026-01-31T00:00:00.1234567Z", "2026-01-31T00:00:00.123456Z"),
        ("2026-01-31T00:00:00.99999999Z", "2026-01-31T00:00:00.999999Z"),
        ("2026-12-31T23:59:59.999999999Z", "2026-12-31T23:59:59.999999Z"),
        # a comma in place of the point
        ("2026-01-31T00:00:00,5Z", "2026-01-31T00:00:00.5Z"),
        ("2026-01-31T00:00:00,1234567Z", "2026-01-31T00:00:00.123456Z"),
        # offsets; none is UTC
        ("2026-01-31T12:00:00+02:00", "2026-01-31T10:00:00Z"),
        ("2026-01-31T12:00:00.5-05:30", "2026-01-31T17:30:00.5Z"),
        ("2026-01-31T12:00:00+0200", "2026-01-31T10:00:00Z"),
        ("2026-01-31T12:00:00+02", "2026-01-31T10:00:00Z"),
        ("2026-01-31T12:00:00-00:00", "2026-01-31T12:00:00Z"),
        ("2026-01-31T12:00:00.250+00:00", "2026-01-31T12:00:00.250Z"),
        ("2026-01-31T12:00:00", "2026-01-31T12:00:00Z"),
        ("2026-01-31T12:00:00.123", "2026-01-31T12:00:00.123Z"),
        ("2026-01-31T12:00Z", "2026-01-31T12:00:00Z"),
        # other separators and cases
        ("2026-01-31 12:00:00Z", "2026-01-31T12:00:00Z"),
        ("2026-01-31t12:00:00Z", "2026-01-31T12:00:00Z"),
        # the calendar
        ("2024-02-29T23:59:59Z", "2024-02-29T23:59:59Z"),
        ("2000-02-29T00:00:00Z", "2000-02-29T00:00:00Z"),
        ("2025-12-31T23:30:00-01:00", "2026-01-01T00:30:00Z"),
        ("2026-01-01T00:30:00+01:00", "2025-12-31T23:30:00Z"),
        ("2024-03-01T00:30:00+01:00", "2024-02-29T23:30:00Z"),
        ("1990-01-01T00:00:00Z", "1990-01-01T00:00:00Z"),
        ("1989-12-31T23:30:00-01:00", "1990-01-01T00:30:00Z"),
        ("9999-12-31T23:59:59.999999Z", "9999-12-31T23:59:59.999999Z"),
        # the provider does not say
        (None, None),
        ("", None),
        # there is something, but no moment can be read from it
        ("2026-02-29T00:00:00Z", UNREADABLE),
        ("2100-02-29T00:00:00Z", UNREADABLE),
        ("2026-13-01T00:00:00Z", UNREADABLE),
        ("2026-00-10T00:00:00Z", UNREADABLE),
        ("2026-04-31T00:00:00Z", UNREADABLE),
        ("2026-01-31T25:00:00Z", UNREADABLE),
        ("2026-01-31T12:60:00Z", UNREADABLE),
        ("2026-01-31", UNREADABLE),
        ("20260131T120000Z", UNREADABLE),
        ("2026-01-31T12", UNREADABLE),
        ("2026-01-31T12:00:00 o'clock", UNREADABLE),
        ("2026-01-31T12:00:00Z\n", UNREADABLE),
        ("2026-01-31T12:00:00+25:00", UNREADABLE),
        ("31.01.2026 12:00:00", UNREADABLE),
        ("yesterday at half past nine", UNREADABLE),
        ("1734537437", UNREADABLE),
        ("9999-12-31T23:59:59-01:00", UNREADABLE),
        ("２０２６-01-31T12:00:00Z", UNREADABLE),
        (253402300800000, UNREADABLE),
        (10**30, UNREADABLE),
        (1e300, UNREADABLE),
        (math.nan, UNREADABLE),
        (math.inf, UNREADABLE),
        (True, UNREADABLE),
        (False, UNREADABLE),
        ([], UNREADABLE),
        ({}, UNREADABLE),
        ({"seconds": 1}, UNREADABLE),
    ],
)
def test_timestamp(value: Any, expected: Any) -> None:
    assert times.timestamp(value) == expected


ZEROES = [
    0,
    0.0,
    -1,
    -0.5,
    1000,  # a second, in milliseconds
    631_151_999,
    631_151_999.9,
    100_000_000_000,  # 1973, in milliseconds
    631_151_999_999,
    -62_135_596_800,  # the year 1, in seconds, milliseconds, nanoseconds
    -62_135_596_800_000,
    -6_795_364_578_871_345_152,
    -(10**30),
    -1e300,
    -math.inf,
    "0",
    "00",
    "0.0",
    "-1",
    "-62135596800",
    "1970-01-01T00:00:00Z",
    "1970-01-01T00:00:00.000Z",
    "1970-01-01T00:00:00+00:00",
    "1970-01-01T01:00:00+01:00",
    "1970-01-01 00:00:00",
    "1970-01-01",
    "1969-12-31T23:59:59Z",
    "1601-01-01T00:00:00Z",
    "1899-12-30T00:00:00Z",
    "1900-01-01T00:00",
    "0001-01-01T00:00:00Z",
    "0001-01-01T00:00:00",
    "0001-01-01T00:00:00.0000000",
    "0001-01-01T00:00:00+01:00",  # out of the calendar
    "0001-01-01",
    "0000-00-00T00:00:00Z",
    "0000-00-00 00:00:00",
    "0000-00-00",
    "0000-01-01T00:00:00.000000Z",
    "-0001-11-30T00:00:00Z",  # what PHP makes of 0000-00-00
    "1989-12-31T23:59:59Z",
    "1989-12-31T23:59:59.999999Z",
    "1990-01-01T00:30:00+01:00",
    "1990-01-01t00:30:00.5+01:00",
]


@pytest.mark.parametrize("value", ZEROES)
def test_a_time_before_1990_is_no_time(value: Any) -> None:
    assert times.timestamp(value) is None


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("0001-01-01T00:00:00Z", "0001-01-01T00:00:00Z"),
        ("0099-06-01T12:00:00+01:00", "0099-06-01T11:00:00Z"),
        ("1970-01-01T00:00:00.000000Z", "1970-01-01T00:00:00.000000Z"),
        ("1990-01-01T00:30:00+01:00", "1989-12-31T23:30:00Z"),
        ("2026-01-31 12:00:00.5+02:00", "2026-01-31T10:00:00.5Z"),
        (0, "1970-01-01T00:00:00Z"),
        (-1, "1969-12-31T23:59:59Z"),
        (-0.5, "1969-12-31T23:59:59.500000Z"),
        (-62135596800, "0001-01-01T00:00:00Z"),
        (100_000_000_000, "1973-03-03T09:46:40.000Z"),
        (None, None),
        ("", None),
        ("0000-00-00T00:00:00Z", UNREADABLE),
        ("0001-01-01T00:00:00+01:00", UNREADABLE),
        ("1900-02-29T00:00:00Z", UNREADABLE),
        ("0", UNREADABLE),
        (-62135596801, UNREADABLE),
        (-(10**30), UNREADABLE),
        (-math.inf, UNREADABLE),
        (math.nan, UNREADABLE),
        (False, UNREADABLE),
        ([], UNREADABLE),
    ],
)
def test_any_moment(value: Any, expected: Any) -> None:
    assert times.moment(value) == expected


@pytest.mark.parametrize("value", ["2026-01-31t12:00:00z", "2026-01-31T12:00:00z"])
def test_timestamp_with_a_lower_case_z(value: str) -> None:
    assert times.timestamp(value) == "2026-01-31T12:00:00Z"


def test_timestamp_never_passes_another_notation_through() -> None:
    # Python reads ISO week dates, which have the length of a calendar date
    assert times.timestamp("2026-W05-6T00:00:00Z") in ("2026-01-31T00:00:00Z", UNREADABLE)
    assert times.timestamp("2026-W05-6T00:00:00.5Z") in ("2026-01-31T00:00:00.5Z", UNREADABLE)


@PROPERTY
@given(JSON_VALUES)
@example("2026-01-31T00:00:00\ud800")
@example("2026-01-31T" + "0" * 5000)
def test_every_converter_is_total(value: Any) -> None:
    answers = {
        "text": (converters.text(value), str),
        "boolean": (converters.boolean(value), bool),
        "whole_seconds": (converters.whole_seconds(value), int),
        "timestamp": (times.timestamp(value), str),
        "moment": (times.moment(value), str),
        "uuid7_timestamp": (times.uuid7_timestamp(value), str),
        "joined": (converters.joined([value, "end"]), str),
    }
    for name, (converted, kind) in answers.items():
        assert converted is None or converted is UNREADABLE or type(converted) is kind, name


def test_text_of_an_integer_of_any_length() -> None:
    assert converters.text(10**5000) in (UNREADABLE, "1" + "0" * 5000)


@PROPERTY
@given(st.integers(-(10**12), 10**16) | st.floats(-1e12, 1e16) | st.text(max_size=30))
def test_readable_timestamps_are_canonical_and_idempotent(value: Any) -> None:
    converted = times.timestamp(value)
    if isinstance(converted, str):
        assert RFC_3339.fullmatch(converted)
        assert converted >= "1990"
        assert times.moment(value) == converted
        assert datetime.fromisoformat(converted).tzinfo == UTC
        assert times.timestamp(converted) == converted


FORMS = st.tuples(
    st.integers(0, 9),
    st.text("0123456789", min_size=3, max_size=3),
    st.sampled_from("T t"),
    st.sampled_from(".,"),
)
"""Digits of the fraction, those beyond six, the separator of date and time, the decimal point."""


def written(moment: datetime, form: tuple[int, str, str, str]) -> tuple[str, str]:
    """A moment in a form, and the digits of its fraction."""
    digits, further_digits, separator, point = form
    fraction = (f"{moment.microsecond:06d}" + further_digits)[:digits]
    minutes = int((moment.utcoffset() or timedelta()).total_seconds()) // 60
    offset = f"{'-' if minutes < 0 else '+'}{abs(minutes) // 60:02d}:{abs(minutes) % 60:02d}"
    text = moment.replace(microsecond=0, tzinfo=None).isoformat(sep=separator)
    return text + (point + fraction if fraction else "") + offset, fraction


@PROPERTY
@given(ZERO_TIMES, FORMS)
def test_a_time_before_1990_is_no_time_in_any_form(
    moment: datetime, form: tuple[int, str, str, str]
) -> None:
    text, _ = written(moment, form)
    assert times.timestamp(text) is None
    assert isinstance(times.moment(text), str)


@PROPERTY
@given(CALL_TIMES, FORMS)
def test_timestamp_keeps_the_instant(moment: datetime, form: tuple[int, str, str, str]) -> None:
    text, fraction = written(moment, form)
    digits = len(fraction)
    converted = times.timestamp(text)
    assert isinstance(converted, str)
    assert RFC_3339.fullmatch(converted)
    cut = moment.replace(microsecond=int(fraction[:6].ljust(6, "0") or "0"))
    assert datetime.fromisoformat(converted) == cut
    assert len(converted) == len("2026-01-31T00:00:00Z") + (1 + min(digits, 6) if digits else 0)


@PROPERTY
@given(st.integers(631_152_000, 99_999_999_999))
def test_epoch_seconds_keep_the_instant(seconds: int) -> None:
    converted = times.timestamp(seconds)
    assert isinstance(converted, str)
    elapsed = datetime.fromisoformat(converted) - datetime(1970, 1, 1, tzinfo=UTC)
    assert elapsed == timedelta(seconds=seconds)


@PROPERTY
@given(st.integers(631_152_000_000, 253402300799999))
def test_epoch_milliseconds_keep_the_instant(milliseconds: int) -> None:
    converted = times.timestamp(milliseconds)
    assert isinstance(converted, str)
    elapsed = datetime.fromisoformat(converted) - datetime(1970, 1, 1, tzinfo=UTC)
    assert elapsed == timedelta(milliseconds=milliseconds)


@PROPERTY
@given(TIMESTAMPS_IN_UTC, TIMESTAMPS_IN_UTC)
@example("2026-01-31T00:00:00Z", "2026-01-31T00:00:00.000001Z")
@example("2026-01-31T00:00:00.9Z", "2026-01-31T00:00:00.10Z")
@example("2026-01-31T00:00:00.9Z", "2026-01-31T00:00:01Z")
def test_sort_key_orders_as_the_moments_do(one: str, other: str) -> None:
    first, second = datetime.fromisoformat(one), datetime.fromisoformat(other)
    if first != second:
        ordered = times.sort_key(one) < times.sort_key(other)
        assert ordered == (first < second)


@PROPERTY
@given(TIMESTAMPS_IN_UTC, TIMESTAMPS_IN_UTC)
@example("2026-01-31T00:00:00Z", "2026-01-31T00:00:00.000Z")
@example("2026-01-31T00:00:00.5Z", "2026-01-31T00:00:00.500000Z")
@example("2026-01-31T00:00:00.499999Z", "2026-01-31T00:00:00.5Z")
@example("2026-01-31T00:00:10Z", "2026-01-31T00:00:10Z")
def test_lower_bound_lets_pass_what_is_not_before_the_moment(one: str, bound: str) -> None:
    before = datetime.fromisoformat(one) < datetime.fromisoformat(bound)
    assert (times.sort_key(one) < times.lower_bound(bound)) == before


@PROPERTY
@given(st.lists(TIMESTAMPS_IN_UTC, min_size=1, max_size=6))
def test_latest_and_earliest(moments: list[str]) -> None:
    parsed = [datetime.fromisoformat(moment) for moment in moments]
    latest, earliest = times.latest(moments), times.earliest(moments)
    assert latest in moments
    assert earliest in moments
    assert datetime.fromisoformat(latest or "") == max(parsed)
    assert datetime.fromisoformat(earliest or "") == min(parsed)


def test_latest_and_earliest_of_nothing() -> None:
    assert times.latest([]) is None
    assert times.earliest([]) is None


@pytest.mark.parametrize(
    ("digits", "expected"),
    [
        (0, "2026-01-31T01:02:03Z"),
        (1, "2026-01-31T01:02:03.0Z"),
        (3, "2026-01-31T01:02:03.045Z"),
        (6, "2026-01-31T01:02:03.045678Z"),
    ],
)
def test_format_timestamp(digits: int, expected: str) -> None:
    moment = datetime(2026, 1, 31, 1, 2, 3, 45678, tzinfo=UTC)
    assert times.format_timestamp(moment, digits) == expected


@pytest.mark.parametrize(
    ("start", "end", "expected"),
    [
        ("2026-01-31T00:00:00Z", "2026-01-31T00:01:03Z", 63),
        ("2026-01-31T00:00:00Z", "2026-01-31T00:00:00Z", 0),
        ("2026-01-31T00:00:00.000Z", "2026-01-31T00:00:00.999999Z", 0),
        ("2026-01-31T00:00:00.5Z", "2026-01-31T00:00:02.4Z", 1),
        ("2026-01-31T00:00:00.9Z", "2026-01-31T00:00:02Z", 1),
        ("2024-02-28T23:59:59Z", "2024-03-01T00:00:01Z", 86402),
        ("2026-01-31T00:00:01Z", "2026-01-31T00:00:00Z", None),
        ("2026-01-31T00:00:00.000001Z", "2026-01-31T00:00:00Z", None),
    ],
)
def test_seconds_between(start: str, end: str, expected: int | None) -> None:
    assert times.seconds_between(start, end) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("AC1", "AC1"),
        ("12e5", "12e5"),
        ("007", "007"),
        (" blank ", " blank "),
        ("Zoë 📞", "Zoë 📞"),
        (123, "123"),
        (0, "0"),
        (2**63, "9223372036854775808"),
        (None, None),
        ("", None),
        (True, UNREADABLE),
        (1.5, UNREADABLE),
        ([], UNREADABLE),
        (["a"], UNREADABLE),
        ({}, UNREADABLE),
    ],
)
def test_text(value: Any, expected: Any) -> None:
    assert converters.text(value) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (True, True),
        (False, False),
        (None, None),
        (0, UNREADABLE),
        (1, UNREADABLE),
        ("true", UNREADABLE),
        ("", UNREADABLE),
        ([], UNREADABLE),
    ],
)
def test_boolean(value: Any, expected: Any) -> None:
    assert converters.boolean(value) is expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (0, 0),
        (63, 63),
        (63.0, 63),
        (63.9, 63),
        ("63", 63),
        ("063", 63),
        (2**63 - 1, 2**63 - 1),
        (None, None),
        ("", None),
        (-1, UNREADABLE),
        (-0.1, UNREADABLE),
        (2**63, UNREADABLE),
        (float(2**63), UNREADABLE),
        (str(2**63), UNREADABLE),
        ("9" * 5000, UNREADABLE),
        ("6.5", UNREADABLE),
        ("-1", UNREADABLE),
        ("1e3", UNREADABLE),
        (" 63", UNREADABLE),
        ("٦٣", UNREADABLE),
        ("²", UNREADABLE),
        ("00:01:03", UNREADABLE),
        (math.nan, UNREADABLE),
        (math.inf, UNREADABLE),
        (True, UNREADABLE),
        (False, UNREADABLE),
        ([63], UNREADABLE),
        ({}, UNREADABLE),
    ],
)
def test_whole_seconds(value: Any, expected: Any) -> None:
    converted = converters.whole_seconds(value)
    assert converted == expected
    assert type(converted) is type(expected)


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (["Ada", "Lovelace"], "Ada Lovelace"),
        (["Ada", None], "Ada"),
        ([None, "Lovelace"], "Lovelace"),
        (["", "Lovelace"], "Lovelace"),
        ([None, ""], None),
        ([], None),
        (["Ada", 7], "Ada 7"),
        (["Ada", ["Lovelace"]], UNREADABLE),
        ([{}, None], UNREADABLE),
    ],
)
def test_joined(values: list[Any], expected: Any) -> None:
    assert converters.joined(values) == expected


def uuid7_of(milliseconds: int, rest: int = 0x3B9_8C4D_E5F6_A7B8_C9D0) -> str:
    """A UUIDv7 (RFC 9562, 5.7): 48 bits of milliseconds, version, 12 bits, variant, 62 bits."""
    bits = milliseconds << 80 | 7 << 76 | (rest >> 62 & 0xFFF) << 64 | 2 << 62 | rest & (2**62 - 1)
    return str(uuid.UUID(int=bits))


@PROPERTY
@given(st.integers(631_152_000_000, 253402300799999), st.integers(0, 2**74 - 1))
@example(631_152_000_000, 0)
@example(253402300799999, 2**74 - 1)
def test_uuid7_holds_its_milliseconds(milliseconds: int, rest: int) -> None:
    identifier = uuid7_of(milliseconds, rest)
    assert times.is_uuid7(identifier)
    assert times.is_uuid7(identifier.upper())
    converted = times.uuid7_timestamp(identifier)
    assert isinstance(converted, str)
    elapsed = datetime.fromisoformat(converted) - datetime(1970, 1, 1, tzinfo=UTC)
    assert elapsed == timedelta(milliseconds=milliseconds)
    assert re.fullmatch(r".{19}\.\d{3}Z", converted)


def test_uuid7_of_the_rfc() -> None:
    # RFC 9562, appendix A.6: 2022-02-22 14:22:22.00 at an offset of -05:00
    example_of_the_rfc = "017F22E2-79B0-7CC3-98C4-DC0C0C07398F"
    assert times.uuid7_timestamp(example_of_the_rfc) == "2022-02-22T19:22:22.000Z"


@pytest.mark.parametrize("milliseconds", [0, 1, 631_151_999_999])
def test_a_uuid7_of_before_1990_holds_no_moment(milliseconds: int) -> None:
    identifier = uuid7_of(milliseconds)
    assert times.uuid7_timestamp(identifier) is None
    assert not times.is_uuid7(identifier)


@pytest.mark.parametrize("milliseconds", [253402300800000, 2**48 - 1])
def test_a_uuid7_beyond_the_calendar_is_unreadable(milliseconds: int) -> None:
    identifier = uuid7_of(milliseconds)
    assert times.uuid7_timestamp(identifier) is UNREADABLE
    assert not times.is_uuid7(identifier)
    assert not times.is_uuid7(identifier.upper())


@pytest.mark.parametrize(
    "value",
    [
        "0193d9f5-1c2d-4b98-8c4d-e5f6a7b8c9d0",  # version 4
        "0193d9f5-1c2d-7b98-cc4d-e5f6a7b8c9d0",  # another variant
        "0193d9f51c2d7b988c4de5f6a7b8c9d0",
        "{0193d9f5-1c2d-7b98-8c4d-e5f6a7b8c9d0}",
        "0193d9f5-1c2d-7b98-8c4d-e5f6a7b8c9d",
        "0193d9f5-1c2d-7b98-8c4d-e5f6a7b8c9d0 ",
        "0193d9f5-1c2d-7b98-8c4d-e5f6a7b8c9dg",
        "0193d9f5-1c2d-7b98-8c4d-e5f6a7b8c9d０",
        "0193d9f5+1c2d-7b98-8c4d-e5f6a7b8c9d0",
        "0193d9f5-1c2d-7b98-8c4d-e5f6-7b8c9d0",
        " 0193d9f-1c2d-7b98-8c4d-e5f6a7b8c9d0",
        "0_93d9f5-1c2d-7b98-8c4d-e5f6a7b8c9d0",
        "",
        None,
        7,
        ["0193d9f5-1c2d-7b98-8c4d-e5f6a7b8c9d0"],
    ],
)
def test_no_uuid7_holds_no_moment(value: Any) -> None:
    assert not times.is_uuid7(value)
    assert times.uuid7_timestamp(value) is None


# --- dialogue ---


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (
            [{"speaker": "Ada", "text": "Hi."}, {"speaker": "Bob", "text": "Ho."}],
            "Ada: Hi.\nBob: Ho.",
        ),
        ([{"content": "Hi."}], "Hi."),
        ([{"role": "agent", "sentence": "Hi."}], "agent: Hi."),
        ([{"speaker": 1, "text": "Hi."}], "Hi."),
        (["Hi.", "Ho."], "Hi.\nHo."),
        ([{"start": 0.5, "é": [1]}], '{"start": 0.5, "é": [1]}'),
        ([None, "", {}, [], "Hi."], "Hi."),
        ([5, ["a"]], '5\n["a"]'),
        ([None], None),
        ([], None),
        ("", None),
        (None, None),
        ({}, None),
        ("Ada: Hi.", "Ada: Hi."),
        (5, converters.UNREADABLE),
        (0, converters.UNREADABLE),
        (False, converters.UNREADABLE),
        ({"text": "Hi."}, converters.UNREADABLE),
    ],
)
def test_dialogue(value: Any, expected: Any) -> None:
    assert converters.dialogue(value) == expected
