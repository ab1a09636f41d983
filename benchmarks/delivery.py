"""Deliveries under load and under fire, by running processes. All of it on this machine.

    python -m benchmarks.delivery burst    10,000 due at one instant, two workers; a bare loop of their client
    python -m benchmarks.delivery claim    what a claim costs with 1,000 and with 1,000,000 pending
    python -m benchmarks.delivery kills    5,000 due; workers, database and receiver killed again and again

The figures are printed as JSON.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import signal
import subprocess
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from config import database
from tests.server import free_port

from .place import Place, place

AT_ONCE = 100  # as `Pace.each_endpoint`


@dataclass
class Delivery:
    """Workers and a receiver, in a place."""

    place: Place
    port: int = field(default_factory=free_port)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/hook"

    @property
    def got(self) -> Path:
        return self.place.data_dir / "got"

    def worker(self) -> subprocess.Popen[bytes]:
        return self.place.start("manage.py", "worker")

    def receiver(self) -> subprocess.Popen[bytes]:
        return self.place.start("benchmarks/receiver.py", str(self.port), str(self.got))

    def received(self) -> list[tuple[str, float]]:
        if not self.got.exists():
            return []
        lines = [line.split() for line in self.got.read_text().splitlines()]
        return [(line[0], float(line[1])) for line in lines if len(line) == 2]

    def seed(self, count: int, *, seconds: float) -> float:
        """So many schedules, due together so many seconds from now. Returns when."""
        return float(
            self.place.run("-m", "benchmarks.with_django", "due", self.url, str(count), str(seconds))
        )


def wait_for(run: Delivery, count: int, *, seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while len({name for name, _ in run.received()}) < count:
        if time.monotonic() > deadline:
            break
        time.sleep(0.5)


def part(values: list[float], of: float) -> float:
    return round(sorted(values)[int(len(values) * of)], 2)


def burst(count: int, workers: int) -> None:
    with place() as made:
        run = Delivery(made)
        run.receiver()
        running = [run.worker() for _ in range(workers)]
        time.sleep(6)
        due = run.seed(count, seconds=6)
        wait_for(run, count, seconds=180)
        time.sleep(2)
        received = run.received()
        for process in running:
            process.terminate()
        statuses = [process.wait(40) for process in running]
        run.got.unlink()
        bare = bare_loop(run, count, 1, AT_ONCE * workers)
        several = bare_loop(run, count, workers, AT_ONCE)
        took = [at - due for _, at in received]
        rate = count / (max(took) - min(took))
        report(
            due_at_one_instant=count,
            workers=workers,
            received=len(received),
            repeats=len(received) - len({name for name, _ in received}),
            seconds_first=round(min(took), 2),
            seconds_p50=part(took, 0.5),
            seconds_p99=part(took, 0.99),
            seconds_last=round(max(took), 2),
            rate=round(rate),
            rate_of_bare_loop=round(bare),
            part_of_bare_loop=round(rate / bare, 2),
            rate_of_as_many_bare_loops=round(several),
            part_of_as_many_bare_loops=round(rate / several, 2),
            load_average=os.getloadavg()[0],
            workers_ended_with=statuses,
        )


def bare_loop(run: Delivery, count: int, processes: int, at_once: int) -> float:
    command = ["benchmarks/bare_loop.py", run.url, str(count // processes), str(at_once)]
    with ThreadPoolExecutor(processes) as pool:
        loops = [pool.submit(run.place.run, *command) for _ in range(processes)]
    spans = [loop.result().split() for loop in loops]
    began, ended = min(float(span[0]) for span in spans), max(float(span[1]) for span in spans)
    return count / (ended - began)


def claim(few: int, many: int) -> None:
    with place() as made:
        report(**json.loads(made.run("-m", "benchmarks.with_django", "claim_cost", str(few), str(many))))


def kills(count: int, seconds: float, *, seed: int) -> None:
    chance = random.Random(seed)
    done: Counter[str] = Counter()
    with place() as made:
        run = Delivery(made)
        workers = [run.worker(), run.worker()]
        receiver = run.receiver()
        run.seed(count, seconds=6)
        began = time.monotonic()
        while time.monotonic() - began < seconds:
            time.sleep(chance.uniform(0.3, 2.5))
            what = chance.choice(["worker", "worker", "worker", "database", "receiver"])
            done[what] += 1
            if what == "worker":
                number = chance.randrange(2)
                workers[number].send_signal(signal.SIGKILL)
                workers[number].wait()
                workers[number] = run.worker()
            elif what == "database":
                database.stop(made.data_dir, immediate=True)
                time.sleep(chance.uniform(0.1, 1.5))
                database.start(made.data_dir)
            else:
                receiver.kill()
                receiver.wait()
                time.sleep(chance.uniform(0.5, 3))
                receiver = run.receiver()
        wait_for(run, count, seconds=900)
        took = time.monotonic() - began
        received = run.received()
        times = Counter(name for name, _ in received)
        for process in workers:
            process.terminate()
        statuses = [process.wait(40) for process in workers]
        report(
            due=count,
            killed=dict(done),
            received_at_least_once=len(times),
            repeats=len(received) - len(times),
            repeated_messages=sum(number > 1 for number in times.values()),
            most_often=max(times.values()),
            seconds_until_the_last=round(took),
            seed=seed,
            workers_ended_with=statuses,
        )


def report(**figures: object) -> None:
    print(json.dumps(figures, indent=2))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=["burst", "claim", "kills"])
    parser.add_argument("--count", type=int)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--seed", type=int, default=random.randrange(10_000))
    given = parser.parse_args()
    if given.what == "burst":
        burst(given.count or 10_000, given.workers)
    elif given.what == "claim":
        claim(1_000, given.count or 1_000_000)
    else:
        kills(given.count or 5_000, given.seconds, seed=given.seed)
