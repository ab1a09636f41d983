"""The claim of what is due, and of what a worker left behind."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils.timezone import now

from apps import sql
from apps.chatbots.models import WebhookEndpoint
from apps.chatbots.services import disable_endpoint, enable_endpoint
from apps.schedules import claims
from apps.schedules.claims import LOST, give_back_lost, record
from apps.schedules.models import DeliveryAttempt, Outcome, Status
from tests.threads import together

from .due import attempts, cancel, claim_all, endpoint, schedule, schedules, settled

# Claiming


def test_it_claims_what_is_due_and_says_that_an_attempt_began(workspace):
    endpoint(workspace.bot)
    row = schedule(workspace)
    (claimed,) = claim_all()
    row.refresh_from_db()
    (attempt,) = attempts(row)
    assert (row.status, row.attempts, row.claim) == (Status.SENDING, 1, attempt.pk)
    assert (attempt.outcome, attempt.number, attempt.occurrence) == (Outcome.SENDING, 1, 1)
    assert attempt.scheduled_for == row.scheduled_for
    assert (claimed.public_id, claimed.prompt, claimed.participant_identifier) == (
        row.public_id,
        "Say hello",
        "ada",
    )
    assert (claimed.chatbot_id, claimed.chatbot_name) == (workspace.bot.public_id, "Bot A")
    assert claim_all() == []


def test_it_claims_nothing_before_its_time(workspace):
    endpoint(workspace.bot)
    schedule(workspace, date=now() + timedelta(seconds=5))
    assert claim_all() == []


def test_it_claims_the_oldest_first(workspace):
    endpoint(workspace.bot)
    schedules(workspace, 3, name="newer", date=now() - timedelta(minutes=1))
    schedules(workspace, 3, name="older", date=now() - timedelta(minutes=2))
    assert {claimed.name for claimed in claim_all(3)} == {"older"}


def test_it_leaves_what_has_no_endpoint(workspace):
    row = schedule(workspace)
    assert claim_all() == []
    row.refresh_from_db()
    assert (row.status, row.attempts) == (Status.PENDING, 0)


def test_it_leaves_what_has_a_disabled_endpoint_and_takes_it_up_when_it_is_enabled(workspace):
    made = endpoint(workspace.bot).endpoint
    disable_endpoint(made, reason="Holidays", now=now())
    schedule(workspace)
    assert claim_all() == []
    enable_endpoint(made, now=now())
    assert len(claim_all()) == 1


def test_it_leaves_an_endpoint_that_asked_for_a_pause(workspace):
    made = endpoint(workspace.bot).endpoint
    schedule(workspace)
    WebhookEndpoint.objects.filter(pk=made.pk).update(paused_until=now() + timedelta(seconds=9))
    assert claim_all() == []
    WebhookEndpoint.objects.filter(pk=made.pk).update(paused_until=now() - timedelta(seconds=1))
    assert len(claim_all()) == 1


def test_it_gives_no_endpoint_more_than_its_part(workspace):
    for bot in workspace.bots:
        endpoint(bot)
        schedules(workspace, 10, bot=bot)
    first, second = workspace.bots
    claimed = claim_all(each=6, busy={first.pk: 4, 12345: 6})
    counts = {bot.name: sum(row.chatbot_key == bot.pk for row in claimed) for bot in workspace.bots}
    assert counts == {"Bot A": 2, "Bot B": 6}
    assert claim_all(each=6, busy={first.pk: 9, second.pk: 6}) == []


def test_it_asks_an_endpoint_in_trouble_for_little(workspace):
    made = endpoint(workspace.bot).endpoint
    schedules(workspace, 10)
    WebhookEndpoint.objects.filter(pk=made.pk).update(pause_seconds=1, failing_since=now())
    claimed = claim_all(cautious=3)
    assert len(claimed) == 3
    assert claimed[0].is_in_trouble


@pytest.mark.django_db(transaction=True)
def test_it_claims_each_row_once_however_many_claim_at_a_time(workspace):
    endpoint(workspace.bot)
    schedules(workspace, 200)
    taken = [
        row.schedule_id
        for claimed in together([lambda: [row for _ in range(5) for row in claim_all(30)]] * 4)
        for row in claimed
    ]
    assert len(taken) == len(set(taken)) == 200
    assert DeliveryAttempt.objects.count() == 200


@pytest.mark.parametrize("count", [1, 50])
def test_it_takes_one_statement_for_each_step(workspace, monkeypatch, count):
    statements = []
    monkeypatch.setattr(
        claims, "fetch", lambda text, values: statements.append(text) or sql.fetch(text, values)
    )
    endpoint(workspace.bot)
    schedules(workspace, count)
    claimed = claim_all()
    record([settled(row) for row in claimed])
    give_back_lost()
    assert (len(claimed), len(statements)) == (count, 3)


# What a worker left behind


def test_it_makes_due_again_what_a_worker_left(workspace):
    endpoint(workspace.bot)
    row = schedule(workspace)
    (claimed,) = claim_all()
    assert give_back_lost() == 0
    age(claimed)
    assert give_back_lost() == 1
    row.refresh_from_db()
    (attempt,) = attempts(row)
    assert (row.status, row.reason, attempt.outcome, attempt.reason) == (
        Status.PENDING,
        LOST,
        Outcome.UNKNOWN,
        LOST,
    )
    (again,) = claim_all()
    assert (again.occurrence, again.attempts) == (claimed.occurrence, 2)


def test_a_late_answer_counts_until_the_next_attempt(workspace):
    endpoint(workspace.bot)
    row = schedule(workspace)
    (claimed,) = claim_all()
    age(claimed)
    give_back_lost()
    record([settled(claimed)])
    row.refresh_from_db()
    assert (row.status, attempts(row)[0].outcome) == (Status.DELIVERED, Outcome.DELIVERED)


def test_a_late_answer_after_the_next_attempt_stays_in_the_record(workspace):
    endpoint(workspace.bot)
    row = schedule(workspace)
    (claimed,) = claim_all()
    age(claimed)
    give_back_lost()
    (again,) = claim_all()
    record([settled(claimed)])
    row.refresh_from_db()
    assert (row.status, row.claim) == (Status.SENDING, again.attempt_id)
    assert [attempt.outcome for attempt in attempts(row)] == [Outcome.DELIVERED, Outcome.SENDING]


def test_a_lost_attempt_does_not_bring_back_what_was_cancelled(workspace):
    endpoint(workspace.bot)
    row = schedule(workspace)
    (claimed,) = claim_all()
    cancel(row)
    age(claimed)
    assert give_back_lost() == 1
    row.refresh_from_db()
    assert (row.status, attempts(row)[0].outcome) == (Status.CANCELLED, Outcome.UNKNOWN)


def age(claimed) -> None:
    DeliveryAttempt.objects.filter(pk=claimed.attempt_id).update(started_at=now() - timedelta(minutes=1))
