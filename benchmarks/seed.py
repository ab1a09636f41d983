"""Stores schedules: `python -m benchmarks.seed URL COUNT SECONDS`. Prints when they are due."""

from __future__ import annotations

import os
import sys
import time
from datetime import timedelta

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
django.setup()

from django.db import connection  # noqa: E402
from django.utils.timezone import now  # noqa: E402

from apps.chatbots.models import WebhookEndpoint  # noqa: E402
from apps.chatbots.services import ensure_chatbot, set_endpoint  # noqa: E402
from apps.participants.services import save_participant  # noqa: E402
from apps.schedules.services import ScheduleSave, apply_schedules  # noqa: E402
from apps.teams.services import ensure_team  # noqa: E402

BATCH = 1000


def main(url: str, count: int, seconds: float) -> None:
    team = ensure_team("Benchmark")
    bot = ensure_chatbot(team=team, name="Receiver")
    if not WebhookEndpoint.objects.filter(chatbot=bot).exists():
        set_endpoint(chatbot=bot, url=url, now=now())
    mark = str(time.time_ns())
    # An upsert of the API has one participant; here the batches have one each.
    far = now() + timedelta(days=3650)
    for first in range(0, count, BATCH):
        person = save_participant(team=team, platform="api", identifier=f"{mark}-{first}", name="", now=now())
        items = [
            ScheduleSave(bot.pk, f"{mark}-{number}"[-32:], f"Number {number}", "Say hello. " * 10, far)
            for number in range(first, min(first + BATCH, count))
        ]
        apply_schedules(team=team, participant_id=person.id, items=items, now=now())
    # All at one instant, by the database's clock.
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE schedules_scheduledmessage SET due_at = now() + make_interval(secs => %s), "
            "scheduled_for = now() + make_interval(secs => %s) WHERE due_at = %s RETURNING due_at",
            [seconds, seconds, far],
        )
        print(cursor.fetchone()[0].timestamp())
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE schedules_scheduledmessage")


main(sys.argv[1], int(sys.argv[2]), float(sys.argv[3]))
