"""How people come into a team."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from apps.access.invitations import (
    LIFETIME,
    InvitationGone,
    NotYours,
    accept_invitation,
    invite,
    open_invitation,
)
from apps.teams.models import Invitation, Membership, Role, User
from apps.teams.services import change_role
from tests.threads import together


@pytest.fixture
def person(db) -> User:
    return User.objects.create_user("guest@elsewhere.example")


def invited(workspace, person, role=Role.EDITOR) -> str:
    now = timezone.now()
    return invite(team=workspace.team, email=person.email, role=role, by=workspace.owner, now=now).secret


def accept(secret: str, user: User) -> Membership:
    return accept_invitation(secret, user=user, now=timezone.now())


def test_it_makes_a_member_with_the_role(workspace, person):
    accept(invited(workspace, person), person)
    assert Membership.objects.get(user=person, team=workspace.team).role == Role.EDITOR
    assert not Invitation.objects.exists()


def test_it_works_once(workspace, person):
    secret = invited(workspace, person)
    accept(secret, person).delete()
    with pytest.raises(InvitationGone):
        accept(secret, person)


def test_it_is_for_its_address_alone(workspace, person):
    with pytest.raises(NotYours):
        accept(invited(workspace, person), User.objects.create_user("other@elsewhere.example"))


def test_it_expires(workspace, person):
    with pytest.raises(InvitationGone):
        open_invitation(invited(workspace, person), now=timezone.now() + LIFETIME + timedelta(seconds=1))


def test_a_second_one_replaces_the_first(workspace, person):
    first, second = invited(workspace, person), invited(workspace, person, Role.VIEWER)
    with pytest.raises(InvitationGone):
        accept(first, person)
    assert accept(second, person).role == Role.VIEWER


def test_it_keeps_the_role_of_a_member(workspace, person):
    Membership.objects.create(team=workspace.team, user=person, role=Role.OWNER)
    assert accept(invited(workspace, person, Role.VIEWER), person).role == Role.OWNER


def test_it_dies_with_the_right_to_invite(workspace, person):
    workspace.member(Role.OWNER)
    secret = invited(workspace, person)
    change_role(Membership.objects.get(user=workspace.owner), role=Role.EDITOR)
    with pytest.raises(InvitationGone):
        accept(secret, person)


def test_it_dies_with_who_invited(workspace, person):
    secret = invited(workspace, person)
    User.objects.filter(pk=workspace.owner.pk).update(is_active=False)
    with pytest.raises(InvitationGone):
        accept(secret, person)


@pytest.mark.django_db(transaction=True)
def test_followed_twice_at_once_it_works_once(workspace, person):
    secret = invited(workspace, person)

    def follow() -> str:
        try:
            accept(secret, person)
        except InvitationGone:
            return "gone"
        return "joined"

    assert sorted(together([follow, follow])) == ["gone", "joined"]
