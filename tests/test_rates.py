"""Rates as settings say them."""

import pytest

from app.rates import Rate, Rates, rate, rates


@pytest.mark.parametrize(
    ("text", "means"),
    [
        ("100/second", Rate(100, 1, 100)),
        ("100/second:200", Rate(100, 1, 200)),
        ("6000/minute:1", Rate(6000, 60, 1)),
        ("1/hour", Rate(1, 3600, 1)),
        ("86400000000/day:1000000000", Rate(86_400_000_000, 86400, 10**9)),
        ("1/day:30", Rate(1, 86400, 30)),
    ],
)
def test_a_rate_is_a_count_a_period_and_a_burst(text: str, means: Rate) -> None:
    assert rate(text) == means


@pytest.mark.parametrize(
    "text",
    [
        *("", "100", "100/", "/second", "0/second", "-1/second", "1.5/second", "100/seconds"),
        *("100/second:", "100/second:0", "100 /second", "100/second:2:3", "१/second", "01/second"),
        *("1000001/second", "60000001/minute", "1/day:31", "1000000/second:1000000001"),
    ],
)
def test_what_is_no_rate_is_refused(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - the setting says what is allowed
        rate(text)


@pytest.mark.parametrize("text", ["1000000/second", "7/second:3", "999983/second", "11/day:3"])
def test_the_time_for_one_is_a_whole_number_of_units_of_a_microsecond_or_more(text: str) -> None:
    made = rate(text)

    assert made.units % made.count == 0
    assert made.units // made.count == made.parts
    assert made.units <= made.period * 1_000_000


@pytest.mark.parametrize(
    ("text", "window"),
    [("100/second:200", 2), ("100/second:201", 3), ("60/minute", 60), ("7/second:1", 1)],
)
def test_the_window_is_how_long_a_burst_takes_to_come_back(text: str, window: int) -> None:
    assert rate(text).window == window


def test_single_names_have_rates_of_their_own() -> None:
    found = rates("100/second, batch=1/hour,free=none")

    assert found.of("anybody") == Rate(100, 1, 100)
    assert found.of("batch") == Rate(1, 3600, 1)
    assert found.of("free") is None


def test_a_name_may_have_blanks_as_that_of_a_key() -> None:
    found = rates("100/second, nightly job=1/hour")

    assert found.of("nightly job") == Rate(1, 3600, 1)
    assert found.of("nightly") == Rate(100, 1, 100)


@pytest.mark.parametrize("text", ["", "1/second:5", "1/second:5,a=2/day:3,b c=none", "a=2/day:2"])
def test_rates_are_told_as_they_are_set(text: str) -> None:
    assert str(rates(text)) == text


def test_there_need_be_no_rate_for_all() -> None:
    assert rates("batch=1/hour") == Rates(None, {"batch": Rate(1, 3600, 1)})
    assert rates("batch=1/hour")
    assert not rates("")
    assert not rates("free=none")


@pytest.mark.parametrize(
    "text", ["a=1/day,a=2/day", "a=1/day,2/day", "=1/day", "1/day b=1/day", "a="]
)
def test_what_names_nobody_or_somebody_twice_is_refused(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - the setting says what is allowed
        rates(text)
