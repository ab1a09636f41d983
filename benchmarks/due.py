"""Schedules of one chatbot that fall due at one instant: the part `due URL COUNT SECONDS` of `with_django`.

Prints when.
"""

from __future__ import annotations

import time

from django.db import connection
from django.utils.timezone import now

from apps.chatbots.services import ensure_chatbot, set_endpoint
from apps.teams.services import ensure_team

# Up to a thousand of each person. The moments are by the database's clock, as the claim's are.
_STORE = """
    WITH people AS (
        INSERT INTO participants_participant
               (team_id, public_id, platform, identifier, name, remote_id, created_at, updated_at)
        SELECT %(team)s, uuidv7(), 'api', 'person-' || number, '', '', now(), now()
          FROM generate_series(1, ceil(%(count)s / 1000.0)::int) AS number
        RETURNING id
    ), wanted AS (
        SELECT people.id, number, now() + make_interval(secs => %(seconds)s + %(spread)s * random()) AS moment
          FROM people CROSS JOIN generate_series(1, 1000) AS number
         LIMIT %(count)s
    ), stored AS (
        INSERT INTO schedules_scheduledmessage
               (team_id, participant_id, chatbot_id, public_id, external_id, name, prompt, scheduled_for,
                due_at, status, attempts, created_at, updated_at)
        SELECT %(team)s, id, %(chatbot)s, uuidv7(), number, 'Number ' || number, repeat('Say hello. ', 10),
               moment, moment, 'pending', 0, now(), now()
          FROM wanted
        RETURNING due_at
    )
    SELECT extract(epoch FROM min(due_at))::float FROM stored
"""


def store(url: str, count: int, *, seconds: float, spread: float = 0.0) -> float:
    """In a new database. They are due so many seconds from now, or within `spread` seconds after.
    Returns when the first is."""
    team = ensure_team("Benchmark")
    bot = ensure_chatbot(team=team, name="Receiver")
    set_endpoint(chatbot=bot, url=url, now=now())
    given = {"team": team.pk, "chatbot": bot.pk, "count": count, "seconds": seconds, "spread": spread}
    with connection.cursor() as cursor:
        cursor.execute(_STORE, given)
        moment = cursor.fetchone()[0]
        cursor.execute("VACUUM ANALYZE")
    assert moment > time.time(), "it took longer to store them"
    return moment


def main(arguments: list[str]) -> None:
    url, count, seconds = arguments
    print(store(url, int(count), seconds=float(seconds)))
