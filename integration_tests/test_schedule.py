"""The schedules of `make register`: what Quartz and the platform take, and what they do not."""

import pytest

from deploy.failures import RegisterError
from deploy.schedule import checked_schedule
from integration_tests.airbyte_platform.refusals import RefusalError
from integration_tests.airbyte_platform.streams import check_schedule


@pytest.mark.parametrize(
    "expression",
    [
        *("0 0 */6 * * ?", "0 30 * * * ?", "0 0/15 8-18 ? * MON-FRI", "0 0 6 L * ?"),
        *("0 0 6 LW * ?", "0 0 6 15W * ?", "0 0 6 ? * 6L", "0 0 6 ? * 6#3", "0 0 6 1,15 JAN,6 ?"),
        *("0 0 6 ? * MON 2027", "59 59 23 31 12 ? 2027-2030", "0 * * * * ?"),
    ],
)
def test_what_both_take(expression: str) -> None:
    assert checked_schedule(f"{expression} UTC") == expression
    check_schedule({"scheduleType": "cron", "cronExpression": expression})


@pytest.mark.parametrize(
    ("expression", "sentence"),
    [
        ("60 0 * * * ?", "the second cannot be 60"),
        ("0 99 * * * ?", "the minute cannot be 99"),
        ("0 0 24 * * ?", "the hour cannot be 24"),
        ("0 0 0 32 * ?", "the day of the month cannot be 32"),
        ("0 0 0 0 * ?", "the day of the month cannot be 0"),
        ("0 0 0 1 13 ?", "the month cannot be 13"),
        ("0 0 0 ? * 8", "the day of the week cannot be 8"),
        ("0 0 0 1 * ? 1969", "the year cannot be 1969"),
        ("0 0 x * * ?", "the hour cannot be x"),
        ("0 0 ? * * ?", "the hour cannot be ?"),
        ("0 0 0 * * *", "and not both, has to be ?"),
        ("0 0 0 ? * ?", "and not both, has to be ?"),
        ("0 0 0 1 * MON", "and not both, has to be ?"),
        ("0 0 0 * *", "it has 5 fields in place of six"),
        ("* 0 * * * ?", "the second has to be one number"),
        ("0,30 0 * * * ?", "the second has to be one number"),
        ("0 * * * * ? 2027", "with a year the minute too"),
    ],
)
def test_what_neither_takes(expression: str, sentence: str) -> None:
    with pytest.raises(RegisterError) as caught:
        checked_schedule(expression)
    assert sentence in str(caught.value)
    if "hour cannot be ?" not in sentence:  # the fake does not look so closely
        with pytest.raises(RefusalError):
            check_schedule({"scheduleType": "cron", "cronExpression": expression})


@pytest.mark.parametrize("zone", ["Europe/Paris", "GMT", "America/New_York", "CET"])
def test_a_time_zone_is_named(zone: str) -> None:
    with pytest.raises(RegisterError, match=f"{zone} is a time zone, and the schedule is in UTC"):
        checked_schedule(f"0 0 6 * * ? {zone}")
