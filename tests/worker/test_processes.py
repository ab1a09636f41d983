"""`manage.py worker` as a process: at work, killed, cut off from the database, asked to stop."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from functools import partial
from pathlib import Path

import pytest
from django.conf import settings
from django.db import connection
from django.utils.timezone import now

from apps.schedules.models import DeliveryAttempt, Outcome, ScheduledMessage, Status
from config.processes import die_with_parent
from tests.receiver import Reply
from tests.schedules.due import endpoint, schedule, schedules
from tests.server import served_database_url
from tests.waiting import eventually

pytestmark = pytest.mark.django_db(transaction=True)


class Worker:
    def __init__(self, log: Path, **environment: str) -> None:
        self.log = log
        given = {
            "DATABASE_URL": served_database_url(),
            "SECRET_KEY": settings.SECRET_KEY,
            "DATA_ENCRYPTION_KEYS": ",".join(settings.DATA_ENCRYPTION_KEYS),
            "WEBHOOK_ALLOW_PRIVATE_NETWORKS": "true",
        }
        with log.open("wb") as output:
            self.process = subprocess.Popen(
                [sys.executable, "manage.py", "worker", "--patience", "5"],
                cwd=settings.BASE_DIR,
                env=os.environ | given | environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                preexec_fn=partial(die_with_parent, os.getpid(), signal.SIGTERM),
            )

    def said(self) -> str:
        return self.log.read_text(errors="replace")

    def has_started(self) -> bool:
        return "worker started" in self.said()

    def end(self) -> int:
        self.process.terminate()
        return self.process.wait(20)


@pytest.fixture
def start(tmp_path) -> Iterator[Callable[..., Worker]]:
    started: list[Worker] = []

    def begin(**environment: str) -> Worker:
        started.append(Worker(tmp_path / f"worker-{len(started)}", **environment))
        return started[-1]

    yield begin
    for worker in started:
        if worker.process.poll() is None:
            worker.process.kill()
            worker.process.wait()


def delivered() -> int:
    return ScheduledMessage.objects.filter(status=Status.DELIVERED).count()


def test_two_workers_deliver_all_that_is_due_at_one_instant_once(workspace, receiver, start):
    endpoint(workspace.bot, receiver.url)
    workers = [start(), start()]
    assert eventually(lambda: all(worker.has_started() for worker in workers))
    schedules(workspace, 500, date=now() + timedelta(seconds=1))
    assert eventually(lambda: delivered() == 500)
    assert len(receiver.got) == len({got.id for got in receiver.got}) == 500
    assert [worker.end() for worker in workers] == [0, 0]
    assert all("Traceback" not in worker.said() for worker in workers)


def test_nothing_is_lost_with_a_worker_that_is_killed(workspace, receiver, start):
    endpoint(workspace.bot, receiver.url)
    schedules(workspace, 5)
    receiver.answer = lambda _: Reply(delay=20)
    victim = start()
    assert eventually(lambda: len(receiver.got) == 5)
    victim.process.kill()
    victim.process.wait()
    assert ScheduledMessage.objects.filter(status=Status.SENDING).count() == 5
    # Its lease, without the wait.
    DeliveryAttempt.objects.update(started_at=now() - timedelta(minutes=1))
    receiver.answer = lambda _: Reply()
    start()
    assert eventually(lambda: delivered() == 5)
    assert len(receiver.got) == 10
    assert len({got.id for got in receiver.got}) == 5, "a repeat carries the same id"
    assert DeliveryAttempt.objects.filter(outcome=Outcome.UNKNOWN).count() == 5


def test_it_goes_on_when_the_database_cuts_it_off(workspace, receiver, start):
    endpoint(workspace.bot, receiver.url)
    worker = start()
    assert eventually(worker.has_started)
    schedule(workspace)
    assert eventually(lambda: delivered() == 1)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
        assert cursor.fetchall()
    schedule(workspace)
    assert eventually(lambda: delivered() == 2)
    assert worker.process.poll() is None
    assert worker.end() == 0


def test_it_finishes_what_is_under_way_when_it_is_asked_to_stop(workspace, receiver, start):
    endpoint(workspace.bot, receiver.url)
    schedules(workspace, 3)
    receiver.answer = lambda _: Reply(delay=1.5)
    worker = start()
    assert eventually(lambda: len(receiver.got) == 3)
    assert worker.end() == 0
    assert delivered() == 3


def test_the_clock_of_the_database_decides(workspace, receiver, start, tmp_path):
    """A worker whose own clock is an hour ahead sends nothing early, and signs with the right time."""
    (tmp_path / "sitecustomize.py").write_text(
        "import time\n_time = time.time\ntime.time = lambda: _time() + 3600\n"
    )
    endpoint(workspace.bot, receiver.url)
    row = schedule(workspace, date=now() + timedelta(minutes=30))
    ready = schedule(workspace)
    start(PYTHONPATH=str(tmp_path))
    (got,) = receiver.wait(1, seconds=40)
    assert got.data["schedule"]["id"] == str(ready.public_id)
    assert abs(int(got.headers["webhook-timestamp"]) - time.time()) < 30
    time.sleep(1.2)
    row.refresh_from_db()
    assert (row.status, len(receiver.got)) == (Status.PENDING, 1)


def test_it_uses_its_own_address_of_the_database(workspace, receiver, start):
    endpoint(workspace.bot, receiver.url)
    schedule(workspace)
    start(DATABASE_URL="postgresql://127.0.0.1:1/nobody", WORKER_DATABASE_URL=served_database_url())
    assert eventually(lambda: delivered() == 1)
