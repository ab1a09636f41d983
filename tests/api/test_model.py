"""Random requests, and what the service makes of them, against a model of a few lines."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

from django.db.models import F
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from apps.chatbots.models import Chatbot
from apps.schedules.models import ScheduledMessage, Status
from tests.fixtures import make_workspace

BOTS = 2
# One moment in two spellings, and another.
DATES = {
    "2030-05-01T08:00:00Z": datetime(2030, 5, 1, 8, tzinfo=UTC),
    "2030-05-01T10:00:00+02:00": datetime(2030, 5, 1, 8, tzinfo=UTC),
    "2001-01-01": datetime(2001, 1, 1, tzinfo=UTC),
}

any_text = st.text(st.characters(exclude_categories=["Cs"]), max_size=6)
# Of a few, so that requests meet each other, and of all others.
plain_text = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=6)
short_text = plain_text.filter(str.strip)
identifiers = st.just("ada") | st.sampled_from(["Ada", "ADA", " ada\n", "İda", "ß"]) | short_text
names = st.sampled_from(["Ada", "Ada L."]) | short_text
platforms = st.just("api") | st.sampled_from(["api", "web", "commcare_connect"])
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | any_text,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(any_text, inner, max_size=3),
    max_leaves=6,
)
saves = st.fixed_dictionaries(
    {
        "name": st.just("Visit") | short_text,
        "prompt": st.sampled_from("pq"),
        "date": st.sampled_from(list(DATES)),
    },
    optional={"id": st.sampled_from(["s", "t"]), "delete": st.just(value=False)},
)
cancels = st.fixed_dictionaries({"id": st.sampled_from(["s", "t"]), "delete": st.just(value=True)})
entries = st.fixed_dictionaries(
    {"experiment": st.integers(0, BOTS - 1)},
    optional={
        "data": st.dictionaries(any_text, json_values, max_size=3),
        "schedules": st.lists(saves | cancels, max_size=4),
    },
)
bodies = st.fixed_dictionaries(
    {"identifier": identifiers, "data": st.lists(entries, max_size=4)},
    optional={"name": names, "platform": platforms},
)


@dataclass
class Person:
    name: str = ""
    data: dict[int, Any] = field(default_factory=dict)  # by chatbot, in the order of first writing
    schedules: dict[Any, list[Any]] = field(default_factory=dict)  # key -> name, prompt, moment, status


class Service(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.workspace = make_workspace()
        made = [Chatbot.objects.create(team=self.workspace.team, name=f"M{n}") for n in range(BOTS)]
        self.bots = [str(bot.public_id) for bot in made]
        self.people: dict[tuple[str, str], Person] = {}  # by platform and identifier, oldest first

    # Requests

    @rule(body=bodies, ascii_only=st.booleans())
    def upsert(self, body, ascii_only):
        sent = body | {
            "data": [entry | {"experiment": self.bots[entry["experiment"]]} for entry in body["data"]]
        }
        text = json.dumps(sent, ensure_ascii=ascii_only)
        assert self.workspace.api.post(text).status_code == 200
        self.apply(body)

    @precondition(lambda self: self.named_schedules())
    @rule(number=st.integers(0, 99), change=st.just({"delete": True}) | saves, fired=st.booleans())
    def send_a_schedule_again(self, number, change, fired):
        if fired:
            self.deliver()
        known = self.named_schedules()
        (platform, identifier), (bot, given) = known[number % len(known)]
        entry = {"experiment": bot, "schedules": [change | {"id": given}]}
        self.upsert({"identifier": identifier, "platform": platform, "data": [entry]}, fired)

    def named_schedules(self) -> list[Any]:
        return [
            (who, key) for who, person in self.people.items() for key in person.schedules if len(key) == 2
        ]

    @rule(body=bodies)
    def ask_for_a_chatbot_that_is_not_there(self, body):
        sent = body | {"data": [{"experiment": "0" * 32, "data": {"lost": True}}]}
        assert self.workspace.api.post(sent).status_code == 404

    def deliver(self):
        """What a worker does in the end."""
        rows = ScheduledMessage.objects.for_team(self.workspace.team).filter(status=Status.PENDING)
        rows.update(status=Status.DELIVERED, fired_for=F("scheduled_for"))
        for person in self.people.values():
            for schedule in person.schedules.values():
                if schedule[3] == "pending":
                    schedule[3] = "delivered"

    # The model

    def apply(self, body) -> None:
        platform, identifier = body.get("platform", "api"), body["identifier"].strip()
        if platform == "commcare_connect":
            identifier = identifier.lower()
        person = self.people.setdefault((platform, identifier), Person())
        person.name = body.get("name", "").strip() or person.name
        last = {}
        for entry in body["data"]:
            bot = entry["experiment"]
            person.data[bot] = entry.get("data") or person.data.get(bot, {})
            for item in entry.get("schedules", []):
                last[self.key(bot, item)] = item
        for key, item in last.items():
            self.apply_schedule(person, key, item)

    def key(self, bot: int, item: dict[str, Any]) -> tuple[Any, ...]:
        given = item.get("id")
        return (bot, given) if given else (bot, item["name"].strip(), item["prompt"], DATES[item["date"]])

    def apply_schedule(self, person: Person, key, item) -> None:
        found = person.schedules.get(key)
        if item.get("delete"):
            if found and found[3] == "pending":
                found[3] = "cancelled"
            return
        moment = DATES[item["date"]]
        if not (found and found[3] == "delivered" and found[2] == moment):
            person.schedules[key] = [item["name"].strip(), item["prompt"], moment, "pending"]

    def listed(self, *, identifier=None, platform=None, bot=None) -> list[Any]:
        return [
            [*who, person.name, [(b, data) for b, data in person.data.items() if bot in (None, b)]]
            for who, person in reversed(self.people.items())
            if platform in (None, who[0])
            and (bot is None or bot in person.data)
            and (
                identifier is None
                or who[1] == (identifier.lower() if who[0] == "commcare_connect" else identifier)
            )
        ]

    # What the service says

    def pages(self, path: str, link: str = "next") -> Iterator[tuple[str, list[Any]]]:
        while path:
            page = self.workspace.api.get(path).json()
            yield path, [self.shown(row) for row in page["results"]]
            path = (page[link] or "").removeprefix("http://testserver")

    def shown(self, row: dict[str, Any]) -> list[Any]:
        data = [(self.bots.index(entry["chatbot_id"]), entry["data"]) for entry in row["data"]]
        return [row["platform"], row["identifier"], row["name"], data]

    @rule(
        page_size=st.sampled_from([1, 2, 3]),
        identifier=st.none() | identifiers,
        platform=st.none() | platforms,
        bot=st.none() | st.integers(0, BOTS - 1),
    )
    def walk(self, page_size, identifier, platform, bot):
        given = {
            "identifier": identifier,
            "platform": platform,
            "chatbot": None if bot is None else self.bots[bot],
        }
        query = {name: value for name, value in given.items() if value is not None} | {"page_size": page_size}
        expected = self.listed(identifier=identifier and identifier.strip(), platform=platform, bot=bot)
        forward = list(self.pages(f"/api/participants?{urlencode(query)}"))
        assert [row for _, rows in forward for row in rows] == expected
        backward = list(self.pages(forward[-1][0], "previous"))
        assert [row for _, rows in backward[::-1] for row in rows] == expected

    @invariant()
    def it_lists_everybody(self):
        assert [row for _, rows in self.pages("/api/participants") for row in rows] == self.listed()

    @invariant()
    def it_keeps_every_schedule(self):
        ids = {bot: n for n, bot in enumerate(self.bots)}
        rows = ScheduledMessage.objects.for_team(self.workspace.team)
        fields = ("name", "prompt", "scheduled_for", "status")
        who = ("participant__platform", "participant__identifier", "chatbot__public_id")
        stored = [
            (platform, identifier, ids[str(bot)], *rest)
            for platform, identifier, bot, *rest in rows.values_list(*who, *fields)
        ]
        expected = [
            (*who, key[0], *schedule)
            for who, person in self.people.items()
            for key, schedule in person.schedules.items()
        ]
        assert sorted(stored) == sorted(expected)


def test_the_service_does_what_the_model_does(db):
    # The same requests in every run, so that a failure is the change's that was made.
    bounded = settings(
        max_examples=30,
        stateful_step_count=12,
        deadline=None,
        derandomize=True,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    run_state_machine_as_test(Service, settings=bounded)
