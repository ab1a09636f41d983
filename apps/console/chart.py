"""The chart above the list of schedules."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from apps.schedules.hours import HOURS, schedule_hours
from apps.teams.models import Team

HEIGHT = 60
STEP = 10


@dataclass(frozen=True, slots=True)
class Bar:
    """One hour, in the units of the drawing. What is due stands on what was delivered."""

    x: int
    due_y: float
    due_height: float
    delivered_y: float
    delivered_height: float
    said: str


@dataclass(frozen=True, slots=True)
class Chart:
    bars: list[Bar]
    width: int
    height: int
    now_x: int
    most: int
    said: str


def chart(*, team: Team, now: datetime) -> Chart:
    hours = schedule_hours(team=team, now=now)
    most = max(hour.due + hour.delivered for hour in hours)
    scale = HEIGHT / max(most, 1)
    bars = []
    for number, hour in enumerate(hours):
        done, due = hour.delivered * scale, hour.due * scale
        bars.append(
            Bar(
                x=number * STEP,
                due_y=round(HEIGHT - done - due, 2),
                due_height=round(due, 2),
                delivered_y=round(HEIGHT - done, 2),
                delivered_height=round(done, 2),
                said=f"{hour.start:%d %b, %H:%M} UTC: {hour.delivered:,} delivered, {hour.due:,} due",
            )
        )
    delivered = sum(hour.delivered for hour in hours)
    late, coming = (sum(hour.due for hour in part) for part in (hours[:HOURS], hours[HOURS:]))
    said = (
        f"{delivered:,} delivered and {late:,} still due of the past 24 hours; {coming:,} due in the next 24."
    )
    return Chart(bars, 2 * HOURS * STEP, HEIGHT, HOURS * STEP, most, said)
