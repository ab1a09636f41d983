"""A team that is ready to work: an owner, chatbots and keys."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.db import transaction
from django.utils.text import slugify

from apps.chatbots.models import Chatbot
from apps.chatbots.services import ensure_chatbot
from apps.teams.models import Membership, Role, Team, User
from apps.teams.services import EnsuredUser, ensure_member, ensure_team, ensure_user

from .services import create_api_key


@dataclass(frozen=True, slots=True)
class Bootstrapped:
    """`password` is None where the owner was there already. The keys are new each time."""

    team: Team
    owner: User
    password: str | None
    api_key: str
    read_only_api_key: str
    chatbots: list[Chatbot]

    def as_json(self) -> dict[str, object]:
        return {
            "team": self.team.name,
            "user": {"email": self.owner.email, "password": self.password},
            "api_key": self.api_key,
            "read_only_api_key": self.read_only_api_key,
            "chatbots": [{"id": str(bot.public_id), "name": bot.name} for bot in self.chatbots],
        }


@transaction.atomic
def bootstrap(*, team_name: str, chatbot_names: Sequence[str], email: str = "") -> Bootstrapped:
    """Makes what is missing of a team, its owner and its chatbots, and issues two keys."""
    team = ensure_team(team_name)
    ensured = _owner(team, email)
    ensure_member(team=team, user=ensured.user, role=Role.OWNER)
    return Bootstrapped(
        team=team,
        owner=ensured.user,
        password=ensured.password,
        api_key=create_api_key(team=team, user=ensured.user, name="Full access").secret,
        read_only_api_key=create_api_key(
            team=team, user=ensured.user, name="Read only", read_only=True
        ).secret,
        chatbots=[ensure_chatbot(team=team, name=name) for name in dict.fromkeys(chatbot_names)],
    )


def _owner(team: Team, email: str) -> EnsuredUser:
    """The person with this address; where none is given, the team's owner, or a new person."""
    if email:
        return ensure_user(email)
    owners = Membership.objects.filter(team=team, role=Role.OWNER).select_related("user")
    if found := owners.order_by("pk").first():
        return EnsuredUser(found.user, None)
    slug = slugify(team.name) or "team"
    email = f"owner@{slug}.example"
    if User.objects.filter(email=email).exists():
        email = f"owner@{slug}-{team.pk}.example"
    return ensure_user(email)
