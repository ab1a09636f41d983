"""A team that is ready to work: an owner, chatbots and keys."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from django.db import transaction
from django.utils import timezone
from django.utils.text import slugify

from apps.chatbots.models import Chatbot
from apps.chatbots.services import ensure_chatbot, set_endpoint
from apps.teams.models import Membership, Role, Team, User
from apps.teams.services import EnsuredUser, ensure_member, ensure_team, ensure_user

from .embedding import create_embed_key
from .models import EmbedKey
from .services import NewApplication, create_api_key, create_application

DEFAULT_ORIGINS = ("https://site.example",)


@dataclass(frozen=True, slots=True)
class Bootstrapped:
    """`password` is None where the owner was there already. The keys are new each time."""

    team: Team
    owner: User
    password: str | None
    api_key: str
    read_only_api_key: str
    chatbots: list[Chatbot]
    machine: NewApplication
    embed_key: EmbedKey | None
    webhook_secrets: dict[int, str] = field(default_factory=dict)

    def as_json(self) -> dict[str, object]:
        return {
            "team": self.team.name,
            "user": {"email": self.owner.email, "password": self.password},
            "api_key": self.api_key,
            "read_only_api_key": self.read_only_api_key,
            "chatbots": [self._chatbot(bot) for bot in self.chatbots],
            "oauth_machine": {
                "client_id": self.machine.application.client_id,
                "client_secret": self.machine.secret,
            },
            "embed_key": self.embed_key
            and {
                "key": self.embed_key.key,
                "chatbot_id": str(self.embed_key.chatbot.public_id),
                "allowed_origins": self.embed_key.allowed_origins,
            },
        }

    def _chatbot(self, bot: Chatbot) -> dict[str, str]:
        shown = {"id": str(bot.public_id), "name": bot.name}
        secret = self.webhook_secrets.get(bot.pk)
        return shown | {"webhook_secret": secret} if secret else shown


@transaction.atomic
def bootstrap(
    *,
    team_name: str,
    chatbot_names: Sequence[str],
    email: str = "",
    allowed_origins: Sequence[str] = DEFAULT_ORIGINS,
    webhook_url: str = "",
) -> Bootstrapped:
    """Makes what is missing of a team, its owner and its chatbots, and issues credentials: two API keys,
    an OAuth2 machine, and an embed key for the first chatbot. With a `webhook_url` these chatbots are
    prompted there. Raises origins.NoOrigin and UnusableUrl."""
    team = ensure_team(team_name)
    ensured = _owner(team, email)
    ensure_member(team=team, user=ensured.user, role=Role.OWNER)
    chatbots = [ensure_chatbot(team=team, name=name) for name in dict.fromkeys(chatbot_names)]
    return Bootstrapped(
        team=team,
        owner=ensured.user,
        password=ensured.password,
        api_key=create_api_key(team=team, user=ensured.user, name="Full access").secret,
        read_only_api_key=create_api_key(
            team=team, user=ensured.user, name="Read only", read_only=True
        ).secret,
        chatbots=chatbots,
        machine=create_application(team=team, name="Machine", is_machine=True),
        embed_key=_embed_key(team, chatbots, allowed_origins),
        webhook_secrets=_webhook_secrets(chatbots, webhook_url),
    )


def _webhook_secrets(chatbots: list[Chatbot], url: str) -> dict[int, str]:
    if not url:
        return {}
    now = timezone.now()
    return {bot.pk: set_endpoint(chatbot=bot, url=url, now=now).secret for bot in chatbots}


def _embed_key(team: Team, chatbots: list[Chatbot], allowed_origins: Sequence[str]) -> EmbedKey | None:
    if not chatbots:
        return None
    return create_embed_key(team=team, chatbot=chatbots[0], name="Site", allowed_origins=allowed_origins)


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
