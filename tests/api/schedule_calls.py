"""Calls of /api/schedules, as its tests make them."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from apps.participants.models import Participant
from apps.schedules.models import ScheduledMessage

DATE = "2030-05-01T08:00:00Z"


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
