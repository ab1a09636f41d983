"""What a claim reads, however much is pending in the future. By the plans of the statement that workers prepare."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection

from .due import claim_all, endpoint, schedule

FEW, MANY = 100, 20_000
# One is there already: the others are like it.
_STORE = """
    INSERT INTO schedules_scheduledmessage
           (team_id, participant_id, chatbot_id, public_id, external_id, name, prompt, scheduled_for, due_at,
            status, attempts, created_at, updated_at)
    SELECT team_id, participant_id, chatbot_id, gen_random_uuid(), md5(random()::text), name, prompt, moment, moment,
           'pending', 0, now(), now()
      FROM schedules_scheduledmessage, generate_series(1, %(count)s) AS number,
           LATERAL (SELECT now() + %(ahead)s + number * interval '1 second' AS moment)
     WHERE id = %(model)s
"""
_PREPARED = """
    SELECT name FROM pg_prepared_statements WHERE statement LIKE '%room AS MATERIALIZED%'
     ORDER BY prepare_time DESC LIMIT 1
"""


@pytest.fixture
def model(workspace) -> int:
    """The id of a schedule that was taken. What takes others is prepared."""
    endpoint(workspace.bot)
    row = schedule(workspace)
    assert [len(claim_all()) for _ in range(8)] == [1, 0, 0, 0, 0, 0, 0, 0]
    return row.pk


@pytest.mark.parametrize("mode", ["force_generic_plan", "force_custom_plan"])
@pytest.mark.parametrize("due", [0, 20])
def test_it_reads_no_more_when_many_are_pending(model, mode, due):
    execute(f"SET LOCAL plan_cache_mode = {mode}")
    plans = []
    for pending in (FEW, MANY):
        store(model, pending, ahead=timedelta(days=1))
        store(model, due, ahead=timedelta(hours=-1))
        execute("ANALYZE schedules_scheduledmessage")
        plans.append(claim_plan())
    with_few, with_many = plans
    assert with_few["Actual Rows"] == with_many["Actual Rows"] == due
    assert "schedules_scheduledmessage" not in read_whole(with_many)
    # An index may have become a level deeper. A look at every pending row's page reads hundreds more.
    assert pages(with_many) <= pages(with_few) * 1.5 + 10


@pytest.mark.parametrize("mode", ["force_generic_plan", "force_custom_plan"])
def test_it_reads_no_more_when_the_planner_expects_many(model, mode):
    execute(f"SET LOCAL plan_cache_mode = {mode}")
    store(model, MANY, ahead=timedelta(days=1))
    store(model, 3000, ahead=timedelta(hours=-2))
    execute("ANALYZE schedules_scheduledmessage")
    execute("UPDATE schedules_scheduledmessage SET status = 'delivered' WHERE due_at < now()")
    store(model, 1, ahead=timedelta(hours=-1))
    plan = claim_plan()
    assert plan["Actual Rows"] == 1
    assert "schedules_scheduledmessage" not in read_whole(plan)


def store(model: int, count: int, *, ahead: timedelta) -> None:
    execute(_STORE, {"model": model, "count": count, "ahead": ahead})


def claim_plan() -> dict[str, Any]:
    """Of a claim as a worker asks for it, with what it did."""
    ((name,),) = execute(_PREPARED)
    ((explained,),) = execute(
        f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) EXECUTE {name} (3, 1000, '{{}}', '{{}}', 1000)"
    )
    return explained[0]["Plan"]


def nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for inner in plan.get("Plans", []):
        yield from nodes(inner)


def read_whole(plan: dict[str, Any]) -> set[str]:
    return {node["Relation Name"] for node in nodes(plan) if node["Node Type"] == "Seq Scan"}


def pages(plan: dict[str, Any]) -> int:
    return plan["Shared Hit Blocks"] + plan["Shared Read Blocks"]


def execute(statement: str, values: dict[str, Any] | None = None) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        return cursor.fetchall() if cursor.description else []
