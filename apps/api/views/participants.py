"""The two operations of the contract."""

from __future__ import annotations

from typing import Any

from django.utils import timezone
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import GenericViewSet

from apps.access.scopes import PARTICIPANTS_READ, PARTICIPANTS_WRITE
from apps.participants import queries
from apps.participants.models import Participant

from ..documents.participants import list_participants, update_participant_data
from ..operations import ChatbotEntry, ScheduleChange, upsert_participant
from ..pagination import NewestFirst
from ..permissions import caller_of
from ..preferences import RETURN_REPRESENTATION, prefers_representation
from ..serializers.participants import (
    ParticipantDataUpdateRequestSerializer,
    ParticipantDetailSerializer,
    ParticipantQuerySerializer,
    participant_detail,
)


class ParticipantViewSet(GenericViewSet[Participant]):
    """GET: list participants for the team. POST: update/create participant data."""

    queryset = Participant.objects.none()
    serializer_class = ParticipantDetailSerializer
    pagination_class = NewestFirst
    operation_ids = {"list": "list_participants", "create": "update_participant_data"}
    scopes = {
        "GET": PARTICIPANTS_READ,
        "POST": PARTICIPANTS_WRITE,
    }

    @list_participants
    def list(self, request: Request) -> Response:
        query = ParticipantQuerySerializer(data=request.query_params)
        query.is_valid(raise_exception=True)
        filters = query.validated_data
        team = caller_of(request).team
        page = self.paginate_queryset(queries.participants(team=team, **filters)) or []
        entries = queries.entries(
            team=team,
            participant_ids=[participant.pk for participant in page],
            chatbot=filters.get("chatbot"),
        )
        return self.get_paginated_response(
            [participant_detail(participant, entries[participant.pk]) for participant in page]
        )

    @update_participant_data
    def create(self, request: Request) -> Response:
        body = ParticipantDataUpdateRequestSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        fields = body.validated_data
        participant = upsert_participant(
            team=caller_of(request).team,
            platform=fields["platform"],
            identifier=fields["identifier"],
            name=fields.get("name"),
            entries=[chatbot_entry(entry) for entry in fields["data"]],
            now=timezone.now(),
        )
        if not prefers_representation(request):
            return Response(status=200)
        entries = queries.entries(team=caller_of(request).team, participant_ids=[participant.id])
        return Response(
            participant_detail(participant, entries[participant.id]),
            headers={"Preference-Applied": RETURN_REPRESENTATION},
        )


def chatbot_entry(fields: dict[str, Any]) -> ChatbotEntry:
    return ChatbotEntry(
        experiment=fields["experiment"],
        text=fields.get("data", b"{}"),
        schedules=[ScheduleChange(**schedule) for schedule in fields.get("schedules", ())],
    )
