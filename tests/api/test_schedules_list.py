"""GET /api/schedules."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from urllib.parse import urlencode, urlsplit
from uuid import uuid4

import pytest
from django.utils.timezone import now

from apps.chatbots.services import disable_endpoint
from apps.schedules.models import ScheduledMessage, Status
from tests.api.schedule_calls import DATE, ask, body, create, listed, patch, path, person
from tests.schedules.due import endpoint, schedule, schedules

MOMENT = datetime(2030, 5, 1, 8, tzinfo=UTC)


def test_it_lists_newest_first(workspace):
    for name in "abc":
        schedule(workspace, name=name)
    assert listed(workspace) == ["c", "b", "a"]


def test_it_shows_all_there_is_to_say(workspace):
    row = schedule(workspace, date=MOMENT)
    (shown,) = ask(workspace).json()["results"]
    assert shown == {
        "id": str(row.public_id),
        "external_id": row.external_id,
        "participant": {
            "id": str(row.participant.public_id),
            "identifier": "ada",
            "name": "Ada",
            "platform": "api",
        },
        "chatbot": {"id": str(workspace.bot.public_id), "name": "Bot A"},
        "name": "Visit",
        "prompt": "Say hello",
        "status": "pending",
        "reason": "Its chatbot has no webhook endpoint: it waits until there is one.",
        "scheduled_for": DATE,
        "due_at": DATE,
        "delivered_for": None,
        "occurrence": 1,
        "rrule": "",
        "timezone": "",
        "date": DATE,
        "attempt_count": 0,
        "created_at": row.created_at.isoformat().replace("+00:00", "Z"),
        "updated_at": row.updated_at.isoformat().replace("+00:00", "Z"),
    }


def test_it_says_why_a_schedule_waits(workspace):
    row = schedule(workspace)
    made = endpoint(workspace.bot).endpoint
    assert workspace.api.get(path(row)).json()["reason"] == ""
    disable_endpoint(made, reason="It answered 410 Gone.", now=now())
    assert workspace.api.get(path(row)).json()["reason"] == (
        "The webhook endpoint of its chatbot is disabled: it waits. It answered 410 Gone."
    )


def test_it_filters(workspace):
    first, second = workspace.bots
    schedule(workspace, name="one", date=MOMENT)
    schedule(workspace, name="two", bot=second, date=MOMENT + timedelta(days=1))
    grace = person(workspace, "grace")
    create(workspace, grace, name="three", date="2030-05-03T08:00:00Z")
    ScheduledMessage.objects.filter(name="one").update(status=Status.FAILED)
    assert listed(workspace, chatbot=str(first.public_id)) == ["three", "one"]
    assert listed(workspace, chatbot=str(uuid4())) == []
    assert listed(workspace, identifier="grace") == ["three"]
    assert listed(workspace, identifier="nobody") == []
    assert listed(workspace, identifier="") == []
    assert listed(workspace, participant=str(grace.public_id)) == ["three"]
    assert listed(workspace, participant=str(uuid4())) == []
    assert listed(workspace, status="failed") == ["one"]
    assert listed(workspace, due_after="2030-05-02T08:00:00Z") == ["three", "two"]
    assert listed(workspace, due_before="2030-05-02T08:00:00Z") == ["one"]
    assert listed(workspace, due_after=DATE, due_before="2030-05-03T08:00:00Z") == ["two", "one"]
    assert listed(workspace, order="due_at") == ["one", "two", "three"]
    assert listed(workspace, order="due_at", chatbot=str(first.public_id), status="pending") == ["three"]


@pytest.mark.parametrize(
    ("query", "refused"),
    [
        ({"chatbot": "x"}, {"chatbot": ["Must be a valid UUID."]}),
        ({"participant": ""}, {"participant": ["Must be a valid UUID."]}),
        ({"status": "sent"}, {"status": ['"sent" is not a valid choice.']}),
        ({"order": "name"}, {"order": ['"name" is not a valid choice.']}),
        ({"identifier": "a\0"}, {"identifier": ["Null characters are not allowed."]}),
    ],
)
def test_it_refuses_a_filter_that_it_does_not_understand(workspace, query, refused):
    response = ask(workspace, **query)
    assert (response.status_code, response.json()) == (400, refused)


@pytest.mark.parametrize("value", ["soon", "2030-13-01T00:00:00Z", "9" * 1000, "0001-01-01T00:00:00+14:00"])
def test_it_refuses_a_moment_that_is_none(workspace, value):
    response = ask(workspace, due_after=value)
    assert response.status_code == 400
    assert list(response.json()) == ["due_after"]


def test_it_shows_no_other_teams(workspace, other):
    row = schedule(other)
    assert listed(workspace) == []
    assert listed(workspace, chatbot=str(other.bot.public_id)) == []
    assert listed(workspace, participant=str(row.participant.public_id)) == []
    for response in (
        workspace.api.get(path(row)),
        patch(workspace, row, name="Mine"),
        workspace.api.post({}, path(row, "/cancel")),
        workspace.api.post({}, path(row, "/retry")),
        workspace.api.post({}, path(row, "/preview")),
        workspace.api.post(body(workspace), f"/api/participants/{row.participant.public_id}/schedules"),
    ):
        assert (response.status_code, response.json()) == (404, {"detail": "Not found."})
    row.refresh_from_db()
    assert (row.name, row.status) == ("Visit", Status.PENDING)


def walk(workspace, url: str, way: str = "next") -> list[list[str]]:
    pages = []
    while url:
        response = workspace.api.get(url)
        assert response.status_code == 200, response.content
        pages.append([row["name"] for row in response.json()["results"]])
        found = response.json()[way]
        url = found and f"{urlsplit(found).path}?{urlsplit(found).query}"
    return pages


@pytest.mark.parametrize("order", ["", "&order=due_at"])
def test_it_walks_all_pages_and_back_though_all_are_due_at_one_moment(workspace, order):
    for number in range(7):
        schedule(workspace, name=str(number), date=MOMENT)
    pages = walk(workspace, f"/api/schedules?page_size=3{order}")
    names = [str(number) for number in range(7)]
    assert [name for page in pages for name in page] == (names if order else names[::-1])
    last = workspace.api.get(f"/api/schedules?page_size=3{order}").json()["next"]
    last = workspace.api.get(last).json()["next"]
    back = walk(workspace, last, "previous")
    assert back == pages[::-1]


def test_soonest_first_orders_by_moment_and_goes_on_where_a_page_is_gone(workspace):
    rows = [schedule(workspace, name=str(n), date=MOMENT + timedelta(hours=n % 3)) for n in range(9)]
    pages = walk(workspace, "/api/schedules?page_size=3&order=due_at")
    assert pages == [["0", "3", "6"], ["1", "4", "7"], ["2", "5", "8"]]
    middle = workspace.api.get("/api/schedules?page_size=3&order=due_at").json()["next"]
    ScheduledMessage.objects.filter(pk__in=[row.pk for row in rows[1:]]).exclude(name__in="036").delete()
    found = workspace.api.get(middle).json()
    assert (found["results"], found["next"]) == ([], None)
    assert [row["name"] for row in workspace.api.get(found["previous"]).json()["results"]] == ["0", "3", "6"]


@pytest.mark.parametrize("order", ["", "&order=due_at"])
@pytest.mark.parametrize("cursor", ["x", "n1.abc", "n_2030-01-01T00:00:00+00:00_1~abc", "~", "é"])
def test_it_refuses_a_cursor_that_was_not_issued_here(workspace, cursor, order):
    response = workspace.api.get(f"/api/schedules?{urlencode({'cursor': cursor})}{order}")
    assert (response.status_code, response.json()) == (404, {"detail": "Invalid cursor"})


def test_a_cursor_of_one_order_is_not_one_of_the_other(workspace):
    schedules(workspace, 3)
    given = workspace.api.get("/api/schedules?page_size=1").json()["next"]
    assert workspace.api.get(given + "&order=due_at").status_code == 404
