"""What is ours in the OAuth2 server: every grant and token is for one team."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from oauth2_provider.oauth2_backends import OAuthLibCore
from oauth2_provider.oauth2_validators import OAuth2Validator
from oauthlib.common import Request as OauthlibRequest

from apps.teams.models import Membership, Team, User

from . import keys
from .models import AccessToken, Application, Grant, RefreshToken
from .scopes import ROLE_SCOPES

# The documentation's own client. Its one redirect address is on whatever host the pages are read from.
DOCS_CLIENT_ID = "api-docs"
DOCS_REDIRECT_PATH = "/api/docs/oauth2-redirect.html"


def new_access_token(request: Any, refresh_token: bool = False) -> str:
    return keys.new_secret(keys.ACCESS_TOKEN_PREFIX)


def new_refresh_token(request: Any, refresh_token: bool = True) -> str:
    return keys.new_secret(keys.REFRESH_TOKEN_PREFIX)


class Validator(OAuth2Validator):
    """Carries the team from consent to code to tokens, in `request.team`.

    With client credentials it is the application's; with a refresh token the one it was issued for.
    """

    def validate_redirect_uri(
        self, client_id: str, redirect_uri: str, request: Any, *args: Any, **kwargs: Any
    ) -> bool:
        if client_id == DOCS_CLIENT_ID:
            return bool(redirect_uri == f"{request.headers[Backend.ORIGIN]}{DOCS_REDIRECT_PATH}")
        return bool(super().validate_redirect_uri(client_id, redirect_uri, request, *args, **kwargs))

    def validate_code(
        self, client_id: str, code: str, client: Any, request: Any, *args: Any, **kwargs: Any
    ) -> bool:
        if not super().validate_code(client_id, code, client, request, *args, **kwargs):
            return False
        request.team = Grant.objects.select_related("team").get(code=code, application=client).team
        return may_act(user=request.user, team=request.team, application=client)

    def validate_refresh_token(
        self, refresh_token: str, client: Any, request: Any, *args: Any, **kwargs: Any
    ) -> bool:
        if not super().validate_refresh_token(refresh_token, client, request, *args, **kwargs):
            return False
        request.team = request.refresh_token_instance.team
        return may_act(user=request.user, team=request.team, application=client)

    def _create_authorization_code(self, request: Any, code: Any, expires: Any = None) -> Grant:
        grant: Grant = super()._create_authorization_code(request, code, expires)
        Grant.objects.filter(pk=grant.pk).update(team=team_of(request))
        return grant

    def _create_access_token(
        self, expires: Any, request: Any, token: Any, source_refresh_token: Any = None
    ) -> AccessToken:
        made: AccessToken = super()._create_access_token(expires, request, token, source_refresh_token)
        AccessToken.objects.filter(pk=made.pk).update(team=team_of(request))
        return made

    def _create_refresh_token(
        self, request: Any, refresh_token_code: str, access_token: Any, previous_refresh_token: Any
    ) -> RefreshToken:
        made: RefreshToken = super()._create_refresh_token(
            request, refresh_token_code, access_token, previous_refresh_token
        )
        RefreshToken.objects.filter(pk=made.pk).update(team=team_of(request))
        return made


class Backend(OAuthLibCore):
    """Tells the validator under which scheme and host the request came; Django has checked the host."""

    ORIGIN = "ocp.origin"  # no HTTP header can have this name in a WSGI environment

    def extract_headers(self, request: HttpRequest) -> dict[str, Any]:
        origin = request.build_absolute_uri("/").removesuffix("/")
        headers: dict[str, Any] = super().extract_headers(request)
        return headers | {self.ORIGIN: origin}

    def client_of(self, request: HttpRequest) -> Application | None:
        """The confidential client that authenticates itself with this request."""
        found = OauthlibRequest(*self._extract_params(request))
        return found.client if self.server.request_validator.authenticate_client(found) else None


def team_of(request: Any) -> Team | None:
    """The team that a token request is for."""
    client: Application = request.client
    # Any parameter of the request shows up as an attribute: only one that we set is a Team.
    team = client.team if client.is_machine else getattr(request, "team", None)
    return team if isinstance(team, Team) else None


def may_act(*, user: User, team: Team | None, application: Application) -> bool:
    """Whether a person may still let this application act for them in the team."""
    memberships = memberships_for(user=user, application=application)
    return team is not None and team.pk in {membership.team_id for membership in memberships}


def memberships_for(*, user: User, application: Application | None) -> list[Membership]:
    """In which teams a person may let an application act: its own, or for a global one any of theirs."""
    if application is None:
        return []
    rows = Membership.objects.filter(user=user, user__is_active=True).select_related("team")
    if application.team_id is not None:
        rows = rows.filter(team=application.team_id)
    return list(rows.order_by("team__name"))


def grantable_scopes(*, requested: list[str], role: str) -> list[str]:
    """What a member can pass on: nobody hands out more than they have."""
    return [scope for scope in requested if scope in ROLE_SCOPES.get(role, frozenset())]
