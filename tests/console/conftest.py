"""People who look at the admin: one signed-in client for each."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from apps.access.embedding import create_embed_key
from apps.access.invitations import invite
from apps.access.models import ApiKey
from apps.access.services import create_application
from apps.chatbots.services import set_endpoint
from apps.participants.models import Participant, ParticipantData
from apps.schedules.models import ScheduledMessage
from apps.teams.models import Membership, Role, User
from tests.fixtures import Workspace

ROLES = ("owner", "editor", "viewer", "other", "stranger", "superuser", "anonymous")


def signed_in(user: User | None) -> Client:
    client = Client(raise_request_exception=False, headers={"accept": "text/html"})
    if user:
        client.force_login(user)
    return client


@dataclass
class Console:
    """A team with one row of each kind, and the people around it. `pks` is by model."""

    workspace: Workspace
    other: Workspace
    editor: User
    viewer: User
    pks: dict[str, int]

    def user(self, role: str) -> User | None:
        match role:
            case "owner":
                return self.workspace.owner
            case "other":
                return self.other.owner
            case "stranger":
                return User.objects.create_user("stranger@nowhere.example")
            case "superuser":
                return User.objects.create_superuser("root@nowhere.example")
            case "anonymous":
                return None
        return getattr(self, role)

    def client(self, role: str) -> Client:
        return signed_in(self.user(role))


def fill(workspace: Workspace) -> dict[str, int]:
    team = workspace.team
    moment = (timezone.now() + timedelta(days=1)).isoformat()
    schedule = {"id": "one", "name": "Reminder", "prompt": "Remind them.", "date": moment}
    workspace.upsert("ada", workspace.entry(data={"visits": 1.50}, schedules=[schedule]), name="Ada")
    embed_key = create_embed_key(
        team=team, chatbot=workspace.bot, name="Site", allowed_origins=["https://site.example"]
    )
    hook = set_endpoint(chatbot=workspace.bot, url="https://bot.example/hook", now=timezone.now())
    guest = f"guest@{team.pk}.example"
    invited = invite(team=team, email=guest, role=Role.VIEWER, by=workspace.owner, now=timezone.now())
    return {
        "teams_invitation": invited.invitation.pk,
        "access_application": create_application(team=team, name="Job", is_machine=True).application.pk,
        "access_embedkey": embed_key.pk,
        "chatbots_chatbot": workspace.bot.pk,
        "chatbots_webhookendpoint": hook.endpoint.pk,
        "participants_participant": Participant.objects.get(team=team).pk,
        "participants_participantdata": ParticipantData.objects.get(team=team).pk,
        "schedules_scheduledmessage": ScheduledMessage.objects.get(team=team).pk,
        "access_apikey": ApiKey.objects.get(team=team).pk,
        "teams_team": team.pk,
        "teams_membership": Membership.objects.get(team=team, role=Role.VIEWER).pk,
        "teams_user": Membership.objects.get(team=team, role=Role.VIEWER).user_id,
    }


@pytest.fixture
def console(workspace: Workspace, other: Workspace) -> Console:
    editor, viewer = workspace.member(Role.EDITOR), workspace.member(Role.VIEWER)
    return Console(workspace, other, editor, viewer, fill(workspace))
