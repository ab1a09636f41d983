"""Schedules as a resource: read, made, changed, cancelled and tried again."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.utils import timezone
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import GenericViewSet, ViewSet

from apps.access.scopes import PARTICIPANTS_READ, PARTICIPANTS_WRITE
from apps.participants.queries import participant_ids
from apps.schedules import queries
from apps.schedules.models import ScheduledMessage
from apps.schedules.pages import Found, read_page
from apps.schedules.recurrence import preview

from .. import schedules
from ..documents import schedules as documents
from ..pagination import NewestFirst, Place, SoonestFirst
from ..permissions import caller_of
from ..schedules import Change
from ..serializers.schedules import (
    RulePreviewSerializer,
    ScheduleChangeSerializer,
    ScheduleQuerySerializer,
    ScheduleRequestSerializer,
    ScheduleSerializer,
    preview_of,
    schedule_detail,
)


class ScheduleViewSet(GenericViewSet[ScheduledMessage]):
    """A team's schedules."""

    queryset = ScheduledMessage.objects.none()
    serializer_class = ScheduleSerializer
    pagination_class = NewestFirst
    scopes = {"GET": PARTICIPANTS_READ, "HEAD": PARTICIPANTS_READ, "PATCH": PARTICIPANTS_WRITE}

    @documents.list_schedules
    def list(self, request: Request) -> Response:
        query = ScheduleQuerySerializer(data=request.query_params.dict())
        query.is_valid(raise_exception=True)
        team, filters = caller_of(request).team, query.validated_data
        is_soonest_first = filters.pop("order", None) is not None
        people = {name: filters.pop(name) for name in ("participant", "identifier") if name in filters}
        if people:
            filters["people"] = participant_ids(team=team, **people)

        def read(place: Place | None, limit: int) -> list[Found]:
            if place is not None:
                filters.update(beyond=place.id, beyond_due_at=place.due_at, is_backwards=place.is_backwards)
            return read_page(team=team, limit=limit, is_soonest_first=is_soonest_first, **filters)

        pages = SoonestFirst() if is_soonest_first else NewestFirst()
        page = pages.paginate(request, read)
        rows = queries.schedules_in_order(team=team, ids=[found.id for found in page])
        return pages.get_paginated_response(ScheduleSerializer(rows, many=True).data)

    @documents.show_schedule
    def retrieve(self, request: Request, schedule_id: UUID) -> Response:
        return shown(request, schedule_id)

    @documents.change_schedule
    def partial_update(self, request: Request, schedule_id: UUID) -> Response:
        body = ScheduleChangeSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        schedules.change_schedule(
            team=caller_of(request).team,
            public_id=schedule_id,
            change=Change(**body.validated_data),
            now=timezone.now(),
        )
        return shown(request, schedule_id)


class ScheduleActionViewSet(ViewSet):
    """What is done with one schedule."""

    scopes = {"POST": PARTICIPANTS_WRITE}

    @documents.cancel_schedule
    def cancel(self, request: Request, schedule_id: UUID) -> Response:
        schedules.cancel_schedule(team=caller_of(request).team, public_id=schedule_id, now=timezone.now())
        return shown(request, schedule_id)

    @documents.retry_schedule
    def retry(self, request: Request, schedule_id: UUID) -> Response:
        schedules.retry(team=caller_of(request).team, public_id=schedule_id)
        return shown(request, schedule_id)


class ParticipantScheduleViewSet(ViewSet):
    """The schedules of one participant."""

    scopes = {"POST": PARTICIPANTS_WRITE}

    @documents.create_schedule
    def create(self, request: Request, participant_id: UUID) -> Response:
        body = ScheduleRequestSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        fields, now = body.validated_data, timezone.now()
        public_id, is_new = schedules.create_schedule(
            team=caller_of(request).team,
            participant=participant_id,
            chatbot=fields["chatbot"],
            external_id=fields.get("id"),
            name=fields["name"],
            prompt=fields["prompt"],
            when=schedules.when(
                date=fields["date"],
                rrule=fields.get("rrule") or "",
                timezone=fields.get("timezone") or "",
                now=now,
            ),
            now=now,
        )
        return shown(request, public_id, status=201 if is_new else 200)


class RulePreviewViewSet(ViewSet):
    """When a rule would fire. Nothing is stored."""

    scopes = {"POST": PARTICIPANTS_READ}

    @documents.preview_rule
    def rule(self, request: Request) -> Response:
        body = RulePreviewSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        fields, now = body.validated_data, timezone.now()
        found = schedules.when(
            date=fields["date"], rrule=fields["rrule"], timezone=fields.get("timezone") or "", now=now
        ).recurrence
        assert found is not None, "a rule was given"
        return Response(preview_of(preview(found, now=now), found.timezone))

    @documents.preview_schedule
    def schedule(self, request: Request, schedule_id: UUID) -> Response:
        body = ScheduleChangeSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        row = queries.schedule(team=caller_of(request).team, public_id=schedule_id)
        now = timezone.now()
        found = schedules.rule_of(row, Change(**body.validated_data), now=now)
        return Response(preview_of(preview(found, now=now), found.timezone))


def shown(request: Request, public_id: UUID, **options: Any) -> Response:
    row = queries.schedule(team=caller_of(request).team, public_id=public_id)
    return Response(schedule_detail(row, queries.latest_attempts(row)), **options)
