"""The schedules of POST /api/participants (the contract's POST)."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from django.utils import timezone

from apps.schedules.models import ScheduledMessage, Status
from tests.api.upserts import BLANK, DATE, NUL, NULL, refused, schedule

MOMENT = datetime(2030, 5, 1, 8, tzinfo=UTC)


def test_it_schedules(workspace):
    workspace.upsert("ada", workspace.entry(schedules=[schedule(id="s1")]))
    (row,) = workspace.schedules()
    assert (row.external_id, row.name, row.prompt, row.scheduled_for, row.due_at, row.status) == (
        "s1",
        "Visit",
        "Remind them",
        MOMENT,
        MOMENT,
        Status.PENDING,
    )
    assert (row.participant.identifier, row.chatbot, row.team) == ("ada", workspace.bot, workspace.team)


@pytest.mark.parametrize(
    ("date", "moment"),
    [
        ("2030-05-01T08:00:00", MOMENT),
        ("2030-05-01 08:00", MOMENT),
        ("2030-05-01T10:00:00+02:00", MOMENT),
        ("2030-05-01T08:00:00.000001Z", MOMENT.replace(microsecond=1)),
        ("2000-01-01T00:00:00Z", datetime(2000, 1, 1, tzinfo=UTC)),
        ("9999-12-31T23:59:59Z", datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)),
    ],
)
def test_it_takes_a_date_in_utc_where_it_has_no_offset(workspace, date, moment):
    workspace.upsert("ada", workspace.entry(schedules=[schedule(date=date)]))
    (row,) = workspace.schedules()
    assert (row.scheduled_for, row.status) == (moment, Status.PENDING)


INCOMPLETE = {
    "non_field_errors": ["Schedule Name, Prompt, and Date are required to create or update a schedule"]
}
UNNAMED = {"non_field_errors": ["Schedule ID is required to delete a schedule"]}
BAD_DATE = "Datetime has wrong format. Use one of these formats instead: YYYY-MM-DDThh:mm[:ss[.uuuuuu]][+HH:MM|-HH:MM|Z]."


@pytest.mark.parametrize(
    ("item", "expected"),
    [
        ({}, INCOMPLETE),
        ({"id": "s"}, INCOMPLETE),
        ({"name": "n", "prompt": "p"}, INCOMPLETE),
        ({"name": "n", "date": DATE}, INCOMPLETE),
        ({"prompt": "p", "date": DATE}, INCOMPLETE),
        ({"name": "n", "prompt": "p", "date": DATE, "delete": True}, UNNAMED),
        ({"delete": True}, UNNAMED),
        (schedule(id="x" * 33), {"id": ["Ensure this field has no more than 32 characters."]}),
        (schedule(id=""), {"id": BLANK}),
        (schedule(id=None), {"id": NULL}),
        (schedule(name=""), {"name": BLANK}),
        (schedule(name=None), {"name": NULL}),
        (schedule(prompt=""), {"prompt": BLANK}),
        (schedule(prompt="a\x00"), {"prompt": NUL}),
        (schedule(date="soon"), {"date": [BAD_DATE]}),
        (schedule(date=None), {"date": NULL}),
        (schedule(date=5), {"date": [BAD_DATE]}),
        (schedule(delete="maybe"), {"delete": ["Must be a valid boolean."]}),
    ],
    ids=repr,
)
def test_it_refuses_a_schedule_at_its_place(workspace, item, expected):
    body = {
        "identifier": "ada",
        "data": [workspace.entry(data={"a": 1}), workspace.entry(schedules=[schedule(), item])],
    }
    refused(workspace, body, 400, {"data": [{}, {"schedules": [{}, expected]}]})


def test_it_finds_the_schedule_of_a_repeated_request(workspace):
    for _ in range(3):
        workspace.upsert("ada", workspace.entry(schedules=[schedule()]))
    workspace.upsert("ada", workspace.entry(schedules=[schedule(date="2030-05-01T10:00:00+02:00")]))
    (row,) = workspace.schedules()
    assert 0 < len(row.external_id) <= 32
    workspace.upsert("ada", workspace.entry(schedules=[schedule(prompt="Another")]))
    assert len(workspace.schedules()) == 2


def test_it_keeps_ids_apart_by_participant_and_chatbot(workspace):
    a, b = ({"experiment": str(bot.public_id), "schedules": [schedule(id="s")]} for bot in workspace.bots)
    workspace.upsert("ada", a, b)
    workspace.upsert("bob", a)
    workspace.upsert("bob", {**a, "schedules": [{"id": "s", "delete": True}]})
    found = [(row.participant.identifier, row.chatbot.name, row.status) for row in workspace.schedules()]
    assert found == [
        ("ada", "Bot A", "pending"),
        ("ada", "Bot B", "pending"),
        ("bob", "Bot A", "cancelled"),
    ]


def test_it_cancels_and_ignores_an_unknown_id(workspace):
    workspace.upsert("ada", workspace.entry(schedules=[schedule(id="s")]))
    workspace.upsert(
        "ada", workspace.entry(schedules=[{"id": "s", "delete": True}, {"id": "t", "delete": True}])
    )
    workspace.upsert("ada", workspace.entry(schedules=[{"id": "s", "delete": True}]))
    (row,) = workspace.schedules()
    assert row.status == Status.CANCELLED


def test_it_can_not_cancel_for_another_team(workspace, other):
    other.upsert("ada", other.entry(schedules=[schedule(id="s")]))
    workspace.upsert("ada", workspace.entry(schedules=[{"id": "s", "delete": True}]))
    assert other.schedules()[0].status == Status.PENDING


@pytest.mark.parametrize(
    ("status", "fired_for", "sent", "then"),
    [
        ("pending", None, schedule(id="s", name="New"), ("pending", "New", MOMENT)),
        ("cancelled", None, schedule(id="s"), ("pending", "Visit", MOMENT)),
        ("failed", None, schedule(id="s"), ("pending", "Visit", MOMENT)),
        ("delivered", MOMENT, schedule(id="s", name="New"), ("delivered", "Visit", MOMENT)),
        (
            "delivered",
            MOMENT,
            schedule(id="s", name="New", date="2030-06-01T08:00:00Z"),
            ("pending", "New", datetime(2030, 6, 1, 8, tzinfo=UTC)),
        ),
        ("delivered", MOMENT, {"id": "s", "delete": True}, ("delivered", "Visit", MOMENT)),
    ],
)
def test_it_becomes_what_the_request_says_when_sent_again(workspace, status, fired_for, sent, then):
    workspace.upsert("ada", workspace.entry(schedules=[schedule(id="s")]))
    ScheduledMessage.objects.update(status=status, fired_for=fired_for)
    workspace.upsert("ada", workspace.entry(schedules=[sent]))
    (row,) = workspace.schedules()
    assert (row.status, row.name, row.scheduled_for) == then
    assert row.due_at == row.scheduled_for


@pytest.mark.parametrize(
    ("items", "then"),
    [
        ([schedule(id="s"), schedule(id="s", name="Last")], [("pending", "Last")]),
        ([{"id": "s", "delete": True}, schedule(id="s")], [("pending", "Visit")]),
        ([schedule(id="s"), {"id": "s", "delete": True}], []),
    ],
)
@pytest.mark.parametrize("split", [False, True], ids=["one entry", "two entries"])
def test_it_lets_the_last_of_two_items_with_one_id_win(workspace, items, then, split):
    groups = [[item] for item in items] if split else [items]
    workspace.upsert("ada", *(workspace.entry(schedules=group) for group in groups))
    assert [(row.status, row.name) for row in workspace.schedules()] == then


def test_it_leaves_the_retries_of_an_unchanged_schedule_alone(workspace):
    workspace.upsert("ada", workspace.entry(schedules=[schedule(id="s")]))
    later = timezone.now()
    ScheduledMessage.objects.update(attempts=3, due_at=later)
    workspace.upsert("ada", workspace.entry(schedules=[schedule(id="s")]))
    (row,) = workspace.schedules()
    assert (row.attempts, row.due_at) == (3, later)
