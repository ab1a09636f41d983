"""How people come into a team: by a link that somebody in it sends them.

There is no adding a person without asking them, and an answer tells nobody which addresses have accounts.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction

from apps.errors import DomainError
from apps.teams.models import Invitation, Membership, Role, Team, User, normalise_email
from apps.teams.services import ensure_member

from . import keys
from .scopes import can_hand_out, role_scopes

LIFETIME = timedelta(days=7)


class InvitationGone(DomainError):
    """The same words whatever the reason."""

    message = "This invitation is no longer valid. Ask for a new one."


class NotYours(DomainError):
    message = "This invitation is for another address."


@dataclass(frozen=True, slots=True)
class NewInvitation:
    """`secret` can't be had again: only its hash is stored."""

    invitation: Invitation
    secret: str


def invite(*, team: Team, email: str, role: Role, by: User, now: datetime) -> NewInvitation:
    """Replaces an earlier invitation of the same address."""
    secret = secrets.token_urlsafe(32)
    fields = {
        "role": role,
        "hash": keys.digest(secret),
        "invited_by": by,
        "created_at": now,
        "expires_at": now + LIFETIME,
    }
    invitation, _ = Invitation.objects.update_or_create(
        team=team, email=normalise_email(email), defaults=fields
    )
    return NewInvitation(invitation, secret)


def open_invitation(secret: str, *, now: datetime) -> Invitation:
    """Raises InvitationGone, also when whoever invited could not do so any more."""
    rows = Invitation.objects.select_related("team", "invited_by")
    found = rows.filter(hash=keys.digest(secret), expires_at__gt=now).first()
    if found is None or not _could_still_invite(found):
        raise InvitationGone
    return found


def accept_invitation(secret: str, *, user: User, now: datetime) -> Membership:
    """Makes the user a member; one who is already keeps their role. Raises InvitationGone and NotYours."""
    with transaction.atomic():
        invitation = open_invitation(secret, now=now)
        if invitation.email != user.email:
            raise NotYours
        # Of two who follow the link at once, one deletes it.
        if not Invitation.objects.for_team(invitation.team).filter(hash=keys.digest(secret)).delete()[0]:
            raise InvitationGone
        return ensure_member(team=invitation.team, user=user, role=Role(invitation.role))


def _could_still_invite(invitation: Invitation) -> bool:
    inviter = invitation.invited_by
    if not inviter.is_active:
        return False
    if inviter.is_superuser:
        return True
    roles = Membership.objects.filter(team=invitation.team, user=inviter).values_list("role", flat=True)
    return any(can_hand_out(role_scopes(role), invitation.role) for role in roles)
