"""What a load balancer asks."""

from __future__ import annotations

from functools import cache

from django.db import DatabaseError, connection
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder
from django.http import HttpRequest, JsonResponse
from django.views.decorators.http import require_safe

from ..errors import json_response


@require_safe
def live(request: HttpRequest) -> JsonResponse:
    """The process answers."""
    return json_response({"status": "ok"})


@require_safe
def ready(request: HttpRequest) -> JsonResponse:
    """The database is reachable and migrated; else 503 with the reason."""
    try:
        applied = MigrationRecorder(connection).applied_migrations()
    except DatabaseError:
        return _not_ready("The database can't be reached.")
    if missing := _migrations() - applied.keys():
        return _not_ready(f"{len(missing)} migrations are not applied: run `manage.py migrate`.")
    return json_response({"status": "ok"})


def _not_ready(reason: str) -> JsonResponse:
    return json_response(
        {"status": "unavailable", "detail": reason}, status=503, headers={"Retry-After": "2"}
    )


@cache
def _migrations() -> frozenset[tuple[str, str]]:
    """The migrations that this version of the code comes with."""
    return frozenset(MigrationLoader(None).disk_migrations)
