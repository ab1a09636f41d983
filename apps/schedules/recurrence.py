"""When a rule fires, in a time zone.

A rule is reckoned in local time, so that 09:00 stays 09:00 across a change of clocks. A local time that
does not exist on a day stands for the next that does; one that exists twice stands for the first.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import islice
from zoneinfo import ZoneInfo

from dateutil.relativedelta import relativedelta

from . import rules
from .rules import UnusableRule

MIN_GAP = timedelta(minutes=5)
HORIZON = relativedelta(years=10)
PREVIEWED = 10
# How many times are looked at to find two that are too close.
_SAMPLE = 300
# More than any zone ever moved its clocks, the skipping of a whole day included.
_CLOCK_CHANGE = timedelta(hours=26)


@dataclass(frozen=True, slots=True)
class Recurrence:
    """A rule that starts at a local time, which has no offset. Make it with `checked`."""

    rule: str
    timezone: str
    starts: datetime

    def next(self, *, after: datetime, now: datetime) -> datetime | None:
        """The first moment after `after`, in UTC, unless it is more than ten years after `now`.

        Raises UnusableRule where it takes too long to find.
        """
        return next(self.moments(after=after, now=now), None)

    def moments(self, *, after: datetime, now: datetime) -> Iterator[datetime]:
        """All of them, as `next` would give them one by one."""
        zone = zone_named(self.timezone)
        horizon = now + HORIZON
        previous = None
        for local in self.local_times(since=after.astimezone(zone).replace(tzinfo=None) - _CLOCK_CHANGE):
            moment = resolve(local, zone)
            if moment > horizon:
                return
            # All the times in a gap between clocks come to one moment.
            if moment > after and (previous is None or moment - previous >= MIN_GAP):
                previous = moment
                yield moment

    def local_times(self, *, since: datetime) -> Iterator[datetime]:
        zone = zone_named(self.timezone)
        return rules.parse(self.rule, starts=self.starts, zone=zone).since(since)


def checked(*, rule: str, timezone: str, starts: datetime, now: datetime) -> Recurrence:
    """A rule that is sound, not too frequent, and has something to come. Raises UnusableRule.

    `starts` is local: what offset it may have is ignored.
    """
    zone_named(timezone)
    recurrence = Recurrence(rules.normal(rule), timezone, starts.replace(microsecond=0, tzinfo=None))
    try:
        first = recurrence.next(after=now, now=now)
        if first is None:
            raise UnusableRule("The rule fires at no time within the next ten years.")
        _require_distance(recurrence, since=first)
    except OverflowError as error:
        raise UnusableRule("The rule leaves the calendar.") from error
    return recurrence


def preview(recurrence: Recurrence, *, now: datetime) -> list[datetime]:
    """The next ten moments. Raises UnusableRule."""
    return list(islice(recurrence.moments(after=now, now=now), PREVIEWED))


def zone_named(name: str) -> ZoneInfo:
    """Raises UnusableRule."""
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError) as error:  # what it raises for a name that is none
        raise UnusableRule(
            "Give the name of a time zone, such as Africa/Johannesburg.", field="timezone"
        ) from error


def resolve(local: datetime, zone: ZoneInfo) -> datetime:
    """The moment of a local time, in UTC: the first of two, or the end of the gap that it falls into."""
    moment = local.replace(tzinfo=zone, fold=0).astimezone(UTC)
    if moment.astimezone(zone).replace(tzinfo=None) == local:
        return moment
    # For a time in a gap the change lies between what the two folds give (PEP 495).
    before, behind = local.replace(tzinfo=zone, fold=1).astimezone(UTC), moment
    offset = before.astimezone(zone).utcoffset()
    while behind - before > timedelta(seconds=1):
        middle = before + (behind - before) // 2
        if middle.astimezone(zone).utcoffset() == offset:
            before = middle
        else:
            behind = middle
    return behind.replace(microsecond=0)


def _require_distance(recurrence: Recurrence, *, since: datetime) -> None:
    # Local times, for no change of clocks pushes them together.
    local = since.astimezone(zone_named(recurrence.timezone)).replace(tzinfo=None)
    previous = None
    for candidate in islice(recurrence.local_times(since=local), _SAMPLE):
        if previous is not None and candidate - previous < MIN_GAP:
            raise UnusableRule("A schedule may fire every 5 minutes at most: this rule does so more often.")
        previous = candidate
