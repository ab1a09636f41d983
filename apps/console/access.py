"""Who looks at a page, in which team, and what they may do there."""

from __future__ import annotations

from dataclasses import dataclass

from django.http import HttpRequest

from apps.access.scopes import Scopes, role_scopes
from apps.access.services import SESSION_TEAM, current_membership
from apps.teams.models import Membership, Role, Team, User

NOTHING: Scopes = frozenset()


@dataclass(frozen=True, slots=True)
class Access:
    """`team` is the one that every page shows. It is None for a superuser who has not chosen one, and
    who then sees all teams, and for a person who is in no team, and sees nothing."""

    user: User | None
    team: Team | None
    scopes: Scopes
    memberships: tuple[Membership, ...] = ()

    @property
    def sees_every_team(self) -> bool:
        return self.is_superuser and self.team is None

    @property
    def is_superuser(self) -> bool:
        return self.user is not None and self.user.is_superuser

    def reaches(self, team_id: int) -> bool:
        return self.sees_every_team or (self.team is not None and self.team.pk == team_id)


def access_of(request: HttpRequest) -> Access:
    """Computed once a request, from what the database says now."""
    found: Access | None = getattr(request, "console_access", None)
    if found is None:
        found = request.console_access = _access(request)  # type: ignore[attr-defined]  # kept for the request
    return found


def forget_access(request: HttpRequest) -> None:
    """After the session's user or team has changed."""
    request.console_access = None  # type: ignore[attr-defined]  # kept for the request


def _access(request: HttpRequest) -> Access:
    user = request.user
    if not isinstance(user, User) or not user.is_active:
        return Access(None, None, NOTHING)
    memberships = tuple(Membership.objects.filter(user=user).select_related("team").order_by("team__name"))
    chosen = request.session.get(SESSION_TEAM)
    if user.is_superuser:
        team = Team.objects.filter(pk=chosen).first() if chosen else None
        return Access(user, team, role_scopes(Role.OWNER), memberships)
    membership = current_membership(memberships, team_id=chosen)
    if membership is None:
        return Access(user, None, NOTHING)
    return Access(user, membership.team, role_scopes(membership.role), memberships)
