"""How many schedules each hour had, or has before it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import connection

from apps.teams.models import Team

HOURS = 24

# Each half walks its own index from each chatbot of the team, over these hours alone.
_COUNT = """
    SELECT floor(extract(epoch FROM found.moment - %(since)s) / 3600)::int AS hour, found.kind, count(*)
      FROM chatbots_chatbot AS bot
     CROSS JOIN LATERAL (
           SELECT 'due' AS kind, s.due_at AS moment FROM schedules_scheduledmessage AS s
            WHERE s.chatbot_id = bot.id AND s.status = 'pending'
              AND s.due_at >= %(since)s AND s.due_at < %(until)s
           UNION ALL
           SELECT 'delivered', s.fired_for FROM schedules_scheduledmessage AS s
            WHERE s.chatbot_id = bot.id AND s.fired_for IS NOT NULL
              AND s.fired_for >= %(since)s AND s.fired_for < %(until)s) AS found
     WHERE bot.team_id = %(team)s
     GROUP BY 1, 2
"""


@dataclass(slots=True)
class Hour:
    """`due` were not delivered yet; `delivered` were due in this hour."""

    start: datetime
    due: int = 0
    delivered: int = 0


def schedule_hours(*, team: Team, now: datetime) -> list[Hour]:
    """The 24 hours before the present one, this one, and the next 23: 48, in their order.

    A recurring schedule counts at its latest delivery and at its next moment.
    """
    since = now.replace(minute=0, second=0, microsecond=0) - timedelta(hours=HOURS)
    hours = [Hour(since + timedelta(hours=number)) for number in range(2 * HOURS)]
    window: dict[str, datetime | int] = {
        "since": since,
        "until": since + timedelta(hours=2 * HOURS),
        "team": team.pk,
    }
    with connection.cursor() as cursor:
        cursor.execute(_COUNT, window)
        for number, kind, count in cursor.fetchall():
            setattr(hours[number], kind, count)
    return hours
