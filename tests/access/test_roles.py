"""What each role may do, and that a team always keeps an owner."""

from __future__ import annotations

import pytest

from apps.access.scopes import (
    CHATBOTS_READ,
    CHATBOTS_WRITE,
    CREDENTIALS,
    MEMBERS_READ,
    MEMBERS_WRITE,
    PARTICIPANTS_READ,
    PARTICIPANTS_WRITE,
    TEAM_WRITE,
    can_hand_out,
    role_scopes,
)
from apps.teams.models import Membership, Role, User
from apps.teams.services import LastOwner, change_role, delete_user, remove_member
from tests.threads import together

READS = {PARTICIPANTS_READ, CHATBOTS_READ, MEMBERS_READ}
EDITS = {PARTICIPANTS_WRITE, CHATBOTS_WRITE}
MANAGES = {MEMBERS_WRITE, CREDENTIALS, TEAM_WRITE}


@pytest.mark.parametrize(
    ("role", "scopes"),
    [
        (Role.VIEWER, READS),
        (Role.EDITOR, READS | EDITS),
        (Role.OWNER, READS | EDITS | MANAGES),
        ("of another time", set()),
    ],
)
def test_a_role_has_its_scopes_and_no_more(role, scopes):
    assert role_scopes(role) == scopes


@pytest.mark.parametrize("given", Role.values)
@pytest.mark.parametrize("giver", Role.values)
def test_only_an_owner_hands_out_roles(giver, given):
    assert can_hand_out(role_scopes(giver), given) is (giver == Role.OWNER)


def test_nobody_hands_out_more_than_they_have():
    assert not can_hand_out(role_scopes(Role.EDITOR) | {MEMBERS_WRITE}, Role.OWNER)


def owner_of(workspace) -> Membership:
    return Membership.objects.get(team=workspace.team, user=workspace.owner)


LEAVING = {
    "leaves": remove_member,
    "is made an editor": lambda membership: change_role(membership, role=Role.EDITOR),
    "is deleted": lambda membership: delete_user(membership.user),
}


@pytest.mark.parametrize("leave", LEAVING.values(), ids=LEAVING)
def test_the_last_owner_stays(workspace, leave):
    with pytest.raises(LastOwner):
        leave(owner_of(workspace))
    assert owner_of(workspace).role == Role.OWNER


@pytest.mark.parametrize("leave", LEAVING.values(), ids=LEAVING)
def test_one_of_two_owners_goes(workspace, leave):
    workspace.member(Role.OWNER)
    leave(owner_of(workspace))
    assert not Membership.objects.filter(
        team=workspace.team, user_id=workspace.owner.pk, role=Role.OWNER
    ).exists()


def test_an_owner_who_is_locked_out_does_not_count(workspace):
    User.objects.filter(pk=workspace.member(Role.OWNER).pk).update(is_active=False)
    with pytest.raises(LastOwner):
        remove_member(owner_of(workspace))


def test_others_come_and_go(workspace):
    membership = Membership.objects.get(user=workspace.member(Role.EDITOR))
    change_role(membership, role=Role.VIEWER)
    remove_member(membership)
    assert Membership.objects.filter(team=workspace.team).count() == 1


@pytest.mark.django_db(transaction=True)
def test_of_two_owners_who_leave_at_once_one_stays(workspace):
    workspace.member(Role.OWNER)

    def leave(membership: Membership) -> str:
        try:
            remove_member(membership)
        except LastOwner:
            return "refused"
        return "left"

    for _ in range(5):
        owners = list(Membership.objects.filter(team=workspace.team, role=Role.OWNER))
        answers = together([lambda owner=owner: leave(owner) for owner in owners])
        assert sorted(answers) == ["left", "refused"]
        workspace.member(Role.OWNER)
