"""From an exception to a response: the one table."""

from __future__ import annotations

import logging
from typing import Any

from django.db import Error, InterfaceError, InternalError, OperationalError
from django.http import HttpRequest, JsonResponse
from psycopg.errors import IdleInTransactionSessionTimeout, ReadOnlySqlTransaction
from rest_framework.response import Response
from rest_framework.views import exception_handler

from apps.access.caller import CredentialRefused
from apps.chatbots.queries import ChatbotsNotFound
from apps.errors import DomainError
from apps.participants.queries import ParticipantNotFound
from apps.schedules.queries import ScheduleNotFound
from apps.schedules.rules import UnusableRule

from .authentication import CHALLENGE
from .schedules import NotNow
from .widget import KeysNotWritable

logger = logging.getLogger(__name__)

RETRY_AFTER_SECONDS = "2"
UNAVAILABLE = {"detail": "The database can't be reached just now. Nothing was written; try again."}
# Of refusals whose body is `{"detail": message}`; any other is 400.
STATUS: dict[type[DomainError], int] = {
    KeysNotWritable: 403,
    ParticipantNotFound: 404,
    ScheduleNotFound: 404,
    NotNow: 409,
}


def json_response(content: dict[str, Any], **options: Any) -> JsonResponse:
    """Compact, as REST framework's responses here are."""
    return JsonResponse(content, json_dumps_params={"separators": (",", ":")}, **options)


def is_outage(error: Exception) -> bool:
    """Whether the database is away, or can only be read: a replica, or one that is no longer the first."""
    if isinstance(error, InternalError):
        return isinstance(error.__cause__, ReadOnlySqlTransaction | IdleInTransactionSessionTimeout)
    return isinstance(error, OperationalError | InterfaceError)


def unavailable(request: HttpRequest, error: Exception) -> JsonResponse:
    """503, for a database that is away or too busy. One line in the log, without a trace."""
    logger.error("database unavailable: %s", type(error).__name__)
    return json_response(UNAVAILABLE, status=503, headers={"Retry-After": RETRY_AFTER_SECONDS})


def internal_error(request: HttpRequest) -> JsonResponse:
    """500. Django has logged the exception with the same request id."""
    request_id = getattr(request, "request_id", "-")
    detail = f"Internal error. The log has it under request id {request_id}."
    return json_response({"detail": detail}, status=500)


def handle(error: Exception, context: dict[str, Any]) -> Any:
    """REST framework's EXCEPTION_HANDLER."""
    match error:
        case ChatbotsNotFound(missing=missing):
            messages = [{"message": f"Experiment {public_id} not found"} for public_id in missing]
            return Response({"errors": messages}, status=404)
        case CredentialRefused(message=message):
            return Response({"detail": message}, status=401, headers={"WWW-Authenticate": CHALLENGE})
        case UnusableRule(message=message, field=field):
            return Response({field: [message]}, status=400)
        case DomainError(message=message):
            return Response({"detail": message}, status=STATUS.get(type(error), 400))
        case Error() if is_outage(error):
            return unavailable(context["request"]._request, error)
    return exception_handler(error, context)
