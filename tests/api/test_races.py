"""Callers who come at the same instant, each with a connection of their own."""

from __future__ import annotations

import json
from functools import partial
from threading import Lock

import pytest
from django.db import connection
from django.utils import timezone

from apps.chatbots.models import Chatbot
from apps.participants.models import Participant, ParticipantData
from apps.schedules.models import ScheduledMessage, Status
from tests.fixtures import Api, Workspace
from tests.threads import meanwhile, together

pytestmark = pytest.mark.django_db(transaction=True)

DATE = "2030-05-01T08:00:00Z"


def post(workspace: Workspace, body: dict) -> int:
    try:
        return Api(workspace.api.key).post(body).status_code
    finally:
        connection.close()  # A test client keeps it, and there are fewer connections than callers.


@pytest.fixture
def bots(workspace: Workspace) -> list[str]:
    """Public ids of ten chatbots."""
    made = [Chatbot.objects.create(team=workspace.team, name=f"More {number}") for number in range(10)]
    return [str(bot.public_id) for bot in made]


def test_forty_repeats_of_a_request_make_one_of_each(workspace: Workspace):
    item = {"name": "Visit", "prompt": "Remind them", "date": DATE}
    body = {"identifier": "ada", "data": [workspace.entry(data={"a": 1}, schedules=[item])]}
    assert together([partial(post, workspace, body)] * 40) == [200] * 40
    counts = [model.objects.count() for model in (Participant, ParticipantData, ScheduledMessage)]
    assert counts == [1, 1, 1]
    assert ScheduledMessage.objects.get().status == Status.PENDING


def test_two_bots_that_write_of_one_person_lose_no_key(workspace: Workspace, bots):
    """Each of ten chatbots writes ten times, and each finds what it wrote last."""

    def write(bot: str) -> None:
        for number in range(10):
            body = {"identifier": "ada", "data": [{"experiment": bot, "data": {"bot": bot, "n": number}}]}
            assert post(workspace, body) == 200

    together([partial(write, bot) for bot in bots])
    (texts,) = workspace.stored().values()
    assert sorted(texts.values()) == sorted(
        json.dumps({"bot": bot, "n": 9}, separators=(",", ":")) for bot in bots
    )
    assert set(ParticipantData.objects.values_list("version", flat=True)) == {10}


def test_requests_that_name_the_same_rows_in_another_order_do_not_wait_for_each_other_for_ever(
    workspace: Workspace, bots
):
    def write(number: int) -> int:
        order = bots if number % 2 else bots[::-1]
        items = [{"id": f"s{n}", "name": "n", "prompt": f"p{number}", "date": DATE} for n in range(3)]
        entries = [
            {"experiment": bot, "data": {"n": number}, "schedules": items[:: -1 if number % 3 else 1]}
            for bot in order
        ]
        return post(workspace, {"identifier": "ada", "data": entries})

    assert together([partial(write, number) for number in range(30)]) == [200] * 30
    numbers = {json.loads(text)["n"] for text in workspace.stored()["ada"].values()}
    assert len(numbers) == 1, "all entries are of one request, the last"
    assert {row.prompt for row in workspace.schedules()} == {f"p{numbers.pop()}"}
    assert ScheduledMessage.objects.count() == 30


def test_a_cancel_and_a_save_at_once_leave_one_of_the_two(workspace: Workspace):
    item = {"id": "s", "name": "n", "prompt": "p", "date": DATE}
    save = {"identifier": "ada", "data": [workspace.entry(schedules=[item])]}
    cancel = {"identifier": "ada", "data": [workspace.entry(schedules=[{"id": "s", "delete": True}])]}
    assert together([partial(post, workspace, body) for body in [save, cancel] * 10]) == [200] * 20
    assert ScheduledMessage.objects.get().status in (Status.PENDING, Status.CANCELLED)


def test_people_with_one_identifier_on_many_platforms_and_teams_do_not_meet(
    workspace: Workspace, other: Workspace
):
    calls = [
        partial(post, team, {"identifier": "ada", "platform": platform, "data": []})
        for team in (workspace, other)
        for platform in ("api", "web", "slack")
        for _ in range(4)
    ]
    assert together(calls) == [200] * 24
    assert Participant.objects.count() == 6


def walk(api: Api, path: str, link: str) -> list[str]:
    seen = []
    while path:
        page = api.get(path).json()
        seen += [row["identifier"] for row in page["results"]]
        path = (page[link] or "").removeprefix("http://testserver")
    return seen


@pytest.mark.parametrize("page_size", [7, 100])
def test_walking_while_others_write_finds_everybody_who_was_there_once(workspace: Workspace, page_size):
    """150 people made in one instant, with two writers adding more, renaming, and writing data."""
    now = timezone.now()
    people = [
        Participant(team=workspace.team, identifier=f"old {number}", created_at=now, updated_at=now)
        for number in range(150)
    ]
    Participant.objects.bulk_create(people)
    made, lock = [0], Lock()
    api = Api(workspace.api.key)

    def add_in_one_instant() -> None:
        with lock:
            made[0] += 5
            number = made[0]
        if number > 300:
            return  # Whoever walks towards the newest has to arrive.
        later = [
            Participant(team=workspace.team, identifier=f"new {number + n}", created_at=now) for n in range(5)
        ]
        Participant.objects.bulk_create(later)

    writer = Api(workspace.api.key)

    def touch() -> None:
        body = {"identifier": "old 100", "name": "Renamed", "data": [workspace.entry(data={"a": 1})]}
        assert writer.post(body).status_code == 200

    with meanwhile(add_in_one_instant, touch):
        forward = walk(api, f"/api/participants?page_size={page_size}", "next")
        last = walk_to_the_end(api, page_size)
        backward = walk(api, last, "previous")
    connection.close()
    old = [f"old {number}" for number in reversed(range(150))]
    assert [name for name in forward if name.startswith("old")] == old
    assert len(set(forward)) == len(forward)
    assert sorted(name for name in backward if name.startswith("old")) == sorted(old)
    assert len(set(backward)) == len(backward)


def walk_to_the_end(api: Api, page_size: int) -> str:
    """The address of the last page."""
    path, following = "", f"/api/participants?page_size={page_size}"
    while following:
        path = following
        following = (api.get(path).json()["next"] or "").removeprefix("http://testserver")
    return path
