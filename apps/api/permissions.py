"""What a caller may do."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rest_framework.permissions import BasePermission
from rest_framework.request import Request

if TYPE_CHECKING:
    # REST framework imports this module while it makes the class.
    from rest_framework.views import APIView

from apps.access.caller import Caller


def caller_of(request: Request) -> Caller:
    """Who calls, in a view that HasScope guards."""
    assert isinstance(request.auth, Caller)
    return request.auth


class HasScope(BasePermission):
    """Compares the view's `scopes` for the method with the caller's.

    A method that the view does not name is let through: it answers 405, or OPTIONS.
    """

    def has_permission(self, request: Request, view: APIView) -> bool:
        if not isinstance(request.auth, Caller):
            return False
        scope = view.scopes.get(request.method)  # type: ignore[attr-defined]  # every view has them
        return scope is None or scope in request.auth.scopes
