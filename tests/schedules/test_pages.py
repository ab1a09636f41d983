"""Pages of schedules, beside what sorting all of them in memory gives."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import product
from typing import Any

import pytest

from apps.schedules.models import ScheduledMessage, Status
from apps.schedules.pages import Found, read_page
from tests.fixtures import Workspace
from tests.schedules.due import schedule

MOMENTS = [datetime(2030, 5, 1, hour, tzinfo=UTC) for hour in range(4)]
LIMIT = 7


@pytest.fixture
def rows(workspace: Workspace, other: Workspace) -> list[ScheduledMessage]:
    """Three people's, in no order: several are due at each moment. Those of another team lie between."""
    chance = random.Random(0)
    made = []
    for number in range(80):
        owner = workspace if number % 4 else other
        row = schedule(owner, who=f"p{number % 3}", bot=owner.bots[chance.randrange(2)], name=str(number))
        row.due_at, row.status = chance.choice(MOMENTS), chance.choice(Status.values)
        row.save()
        made.append(row)
    return [row for row in made if row.team_id == workspace.team.pk]


def walk(is_soonest_first: bool, is_backwards: bool, **filters: Any) -> Iterator[list[Found]]:
    place: dict[str, Any] = {}
    while page := read_page(
        limit=LIMIT, is_soonest_first=is_soonest_first, is_backwards=is_backwards, **filters, **place
    ):
        yield page
        place["beyond"] = page[-1].id
        if is_soonest_first:
            place["beyond_due_at"] = page[-1].due_at


def test_they_hold_each_row_that_is_asked_for_once_and_in_order(workspace: Workspace, rows):
    instant = timedelta(microseconds=1)
    choices = {
        "chatbot": [None, workspace.bots[1].public_id],
        "status": [None, Status.PENDING],
        "people": [None, [rows[0].participant_id, rows[1].participant_id], []],
        "due_after": [None, MOMENTS[1], MOMENTS[1] + instant],
        "due_before": [None, MOMENTS[3], MOMENTS[3] + instant],
    }

    def is_asked_for(row: ScheduledMessage) -> bool:
        return (
            filters["chatbot"] in (None, row.chatbot.public_id)
            and filters["status"] in (None, row.status)
            and (filters["people"] is None or row.participant_id in filters["people"])
            and (filters["due_after"] is None or row.due_at >= filters["due_after"])
            and (filters["due_before"] is None or row.due_at < filters["due_before"])
        )

    for given in product(*choices.values()):
        filters = dict(zip(choices, given, strict=True))
        asked = [Found(row.id, row.due_at) for row in rows if is_asked_for(row)]
        newest = sorted(asked, key=lambda row: -row.id)
        soonest = sorted(asked, key=lambda row: (row.due_at, row.id))
        for is_soonest_first, is_backwards in product((False, True), repeat=2):
            pages = list(walk(is_soonest_first, is_backwards, team=workspace.team, **filters))
            expected = soonest if is_soonest_first else newest
            found = [row for page in pages for row in page]
            assert found == (expected[::-1] if is_backwards else expected), (filters, is_soonest_first)
            assert all(len(page) == LIMIT for page in pages[:-1])
