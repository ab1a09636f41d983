"""Schedules in the admin: found by time, with their attempts, cancelled and tried again."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.contrib.admin.models import LogEntry
from django.utils import timezone

from apps.schedules.hours import schedule_hours
from apps.schedules.models import DeliveryAttempt, Outcome, ScheduledMessage, Status
from apps.teams.models import Role

from .conftest import Console, fill, signed_in
from .test_participants import NO_ATTEMPTS

LIST = "/admin/schedules/scheduledmessage/"


@pytest.fixture
def editor(console: Console):
    return signed_in(console.editor)


@pytest.fixture
def row(console: Console) -> ScheduledMessage:
    return ScheduledMessage.objects.get(pk=console.pks["schedules_scheduledmessage"])


def become(row: ScheduledMessage, **columns: object) -> None:
    ScheduledMessage.objects.filter(pk=row.pk).update(**columns)


@pytest.mark.parametrize("status", Status.values)
def test_only_one_that_failed_is_tried_again(editor, row, status):
    become(row, status=status, attempts=10, due_at=timezone.now() - timedelta(days=4))
    answer = editor.post(f"{LIST}{row.pk}/retry/").status_code
    found = ScheduledMessage.objects.get()
    failed = status == Status.FAILED
    assert answer == (302 if failed else 403)
    assert (found.status, found.attempts) == ((Status.PENDING, 0) if failed else (status, 10))
    said = [entry.change_message for entry in LogEntry.objects.all()]
    assert said == (["Tried again."] if failed else [])


@pytest.mark.parametrize(("status", "after"), [("failed", "pending"), ("cancelled", "cancelled")])
def test_of_the_selected_those_that_failed_are_tried_again(editor, row, status, after):
    become(row, status=status)
    editor.post(LIST, {"action": "retry_selected", "_selected_action": row.pk, "index": 0})
    assert ScheduledMessage.objects.get().status == after


def test_another_team_s_is_not_tried_again(console: Console, editor):
    console.other.member(Role.VIEWER)
    pk = fill(console.other)["schedules_scheduledmessage"]
    ScheduledMessage.objects.filter(pk=pk).update(status=Status.FAILED)
    assert editor.post(f"{LIST}{pk}/retry/").status_code == 404
    editor.post(LIST, {"action": "retry_selected", "_selected_action": pk, "index": 0})
    assert ScheduledMessage.objects.get(pk=pk).status == Status.FAILED


def test_a_cancel_is_logged(editor, row):
    editor.post(f"{LIST}{row.pk}/cancel/")
    assert ScheduledMessage.objects.get().status == Status.CANCELLED
    assert LogEntry.objects.get().change_message == "Cancelled."


def test_a_rule_stays_when_its_words_change(editor, row):
    rule = {"rrule": "FREQ=DAILY", "timezone": "Europe/Berlin", "starts": "2031-01-01T09:00:00"}
    become(row, **rule)
    editor.post(f"{LIST}{row.pk}/change/", {"name": "Other", "prompt": "p"} | NO_ATTEMPTS)
    saved = ScheduledMessage.objects.get()
    assert (saved.name, saved.due_at) == ("Other", row.due_at)
    assert {name: getattr(saved, name) for name in rule} == rule


def test_it_shows_the_attempts(editor, row):
    DeliveryAttempt.objects.create(
        schedule=row,
        occurrence=1,
        number=1,
        scheduled_for=row.scheduled_for,
        started_at=timezone.now(),
        outcome=Outcome.FAILED,
        duration_ms=1234,
        status_code=503,
        answer="<b>Over capacity</b>" + "x" * 300,
        reason="It answered 503.",
    )
    page = editor.get(f"{LIST}{row.pk}/change/").content.decode()
    for text in ("1,234 ms", "503", "It answered 503.", "&lt;b&gt;Over capacity", "x…", "Failed"):
        assert text in page
    assert "x" * 250 not in page


@pytest.mark.parametrize(
    ("due", "found"),
    [
        (timedelta(hours=-1), {"overdue"}),
        (timedelta(days=3), {"week"}),
        (timedelta(days=8), set()),
        (timedelta(days=-9), {"overdue"}),
    ],
    ids=["an hour ago", "in 3 days", "in 8 days", "9 days ago"],
)
def test_they_are_found_by_when_they_are_due(editor, row, due, found):
    become(row, due_at=timezone.now() + due)
    for choice in ("overdue", "week"):
        assert ("1 found" in editor.get(f"{LIST}?due={choice}").content.decode()) is (choice in found)


def test_those_of_today_are_found(editor, row):
    become(row, due_at=timezone.now())
    assert "1 found" in editor.get(f"{LIST}?due=today").content.decode()
    become(row, due_at=timezone.now(), status=Status.DELIVERED)
    assert "Nothing found" in editor.get(f"{LIST}?due=today").content.decode()


def test_each_hour_counts_the_team_s_alone(console: Console, editor, row):
    now = timezone.now()
    become(row, due_at=now + timedelta(hours=2))
    console.workspace.upsert(
        "bea", console.workspace.entry(schedules=[past("two", now - timedelta(hours=3))])
    )
    ScheduledMessage.objects.filter(external_id="two").update(
        status=Status.DELIVERED, fired_for=now - timedelta(hours=3)
    )
    console.other.member(Role.VIEWER)
    fill(console.other)
    hours = schedule_hours(team=console.workspace.team, now=now)
    assert [
        (number, hour.due, hour.delivered) for number, hour in enumerate(hours) if hour.due or hour.delivered
    ] == [
        (21, 0, 1),
        (26, 1, 0),
    ]
    page = editor.get(LIST).content.decode()
    assert 'aria-label="1 delivered and 0 still due of the past 24 hours; 1 due in the next 24."' in page


def past(external_id: str, moment) -> dict[str, str]:
    return {"id": external_id, "name": "Past", "prompt": "p", "date": moment.isoformat()}
