"""/api/schedules: read, made, changed, cancelled, tried again."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode, urlsplit
from uuid import uuid4

import pytest
from django.utils.timezone import now

from apps.chatbots.services import disable_endpoint
from apps.participants.models import Participant
from apps.schedules.claims import record
from apps.schedules.models import DeliveryAttempt, Outcome, ScheduledMessage, Status
from tests.schedules.due import claim_all, endpoint, make_due, schedule, schedules
from tests.schedules.test_claims import settled

DATE = "2030-05-01T08:00:00Z"
MOMENT = datetime(2030, 5, 1, 8, tzinfo=UTC)


def ask(workspace, **query: str):
    return workspace.api.get(f"/api/schedules?{urlencode(query)}")


def listed(workspace, **query: str) -> list[str]:
    """The names, in order."""
    response = ask(workspace, **query)
    assert response.status_code == 200, response.content
    return [row["name"] for row in response.json()["results"]]


def path(row: ScheduledMessage, action: str = "") -> str:
    return f"/api/schedules/{row.public_id}{action}"


def patch(workspace, row: ScheduledMessage, **body: Any):
    return workspace.api.request("PATCH", path(row), body)


def person(workspace, identifier: str = "ada") -> Participant:
    workspace.upsert(identifier)
    return Participant.objects.get(team=workspace.team, identifier=identifier)


def body(workspace, **fields: Any) -> dict[str, Any]:
    given = {"chatbot": str(workspace.bot.public_id), "name": "Visit", "prompt": "Hello", "date": DATE}
    return given | fields


def create(workspace, who: Participant | None = None, **fields: Any):
    who = who or person(workspace)
    return workspace.api.post(body(workspace, **fields), f"/api/participants/{who.public_id}/schedules")


# The list


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


@pytest.mark.parametrize("order", ["", "due_at"])
@pytest.mark.parametrize("count", [1, 10])
def test_it_takes_one_statement_besides_the_credentials(workspace, django_assert_num_queries, count, order):
    schedules(workspace, count)
    query = {"order": order} if order else {}
    ask(workspace)  # notes that the key is used
    with django_assert_num_queries(1):
        assert len(listed(workspace, **query)) == count


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


# One


def test_it_shows_what_became_of_each_attempt(workspace):
    endpoint(workspace.bot)
    row = schedule(workspace)
    for status in (500, 200):
        make_due(row)
        (claimed,) = claim_all()
        outcome = Outcome.DELIVERED if status == 200 else Outcome.FAILED
        record(
            [
                settled(
                    claimed,
                    outcome=outcome,
                    status=Status.DELIVERED if status == 200 else Status.PENDING,
                    status_code=status,
                    duration_ms=12,
                    answer="well",
                    reason="" if status == 200 else "It answered 500 instead of 2xx.",
                )
            ]
        )
    found = workspace.api.get(path(row)).json()
    started = [attempt.pop("started_at") for attempt in found["attempts"]]
    assert started == sorted(started, reverse=True)
    common = {"occurrence": 1, "duration_ms": 12, "answer": "well"}
    assert found["attempts"] == [
        common | {"number": 2, "outcome": "delivered", "status": 200, "reason": ""},
        common
        | {"number": 1, "outcome": "failed", "status": 500, "reason": "It answered 500 instead of 2xx."},
    ]
    assert (found["status"], found["attempt_count"]) == ("delivered", 2)
    assert found["delivered_for"] == found["scheduled_for"]


def test_it_does_not_know_an_id_that_is_none(workspace):
    assert workspace.api.get(f"/api/schedules/{uuid4()}").status_code == 404
    assert workspace.api.get("/api/schedules/visit-4").status_code == 404


# Making one


def test_it_creates_one(workspace):
    response = create(workspace, id="visit-4")
    assert response.status_code == 201
    (row,) = workspace.schedules()
    assert response.json()["id"] == str(row.public_id)
    assert (response.json()["date"], response.json()["attempts"]) == (DATE, [])
    assert (row.external_id, row.scheduled_for, row.due_at, row.status) == (
        "visit-4",
        MOMENT,
        MOMENT,
        Status.PENDING,
    )


def test_it_is_the_one_that_the_upsert_makes(workspace):
    given = {"name": "Visit", "prompt": "Hello", "date": DATE}
    workspace.upsert("ada", workspace.entry(schedules=[given]))
    response = create(workspace)
    assert response.status_code == 200
    (row,) = workspace.schedules()
    assert response.json()["external_id"] == row.external_id
    workspace.upsert("ada", workspace.entry(schedules=[{"id": row.external_id, "delete": True}]))
    assert workspace.api.get(path(row)).json()["status"] == "cancelled"


def test_the_upsert_makes_a_one_off_of_a_rule(workspace):
    create(workspace, id="r", rrule="FREQ=DAILY", timezone="UTC", date="2030-05-01T08:00:00")
    again = {"id": "r", "name": "Visit", "prompt": "Hello", "date": DATE}
    workspace.upsert("ada", workspace.entry(schedules=[again]))
    (row,) = workspace.schedules()
    assert (row.rrule, row.timezone, row.starts, row.scheduled_for) == ("", "", "", MOMENT)


@pytest.mark.parametrize(
    ("fields", "moment"),
    [
        ({"date": "2030-05-01T08:00:00"}, MOMENT),
        ({"date": "2030-05-01T10:00:00+02:00"}, MOMENT),
        ({"date": "2030-05-01T10:00:00", "timezone": "Europe/Berlin"}, MOMENT),
        ({"date": "2030-05-01T08:00:00Z", "timezone": "Europe/Berlin"}, MOMENT),
        ({"date": "2030-05-01T08:00:00", "timezone": "", "rrule": None}, MOMENT),
    ],
)
def test_it_understands_when(workspace, fields, moment):
    assert create(workspace, **fields).status_code == 201
    assert workspace.schedules()[0].due_at == moment


def test_it_creates_a_rule(workspace):
    response = create(
        workspace,
        rrule="rrule:freq=weekly;byday=mo,th;",
        timezone="Europe/Berlin",
        date="2030-03-28T09:00:00",
    )
    assert response.status_code == 201, response.json()
    found = response.json()
    assert (found["rrule"], found["timezone"], found["date"]) == (
        "FREQ=WEEKLY;BYDAY=MO,TH",
        "Europe/Berlin",
        "2030-03-28T09:00:00",
    )
    assert found["scheduled_for"] == "2030-03-28T08:00:00Z"
    assert (
        create(
            workspace, rrule="FREQ=WEEKLY;BYDAY=MO,TH", timezone="Europe/Berlin", date="2030-03-28T09:00:00"
        ).json()["id"]
        == found["id"]
    ), "a repeated request finds it"


def test_a_rule_that_began_in_the_past_goes_on_with_its_next_time(workspace):
    create(workspace, rrule="FREQ=DAILY", date="2020-01-01T00:00:00")
    (row,) = workspace.schedules()
    assert timedelta(0) < row.due_at - now() <= timedelta(days=1)


@pytest.mark.parametrize(
    ("fields", "refused"),
    [
        ({"name": ""}, {"name": ["This field may not be blank."]}),
        ({"prompt": None}, {"prompt": ["This field may not be null."]}),
        ({"id": "x" * 33}, {"id": ["Ensure this field has no more than 32 characters."]}),
        ({"name": "a\0"}, {"name": ["Null characters are not allowed."]}),
        (
            {"timezone": "Mars/Olympus"},
            {"timezone": ["Give the name of a time zone, such as Africa/Johannesburg."]},
        ),
        (
            {"timezone": "../../etc/passwd"},
            {"timezone": ["Give the name of a time zone, such as Africa/Johannesburg."]},
        ),
        ({"rrule": "every day"}, {"rrule": ["Give one rule of RFC 5545, such as FREQ=WEEKLY;BYDAY=MO,TH."]}),
        (
            {"rrule": "FREQ=MINUTELY"},
            {"rrule": ["A schedule may fire every 5 minutes at most: this rule does so more often."]},
        ),
        (
            {"rrule": "FREQ=DAILY;UNTIL=20200101T000000Z"},
            {"rrule": ["The rule fires at no time within the next ten years."]},
        ),
        ({"date": "9999-12-31T23:59:59-12:00"}, {"date": ["The date leaves the calendar."]}),
        ({"chatbot": "x"}, {"chatbot": ["Must be a valid UUID."]}),
    ],
)
def test_it_refuses_what_makes_no_sense(workspace, fields, refused):
    response = create(workspace, **fields)
    assert (response.status_code, response.json()) == (400, refused)
    assert workspace.schedules() == []


def test_it_refuses_a_chatbot_of_another_team(workspace, other):
    response = create(workspace, chatbot=str(other.bot.public_id))
    assert response.status_code == 404
    assert response.json() == {"errors": [{"message": f"Experiment {other.bot.public_id} not found"}]}
    assert ScheduledMessage.objects.count() == 0


# Changing one


def test_it_changes_what_is_given(workspace):
    row = schedule(workspace, date=MOMENT)
    response = patch(workspace, row, prompt="Something else")
    assert response.status_code == 200
    row.refresh_from_db()
    assert (row.prompt, row.name, row.scheduled_for) == ("Something else", "Visit", MOMENT)
    patch(workspace, row, date="2031-01-01T00:00:00Z")
    row.refresh_from_db()
    assert row.due_at == row.scheduled_for == datetime(2031, 1, 1, tzinfo=UTC)


def test_it_changes_nothing_for_nothing(workspace):
    row = schedule(workspace, date=MOMENT)
    assert patch(workspace, row).status_code == 200
    before = row.updated_at
    row.refresh_from_db()
    assert row.updated_at == before


def test_it_makes_a_rule_of_a_one_off_and_a_one_off_of_a_rule(workspace):
    row = schedule(workspace, date=MOMENT)
    patch(workspace, row, rrule="FREQ=DAILY", timezone="Europe/Berlin")
    row.refresh_from_db()
    assert (row.rrule, row.timezone, row.starts) == ("FREQ=DAILY", "Europe/Berlin", "2030-05-01T10:00:00")
    patch(workspace, row, timezone="America/New_York")
    row.refresh_from_db()
    assert row.scheduled_for == datetime(2030, 5, 1, 14, tzinfo=UTC)
    patch(workspace, row, name="Another name")
    row.refresh_from_db()
    assert (row.rrule, row.timezone, row.name) == ("FREQ=DAILY", "America/New_York", "Another name")
    patch(workspace, row, rrule=None)
    row.refresh_from_db()
    assert (row.rrule, row.scheduled_for) == ("", datetime(2030, 5, 1, 14, tzinfo=UTC))


@pytest.mark.parametrize("status", [Status.DELIVERED, Status.FAILED, Status.CANCELLED])
def test_what_is_over_starts_again_with_another_date_only(workspace, status):
    row = schedule(workspace, date=MOMENT)
    ScheduledMessage.objects.update(status=status, fired_for=MOMENT)
    response = patch(workspace, row, name="Later")
    assert (response.status_code, response.json()) == (
        409,
        {"detail": f"It is {status}: give a date to have it start again."},
    )
    assert patch(workspace, row, date="2031-01-01T00:00:00Z").json()["status"] == "pending"


def test_what_was_delivered_does_not_start_again_for_the_same_date(workspace):
    row = schedule(workspace, date=MOMENT)
    ScheduledMessage.objects.update(status=Status.DELIVERED, fired_for=MOMENT)
    assert patch(workspace, row, date=DATE).status_code == 409


def test_it_refuses_a_change_that_makes_no_sense(workspace):
    row = schedule(workspace, date=MOMENT)
    assert patch(workspace, row, rrule="FREQ=SECONDLY").status_code == 400
    assert patch(workspace, row, name="").json() == {"name": ["This field may not be blank."]}
    row.refresh_from_db()
    assert (row.rrule, row.name) == ("", "Visit")


# Cancelling, trying again


@pytest.mark.parametrize("status", [Status.PENDING, Status.SENDING, Status.FAILED, Status.CANCELLED])
def test_it_cancels(workspace, status):
    row = schedule(workspace)
    ScheduledMessage.objects.update(status=status)
    response = workspace.api.post(b"", path(row, "/cancel"))
    assert (response.status_code, response.json()["status"]) == (200, "cancelled")


def test_it_does_not_take_back_what_was_delivered(workspace):
    row = schedule(workspace)
    ScheduledMessage.objects.update(status=Status.DELIVERED)
    response = workspace.api.post({}, path(row, "/cancel"))
    assert (response.status_code, response.json()) == (
        409,
        {"detail": "It was delivered: that can't be taken back."},
    )


def test_it_tries_again_what_failed(workspace):
    endpoint(workspace.bot)
    row = schedule(workspace)
    (first,) = claim_all()
    record([settled(first, outcome=Outcome.FAILED, status=Status.FAILED, status_code=500)])
    response = workspace.api.post({}, path(row, "/retry"))
    assert (response.status_code, response.json()["status"]) == (200, "pending")
    (again,) = claim_all()
    assert (again.attempts, again.occurrence) == (1, first.occurrence), "the same message, from the start"
    assert DeliveryAttempt.objects.count() == 2


def test_it_tries_again_nothing_else(workspace):
    row = schedule(workspace)
    response = workspace.api.post({}, path(row, "/retry"))
    assert (response.status_code, response.json()) == (
        409,
        {"detail": "It is pending: only one that failed can be tried again."},
    )


# Looking ahead


def test_it_says_when_a_rule_would_fire_and_stores_nothing(workspace):
    response = workspace.api.post(
        {"rrule": "FREQ=DAILY", "timezone": "Europe/Berlin", "date": "2030-03-30T09:00:00"},
        "/api/schedules/preview",
    )
    assert response.status_code == 200
    found = response.json()["occurrences"]
    assert len(found) == 10
    assert found[:3] == [
        {"local": "2030-03-30T09:00:00+01:00", "utc": "2030-03-30T08:00:00Z"},
        {"local": "2030-03-31T09:00:00+02:00", "utc": "2030-03-31T07:00:00Z"},
        {"local": "2030-04-01T09:00:00+02:00", "utc": "2030-04-01T07:00:00Z"},
    ]
    assert workspace.schedules() == []


def test_it_says_when_a_schedule_would_fire_with_a_change(workspace):
    created = create(workspace, rrule="FREQ=DAILY;COUNT=2", timezone="UTC", date="2030-03-30T09:00:00")
    url = f"/api/schedules/{created.json()['id']}/preview"
    assert len(workspace.api.post({}, url).json()["occurrences"]) == 2
    changed = workspace.api.post({"rrule": "FREQ=DAILY;COUNT=3"}, url).json()["occurrences"]
    assert [found["utc"] for found in changed] == [f"2030-03-{day}T09:00:00Z" for day in (30, 31)] + [
        "2030-04-01T09:00:00Z"
    ]
    assert workspace.schedules()[0].rrule == "FREQ=DAILY;COUNT=2"


def test_there_is_nothing_to_say_of_a_schedule_without_a_rule(workspace):
    row = schedule(workspace)
    response = workspace.api.post({}, path(row, "/preview"))
    assert (response.status_code, response.json()) == (
        400,
        {"rrule": ["This schedule has no rule: give one."]},
    )
