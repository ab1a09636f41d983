"""What is sent, and what an answer means."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from uuid import UUID

import pytest
from standardwebhooks import Webhook

from apps.chatbots import signing
from apps.schedules.claims import Claimed
from apps.schedules.delivery import body, judge, message_id, settle, signed_headers
from apps.schedules.models import Outcome, Status
from apps.schedules.outbound import Answer
from apps.schedules.retries import DELAYS, delay_after

NOW = datetime(2026, 5, 4, 9, 0, 30, tzinfo=UTC)
SECRET = signing.new_secret()
OLD_SECRET = signing.new_secret()


def due(**fields) -> Claimed:
    given = Claimed(
        attempt_id=5,
        schedule_id=6,
        public_id=UUID("0199c0de-7c1e-7d3a-8b1f-5f2f6c1a9b10"),
        name="Visit",
        prompt="Remind them — 10:00 \u0001",
        scheduled_for=datetime(2026, 5, 4, 9, tzinfo=UTC),
        occurrence=3,
        attempts=1,
        rrule="",
        timezone="",
        starts="",
        participant_id=UUID("0199c0de-7c1e-7d3a-8b1f-5f2f6c1a9b11"),
        participant_identifier="+27820001111",
        participant_name="Thandi",
        participant_platform="whatsapp",
        participant_remote_id="",
        chatbot_key=7,
        chatbot_id=UUID("7f3a2b52-2f2a-4f0b-9c40-9d7d0f6d2a11"),
        chatbot_name="Clinic",
        url="https://bot.example/hook",
        secret=signing.seal(SECRET, chatbot_id=7),
        previous_secret=None,
        is_in_trouble=False,
        now=NOW,
    )
    return replace(given, **fields)


def answer(status: int, text: bytes = b"", **headers: str) -> Answer:
    return Answer(status, {name.replace("_", "-"): value for name, value in headers.items()}, text)


def verdict(status: int, text: bytes = b"", **headers: str):
    return judge(answer(status, text, **headers), duration_ms=12, now=NOW)


# The message


def test_it_says_who_is_to_be_spoken_to_and_what_about():
    assert json.loads(body(due())) == {
        "type": "schedule.triggered",
        "timestamp": "2026-05-04T09:00:00Z",
        "data": {
            "schedule": {
                "id": "0199c0de-7c1e-7d3a-8b1f-5f2f6c1a9b10",
                "name": "Visit",
                "prompt": "Remind them — 10:00 \u0001",
                "scheduled_for": "2026-05-04T09:00:00Z",
                "occurrence": 3,
            },
            "participant": {
                "id": "0199c0de-7c1e-7d3a-8b1f-5f2f6c1a9b11",
                "identifier": "+27820001111",
                "name": "Thandi",
                "platform": "whatsapp",
                "remote_id": "",
            },
            "chatbot": {"id": "7f3a2b52-2f2a-4f0b-9c40-9d7d0f6d2a11", "name": "Clinic"},
        },
    }


def test_it_is_the_same_message_on_every_attempt():
    first, second = due(attempts=1), due(attempts=2, attempt_id=9, now=NOW + timedelta(hours=1))
    assert body(first) == body(second)
    later = dict(signed_headers(second, body(second), now=second.now))
    assert later["webhook-id"] == dict(signed_headers(first, body(first), now=NOW))["webhook-id"]


def test_it_is_another_message_for_another_occurrence():
    assert message_id(due().public_id, 1) != message_id(due().public_id, 2)


def test_its_timestamp_is_the_databases():
    headers = dict(signed_headers(due(), b"{}", now=NOW))
    assert headers["webhook-timestamp"] == str(int(NOW.timestamp()))


def verified_by_hand(secret: str, headers: dict[str, str], content: bytes) -> bool:
    """The specification's own words, in a few lines that share nothing with the library."""
    key = base64.b64decode(secret.removeprefix("whsec_"))
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + content
    expected = base64.b64encode(hmac.digest(key, signed, hashlib.sha256)).decode()
    return f"v1,{expected}" in headers["webhook-signature"].split(" ")


def test_it_is_signed_as_the_specification_says():
    content = body(due())
    headers = dict(signed_headers(due(), content, now=NOW))
    assert verified_by_hand(SECRET, headers, content)
    assert not verified_by_hand(SECRET, headers, content + b" ")
    assert not verified_by_hand(OLD_SECRET, headers, content)


def test_both_secrets_sign_while_they_overlap():
    claimed = due(previous_secret=signing.seal(OLD_SECRET, chatbot_id=7))
    content, now = body(claimed), datetime.now(UTC)
    headers = dict(signed_headers(claimed, content, now=now))
    assert verified_by_hand(SECRET, headers, content)
    assert verified_by_hand(OLD_SECRET, headers, content)
    for secret in (SECRET, OLD_SECRET):
        assert Webhook(secret).verify(content, headers)["type"] == "schedule.triggered"


# What an answer means


@pytest.mark.parametrize("status", [200, 201, 202, 204, 299])
def test_2xx_delivers(status):
    found = verdict(status)
    assert (found.outcome, found.status_code, found.reason) == (Outcome.DELIVERED, status, "")


@pytest.mark.parametrize(
    ("status", "reason"),
    [
        (301, "It answered 301: redirects are not followed. Set the final address."),
        (304, "It answered 304: redirects are not followed. Set the final address."),
        (400, "It answered 400 instead of 2xx."),
        (404, "It answered 404 instead of 2xx."),
        (410, "It answered 410: there is nobody any more, and the endpoint was disabled."),
        (500, "It answered 500 instead of 2xx."),
    ],
)
def test_anything_else_does_not(status, reason):
    found = verdict(status)
    assert (found.outcome, found.status_code, found.reason) == (Outcome.FAILED, status, reason)


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        (b"thanks", "thanks"),
        ("é".encode() * 1500, "é" * 1000),
        (b"\xff\x00\xfe", "��"),
    ],
    ids=["short", "long", "not text"],
)
def test_it_keeps_the_first_thousand_characters(text, kept):
    assert verdict(200, text).answer == kept


@pytest.mark.parametrize(
    ("status", "said", "wish"),
    [
        (429, "7", timedelta(seconds=7)),
        (503, "120", timedelta(minutes=2)),
        (503, format_datetime(NOW + timedelta(minutes=3), usegmt=True), timedelta(minutes=3)),
        (503, format_datetime(NOW - timedelta(minutes=3), usegmt=True), timedelta(0)),
        (503, "soon", None),
        (503, "-5", None),
        (503, "9" * 5000, timedelta(days=366)),
        (500, "7", None),
    ],
)
def test_it_notes_how_long_it_is_asked_to_wait(status, said, wish):
    assert verdict(status, retry_after=said).wish == wish


# What follows


@pytest.mark.parametrize("attempts", range(1, 10))
def test_it_waits_longer_each_time(attempts):
    wanted = [5, 5 * 60, 30 * 60, 2 * 3600, 5 * 3600, 10 * 3600, 14 * 3600, 20 * 3600, 24 * 3600][
        attempts - 1
    ]
    found = settle(due(attempts=attempts), verdict(500), now=NOW)
    assert (found.status, found.note) == (Status.PENDING, "It answered 500 instead of 2xx.")
    assert found.delay is not None
    assert wanted <= found.delay.total_seconds() <= wanted * 1.1


def test_it_varies_how_long_so_that_what_failed_together_does_not_come_back_together():
    assert len({delay_after(3) for _ in range(20)}) > 1


def test_it_fails_after_the_last_attempt():
    found = settle(due(attempts=len(DELAYS) + 1), verdict(500), now=NOW)
    assert (found.status, found.delay) == (Status.FAILED, None)


def test_it_waits_as_long_as_it_is_asked_to():
    found = settle(due(), verdict(429, retry_after="3600"), now=NOW)
    assert found.delay == timedelta(hours=1)
    found = settle(due(), verdict(429, retry_after="1"), now=NOW)
    assert found.delay is not None
    assert found.delay >= timedelta(seconds=5)
    found = settle(due(), verdict(503, retry_after=str(30 * 24 * 3600)), now=NOW)
    assert found.delay == timedelta(days=1)


DAILY = {"rrule": "FREQ=DAILY", "timezone": "Europe/Berlin", "starts": "2026-05-04T11:00:00"}


def test_a_rule_goes_on_after_a_delivery():
    found = settle(due(**DAILY), verdict(200), now=NOW)
    assert (found.status, found.moment, found.delay) == (
        Status.PENDING,
        datetime(2026, 5, 5, 9, tzinfo=UTC),
        None,
    )


def test_of_what_was_missed_it_makes_up_for_one():
    """Down for three days and a half: what was due on the first of them fires, and then the next to come."""
    back = NOW + timedelta(days=3, hours=12)
    found = settle(due(**DAILY), verdict(200), now=back)
    assert found.moment == datetime(2026, 5, 8, 9, tzinfo=UTC)


def test_a_rule_ends_as_delivered():
    found = settle(due(**DAILY | {"rrule": "FREQ=DAILY;COUNT=1"}), verdict(200), now=NOW)
    assert (found.status, found.moment) == (Status.DELIVERED, None)


def test_a_rule_whose_last_occurrence_reached_nobody_does_not_end_as_delivered():
    last = due(attempts=10, **DAILY | {"rrule": "FREQ=DAILY;COUNT=1"})
    assert settle(last, verdict(500), now=NOW).status == Status.FAILED


def test_a_rule_gives_up_an_occurrence_when_the_next_is_nearer_than_the_next_attempt():
    found = settle(due(attempts=8, **DAILY), verdict(500), now=NOW + timedelta(hours=5))
    assert (found.status, found.moment) == (Status.PENDING, datetime(2026, 5, 5, 9, tzinfo=UTC))
    assert found.note == "Occurrence 3 was not delivered. It answered 500 instead of 2xx."


def test_a_rule_tries_again_before_its_next_occurrence():
    found = settle(due(attempts=1, **DAILY), verdict(500), now=NOW)
    assert (found.moment, found.status) == (None, Status.PENDING)
    assert found.delay is not None
