"""What deliveries tell of an endpoint."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils.timezone import now

from apps.chatbots.models import WebhookEndpoint
from apps.schedules.delivery import Verdict
from apps.schedules.health import FAILING, GONE, note_health
from apps.schedules.models import DeliveryAttempt, Outcome

from .due import claim_all, endpoint, schedules

FAILED = Verdict(Outcome.FAILED, status_code=500)
REFUSED = Verdict(Outcome.FAILED, reason="The connection was refused.")
NOT_THIS = Verdict(Outcome.FAILED, status_code=404)
DELIVERED = Verdict(Outcome.DELIVERED, status_code=200)


@pytest.fixture
def known(workspace):
    """An endpoint, and one claimed message for it."""
    made = endpoint(workspace.bot).endpoint
    schedules(workspace, 1)
    (claimed,) = claim_all()
    return made, claimed


def after(made: WebhookEndpoint) -> WebhookEndpoint:
    made.refresh_from_db()
    return made


def seconds_to_wait(made: WebhookEndpoint) -> float:
    return (after(made).paused_until - now()).total_seconds()


@pytest.mark.parametrize("verdict", [FAILED, REFUSED], ids=["500", "no answer"])
def test_it_pauses_an_endpoint_in_trouble(known, verdict):
    made, claimed = known
    note_health([(claimed, verdict)] * 5)
    assert (after(made).failures, made.pause_seconds, made.is_enabled) == (5, 1, True)
    assert 0 < seconds_to_wait(made) <= 1


def test_what_fails_together_makes_one_pause(known):
    made, claimed = known
    note_health([(claimed, FAILED)])
    note_health([(claimed, FAILED)])
    assert (after(made).pause_seconds, made.failures) == (1, 2)


def test_the_pause_doubles_up_to_half_a_minute(known):
    made, claimed = known
    found = []
    for _ in range(7):
        note_health([(claimed, FAILED)])
        found.append(after(made).pause_seconds)
        WebhookEndpoint.objects.filter(pk=made.pk).update(paused_until=now() - timedelta(seconds=1))
    assert found == [1, 2, 4, 8, 16, 30, 30]


def test_a_refusal_of_one_message_makes_no_pause(known):
    made, claimed = known
    note_health([(claimed, NOT_THIS)])
    assert (after(made).failures, made.paused_until) == (1, None)
    assert made.failing_since is not None


def test_one_success_and_all_is_well(known, workspace):
    made, claimed = known
    note_health([(claimed, FAILED)])
    WebhookEndpoint.objects.update(paused_until=now() - timedelta(seconds=1))
    schedules(workspace, 1)
    (again,) = claim_all()
    note_health([(again, DELIVERED), (again, FAILED)])
    assert (after(made).failing_since, made.failures, made.pause_seconds, made.paused_until) == (
        None,
        0,
        0,
        None,
    )


def test_it_waits_as_long_as_it_is_asked_to_but_not_for_days(known):
    made, claimed = known
    note_health([(claimed, Verdict(Outcome.FAILED, status_code=429, wish=timedelta(seconds=90)))])
    assert 85 < seconds_to_wait(made) <= 90
    note_health([(claimed, Verdict(Outcome.FAILED, status_code=503, wish=timedelta(days=30)))])
    assert 3595 < seconds_to_wait(made) <= 3600


def test_410_disables_it(known):
    made, claimed = known
    note_health([(claimed, Verdict(Outcome.FAILED, status_code=410)), (claimed, DELIVERED)])
    assert (after(made).is_enabled, made.disabled_reason) == (False, GONE)
    assert made.disabled_at is not None


def test_410_of_an_address_that_was_changed_meanwhile_disables_nothing(known):
    made, claimed = known
    WebhookEndpoint.objects.update(url="https://new.example/hook")
    note_health([(claimed, Verdict(Outcome.FAILED, status_code=410))])
    assert after(made).is_enabled


@pytest.mark.parametrize(
    ("days", "failures", "is_enabled"),
    [(4, 20, False), (4, 3, True), (2, 500, True)],
    ids=["long and often", "long but seldom", "often but not for long"],
)
def test_it_disables_what_fails_for_long(known, days, failures, is_enabled):
    made, claimed = known
    WebhookEndpoint.objects.update(failing_since=now() - timedelta(days=days), failures=failures)
    note_health([(claimed, FAILED)])
    assert after(made).is_enabled is is_enabled
    assert made.disabled_reason == ("" if is_enabled else FAILING)


def test_a_success_writes_nothing_where_all_was_well(known, django_assert_num_queries):
    _, claimed = known
    with django_assert_num_queries(0):
        note_health([(claimed, DELIVERED)] * 50)


def test_an_attempt_that_was_given_up_meanwhile_tells_nothing(known):
    made, claimed = known
    DeliveryAttempt.objects.update(outcome=Outcome.UNKNOWN)
    note_health([(claimed, REFUSED)] * 20)
    assert (after(made).failures, made.failing_since, made.paused_until) == (0, None, None)
