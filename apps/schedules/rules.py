"""Rules of RFC 5545 in local time, by python-dateutil, at a bounded cost.

dateutil walks from a rule's start, and when a rule yields nothing, to the year 9999, in one call that
nothing interrupts. Here a rule starts shortly before the moment that is asked about, and each answer may
cost so many steps and no more.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from dateutil import rrule

from apps.errors import DomainError

MAX_COUNT = 10_000
MAX_LENGTH = 500
# A few tenths of a second. A step looks at each day of its period.
_MAX_DAYS = 50_000
_DAYS_OF_A_STEP = {"YEARLY": 366, "MONTHLY": 31, "WEEKLY": 7}

_FORM = re.compile(r"(?:RRULE:)?([A-Z]+=[A-Z0-9,+-]+(?:;[A-Z]+=[A-Z0-9,+-]+)*);?")
_UNTIL = re.compile(r"(\d{8})(?:T(\d{6})(Z?))?")
PARTS = frozenset(
    [
        "FREQ",
        "INTERVAL",
        "COUNT",
        "UNTIL",
        "WKST",
        "BYSETPOS",
        "BYMONTH",
        "BYMONTHDAY",
        "BYYEARDAY",
        "BYWEEKNO",
        "BYDAY",
        "BYHOUR",
        "BYMINUTE",
        "BYSECOND",
    ]
)
_PICKS_DAYS = {"BYWEEKNO", "BYYEARDAY", "BYMONTHDAY", "BYDAY"}
_DAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
_STEP = {
    "WEEKLY": timedelta(weeks=1),
    "DAILY": timedelta(days=1),
    "HOURLY": timedelta(hours=1),
    "MINUTELY": timedelta(minutes=1),
    "SECONDLY": timedelta(seconds=1),
}


class UnusableRule(DomainError):
    """`field` is the one that is wrong: rrule, timezone or date."""

    message = "It takes too long to find out when this rule fires: make it simpler."

    def __init__(self, message: str | None = None, *, field: str = "rrule") -> None:
        self.field = field
        super().__init__(message)


def normal(text: str) -> str:
    """The rule without what can be left out. Raises UnusableRule; what it says is not checked yet."""
    text = text.strip().upper()
    if len(text) > MAX_LENGTH:
        raise UnusableRule(f"A rule has at most {MAX_LENGTH} characters.")
    match = _FORM.fullmatch(text)
    if not match:
        raise UnusableRule("Give one rule of RFC 5545, such as FREQ=WEEKLY;BYDAY=MO,TH.")
    names = [part.split("=")[0] for part in match[1].split(";")]
    if unknown := set(names) - PARTS:
        raise UnusableRule(f"{min(unknown)} can't stand in a rule.")
    if len(set(names)) != len(names):
        raise UnusableRule("Each part of a rule may stand in it once.")
    if {"COUNT", "UNTIL"} <= set(names):
        raise UnusableRule("A rule ends with COUNT or with UNTIL, not with both.")
    return match[1]


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule that says everything itself, so that it may be walked from a later start."""

    parsed: rrule.rrule
    freq: str
    interval: int
    is_counted: bool
    week_starts: int
    starts: datetime

    def since(self, moment: datetime) -> Iterator[datetime]:
        """Local times from `moment` on. Raises UnusableRule where one takes too long to find."""
        start = self.starts
        if not self.is_counted and moment > start:
            start = self._later_start(moment)
        steps = _Steps(self.interval)
        steps.days = _DAYS_OF_A_STEP.get(self.freq, 1)
        try:
            for candidate in self.parsed.replace(dtstart=start, interval=steps):
                if candidate >= moment and candidate >= self.starts:
                    steps.looked_at = 0
                    yield candidate
                else:
                    steps.count(1)
        except (ValueError, OverflowError) as error:  # parts that exclude each other; years past 9999
            raise UnusableRule("The rule fires at no time.") from error

    def _later_start(self, moment: datetime) -> datetime:
        """A time before `moment` from which the rule goes on in the same steps."""
        start = self.starts
        if self.freq in ("YEARLY", "MONTHLY"):
            period = self.interval * (12 if self.freq == "YEARLY" else 1)
            apart = (moment.year - start.year) * 12 + moment.month - start.month
            months = (apart // period - 1) * period
            if months <= 0:
                return start
            year, month = divmod(start.year * 12 + start.month - 1 + months, 12)
            return datetime(year, 1 if self.freq == "YEARLY" else month + 1, 1)  # noqa: DTZ001 (local)
        if self.freq == "WEEKLY":
            start -= timedelta(days=(start.weekday() - self.week_starts) % 7)
        step = _STEP[self.freq] * self.interval
        steps = (moment - start) // step - 1
        return start + steps * step if steps > 0 else self.starts


@lru_cache(maxsize=1000)
def parse(text: str, *, starts: datetime, zone: ZoneInfo) -> Rule:
    """`text` as `normal` gives it. Raises UnusableRule."""
    parts = dict(part.split("=", 1) for part in text.split(";"))
    until = _local_until(parts.pop("UNTIL", None), zone)
    _say_what_the_start_implies(parts, starts)
    try:
        parsed = rrule.rrulestr(";".join(f"{name}={value}" for name, value in parts.items()), dtstart=starts)
        assert isinstance(parsed, rrule.rrule)
        rule = Rule(
            parsed=parsed.replace(until=until),
            freq=parts["FREQ"],
            interval=int(parts.get("INTERVAL", "1")),
            is_counted="COUNT" in parts,
            week_starts=_DAYS.index(parts.get("WKST", "MO")),
            starts=starts,
        )
    except (ValueError, TypeError, KeyError, IndexError, AttributeError, OverflowError) as error:
        raise UnusableRule("The rule can't be understood: see RFC 5545, 3.3.10.") from error
    if rule.interval < 1 or not 1 <= int(parts.get("COUNT", "1")) <= MAX_COUNT:
        raise UnusableRule(f"INTERVAL is 1 or more, and COUNT 1 to {MAX_COUNT:,}.")
    if rule.interval > 10 * 366 * 24 * 3600:
        raise UnusableRule("INTERVAL leads further ahead than ten years.")
    return rule


def _say_what_the_start_implies(parts: dict[str, str], starts: datetime) -> None:
    freq = parts.get("FREQ")
    if not _PICKS_DAYS & parts.keys():
        if freq == "YEARLY":
            parts.setdefault("BYMONTH", str(starts.month))
        if freq in ("YEARLY", "MONTHLY"):
            parts["BYMONTHDAY"] = str(starts.day)
        if freq == "WEEKLY":
            parts["BYDAY"] = _DAYS[starts.weekday()]
    if freq not in ("HOURLY", "MINUTELY", "SECONDLY"):
        parts.setdefault("BYHOUR", str(starts.hour))
    if freq not in ("MINUTELY", "SECONDLY"):
        parts.setdefault("BYMINUTE", str(starts.minute))
    if freq != "SECONDLY":
        parts.setdefault("BYSECOND", str(starts.second))


def _local_until(text: str | None, zone: ZoneInfo) -> datetime | None:
    """In local time, with which the rule is compared. A date means the end of its day."""
    if text is None:
        return None
    match = _UNTIL.fullmatch(text)
    try:
        if not match:
            raise ValueError
        day, time, is_utc = match.groups()
        until = datetime.strptime(day + (time or "235959"), "%Y%m%d%H%M%S")  # noqa: DTZ007 (local time)
        return until.replace(tzinfo=UTC).astimezone(zone).replace(tzinfo=None) if is_utc else until
    except (ValueError, OverflowError) as error:
        raise UnusableRule("UNTIL takes a date or time such as 20301231T235959Z.") from error


class _Steps(int):
    """An interval that counts what dateutil looks at as it steps, and ends a search that takes too long."""

    days = 1
    looked_at = 0

    def count(self, days: int) -> int:
        self.looked_at += days
        if self.looked_at > _MAX_DAYS:
            raise UnusableRule
        return int(self)

    def __radd__(self, other: int) -> int:
        return other + self.count(self.days)

    def __mul__(self, other: int) -> int:
        return self.count(self.days) * other

    __rmul__ = __mul__
