"""What is recorded of an attempt, whatever else happened to the schedule meanwhile."""

from __future__ import annotations

from datetime import timedelta

from django.db import connection
from django.utils.timezone import now

from apps.schedules.claims import record
from apps.schedules.models import Outcome, Status
from tests.threads import together

from .due import attempts, cancel, claim_all, edit, endpoint, schedule, settled


def test_it_records_a_delivery(workspace):
    endpoint(workspace.bot)
    row = schedule(workspace)
    (claimed,) = claim_all()
    assert not record([settled(claimed, duration_ms=12, answer="thanks")])
    row.refresh_from_db()
    (attempt,) = attempts(row)
    assert (row.status, row.fired_for, row.claim) == (Status.DELIVERED, row.scheduled_for, None)
    assert (attempt.outcome, attempt.status_code, attempt.duration_ms, attempt.answer) == (
        Outcome.DELIVERED,
        200,
        12,
        "thanks",
    )


def test_it_records_when_the_next_attempt_is(workspace):
    endpoint(workspace.bot)
    row = schedule(workspace)
    (claimed,) = claim_all()
    record(
        [
            settled(
                claimed,
                outcome=Outcome.FAILED,
                status=Status.PENDING,
                status_code=500,
                delay=timedelta(minutes=5),
                note="It answered 500.",
            )
        ]
    )
    row.refresh_from_db()
    assert (row.status, row.attempts, row.reason) == (Status.PENDING, 1, "It answered 500.")
    assert timedelta(seconds=299) < row.due_at - now() <= timedelta(minutes=5)
    assert row.fired_for is None


def test_it_records_the_next_occurrence(workspace):
    endpoint(workspace.bot)
    row = schedule(workspace)
    (claimed,) = claim_all()
    moment = now() + timedelta(days=1)
    record([settled(claimed, status=Status.PENDING, moment=moment)])
    fired = row.scheduled_for
    row.refresh_from_db()
    assert (row.status, row.scheduled_for, row.due_at, row.fired_for) == (
        Status.PENDING,
        moment,
        moment,
        fired,
    )
    assert (row.occurrence, row.attempts) == (2, 0)


def test_an_edit_during_an_attempt_wins_and_the_record_keeps_the_attempt(workspace):
    endpoint(workspace.bot)
    row = schedule(workspace)
    (claimed,) = claim_all()
    edit(row, prompt="Something else")
    assert (row.status, row.occurrence, row.attempts) == (Status.PENDING, 2, 0)
    record([settled(claimed)])
    row.refresh_from_db()
    assert (row.status, row.prompt, row.fired_for) == (Status.PENDING, "Something else", None)
    assert attempts(row)[0].outcome == Outcome.DELIVERED
    (again,) = claim_all()
    assert (again.prompt, again.occurrence, again.attempts) == ("Something else", 2, 1)


def test_an_edit_and_a_second_attempt_win_over_the_first(workspace):
    endpoint(workspace.bot)
    row = schedule(workspace)
    (first,) = claim_all()
    edit(row, prompt="Something else")
    (second,) = claim_all()
    record([settled(first)])
    row.refresh_from_db()
    assert (row.status, row.claim) == (Status.SENDING, second.attempt_id)
    record([settled(second)])
    row.refresh_from_db()
    assert row.status == Status.DELIVERED


def test_a_repeated_request_leaves_an_attempt_alone(workspace):
    endpoint(workspace.bot)
    row = schedule(workspace)
    (claimed,) = claim_all()
    edit(row)
    assert row.status == Status.SENDING
    record([settled(claimed)])
    edit(row)
    assert row.status == Status.DELIVERED
    assert claim_all() == []


def test_a_cancel_during_an_attempt_wins_and_the_record_shows_which_was_first(workspace):
    endpoint(workspace.bot)
    row = schedule(workspace)
    (claimed,) = claim_all()
    cancel(row)
    record([settled(claimed)])
    row.refresh_from_db()
    (attempt,) = attempts(row)
    assert (row.status, attempt.outcome) == (Status.CANCELLED, Outcome.DELIVERED)
    assert attempt.started_at < row.updated_at
    assert claim_all() == []


def test_a_new_date_after_a_delivery_is_a_new_occurrence(workspace):
    endpoint(workspace.bot)
    row = schedule(workspace)
    record([settled(claim_all()[0])])
    edit(row, date=row.scheduled_for)
    assert (row.status, row.occurrence) == (Status.DELIVERED, 1)
    edit(row, date=row.scheduled_for + timedelta(seconds=1))
    assert (row.status, row.occurrence) == (Status.PENDING, 2)
    edit(row, date=row.scheduled_for + timedelta(seconds=1))
    assert row.occurrence == 2, "nobody was told of it yet"


def test_it_says_which_results_wait_for_somebody_who_edits(transactional_db, workspace):
    endpoint(workspace.bot)
    row = schedule(workspace)
    (claimed,) = claim_all()
    with connection.cursor() as cursor:
        cursor.execute("BEGIN")
        cursor.execute("SELECT FROM schedules_scheduledmessage WHERE id = %s FOR UPDATE", [row.pk])
        ((left,),) = [together([lambda: list(record([settled(claimed)]))])]
        cursor.execute("ROLLBACK")
    assert left == [claimed.attempt_id]
    assert not record([settled(claimed)])
    row.refresh_from_db()
    assert row.status == Status.DELIVERED


def test_it_forgets_a_schedule_that_was_deleted_meanwhile(workspace):
    endpoint(workspace.bot)
    row = schedule(workspace)
    (claimed,) = claim_all()
    row.delete()
    assert not record([settled(claimed)])
