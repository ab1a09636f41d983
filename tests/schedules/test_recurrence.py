"""When rules fire."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from itertools import islice, pairwise
from zoneinfo import ZoneInfo

import pytest
from dateutil.rrule import rrulestr
from hypothesis import given, settings
from hypothesis import strategies as st

from apps.schedules.recurrence import HORIZON, MIN_GAP, Recurrence, checked, preview, resolve
from apps.schedules.rules import PARTS, UnusableRule

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def rule(
    text: str, zone: str = "UTC", starts: str = "2026-01-01T09:00:00", now: datetime = NOW
) -> Recurrence:
    return checked(rule=text, timezone=zone, starts=datetime.fromisoformat(starts), now=now)


def local(found: Recurrence, *, count: int, after: str, now: datetime = NOW) -> list[str]:
    """The next times after a day has begun, in the zone's own."""
    zone = ZoneInfo(found.timezone)
    moments = found.moments(after=datetime.fromisoformat(after).replace(tzinfo=zone), now=now)
    return [f"{next(moments).astimezone(zone):%Y-%m-%d %H:%M %z}" for _ in range(count)]


# Changes of clocks


@pytest.mark.parametrize(
    ("zone", "before", "times"),
    [
        ("Europe/Berlin", "2026-03-28", ["03-28 09:00 +0100", "03-29 09:00 +0200", "03-30 09:00 +0200"]),
        ("Europe/Berlin", "2026-10-24", ["10-24 09:00 +0200", "10-25 09:00 +0100", "10-26 09:00 +0100"]),
        ("America/New_York", "2026-03-07", ["03-07 09:00 -0500", "03-08 09:00 -0400", "03-09 09:00 -0400"]),
        ("America/New_York", "2026-10-31", ["10-31 09:00 -0400", "11-01 09:00 -0500", "11-02 09:00 -0500"]),
        ("Australia/Sydney", "2026-04-04", ["04-04 09:00 +1100", "04-05 09:00 +1000", "04-06 09:00 +1000"]),
        ("Australia/Sydney", "2026-10-03", ["10-03 09:00 +1000", "10-04 09:00 +1100", "10-05 09:00 +1100"]),
    ],
)
def test_nine_o_clock_stays_nine_o_clock(zone, before, times):
    found = rule("FREQ=DAILY", zone)
    assert local(found, count=3, after=before) == [f"2026-{time}" for time in times]


@pytest.mark.parametrize(
    ("zone", "day", "at", "times"),
    [
        (
            "Europe/Berlin",
            "2026-03-28",
            "02:30",
            ["03-28 02:30 +0100", "03-29 03:00 +0200", "03-30 02:30 +0200"],
        ),
        (
            "America/New_York",
            "2026-03-07",
            "02:30",
            ["03-07 02:30 -0500", "03-08 03:00 -0400", "03-09 02:30 -0400"],
        ),
        (
            "Australia/Lord_Howe",  # half an hour
            "2026-10-03",
            "02:10",
            ["10-03 02:10 +1030", "10-04 02:30 +1100", "10-05 02:10 +1100"],
        ),
    ],
)
def test_a_time_that_does_not_exist_is_the_next_that_does(zone, day, at, times):
    found = rule("FREQ=DAILY", zone, f"2026-01-01T{at}:00")
    assert local(found, count=3, after=day) == [f"2026-{time}" for time in times]


@pytest.mark.parametrize(
    ("zone", "day", "at", "times"),
    [
        (
            "Europe/Berlin",
            "2026-10-24",
            "02:30",
            ["10-24 02:30 +0200", "10-25 02:30 +0200", "10-26 02:30 +0100"],
        ),
        (
            "America/New_York",
            "2026-10-31",
            "01:30",
            ["10-31 01:30 -0400", "11-01 01:30 -0400", "11-02 01:30 -0500"],
        ),
        (
            "Australia/Sydney",
            "2026-04-04",
            "02:30",
            ["04-04 02:30 +1100", "04-05 02:30 +1100", "04-06 02:30 +1000"],
        ),
    ],
)
def test_a_time_that_exists_twice_fires_once(zone, day, at, times):
    found = rule("FREQ=DAILY", zone, f"2026-01-01T{at}:00")
    assert local(found, count=3, after=day) == [f"2026-{time}" for time in times]


def test_the_times_of_a_gap_fire_once():
    found = rule("FREQ=MINUTELY;INTERVAL=5", "Europe/Berlin")
    assert local(found, count=4, after="2026-03-29T01:50:00") == [
        "2026-03-29 01:55 +0100",
        "2026-03-29 03:00 +0200",
        "2026-03-29 03:05 +0200",
        "2026-03-29 03:10 +0200",
    ]


def test_a_zone_may_skip_a_whole_day():
    assert resolve(datetime.fromisoformat("2011-12-30T09:00"), ZoneInfo("Pacific/Apia")) == datetime(
        2011, 12, 30, 10, tzinfo=UTC
    )


# The calendar


@pytest.mark.parametrize(
    ("text", "starts", "times"),
    [
        ("FREQ=YEARLY", "2024-02-29T09:00:00", ["2028-02-29", "2032-02-29"]),
        ("FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=-1", "2024-02-29T09:00:00", ["2026-02-28", "2027-02-28"]),
        ("FREQ=MONTHLY", "2026-01-31T09:00:00", ["2026-01-31", "2026-03-31", "2026-05-31"]),
        ("FREQ=MONTHLY;BYMONTHDAY=-1", "2026-01-31T09:00:00", ["2026-01-31", "2026-02-28", "2026-03-31"]),
        ("FREQ=DAILY", "2026-12-30T09:00:00", ["2026-12-30", "2026-12-31", "2027-01-01"]),
        ("FREQ=WEEKLY;BYDAY=MO,TH", "2026-12-28T09:00:00", ["2026-12-28", "2026-12-31", "2027-01-04"]),
        ("FREQ=MONTHLY;BYDAY=-1FR", "2026-01-01T09:00:00", ["2026-01-30", "2026-02-27"]),
        ("FREQ=YEARLY;BYWEEKNO=53;BYDAY=MO", "2020-01-01T09:00:00", ["2026-12-28", "2032-12-27"]),
        ("FREQ=DAILY;COUNT=2", "2026-01-01T09:00:00", ["2026-01-01", "2026-01-02"]),
        ("FREQ=DAILY;UNTIL=20260102T090000Z", "2026-01-01T09:00:00", ["2026-01-01", "2026-01-02"]),
        ("FREQ=DAILY;UNTIL=20260102", "2026-01-01T09:00:00", ["2026-01-01", "2026-01-02"]),
        ("FREQ=WEEKLY;INTERVAL=2;BYDAY=SU;WKST=SU", "2025-12-07T09:00:00", ["2026-01-04", "2026-01-18"]),
        ("FREQ=WEEKLY;INTERVAL=2;BYDAY=SU;WKST=MO", "2025-12-07T09:00:00", ["2026-01-04", "2026-01-18"]),
        ("FREQ=WEEKLY;INTERVAL=2;BYDAY=TU,SU;WKST=SU", "2025-12-02T09:00:00", ["2026-01-11", "2026-01-13"]),
        ("FREQ=WEEKLY;INTERVAL=2;BYDAY=TU,SU;WKST=MO", "2025-12-02T09:00:00", ["2026-01-04", "2026-01-13"]),
    ],
)
def test_it_follows_the_calendar(text, starts, times):
    found = rule(text, starts=starts)
    moments = preview(found, now=NOW)
    assert [f"{moment:%Y-%m-%d}" for moment in moments][: len(times)] == times
    if "COUNT" in text or "UNTIL" in text:
        assert len(moments) == len(times)


def test_until_in_utc_is_meant_in_utc():
    found = rule("FREQ=DAILY;UNTIL=20260102T130000Z", "America/New_York", "2026-01-01T08:00:00")
    assert len(preview(found, now=NOW)) == 2
    found = rule("FREQ=DAILY;UNTIL=20260102T125959Z", "America/New_York", "2026-01-01T08:00:00")
    assert len(preview(found, now=NOW)) == 1


def test_a_rule_from_long_ago_costs_no_more():
    began = time.perf_counter()
    found = rule("FREQ=MINUTELY;INTERVAL=5", starts="1990-01-01T00:02:00")
    assert f"{preview(found, now=NOW)[0]:%H:%M}" == "00:02"
    assert time.perf_counter() - began < 0.5


RULES = st.sampled_from(
    [
        "FREQ=YEARLY;INTERVAL={n}",
        "FREQ=YEARLY;INTERVAL={n};BYMONTH=1,6;BYDAY=2TU",
        "FREQ=MONTHLY;INTERVAL={n}",
        "FREQ=MONTHLY;INTERVAL={n};BYDAY=MO,WE;BYSETPOS=-1",
        "FREQ=WEEKLY;INTERVAL={n};BYDAY=MO,SU",
        "FREQ=WEEKLY;INTERVAL={n};BYDAY=TU,SA;WKST=SU",
        "FREQ=DAILY;INTERVAL={n};BYHOUR=6,18",
        "FREQ=HOURLY;INTERVAL={n}",
        "FREQ=HOURLY;INTERVAL={n};BYDAY=MO,TU,WE,TH,FR",
        "FREQ=MINUTELY;INTERVAL=4{n}",
    ]
)


@given(
    text=RULES,
    interval=st.integers(1, 9),
    starts=st.datetimes(datetime.fromisoformat("2019-01-01"), datetime.fromisoformat("2024-12-31")),
)
@settings(deadline=None, max_examples=60)
def test_starting_later_changes_nothing(text, interval, starts):
    """What is skipped for speed is what a walk from the very start passes over."""
    text = text.format(n=interval)
    found = Recurrence(text, "UTC", starts.replace(microsecond=0))
    since = datetime.fromisoformat("2025-06-01")
    walked = list(rrulestr(text, dtstart=found.starts).xafter(since, count=3, inc=True))
    assert list(islice(found.local_times(since=since), 3)) == walked


# Bounds


@pytest.mark.parametrize(
    "text",
    [
        "FREQ=SECONDLY",
        "FREQ=MINUTELY",
        "FREQ=MINUTELY;INTERVAL=4",
        "FREQ=HOURLY;BYMINUTE=0,4",
        "FREQ=DAILY;BYHOUR=0,23;BYMINUTE=0,58",
        "FREQ=YEARLY;BYSECOND=0,59",
    ],
)
def test_it_refuses_what_fires_too_often(text):
    with pytest.raises(UnusableRule, match="every 5 minutes at most"):
        rule(text)


def test_every_five_minutes_is_often_enough():
    moments = preview(rule("FREQ=MINUTELY;INTERVAL=5"), now=NOW)
    assert {after - before for before, after in pairwise(moments)} == {MIN_GAP}


@pytest.mark.parametrize(
    ("text", "starts"),
    [
        ("FREQ=DAILY;COUNT=3", "2020-01-01T09:00:00"),
        ("FREQ=DAILY;UNTIL=20251231T235959Z", "2020-01-01T09:00:00"),
        ("FREQ=DAILY", "2036-01-02T09:00:00"),
        ("FREQ=YEARLY;INTERVAL=20", "2020-01-01T09:00:00"),
    ],
    ids=["counted out", "over", "starts too late", "next too late"],
)
def test_it_refuses_what_has_nothing_to_come_within_ten_years(text, starts):
    with pytest.raises(UnusableRule, match="at no time within the next ten years"):
        rule(text, starts=starts)


def test_it_looks_no_further_than_ten_years():
    found = rule("FREQ=YEARLY")
    assert max(found.moments(after=NOW, now=NOW)) <= NOW + HORIZON


@pytest.mark.parametrize(
    "text",
    [
        "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30",
        "FREQ=MONTHLY;BYMONTH=2;BYMONTHDAY=30",
        "FREQ=WEEKLY;BYMONTH=2;BYMONTHDAY=30",
        "FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30",
        "FREQ=HOURLY;BYMONTH=2;BYMONTHDAY=30",
        "FREQ=MINUTELY;INTERVAL=5;BYMONTH=2;BYMONTHDAY=30",
        "FREQ=MINUTELY;INTERVAL=7;BYMONTH=2;BYMONTHDAY=30;BYHOUR=3",
        "FREQ=SECONDLY;INTERVAL=301;BYMONTH=2;BYMONTHDAY=30;BYHOUR=3;BYMINUTE=7",
        "FREQ=YEARLY;BYYEARDAY=366;BYDAY=MO;BYMONTH=1",
        "FREQ=DAILY;INTERVAL=999999999",
        "FREQ=SECONDLY;INTERVAL=315000000;BYHOUR=3",
        "FREQ=HOURLY;INTERVAL=24;BYHOUR=3",
        "FREQ=YEARLY;BYSETPOS=" + ",".join(str(n) for n in range(1, 100)) + ";BYDAY=MO;BYMONTHDAY=32",
        "FREQ=DAILY;BYMONTH=13",
    ],
)
def test_it_refuses_what_yields_nothing_within_bounded_time(text):
    began = time.perf_counter()
    with pytest.raises(UnusableRule):
        rule(text)
    assert time.perf_counter() - began < 3


@pytest.mark.parametrize(
    "text",
    [
        "",
        "DAILY",
        "FREQ=DAILY;",
        "FREQ=FORTNIGHTLY",
        "INTERVAL=2",
        "FREQ=DAILY;FREQ=WEEKLY",
        "FREQ=DAILY;INTERVAL=0",
        "FREQ=DAILY;INTERVAL=-1",
        "FREQ=DAILY;INTERVAL=x",
        "FREQ=DAILY;COUNT=0",
        "FREQ=DAILY;COUNT=10001",
        "FREQ=DAILY;COUNT=" + "9" * 300,
        "FREQ=DAILY;COUNT=3;UNTIL=20300101T000000Z",
        "FREQ=DAILY;UNTIL=soon",
        "FREQ=DAILY;UNTIL=20309901",
        "FREQ=DAILY;BYDAY=XX",
        "FREQ=DAILY;BYHOUR=25",
        "FREQ=DAILY;BYSETPOS=0",
        "FREQ=DAILY;WKST=1",
        "FREQ=DAILY;BYEASTER=0",
        "FREQ=DAILY;DTSTART=20300101T000000Z",
        "FREQ=DAILY\nEXRULE:FREQ=WEEKLY",
        "DTSTART:20260101T000000Z\nRRULE:FREQ=DAILY",
        "RRULE:RRULE:FREQ=DAILY",
        "FREQ=DAILY;X-A=1",
        "FREQ=" + "A" * 600,
    ],
)
def test_it_refuses_what_is_no_rule(text):
    if text == "FREQ=DAILY;":
        assert rule(text).rule == "FREQ=DAILY"
        return
    with pytest.raises(UnusableRule):
        rule(text)


@given(
    st.lists(
        st.tuples(
            st.sampled_from(sorted(PARTS)),
            st.sampled_from(["DAILY", "YEARLY", "HOURLY", "MINUTELY"])
            | st.lists(st.integers(-400, 400).map(str), min_size=1, max_size=8).map(",".join)
            | st.sampled_from(["MO", "2TU", "-1FR", "20280229", "20280230T000000Z", ""]),
        ),
        max_size=6,
    )
)
@settings(deadline=4000, max_examples=150)
def test_it_answers_any_text_in_time(parts):
    text = ";".join(f"{name}={value}" for name, value in parts)
    try:
        found = rule(text if "FREQ" in text else f"FREQ=DAILY;{text}")
    except UnusableRule:
        return
    moments = preview(found, now=NOW)
    assert moments
    assert all(b - a >= MIN_GAP for a, b in pairwise(moments))
    assert all(NOW < moment <= NOW + HORIZON for moment in moments)


@pytest.mark.parametrize(
    "zone", ["", "Mars/Olympus", "../etc/passwd", "/etc/passwd", "a" * 5000, "\0", "UTC\n"]
)
def test_it_refuses_what_is_no_zone(zone):
    with pytest.raises(UnusableRule) as refused:
        rule("FREQ=DAILY", zone)
    assert refused.value.field == "timezone"


def test_it_survives_the_end_of_the_calendar():
    with pytest.raises(UnusableRule):
        rule("FREQ=DAILY", starts="9999-12-31T23:59:59")
