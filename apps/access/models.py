"""Credentials."""

from django.conf import settings
from django.db import models
from django.utils import timezone

from apps.teams.models import TeamOwned, TeamQuerySet


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
