"""Two teams at once: not one response holds anything of the other."""

from __future__ import annotations

import os
import random
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.fixtures import make_workspace
from tests.server import Server

THREADS = 32
SECONDS = float(os.environ.get("ISOLATION_SECONDS", "20"))


def work(server: Server, workspace, mine: str, theirs: str, until: float, seed: int) -> int:
    """Mixed reads and writes of one team, each answer looked at. Returns how many there were."""
    chance = random.Random(seed)
    bot = str(workspace.bot.public_id)
    # The same identifiers in both teams: only the team tells them apart.
    answers = 0
    with server.client(workspace.api.key) as client:
        while time.monotonic() < until:
            identifier = f"person-{chance.randrange(40)}"
            body = {
                "identifier": identifier,
                "name": mine,
                "data": [{"experiment": bot, "data": {"of": mine}, "schedules": []}],
            }
            response = chance.choice(
                (
                    lambda body=body: client.post(
                        "/api/participants", json=body, headers={"Prefer": "return=representation"}
                    ),
                    lambda: client.get("/api/participants", params={"page_size": 20}),
                    lambda identifier=identifier: client.get(
                        "/api/participants", params={"identifier": identifier}
                    ),
                    lambda: client.get("/api/participants", params={"chatbot": bot}),
                )
            )()
            assert response.status_code == 200, response.text
            assert theirs not in response.text
            answers += 1
    return answers


@pytest.mark.django_db(transaction=True)
def test_two_teams_at_once_never_see_each_other(server):
    teams = [(make_workspace(), "red-team"), (make_workspace(), "blue-team")]
    until = time.monotonic() + SECONDS
    with ThreadPoolExecutor(THREADS) as pool:
        running = []
        for number in range(THREADS):
            (workspace, mine), (_, theirs) = teams if number % 2 else teams[::-1]
            running.append(pool.submit(work, server, workspace, mine, theirs, until, number))
        answers = [future.result() for future in running]
    assert all(answers)
