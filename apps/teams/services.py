"""Making teams and people, and who belongs to which."""

from __future__ import annotations

import secrets
from dataclasses import dataclass

from django.db import transaction

from apps.errors import DomainError

from .models import Membership, Role, Team, User, normalise_email


class LastOwner(DomainError):
    def __init__(self, team: Team) -> None:
        super().__init__(f"{team} would be left without an owner: make somebody else an owner first.")


@dataclass(frozen=True, slots=True)
class EnsuredUser:
    """`password` is None for a person who was there already."""

    user: User
    password: str | None


def ensure_team(name: str) -> Team:
    return Team.objects.get_or_create(name=name)[0]


def ensure_user(email: str) -> EnsuredUser:
    """The person with this address, made with a random password if there is none."""
    email = normalise_email(email)
    user = User.objects.filter(email=email).first()
    if user is not None:
        return EnsuredUser(user, None)
    password = secrets.token_urlsafe(15)
    return EnsuredUser(User.objects.create_user(email, password), password)


def ensure_member(*, team: Team, user: User, role: Role) -> Membership:
    """Keeps the role of somebody who is a member already."""
    return Membership.objects.get_or_create(team=team, user=user, defaults={"role": role})[0]


def change_role(membership: Membership, *, role: Role) -> None:
    """Raises LastOwner."""
    with transaction.atomic():
        if role != Role.OWNER:
            _keep_an_owner(membership.team, without=membership.user)
        Membership.objects.filter(pk=membership.pk).update(role=role)


def remove_member(membership: Membership) -> None:
    """Their keys in the team stop working with the next request. Raises LastOwner."""
    with transaction.atomic():
        _keep_an_owner(membership.team, without=membership.user)
        Membership.objects.filter(pk=membership.pk).delete()


def delete_user(user: User) -> None:
    """Raises LastOwner when a team would lose its only owner."""
    with transaction.atomic():
        for membership in Membership.objects.filter(user=user).select_related("team").order_by("team_id"):
            _keep_an_owner(membership.team, without=user)
        user.delete()


def _keep_an_owner(team: Team, *, without: User) -> None:
    """Of two owners who leave at once the second waits here for the first, and is refused.

    Somebody who is locked out doesn't count. Raises LastOwner.
    """
    Team.objects.select_for_update().get(pk=team.pk)
    owners = Membership.objects.filter(team=team, role=Role.OWNER)
    others = owners.filter(user__is_active=True).exclude(user=without)
    if owners.filter(user=without).exists() and not others.exists():
        raise LastOwner(team)
