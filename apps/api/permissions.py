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
    """Compares the view's `scopes` for the method with the caller's. HEAD asks for what GET does.

    A method that the view does not have, and OPTIONS, need no scope: they answer 405, and what there is.
    """

    def has_permission(self, request: Request, view: APIView) -> bool:
        if not isinstance(request.auth, Caller):
            return False
        method = "GET" if request.method == "HEAD" else str(request.method)
        if method == "OPTIONS" or not hasattr(view, method.lower()):
            return True
        scopes: dict[str, str] = view.scopes  # type: ignore[attr-defined]  # every view has them
        return scopes[method] in request.auth.scopes
