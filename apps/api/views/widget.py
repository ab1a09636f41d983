"""The widget's operations: a page on somebody's site, a visitor, one chatbot."""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from uuid import UUID

from django.http import Http404
from django.utils import timezone
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.access import embedding
from apps.access.caller import Caller, CredentialRefused
from apps.access.models import EmbedKey
from apps.chatbots.models import Chatbot
from apps.participants.queries import entries
from apps.schedules.queries import coming_schedules

from .. import widget
from ..authentication import CallerAuthentication
from ..documents.widget import change_visitor, identify_visitor, show_visitor
from ..permissions import caller_of
from ..serializers.widget import (
    IdentifiedSerializer,
    IdentifyRequestSerializer,
    VisitorChangeSerializer,
    VisitorSerializer,
)

TOKEN_HEADER = "HTTP_X_PARTICIPANT_TOKEN"  # noqa: S105 (a header)


class WidgetAuthentication(CallerAuthentication):
    """An embed key, sent from a page that may use it; or else the session of a member. Other credentials
    are known and do not have the scope."""

    def embed_key_caller(self, request: Request, key: str) -> Caller:
        found = embedding.usable_embed_key(
            key=key,
            origin=request.META.get("HTTP_ORIGIN", ""),
            chatbot_id=chatbot_id_of(request),
        )
        request.embed_key = found  # type: ignore[attr-defined]  # set here, for the view
        return embedding.caller_for_embed_key(found)

    def session_caller(self, request: Request) -> Caller | None:
        caller = super().session_caller(request)
        if caller is None:
            return None
        chatbot = Chatbot.objects.for_team(caller.team).filter(public_id=chatbot_id_of(request)).first()
        if chatbot is None:
            raise Http404
        return replace(caller, chatbot=chatbot, scopes=caller.scopes | {embedding.WIDGET})


def chatbot_id_of(request: Request) -> UUID:
    found: UUID = request.parser_context["kwargs"]["chatbot_id"]
    return found


class WidgetView(APIView):
    """Answers each page with CORS headers for itself, and preflights for every page that some key of the
    chatbot is for."""

    authentication_classes = (WidgetAuthentication,)
    scopes = {"GET": embedding.WIDGET, "POST": embedding.WIDGET, "PATCH": embedding.WIDGET}

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        if request.method != "OPTIONS":
            super().initial(request, *args, **kwargs)

    def options(  # type: ignore[override]  # as REST framework calls it
        self, request: Request, *args: Any, **kwargs: Any
    ) -> Response:
        response = Response(status=204, headers={"Allow": ", ".join(self.allowed_methods)})
        origin = request.META.get("HTTP_ORIGIN", "")
        if origin and embedding.serves_origin(origin=origin, chatbot_id=kwargs["chatbot_id"]):
            response["Access-Control-Allow-Origin"] = origin
            response["Access-Control-Allow-Methods"] = ", ".join(self.allowed_methods)
            response["Access-Control-Allow-Headers"] = "content-type, x-embed-key, x-participant-token"
            response["Access-Control-Max-Age"] = "3600"
        return response

    def finalize_response(self, request: Request, response: Any, *args: Any, **kwargs: Any) -> Any:
        response = super().finalize_response(request, response, *args, **kwargs)
        if embed_key(request) is not None:
            response["Access-Control-Allow-Origin"] = request.META["HTTP_ORIGIN"]
        response["Vary"] = "Origin, Cookie"
        response["Cache-Control"] = "no-store"
        return response


def embed_key(request: Request) -> EmbedKey | None:
    return getattr(request, "embed_key", None)


class Identify(WidgetView):
    @identify_visitor
    def post(self, request: Request, chatbot_id: UUID) -> Response:
        body = IdentifyRequestSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        found = widget.identify(
            caller=caller_of(request),
            identity_token=body.validated_data.get("identity_token"),
            own_token=request.META.get(TOKEN_HEADER),
            name=body.validated_data.get("name"),
            remote_id=body.validated_data.get("remote_id"),
            now=timezone.now(),
        )
        return Response(IdentifiedSerializer(found).data)


class Me(WidgetView):
    @show_visitor
    def get(self, request: Request, chatbot_id: UUID) -> Response:
        return self.shown(request)

    @change_visitor
    def patch(self, request: Request, chatbot_id: UUID) -> Response:
        body = VisitorChangeSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        key = embed_key(request)
        widget.change_visitor(
            caller=caller_of(request),
            token=self.token(request),
            name=body.validated_data.get("name"),
            patch=body.validated_data.get("data", {}),
            writable_keys=key.writable_keys if key else [],
            now=timezone.now(),
        )
        return self.shown(request)

    def shown(self, request: Request) -> Response:
        caller = caller_of(request)
        chatbot = widget.chatbot_of(caller)
        participant = widget.visitor(caller=caller, token=self.token(request), now=timezone.now())
        kept = entries(team=caller.team, participant_ids=[participant.pk], chatbot=chatbot.public_id)
        data = [entry.text for entry in kept[participant.pk]]
        schedules = coming_schedules(team=caller.team, participant_id=participant.pk, chatbot_id=chatbot.pk)
        shown = {
            "participant": participant,
            "data": data[0] if data else b"{}",
            "schedules": schedules,
        }
        return Response(VisitorSerializer(shown).data)

    def token(self, request: Request) -> str:
        """Raises CredentialRefused where there is none: the same words as for a wrong one."""
        if not (token := request.META.get(TOKEN_HEADER)):
            raise CredentialRefused
        return str(token)
