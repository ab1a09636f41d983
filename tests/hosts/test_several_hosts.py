"""Two hosts of the web, three with workers and one with the database. While 600 messages are due, one host
with a worker is cut off from the network, another is killed; the first comes back later."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest

from apps.schedules.claims import LEASE, LOST
from tests.hosts.calls import Call, calling, upsert_meanwhile
from tests.hosts.network import unavailable
from tests.hosts.place import Place, several_hosts
from tests.receiver import Received, Reply
from tests.waiting import eventually

PEOPLE = [f"person {number}" for number in range(20)]
EACH = 30
ALL = len(PEOPLE) * EACH
# By the limits that sessions ask for, with a margin for a machine that is busy.
A_VANISHED_HOST_IS_NOTICED = 30

# A request, or a command, in mid-transaction.
HOLD_A_PERSON = f"""
import django, time; django.setup()
from django.db import connection, transaction
with transaction.atomic(), connection.cursor() as cursor:
    cursor.execute("UPDATE participants_participant SET name = 'held' WHERE identifier = '{PEOPLE[0]}'")
    print("a person is held", flush=True)
    time.sleep(600)
"""


@dataclass(frozen=True, slots=True)
class Seen:
    """What had arrived at a moment, and what the database said."""

    got: list[Received]
    statuses: dict[str, int]
    attempts: dict[str, list[tuple[str, str]]]  # by webhook id: outcome and reason of each
    sessions: set[str]

    def arrivals(self) -> dict[str, list[str]]:
        """By webhook id, where each came from."""
        found: dict[str, list[str]] = {}
        for received in self.got:
            found.setdefault(received.id, []).append(received.peer)
        return found


@dataclass(frozen=True, slots=True)
class Story:
    cut_off: str
    killed: str
    kept: str
    delivered: Seen
    back: Seen
    calls: list[Call]
    call_for_the_held: Future[Call]


@pytest.fixture(scope="module")
def story() -> Iterator[Story]:
    if reason := unavailable():
        pytest.skip(reason)
    with several_hosts() as place:
        yield tell(place)


def tell(place: Place) -> Story:
    cut_off, killed, kept = place.workers
    place.receiver.answer = lambda received: Reply(delay=0.5 + int(received.prompt) % 30 / 10)
    schedule(place, PEOPLE, EACH, datetime.now(UTC) + timedelta(seconds=3))
    place.run(cut_off, "-c", HOLD_A_PERSON, DJANGO_SETTINGS_MODULE="config.settings")
    with calling(place, PEOPLE[1:]) as calls, ThreadPoolExecutor(1) as pool:
        assert eventually(lambda: each_has_begun(place) and "a person is held" in place.said()), place.said()
        place.network.cut_off(cut_off)
        cut_at = time.monotonic()
        killed.kill()
        call_for_the_held = upsert_meanwhile(place, pool, place.webs[0], PEOPLE[0])
        place.receiver.answer = lambda received: Reply()
        assert eventually(lambda: "pending" not in statuses(place)), place.said()
        # Half of the lease, without the wait.
        place.execute(
            "UPDATE schedules_deliveryattempt SET started_at = started_at - %s WHERE outcome = 'sending'",
            LEASE / 2,
        )
        assert eventually(lambda: is_delivered(place, ALL)), place.said()
        left = A_VANISHED_HOST_IS_NOTICED - (time.monotonic() - cut_at)
        eventually(lambda: cut_off.address not in sessions(place), left)
        delivered = look(place)
        place.network.join_again(cut_off)
        kept.processes[0].terminate()
        assert kept.processes[0].wait(30) == 0
        schedule(place, ["somebody new"], 1, datetime.now(UTC))
        assert eventually(lambda: is_delivered(place, ALL + 1) and nothing_waits_to_be_recorded(place))
        back = look(place)
    addresses = [host.address for host in (cut_off, killed, kept)]
    return Story(*addresses, delivered, back, calls, call_for_the_held)


def schedule(place: Place, people: list[str], each: int, date: datetime) -> None:
    """By both web hosts in turn, as one upsert a person."""
    with place.client.entered():
        for number, person in enumerate(people):
            prompts = range(number * each, (number + 1) * each)
            items = [{"name": "Visit", "prompt": str(prompt), "date": date.isoformat()} for prompt in prompts]
            entry = {"experiment": place.chatbot, "schedules": items}
            with place.api(place.webs[number % 2]) as api:
                response = api.post("/api/participants", json={"identifier": person, "data": [entry]})
            assert response.status_code == 200, response.text


def each_has_begun(place: Place) -> bool:
    begun = Counter(received.peer for received in list(place.receiver.got))
    return all(begun[host.address] >= 50 for host in place.workers)


def is_delivered(place: Place, count: int) -> bool:
    return statuses(place) == {"delivered": count}


def nothing_waits_to_be_recorded(place: Place) -> bool:
    """What the host that was cut off had under way has failed there by now, long ago."""
    return bool(place.rows("SELECT FROM schedules_deliveryattempt WHERE outcome = 'failed'"))


def statuses(place: Place) -> dict[str, int]:
    return dict(place.rows("SELECT status, count(*) FROM schedules_scheduledmessage GROUP BY status"))


def look(place: Place) -> Seen:
    attempts: dict[str, list[tuple[str, str]]] = {}
    for name, outcome, reason in place.rows(
        "SELECT 'msg_' || replace(s.public_id::text, '-', '') || '_1', a.outcome, a.reason"
        "  FROM schedules_deliveryattempt a JOIN schedules_scheduledmessage s ON s.id = a.schedule_id"
        " ORDER BY a.id"
    ):
        attempts.setdefault(name, []).append((outcome, reason))
    return Seen(list(place.receiver.got), statuses(place), attempts, sessions(place))


def sessions(place: Place) -> set[str]:
    """The addresses of those who have some."""
    found = place.rows(
        "SELECT DISTINCT host(client_addr) FROM pg_stat_activity WHERE client_addr IS NOT NULL"
    )
    return {address for (address,) in found}


def test_every_message_arrives_and_none_more_than_twice(story):
    times = Counter(len(peers) for peers in story.delivered.arrivals().values())
    assert sum(times.values()) == ALL
    assert set(times) == {1, 2}
    assert story.delivered.statuses == {"delivered": ALL}


def test_one_comes_twice_when_a_lost_worker_had_it_and_else_never(story):
    twice = [peers for peers in story.delivered.arrivals().values() if len(peers) == 2]
    assert {first for first, _ in twice} == {story.cut_off, story.killed}
    assert {second for _, second in twice} == {story.kept}


def test_the_record_says_of_each_repeat_that_nobody_knows_how_the_first_attempt_went(story):
    for name, peers in story.delivered.arrivals().items():
        attempts = story.delivered.attempts[name]
        assert attempts[-1] == ("delivered", "")
        assert attempts[:-1] in ([], [("unknown", LOST)])
        assert len(peers) == 1 or len(attempts) == 2


def test_the_api_answers_all_the_time(story):
    assert {call.status for call in story.calls} == {200}
    assert len({(call.host, call.method) for call in story.calls}) == 4
    assert len(story.calls) > 100
    assert max(call.seconds for call in story.calls) < 10


def test_what_a_host_had_locked_and_connected_is_free_soon_after_it_vanished(story):
    call = story.call_for_the_held.result()
    assert call.status == 200
    assert call.seconds < A_VANISHED_HOST_IS_NOTICED
    assert story.delivered.sessions.isdisjoint({story.cut_off, story.killed})


def test_a_host_that_is_back_goes_on_and_changes_nothing_of_what_others_did(story):
    before, after = story.delivered, story.back
    (new,) = after.got[len(before.got) :]
    assert new.peer == story.cut_off
    assert after.statuses == {"delivered": ALL + 1}
    assert {name: found[-1] for name, found in after.attempts.items()} == dict.fromkeys(
        [*before.attempts, new.id], ("delivered", "")
    )
    # What it learnt too late: its own requests had come to nothing.
    late = Counter(found[0][0] for found in after.attempts.values() if len(found) == 2)
    assert set(late) <= {"unknown", "failed", "delivered"}
    assert late["failed"] > 0
