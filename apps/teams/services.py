"""Making teams and people."""

from __future__ import annotations

import secrets
from dataclasses import dataclass

from .models import Membership, Role, Team, User, normalise_email


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
