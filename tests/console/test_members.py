"""Members, roles and invitations in the admin."""

from __future__ import annotations

import html
import re

import pytest
from django.test import Client

from apps.teams.models import Invitation, Membership, Role, User

from .conftest import Console, signed_in

MEMBERS = "/admin/teams/membership/"


@pytest.fixture
def owner(console: Console):
    return signed_in(console.workspace.owner)


def membership(console: Console, user: User) -> Membership:
    return Membership.objects.get(team=console.workspace.team, user=user)


def change(client, row: Membership, role: str):
    return client.post(f"{MEMBERS}{row.pk}/change/", {"role": role}, follow=True)


@pytest.mark.parametrize("role", Role.values)
def test_an_owner_gives_any_role(console: Console, owner, role):
    change(owner, membership(console, console.viewer), role)
    assert membership(console, console.viewer).role == role


@pytest.mark.parametrize("role", ["editor", "viewer"])
@pytest.mark.parametrize("target", ["owner", "editor", "viewer"])
def test_others_give_none(console: Console, role, target):
    row = membership(console, console.user(target))
    response = change(console.client(role), row, Role.OWNER)
    assert response.status_code == 403
    assert membership(console, console.user(target)).role == target


def test_a_role_that_is_none_is_refused(console: Console, owner):
    assert "valid choice" in change(owner, membership(console, console.viewer), "god").content.decode()
    assert membership(console, console.viewer).role == Role.VIEWER


def test_the_last_owner_is_told_why_they_stay(console: Console, owner):
    row = membership(console, console.workspace.owner)
    assert "without an owner" in change(owner, row, Role.VIEWER).content.decode()
    response = owner.post(f"{MEMBERS}{row.pk}/delete/", {"post": "yes"}, follow=True)
    assert "without an owner" in response.content.decode()
    assert membership(console, console.workspace.owner).role == Role.OWNER


def test_a_superuser_can_not_delete_the_last_owner_either(console: Console):
    client, user = console.client("superuser"), console.workspace.owner
    response = client.post(f"/admin/teams/user/{user.pk}/delete/", {"post": "yes"}, follow=True)
    assert "without an owner" in response.content.decode()
    form = {"action": "delete_selected", "_selected_action": user.pk, "post": "yes", "index": 0}
    client.post("/admin/teams/user/", form)
    assert User.objects.filter(pk=user.pk).exists()


def test_everyone_may_leave(console: Console):
    row = membership(console, console.viewer)
    console.client("viewer").post(f"{MEMBERS}{row.pk}/delete/", {"post": "yes"})
    assert not Membership.objects.filter(pk=row.pk).exists()


def test_a_removed_member_loses_their_keys(console: Console, owner):
    key = console.workspace.key(user=console.editor)
    row = membership(console, console.editor)
    owner.post(f"{MEMBERS}{row.pk}/delete/", {"post": "yes"})
    assert Client().get("/api/participants", headers={"X-api-key": key}).status_code == 401


def invite(client, email: str, role: str = "editor") -> str:
    """The path of the link that is shown."""
    page = client.post("/admin/teams/invitation/add/", {"email": email, "role": role}).content.decode()
    found = re.search(r"http://testserver(/invitation/[\w-]+)", html.unescape(page))
    assert found, page
    return found[1]


def test_an_invited_person_makes_an_account_and_is_in(console: Console, owner):
    link = invite(owner, " New@Elsewhere.example ")
    visitor = Client()
    assert "New@" not in visitor.get(link).content.decode()
    assert "too short" in visitor.post(link, {"name": "New", "password": "a"}).content.decode()
    response = visitor.post(link, {"name": "New", "password": "correct horse battery"}, follow=True)
    assert response.redirect_chain[-1][0] == "/admin/"
    assert console.workspace.team.name in response.content.decode()
    assert membership(console, User.objects.get(email="new@elsewhere.example")).role == Role.EDITOR
    assert Client().get(link).status_code == 404


def test_an_invited_person_with_an_account_joins_as_themself(console: Console, owner):
    link = invite(owner, console.other.owner.email)
    assert "Sign in to join" in Client().get(link).content.decode()
    assert Client().post(link, {"name": "x", "password": "correct horse battery"}).status_code == 200
    assert not Membership.objects.filter(team=console.workspace.team, user=console.other.owner).exists()
    signed_in(console.other.owner).post(link)
    assert membership(console, console.other.owner).role == Role.EDITOR


def test_somebody_else_can_not_take_the_link(console: Console, owner):
    link = invite(owner, "new@elsewhere.example")
    assert console.client("stranger").post(link).status_code == 403
    assert Invitation.objects.filter(email="new@elsewhere.example").exists()


def test_the_link_is_shown_once(console: Console, owner):
    secret = invite(owner, "new@elsewhere.example").rsplit("/", 1)[1]
    pk = Invitation.objects.get(email="new@elsewhere.example").pk
    for path in ("", f"{pk}/change/", f"{pk}/history/"):
        assert secret not in owner.get(f"/admin/teams/invitation/{path}").content.decode()


def test_an_invitation_tells_nobody_who_has_an_account(console: Console, owner):
    pages = [
        owner.post("/admin/teams/invitation/add/", {"email": email, "role": "viewer"}).content.decode()
        for email in (console.other.owner.email, "nobody@elsewhere.example")
    ]
    said = [re.sub(r"/invitation/[\w-]+|[\w.-]+@[\w.-]+|csrf\S+ value=\S+", "", page) for page in pages]
    assert said[0] == said[1]


def test_a_member_is_not_invited_again(console: Console, owner):
    form = {"email": console.viewer.email, "role": "owner"}
    assert "a member already" in owner.post("/admin/teams/invitation/add/", form).content.decode()
