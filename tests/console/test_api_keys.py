"""API keys: made in the admin, shown once, used, revoked."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from apps.access.models import ApiKey

from .conftest import Console, signed_in

KEYS = "/admin/access/apikey/"


@pytest.fixture
def owner(console: Console):
    return signed_in(console.workspace.owner)


def make(client, **fields: str) -> str:
    response = client.post(f"{KEYS}add/", {"name": "Website", "lifetime": "90"} | fields)
    assert "no-store" in response["Cache-Control"]
    found = re.search(r'value="(ocp_[\w-]+)"', response.content.decode())
    assert found, response.content
    return found[1]


def call(key: str, method: str = "get") -> int:
    send = getattr(Client(), method)
    body = (
        {"data": {"identifier": "x", "data": []}, "content_type": "application/json"}
        if method == "post"
        else {}
    )
    return send("/api/participants", headers={"X-api-key": key}, **body).status_code


def test_a_key_is_made_used_and_revoked(console: Console, owner):
    key = make(owner)
    made = ApiKey.objects.get(name="Website")
    assert (made.team, made.user) == (console.workspace.team, console.workspace.owner)
    assert abs(made.expires_at - timezone.now() - timedelta(days=90)) < timedelta(minutes=1)
    assert (call(key), call(key, "post")) == (200, 200)

    assert owner.get(f"{KEYS}{made.pk}/revoke/").status_code == 200
    assert call(key) == 200, "asking changes nothing"
    owner.post(f"{KEYS}{made.pk}/revoke/")
    assert call(key) == 401
    assert "Revoked" in owner.get(f"{KEYS}{made.pk}/change/").content.decode()


def test_it_is_shown_once(console: Console, owner):
    key = make(owner)
    pk = ApiKey.objects.get(name="Website").pk
    for path in ("", f"{pk}/change/", f"{pk}/history/", f"{pk}/revoke/"):
        assert key[9:] not in owner.get(KEYS + path).content.decode()
    assert key not in str(dict(owner.session))


def test_a_read_only_key_reads(console: Console, owner):
    key = make(owner, read_only="on", lifetime="")
    assert (call(key), call(key, "post")) == (200, 403)
    assert ApiKey.objects.get(name="Website").expires_at is None


@pytest.mark.parametrize("fields", [{"name": ""}, {"lifetime": "9999"}])
def test_what_is_missing_is_asked_for(console: Console, owner, fields):
    response = owner.post(f"{KEYS}add/", {"name": "Website", "lifetime": "90"} | fields)
    assert response.status_code == 200
    assert not ApiKey.objects.filter(name="Website").exists()


def test_selected_keys_are_revoked(console: Console, owner):
    pk = console.pks["access_apikey"]
    owner.post(KEYS, {"action": "revoke_selected", "_selected_action": pk, "index": 0})
    assert ApiKey.objects.get(pk=pk).revoked_at


@pytest.mark.parametrize("role", ["editor", "viewer", "stranger"])
def test_only_owners_make_them(console: Console, role):
    response = console.client(role).post(f"{KEYS}add/", {"name": "Website", "lifetime": ""})
    assert response.status_code == 403
    assert not ApiKey.objects.filter(name="Website").exists()


@pytest.mark.parametrize(("state", "shown"), [("active", True), ("expired", False), ("revoked", False)])
def test_keys_are_found_by_their_state(console: Console, owner, state, shown):
    assert ("Nothing found" not in owner.get(f"{KEYS}?state={state}").content.decode()) is shown
