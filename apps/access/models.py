"""Credentials."""

from django.conf import settings
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
