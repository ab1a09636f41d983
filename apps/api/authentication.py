"""Which credential a request carries, and for whom it speaks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rest_framework.authentication import BaseAuthentication, SessionAuthentication
from rest_framework.exceptions import PermissionDenied
from rest_framework.request import Request

from apps.access.caller import Caller
from apps.access.services import SESSION_TEAM, caller_for_bearer, caller_for_key, caller_for_session
from apps.teams.models import User

API_KEY, EMBED_KEY = "HTTP_X_API_KEY", "HTTP_X_EMBED_KEY"
CHALLENGE = 'Bearer realm="api"'
EMBED_KEY_REFUSED = "An embed key opens only the widget's operations, under /api/widget/."


def brings_credential(meta: Mapping[str, Any]) -> bool:
    """Whether a request's headers have a credential, so that nobody asks for its session."""
    return bool(_bearer(meta) or meta.get(API_KEY, "").strip() or meta.get(EMBED_KEY, "").strip())


def _bearer(meta: Mapping[str, Any]) -> str:
    scheme, _, token = meta.get("HTTP_AUTHORIZATION", "").strip().partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


class CallerAuthentication(BaseAuthentication):
    """Sets `request.auth` to the Caller and `request.user` to its user.

    Of several credentials the first decides, and a bad one is refused rather than skipped:
    Authorization, X-api-key, X-Embed-Key, the session. An empty one, or a scheme other than
    Bearer, counts as none.
    """

    def authenticate(self, request: Request) -> tuple[User | None, Caller] | None:
        caller = self.find_caller(request)
        return (caller.user, caller) if caller else None

    def find_caller(self, request: Request) -> Caller | None:
        if token := _bearer(request.META):
            return caller_for_bearer(token)
        if key := request.META.get(API_KEY, "").strip():
            return caller_for_key(key)
        if key := request.META.get(EMBED_KEY, "").strip():
            return self.embed_key_caller(request, key)
        return self.session_caller(request)

    def embed_key_caller(self, request: Request, key: str) -> Caller:
        raise PermissionDenied(EMBED_KEY_REFUSED)

    def session_caller(self, request: Request) -> Caller | None:
        found = SessionAuthentication().authenticate(request)  # enforces CSRF
        if found is None:
            return None
        user, _ = found
        return caller_for_session(user=user, team_id=request._request.session.get(SESSION_TEAM))

    def authenticate_header(self, request: Request) -> str:
        return CHALLENGE
