"""/api/schedules: read, made, changed, cancelled, tried again."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from django.utils.timezone import now

from apps.schedules.claims import record
from apps.schedules.models import DeliveryAttempt, Outcome, ScheduledMessage, Status
from tests.api.schedule_calls import DATE, create, patch, path
from tests.schedules.due import claim_all, endpoint, make_due, schedule, settled

MOMENT = datetime(2030, 5, 1, 8, tzinfo=UTC)


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
