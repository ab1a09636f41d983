"""Credentials."""

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.utils import timezone
from oauth2_provider.models import (
    AbstractAccessToken,
    AbstractApplication,
    AbstractGrant,
    AbstractIDToken,
    AbstractRefreshToken,
)

from apps import encryption
from apps.chatbots.models import Chatbot
from apps.teams.models import Team, TeamOwned, TeamQuerySet


class ApiKey(TeamOwned):
    """A key for programs. The key itself is shown once and not kept: `hash` is its SHA-256."""

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.CASCADE,
        related_name="api_keys",
        help_text="The key can do what this person may, and dies with their membership.",
    )
    name = models.CharField(max_length=200)
    hint = models.CharField(max_length=20, editable=False, help_text="The first characters of the key.")
    hash = models.BinaryField(max_length=32, unique=True, editable=False)
    read_only = models.BooleanField(default=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    expires_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)
    last_used_at = models.DateTimeField(null=True, blank=True, editable=False, help_text="To the minute.")

    objects = TeamQuerySet["ApiKey"].as_manager()

    class Meta:
        verbose_name = "API key"

    def __str__(self) -> str:
        return f"{self.name} ({self.hint}…)"


class Application(AbstractApplication):
    """A program that asks for OAuth2 tokens: a team's own, or a global one, for which each person
    chooses one of their teams. Only superusers register global ones."""

    team: models.ForeignKey[Team | None, Team | None] = models.ForeignKey(
        Team, models.CASCADE, null=True, blank=True, related_name="+"
    )

    class Meta(AbstractApplication.Meta):
        verbose_name = "OAuth application"
        constraints = (
            models.CheckConstraint(
                condition=Q(authorization_grant_type__in=("authorization-code", "client-credentials")),
                name="application_grant_safe",
            ),
            # A machine has no person who could choose a team.
            models.CheckConstraint(
                condition=Q(team__isnull=False) | Q(authorization_grant_type="authorization-code"),
                name="application_machine_of_team",
            ),
        )

    @property
    def is_machine(self) -> bool:
        return bool(self.authorization_grant_type == self.GRANT_CLIENT_CREDENTIALS)


class OfTeam(models.Model):
    """What OAuth2 issues is for one team; what has none opens nothing. (It is set in a second step of
    the same transaction: the library has no place for it in the first.)"""

    team = models.ForeignKey(Team, models.CASCADE, null=True, related_name="+")

    class Meta:
        abstract = True


class Grant(OfTeam, AbstractGrant):
    """An authorization code."""


class AccessToken(OfTeam, AbstractAccessToken):
    """The token itself is not kept: `token_checksum` is its SHA-256."""


class RefreshToken(OfTeam, AbstractRefreshToken):
    class Meta(AbstractRefreshToken.Meta):
        pass


class IDToken(AbstractIDToken):
    """Not issued. The library's tokens refer to it, and to ours from its own migrations."""


class EmbedKey(TeamOwned):
    """Lets the pages of a site speak with one chatbot's widget. It sits in their source, so it is no
    secret: what it opens is only what each visitor may know of themself."""

    chatbot = models.ForeignKey(Chatbot, models.CASCADE, related_name="+")
    name = models.CharField(max_length=200)
    key = models.CharField(max_length=60, unique=True, editable=False)
    allowed_origins = ArrayField(
        models.CharField(max_length=300),
        help_text="The pages that may use it, such as https://site.example or https://*.site.example.",
    )
    writable_keys = ArrayField(
        models.CharField(max_length=200),
        default=list,
        blank=True,
        help_text="The top-level keys of the chatbot's data that a visitor may change. None by default.",
    )
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    revoked_at = models.DateTimeField(null=True, blank=True, editable=False)

    objects = TeamQuerySet["EmbedKey"].as_manager()

    def __str__(self) -> str:
        return self.name


def identity_binding(chatbot_id: int) -> bytes:
    return b"identity:%d" % chatbot_id


class IdentitySecret(TeamOwned):
    """What a host site signs with to vouch for who its visitor is, to one chatbot's widget."""

    chatbot = models.OneToOneField(Chatbot, models.CASCADE, related_name="+")
    sealed = encryption.SealedField(bound_to=("chatbot_id",), binding=identity_binding, editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    objects = TeamQuerySet["IdentitySecret"].as_manager()

    def __str__(self) -> str:
        return f"identity secret of {self.chatbot}"
