"""An edit that waits for a claim to be committed."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection, transaction
from django.utils.timezone import now

from apps.schedules.models import ScheduledMessage, Status
from apps.schedules.services import ScheduleSave, apply_schedules
from tests.schedules.due import claim_all, endpoint, schedule


def edit(row: ScheduledMessage) -> None:
    item = ScheduleSave(row.chatbot_id, row.external_id, row.name, "Edited", row.scheduled_for)
    try:
        apply_schedules(team=row.team, participant_id=row.participant_id, items=[item], now=now())
    finally:
        connection.close()


def wait_until_somebody_waits() -> None:
    waiting = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
    deadline = time.monotonic() + 10
    with connection.cursor() as cursor:
        while time.monotonic() < deadline:
            cursor.execute("SELECT pg_stat_clear_snapshot()")
            cursor.execute(waiting)
            if cursor.fetchone() == (1,):
                return
            time.sleep(0.01)
    pytest.fail("nobody waited")


@pytest.mark.django_db(transaction=True)
def test_it_is_a_message_of_its_own_for_what_was_claimed_is_sent_too(workspace):
    endpoint(workspace.bot)
    row = schedule(workspace)
    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            (claimed,) = claim_all()
            editing = pool.submit(edit, row)
            wait_until_somebody_waits()
        editing.result(10)
    row.refresh_from_db()
    assert (row.status, row.prompt) == (Status.PENDING, "Edited")
    assert (claimed.prompt, claimed.occurrence, row.occurrence) == ("Say hello", 1, 2)
