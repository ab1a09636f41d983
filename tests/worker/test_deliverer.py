"""A deliverer in this process, a real database and a real receiver."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from functools import partial

import pytest
from django.db import connection
from django.utils.timezone import now

from apps.chatbots.models import Chatbot, WebhookEndpoint
from apps.chatbots.services import enable_endpoint, rotate_secret
from apps.schedules.deliverer import Deliverer, Pace
from apps.schedules.delivery import message_id
from apps.schedules.models import DeliveryAttempt, Outcome, ScheduledMessage, Status
from apps.schedules.outbound import Outbound
from apps.schedules.services import ScheduleCancel, ScheduleSave, apply_schedules
from tests.receiver import Received, Receiver, Reply, receiving
from tests.schedules.due import attempts, endpoint, schedule, schedules

pytestmark = pytest.mark.django_db(transaction=True)

QUICK = Pace(sweep=0.05, gather_results=0.01)
Condition = Callable[[], bool]


def deliver(
    until: Condition,
    *,
    pace: Pace = QUICK,
    patience: float = 5,
    limit: float = 20,
    allow_private: bool = True,
    seconds: float = 15,
    workers: int = 1,
    meanwhile: Callable[[], Awaitable[None]] | None = None,
) -> None:
    """Runs deliverers until the condition holds, as this thread sees it, and stops them."""

    async def run() -> None:
        stop = asyncio.Event()
        running = [
            asyncio.create_task(
                Deliverer(Outbound(allow_private=allow_private, limit=limit), pace=pace).run(
                    stop, patience=patience
                )
            )
            for _ in range(workers)
        ]
        deadline = time.monotonic() + seconds
        while not await asyncio.to_thread(holds, until):
            assert time.monotonic() < deadline, "it did not come to that in time"
            await asyncio.sleep(0.02)
        if meanwhile:
            await meanwhile()
        stop.set()
        await asyncio.gather(*running)
        await asyncio.sleep(0.02)  # for what was closed to be so

    asyncio.run(run())


def holds(condition: Condition) -> bool:
    try:
        return condition()
    finally:
        connection.close()


def count(status: Status) -> int:
    return ScheduledMessage.objects.filter(status=status).count()


def test_it_delivers_what_is_due(workspace, receiver):
    secret = endpoint(workspace.bot, receiver.url).secret
    rows = schedules(workspace, 20)
    later = schedule(workspace, date=now() + timedelta(minutes=1))
    deliver(lambda: count(Status.DELIVERED) == 20)
    assert {got.data["schedule"]["id"] for got in receiver.got} == {str(row.public_id) for row in rows}
    assert len({got.id for got in receiver.got}) == len(receiver.got) == 20
    assert secret not in str([got.headers for got in receiver.got])
    (attempt,) = attempts(rows[0])
    assert (attempt.outcome, attempt.status_code, attempt.answer) == (Outcome.DELIVERED, 200, "ok")
    later.refresh_from_db()
    assert (later.status, later.attempts) == (Status.PENDING, 0)


def test_it_delivers_at_the_moment(workspace, receiver):
    endpoint(workspace.bot, receiver.url)
    row = schedule(workspace, date=now() + timedelta(seconds=0.6))
    deliver(lambda: count(Status.DELIVERED) == 1)
    assert 0 <= receiver.got[0].at - row.scheduled_for.timestamp() < 0.5


def test_it_tries_again_with_the_same_message(workspace, receiver):
    endpoint(workspace.bot, receiver.url)
    row = schedule(workspace)
    receiver.answer = lambda _: Reply(500 if len(receiver.got) == 1 else 200, body=b"so so")
    deliver(lambda: count(Status.DELIVERED) == 1, seconds=20)
    first, second = receiver.got
    assert (first.id, first.body) == (second.id, second.body)
    assert 5 <= second.at - first.at < 8
    assert [(attempt.number, attempt.status_code, attempt.reason) for attempt in attempts(row)] == [
        (1, 500, "It answered 500 instead of 2xx."),
        (2, 200, ""),
    ]


def test_it_leaves_to_its_lease_what_it_can_no_longer_begin_in_time(workspace, receiver):
    endpoint(workspace.bot, receiver.url)
    row = schedule(workspace)
    deliver(lambda: count(Status.SENDING) == 1, pace=replace(QUICK, begin_within=0))
    assert receiver.got == []
    (attempt,) = attempts(row)
    assert attempt.outcome == Outcome.SENDING
    DeliveryAttempt.objects.update(started_at=now() - timedelta(minutes=1))
    deliver(lambda: count(Status.DELIVERED) == 1)


@pytest.mark.parametrize(
    ("url", "options", "reason"),
    [
        ("http://127.0.0.1:1/", {}, "The connection was refused."),
        ("http://127.0.0.1:1/", {"allow_private": False}, "127.0.0.1 leads to 127.0.0.1, which"),
        ("http://2130706433/", {"allow_private": False}, "2130706433 leads to 127.0.0.1, which"),
        ("http://bot.invalid/", {}, "The name bot.invalid can't be resolved."),
    ],
    ids=["nobody there", "inside", "inside, in decimal", "no such name"],
)
def test_it_says_in_words_why_nothing_was_sent(workspace, url, options, reason):
    endpoint(workspace.bot, url)
    row = schedule(workspace)
    deliver(lambda: DeliveryAttempt.objects.filter(outcome=Outcome.FAILED).exists(), **options)
    row.refresh_from_db()
    assert row.status == Status.PENDING
    assert row.reason.startswith(reason)
    (attempt,) = attempts(row)
    assert (attempt.status_code, attempt.reason) == (None, row.reason)


def test_it_waits_for_an_answer_no_longer_than_its_limit(workspace, receiver):
    endpoint(workspace.bot, receiver.url)
    row = schedule(workspace)
    receiver.answer = lambda _: Reply(delay=4)
    deliver(lambda: DeliveryAttempt.objects.filter(outcome=Outcome.FAILED).exists(), limit=0.2)
    (attempt,) = attempts(row)
    assert attempt.reason == "No answer within 0.2 seconds."
    assert attempt.duration_ms >= 200


def test_410_disables_the_endpoint_and_enabling_it_takes_up_what_waits(workspace, receiver):
    made = endpoint(workspace.bot, receiver.url).endpoint
    row = schedule(workspace)
    receiver.answer = lambda _: Reply(410)
    deliver(lambda: not WebhookEndpoint.objects.get().is_enabled and count(Status.PENDING) == 1)
    row.refresh_from_db()
    assert (row.status, len(attempts(row))) == (Status.PENDING, 1)
    receiver.answer = lambda _: Reply()
    made.refresh_from_db()
    enable_endpoint(made, now=now())
    deliver(lambda: count(Status.DELIVERED) == 1)


def test_it_leaves_an_endpoint_alone_that_asks_for_it(workspace, receiver):
    endpoint(workspace.bot, receiver.url)
    schedules(workspace, 30)
    receiver.answer = lambda _: Reply(429, {"Retry-After": "60"})
    pace = Pace(sweep=0.05, gather_results=0.01, each_endpoint=10)

    async def wait() -> None:
        await asyncio.sleep(0.5)

    deliver(lambda: WebhookEndpoint.objects.get().paused_until is not None, pace=pace, meanwhile=wait)
    assert len(receiver.got) < 30, "the others were not sent into it"
    told = ScheduledMessage.objects.filter(attempts=1)
    assert all(row.due_at - now() > timedelta(seconds=55) for row in told)


def test_a_slow_endpoint_holds_up_no_other(workspace, receiver):
    slow, quick = workspace.bots
    with receiving() as sleepy:
        sleepy.answer = lambda _: Reply(delay=3)
        endpoint(slow, sleepy.url)
        endpoint(quick, receiver.url)
        schedules(workspace, 100, bot=slow, date=now() - timedelta(hours=1))
        schedules(workspace, 100, bot=quick)
        began = time.monotonic()
        pace = Pace(sweep=0.05, gather_results=0.01, at_once=60, each_endpoint=20)
        deliver(lambda: len(receiver.got) == 100, pace=pace, patience=0)
        assert time.monotonic() - began < 2.5
        assert sleepy.most_under_way == 20


def test_a_secret_signs_on_while_the_receiver_changes_it(workspace, receiver):
    made = endpoint(workspace.bot, receiver.url)
    rotated = rotate_secret(made.endpoint, now=now())
    schedule(workspace)
    deliver(lambda: count(Status.DELIVERED) == 1)
    from standardwebhooks import Webhook

    (got,) = receiver.got
    for secret in (made.secret, rotated.secret):
        assert Webhook(secret).verify(got.body, got.headers)["type"] == "schedule.triggered"


# Stopping


def test_it_finishes_what_is_under_way(workspace, receiver):
    endpoint(workspace.bot, receiver.url)
    schedules(workspace, 5)
    receiver.answer = lambda _: Reply(delay=0.5)
    deliver(lambda: len(receiver.got) == 5)
    assert count(Status.DELIVERED) == 5


def test_it_gives_back_what_does_not_end_in_time(workspace, receiver):
    endpoint(workspace.bot, receiver.url)
    row = schedule(workspace)
    receiver.answer = lambda _: Reply(delay=4)
    deliver(lambda: len(receiver.got) == 1, patience=0.2)
    row.refresh_from_db()
    (attempt,) = attempts(row)
    assert (row.status, attempt.outcome) == (Status.PENDING, Outcome.UNKNOWN)
    assert "it may have arrived" in attempt.reason
    assert row.due_at <= now()
    receiver.answer = lambda _: Reply()
    deliver(lambda: count(Status.DELIVERED) == 1)
    assert len({got.id for got in receiver.got}) == 1


# Several at once


def test_several_send_each_message_once(workspace, receiver):
    endpoint(workspace.bot, receiver.url)
    schedules(workspace, 300)
    deliver(lambda: count(Status.DELIVERED) == 300, workers=3)
    assert len(receiver.got) == len({got.id for got in receiver.got}) == 300


def test_a_receiver_that_was_away_gets_all_of_it(workspace):
    receiver = Receiver()
    receiver.start()
    receiver.stop()
    endpoint(workspace.bot, receiver.url)
    schedules(workspace, 30)

    async def come_back() -> None:
        await asyncio.to_thread(receiver.start)
        deadline = time.monotonic() + 15
        while len(receiver.got) < 30:
            assert time.monotonic() < deadline
            await asyncio.sleep(0.05)

    pace = Pace(sweep=0.05, gather_results=0.01, each_endpoint=5)
    deliver(
        lambda: DeliveryAttempt.objects.filter(outcome=Outcome.FAILED).exists(),
        pace=pace,
        meanwhile=come_back,
    )
    receiver.close()
    assert count(Status.DELIVERED) == 30
    tried = ScheduledMessage.objects.filter(attempts__gt=1).count()
    assert tried < 15, "most of them waited instead of failing"


def test_cancels_and_edits_race_with_the_sweep_and_the_record_shows_who_was_first(workspace, receiver):
    endpoint(workspace.bot, receiver.url)
    rows = schedules(workspace, 200, date=now() + timedelta(seconds=1))
    cancelled, edited = rows[0::3], rows[1::3]

    def change(row: ScheduledMessage, text: str | None) -> None:
        item: ScheduleSave | ScheduleCancel = ScheduleCancel(row.chatbot_id, row.external_id)
        if text:
            item = ScheduleSave(row.chatbot_id, row.external_id, row.name, text, row.scheduled_for)
        apply_schedules(team=row.team, participant_id=row.participant_id, items=[item], now=now())

    def all_of(part: list[ScheduledMessage], text: str | None) -> None:
        for row in part:
            change(row, text)
            time.sleep(0.01)

    pace = Pace(sweep=0.02, gather_results=0.01, each_endpoint=4)
    halves = [part[i::2] for part in (cancelled, edited) for i in range(2)]
    texts = [None, None, "Edited", "Edited"]
    with ThreadPoolExecutor(5) as pool:
        delivering = pool.submit(
            deliver, lambda: not open_rows() and now() > rows[0].due_at, pace=pace, seconds=30
        )
        time.sleep(0.7)
        list(pool.map(closing, [partial(all_of, *given) for given in zip(halves, texts, strict=True)]))
        delivering.result(40)
    assert {row.status for row in ScheduledMessage.objects.filter(pk__in=[r.pk for r in cancelled])} <= {
        Status.CANCELLED,
        Status.DELIVERED,
    }
    for row in ScheduledMessage.objects.filter(status=Status.CANCELLED):
        assert all(attempt.started_at < row.updated_at for attempt in attempts(row))
    received = Counter(got.id for got in receiver.got)
    assert set(received.values()) == {1}
    begun = {message_id(a.schedule.public_id, a.occurrence) for a in DeliveryAttempt.objects.all()}
    assert set(received) == begun, "what came had begun, and is in the record"
    last = {got.data["schedule"]["id"]: got.prompt for got in receiver.got}
    for row in ScheduledMessage.objects.filter(pk__in=[r.pk for r in edited], prompt="Edited"):
        assert last[str(row.public_id)] == "Edited", "an edit that was answered is what came last"


def open_rows() -> bool:
    return ScheduledMessage.objects.filter(status__in=(Status.PENDING, Status.SENDING)).exists()


def closing(work: Callable[[], None]) -> None:
    try:
        work()
    finally:
        connection.close()


def prompts(got: list[Received]) -> set[str]:
    return {received.prompt for received in got}


def test_a_bot_of_another_team_gets_nothing(workspace, other, receiver):
    with receiving() as theirs:
        endpoint(workspace.bot, receiver.url)
        endpoint(other.bot, theirs.url)
        schedules(workspace, 3, prompt="ours")
        schedules(other, 3, prompt="theirs")
        deliver(lambda: count(Status.DELIVERED) == 6)
        assert (prompts(receiver.got), prompts(theirs.got)) == ({"ours"}, {"theirs"})
        assert Chatbot.objects.count() == 4
