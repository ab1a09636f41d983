"""Letting callers in, and making what lets them in."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Q
from django.db.models.functions import Now

from apps.errors import DomainError
from apps.teams.models import Membership, Team, User

from . import keys, queries
from .caller import Caller, CredentialRefused, Kind
from .models import ApiKey, Application
from .scopes import ALL, READ, effective_scopes

SESSION_TEAM = "team_id"


class NotAMember(DomainError):
    message = "A key belongs to a member of the team: add the person to the team first."


@dataclass(frozen=True, slots=True)
class NewKey:
    """`secret` can't be had again: only its hash is stored."""

    key: ApiKey
    secret: str


def caller_for_key(secret: str) -> Caller:
    """The caller that an API key stands for. Raises CredentialRefused."""
    key = queries.usable_key(digest=keys.digest(secret))
    if key is None:
        raise CredentialRefused
    if key.use_is_unrecorded:
        record_use(key.id)
    return Caller(
        kind=Kind.API_KEY,
        team=key.team,
        user=key.user,
        scopes=effective_scopes(READ if key.read_only else ALL, key.role),
        credential_id=key.id,
    )


def caller_for_bearer(token: str) -> Caller:
    """The caller of `Authorization: Bearer`: an OAuth2 access token, or an API key.

    Raises CredentialRefused.
    """
    return caller_for_token(token) if token.startswith(keys.ACCESS_TOKEN_PREFIX) else caller_for_key(token)


def caller_for_token(token: str) -> Caller:
    """The person or machine that an OAuth2 access token stands for. Raises CredentialRefused."""
    found = queries.usable_token(checksum=keys.digest(token).hex())
    if found is None:
        raise CredentialRefused
    return Caller(
        kind=Kind.TOKEN,
        team=found.team,
        user=found.user,
        scopes=found.effective_scopes,
        credential_id=found.id,
    )


def caller_for_session(*, user: User, team_id: int | None) -> Caller:
    """A signed-in member in their current team: the one that they chose, or else their first.

    Raises CredentialRefused when the person is inactive or in no team.
    """
    memberships = Membership.objects.filter(user=user, user__is_active=True).select_related("team")
    membership = current_membership(memberships, team_id=team_id)
    if membership is None:
        raise CredentialRefused
    return Caller(
        kind=Kind.SESSION,
        team=membership.team,
        user=user,
        scopes=effective_scopes(ALL, membership.role),
    )


def current_membership(memberships: Iterable[Membership], *, team_id: int | None) -> Membership | None:
    """Of a person's memberships the one that they chose, or else their first: for the API and for the
    admin alike."""
    return min(memberships, key=lambda found: (found.team_id != team_id, found.pk), default=None)


def record_use(key_id: int) -> None:
    """Notes that a key is used, once a minute: of concurrent requests one writes."""
    stale = Q(last_used_at=None) | Q(last_used_at__lt=Now() - timedelta(minutes=1))
    ApiKey.objects.filter(stale, pk=key_id).update(last_used_at=Now())


def create_api_key(
    *,
    team: Team,
    user: User,
    name: str,
    read_only: bool = False,
    expires_at: datetime | None = None,
) -> NewKey:
    """Raises NotAMember when the user is not in the team."""
    if not Membership.objects.filter(team=team, user=user).exists():
        raise NotAMember
    secret = keys.new_secret()
    key = ApiKey.objects.create(
        team=team,
        user=user,
        name=name,
        hint=secret[: keys.HINT_LENGTH],
        hash=keys.digest(secret),
        read_only=read_only,
        expires_at=expires_at,
    )
    return NewKey(key, secret)


def revoke_api_key(key: ApiKey, *, now: datetime) -> None:
    """From the next request on the key is refused. Revoking twice keeps the first moment."""
    ApiKey.objects.filter(pk=key.pk, revoked_at=None).update(revoked_at=now)


@dataclass(frozen=True, slots=True)
class NewApplication:
    """`secret` can't be had again. A public application (a page, an app on a phone) has none."""

    application: Application
    secret: str | None


def create_application(
    *,
    team: Team | None,
    name: str,
    redirect_uris: Sequence[str] = (),
    is_machine: bool = False,
    is_public: bool = False,
) -> NewApplication:
    """Registers an OAuth2 application; without a team it is a global one."""
    secret = keys.new_secret(keys.CLIENT_SECRET_PREFIX)
    application = Application(
        team=team,
        name=name,
        redirect_uris=" ".join(redirect_uris),
        client_type=Application.CLIENT_PUBLIC if is_public else Application.CLIENT_CONFIDENTIAL,
        authorization_grant_type=(
            Application.GRANT_CLIENT_CREDENTIALS if is_machine else Application.GRANT_AUTHORIZATION_CODE
        ),
        client_secret=secret,
    )
    application.clean()
    application.save()
    return NewApplication(application, None if is_public else secret)
