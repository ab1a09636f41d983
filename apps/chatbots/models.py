"""The chatbots of a team."""

import uuid

from django.db import models
from django.utils import timezone

from apps.teams.models import TeamOwned, TeamQuerySet


class Chatbot(TeamOwned):
    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    name = models.CharField(max_length=200)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    objects = TeamQuerySet["Chatbot"].as_manager()

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=("team", "name"), name="chatbot_name_once_a_team"),
            # What the foreign keys of data and schedules point at: a row of one team can't name
            # a chatbot of another.
            models.UniqueConstraint(fields=("team", "id"), name="chatbot_of_team"),
        )

    def __str__(self) -> str:
        return self.name
