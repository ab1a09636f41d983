"""Schedules as a resource: read, made, changed, cancelled and tried again."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.utils import timezone
from rest_framework.pagination import BasePagination
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import GenericViewSet, ViewSet

from apps.access.scopes import PARTICIPANTS_READ, PARTICIPANTS_WRITE
from apps.schedules import queries
from apps.schedules.models import ScheduledMessage
from apps.schedules.recurrence import preview

from .. import schedules
from ..documents import schedules as documents
from ..pagination import NewestFirst, SoonestFirst
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

    @property
    def paginator(self) -> BasePagination | None:
        if not hasattr(self, "_paginator"):
            is_soonest_first = "order" in self.request.query_params
            self._paginator = SoonestFirst() if is_soonest_first else NewestFirst()
        return self._paginator

    @documents.list_schedules
    def list(self, request: Request) -> Response:
        query = ScheduleQuerySerializer(data=request.query_params.dict())
        query.is_valid(raise_exception=True)
        filters = query.validated_data
        filters.pop("order", None)
        page = self.paginate_queryset(queries.schedules(team=caller_of(request).team, **filters)) or []
        return self.get_paginated_response(ScheduleSerializer(page, many=True).data)

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
