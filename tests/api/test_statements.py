"""How many statements a request costs, as the database counts them: BEGIN, COMMIT and the credential too."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

import httpx
import pytest

from config import cluster
from tests.server import OwnService

RUNS = 5
STATEMENT = re.compile(r"LOG:  (?:statement|execute [^:]+):\s*(\w+)")


@pytest.fixture
def count(own_service: OwnService) -> Iterator[Callable[[Callable[[], httpx.Response]], int]]:
    """Counts what a request costs, the least of some runs: each thread's first meets a new connection, and the
    first in a minute notes that the key is used."""
    log = cluster.log_file(own_service.data_dir)

    def count_statements(request: Callable[[], httpx.Response]) -> int:
        found = []
        for _ in range(RUNS):
            before = log.stat().st_size
            assert request().status_code == 200
            with log.open("rb") as file:
                file.seek(before)
                found.append(len(STATEMENT.findall(file.read().decode(errors="replace"))))
        return min(found)

    own_service.execute("ALTER SYSTEM SET log_statement = 'all'")
    own_service.execute("SELECT pg_reload_conf()")
    yield count_statements
    own_service.execute("ALTER SYSTEM RESET log_statement")
    own_service.execute("SELECT pg_reload_conf()")


def body(own: OwnService, entries: int, schedules: int) -> dict[str, object]:
    items = [
        {"id": f"s{n}", "name": "n", "prompt": "p", "date": "2030-05-01T08:00:00Z"} for n in range(schedules)
    ]
    items += [{"id": "gone", "delete": True}] if schedules else []
    data = [
        {"experiment": own.chatbots[n], "data": {"n": n}, **({"schedules": items} if items else {})}
        for n in range(entries)
    ]
    return {"identifier": f"person {entries} {schedules}", "data": data}


def test_an_upsert_costs_the_same_whatever_it_holds(own_service: OwnService, count):
    with own_service.client() as client:

        def cost(entries: int, schedules: int) -> int:
            sent = body(own_service, entries, schedules)
            return count(lambda: client.post("/api/participants", json=sent))

        assert cost(1, 4) == cost(50, 4) <= 8
        assert cost(1, 0) == cost(50, 0) <= 6
        assert cost(0, 0) <= 5


def test_an_upsert_costs_nine_with_everything_on_top(own_service: OwnService, count):
    """The key's use is written too, once a minute."""
    sent = body(own_service, 50, 4)
    with own_service.client() as client:

        def first_of_the_minute() -> httpx.Response:
            return client.post("/api/participants", json=sent)

        usual = count(first_of_the_minute)

        def forget() -> httpx.Response:
            own_service.execute("SET log_statement = 'none'; UPDATE access_apikey SET last_used_at = NULL")
            return first_of_the_minute()

        # One for `SET`, which is logged before it counts.
        assert count(forget) - 1 == usual + 1 <= 9


def test_a_list_costs_the_same_whatever_the_page_size(own_service: OwnService, count):
    with own_service.client() as client:
        for number in range(12):
            client.post("/api/participants", json=body(own_service, 3, 0) | {"identifier": f"p{number}"})
        costs = {
            size: count(lambda size=size: client.get(f"/api/participants?page_size={size}"))
            for size in (1, 10, 1000)
        }
        chatbot = own_service.chatbots[0]
        costs["filtered"] = count(lambda: client.get(f"/api/participants?platform=api&chatbot={chatbot}"))
    assert len(set(costs.values())) == 1
    assert max(costs.values()) <= 4


def test_a_list_of_schedules_costs_the_same_whatever_the_page_size(own_service: OwnService, count):
    with own_service.client() as client:
        client.post("/api/participants", json=body(own_service, 3, 4))

        def cost(query: str) -> int:
            return count(lambda: client.get(f"/api/schedules?{query}"))

        assert cost("page_size=1") == cost("page_size=12") == cost("order=due_at&status=pending") <= 3
        assert cost("identifier=person 3 4") <= 4
