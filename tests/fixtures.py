"""What most tests start from: a team with a key for each right, and a client that speaks JSON."""

from __future__ import annotations

import itertools
import json
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any

import pytest
from django.apps import apps
from django.test import Client

from apps.access.services import create_api_key
from apps.chatbots.models import Chatbot
from apps.participants import encryption
from apps.participants.models import Participant, ParticipantData
from apps.schedules.models import ScheduledMessage
from apps.teams.models import Membership, Role, Team, User

_count = itertools.count(1)


@dataclass
class Api:
    """A client of the API. `key` goes into `X-api-key`; `headers` are sent besides."""

    key: str | None = None
    headers: dict[str, str] = field(default_factory=dict)
    client: Client = field(default_factory=lambda: Client(raise_request_exception=False))

    def request(self, method: str, path: str, body: Any = None, **headers: str):
        sent = ({"X-api-key": self.key} if self.key else {}) | self.headers
        sent |= {name.replace("_", "-"): value for name, value in headers.items()}
        if body is not None and not isinstance(body, bytes | str):
            body = json.dumps(body)
        content_type = sent.pop("Content-Type", "application/json")
        return self.client.generic(method, path, body or "", content_type=content_type, headers=sent)

    def get(self, path: str = "/api/participants", **headers: str):
        return self.request("GET", path, **headers)

    def post(self, body: Any, path: str = "/api/participants", **headers: str):
        return self.request("POST", path, body, **headers)


@dataclass
class Workspace:
    """A team with one owner, two chatbots, and an Api with the owner's full key."""

    team: Team
    owner: User
    bots: list[Chatbot]
    api: Api

    @property
    def bot(self) -> Chatbot:
        return self.bots[0]

    def member(self, role: Role) -> User:
        user = User.objects.create_user(f"person-{next(_count)}@team.example")
        Membership.objects.create(team=self.team, user=user, role=role)
        return user

    def key(self, *, user: User | None = None, **options: Any) -> str:
        made = create_api_key(team=self.team, user=user or self.owner, name="A key", **options)
        return made.secret

    def entry(self, **fields: Any) -> dict[str, Any]:
        return {"experiment": str(self.bot.public_id)} | fields

    def upsert(self, identifier: str = "ada", *entries: dict[str, Any], **fields: Any) -> None:
        """POST that must succeed."""
        response = self.api.post({"identifier": identifier, "data": list(entries)} | fields)
        assert response.status_code == 200, response.content

    def stored(self) -> dict[str, dict[str, str]]:
        """Identifier -> chatbot name -> JSON text, as the database holds it."""
        found: dict[str, dict[str, str]] = {}
        rows = ParticipantData.objects.for_team(self.team).select_related("participant", "chatbot")
        for row in rows.order_by("id"):
            text = encryption.unseal(
                bytes(row.data), participant_id=row.participant_id, chatbot_id=row.chatbot_id
            )
            found.setdefault(row.participant.identifier, {})[row.chatbot.name] = text.decode()
        return found

    def schedules(self) -> list[ScheduledMessage]:
        return list(ScheduledMessage.objects.for_team(self.team).order_by("id"))


def make_workspace() -> Workspace:
    number = next(_count)
    team = Team.objects.create(name=f"Team {number}")
    owner = User.objects.create_user(f"owner-{number}@team.example")
    Membership.objects.create(team=team, user=owner, role=Role.OWNER)
    bots = [Chatbot.objects.create(team=team, name=f"Bot {letter}") for letter in "AB"]
    key = create_api_key(team=team, user=owner, name="Full").secret
    return Workspace(team, owner, bots, Api(key))


def snapshot() -> list[list[dict[str, Any]]]:
    """All that the contract's operations write, to tell that a refused request has written nothing."""
    tables = (Participant, ParticipantData, ScheduledMessage)
    return [list(table.objects.order_by("pk").values()) for table in tables]


@pytest.fixture
def workspace(db) -> Workspace:
    return make_workspace()


@pytest.fixture
def other(db) -> Workspace:
    """Another team, which must never be seen."""
    return make_workspace()


@pytest.fixture
def docs_client(db: None) -> None:
    """The documentation's own OAuth2 client. A migration makes it, and every test with a real server
    empties the database when it ends."""
    import_module("apps.access.migrations.0003_docs_client").add(apps, None)
