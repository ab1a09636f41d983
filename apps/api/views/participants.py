"""The two operations of the contract."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse
from django.utils import timezone
from rest_framework.request import Request
from rest_framework.viewsets import GenericViewSet

from apps.access.scopes import PARTICIPANTS_READ, PARTICIPANTS_WRITE
from apps.participants import queries
from apps.participants.models import Participant
from apps.participants.pages import Person, read_page

from ..documents.participants import list_participants, update_participant_data
from ..operations import ChatbotEntry, ScheduleChange, upsert_participant
from ..pagination import NewestFirst, Place
from ..permissions import caller_of
from ..preferences import RETURN_REPRESENTATION, prefers_representation
from ..renderers import rendered
from ..serializers.participants import (
    ParticipantDetailSerializer,
    checked_query,
    checked_upsert,
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
    def list(self, request: Request) -> HttpResponse:
        filters = checked_query(request.query_params)
        team = caller_of(request).team

        def read(place: Place | None, limit: int) -> list[Person]:
            if place is None:
                return read_page(team=team, limit=limit, **filters)
            return read_page(
                team=team, limit=limit, beyond=place.id, is_backwards=place.is_backwards, **filters
            )

        pages = NewestFirst()
        page = pages.paginate(request, read)
        return rendered(pages.body([participant_detail(person, person.entries) for person in page]))

    @update_participant_data
    def create(self, request: Request) -> HttpResponse:
        fields = checked_upsert(request.data)
        participant = upsert_participant(
            team=caller_of(request).team,
            platform=fields["platform"],
            identifier=fields["identifier"],
            name=fields.get("name"),
            entries=[chatbot_entry(entry) for entry in fields["data"]],
            now=timezone.now(),
        )
        if not prefers_representation(request):
            return rendered()
        entries = queries.entries(team=caller_of(request).team, participant_ids=[participant.id])
        return rendered(
            participant_detail(participant, entries[participant.id]),
            headers={"Preference-Applied": RETURN_REPRESENTATION},
        )


def chatbot_entry(fields: dict[str, Any]) -> ChatbotEntry:
    return ChatbotEntry(
        experiment=fields["experiment"],
        text=fields.get("data", b"{}"),
        schedules=[ScheduleChange(**schedule) for schedule in fields.get("schedules", ())],
    )
