"""RFC 3339 against Python's own calendar."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opencram.adapters.times import day_ns, rfc3339, t_ns_from_rfc3339


@given(st.datetimes(min_value=datetime(1970, 1, 1), max_value=datetime(2199, 12, 31), timezones=st.just(UTC)))
def test_times_agree_with_the_calendar_and_go_round(moment):
    text = moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    t_ns = t_ns_from_rfc3339(text)
    assert t_ns == int(moment.timestamp()) * 10**9 + moment.microsecond * 1000
    assert rfc3339(t_ns) == text


@pytest.mark.parametrize(
    ("text", "same"),
    [
        ("2026-01-01T00:00:07Z", "2026-01-01T00:00:07.000000Z"),
        ("2026-01-01T00:00:07.3Z", "2026-01-01T00:00:07.300000Z"),
        ("2026-01-01t00:00:07.123456999999z", "2026-01-01T00:00:07.123456Z"),
        ("2026-01-01 03:00:07+03:00", "2026-01-01T00:00:07.000000Z"),
        ("2025-12-31T19:30:07.5-04:30", "2026-01-01T00:00:07.500000Z"),
        ("2016-12-31T23:59:60.25Z", "2017-01-01T00:00:00.250000Z"),
    ],
)
def test_the_other_ways_of_writing(text, same):
    assert rfc3339(t_ns_from_rfc3339(text)) == same


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Z",
        "2026-01-01",
        "2026-01-01T00:00:07",
        "2026-01-01T00:00:07.Z",
        "2026-01-01T00:00:07.5",
        "2026-13-01T00:00:07Z",
        "2026-02-29T00:00:07Z",
        "2026-01-01T24:00:07Z",
        "2026-01-01T00:61:07Z",
        "2026-01-01T00:00:61Z",
        "2026-01-01T00:00:07.٣Z",
        "٢٠٢٦-01-01T00:00:07Z",
        "2026-01-01T00:00:07.+5Z",
        "2026-01-01T00:00:07.1_0Z",
        "2026-01-01T00:00:07+25:00",
        "2026-01-01T00:00:07Zulu",
    ],
)
def test_what_is_no_time_is_refused(text):
    with pytest.raises(ValueError, match=r"\w+ \w+"):
        t_ns_from_rfc3339(text)


def test_any_integer_is_written_as_a_time():
    assert rfc3339(-1) == "1969-12-31T23:59:59.999999Z"
    assert rfc3339(10**30).startswith("9999-12-31T23:59:59")
    assert rfc3339(-(10**30)).startswith("0001-01-01T00:00:00")
    assert rfc3339(day_ns("2026-01-01")) == "2026-01-01T00:00:00.000000Z"
