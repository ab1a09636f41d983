"""Webhook endpoints in the admin: made, their secrets shown once and rotated, switched off and on."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.contrib.admin.models import LogEntry
from django.utils import timezone

from apps.chatbots import signing
from apps.chatbots.models import WebhookEndpoint
from apps.chatbots.services import disable_endpoint
from apps.teams.models import Role

from .conftest import Console, fill, signed_in

HOOKS = "/admin/chatbots/webhookendpoint/"
URL = "https://new.example/hook"


@pytest.fixture
def owner(console: Console):
    return signed_in(console.workspace.owner)


@pytest.fixture
def hook(console: Console) -> WebhookEndpoint:
    return WebhookEndpoint.objects.get(pk=console.pks["chatbots_webhookendpoint"])


def secret_in(response) -> str:
    assert "no-store" in response["Cache-Control"]
    found = re.search(r'value="(whsec_[\w+/=]+)"', response.content.decode())
    assert found, response.content
    return found[1]


def opened(sealed: bytes, row: WebhookEndpoint) -> str:
    return signing.unseal(bytes(sealed), chatbot_id=row.chatbot_id)


def test_one_is_made_and_its_secret_shown_once(console: Console, owner):
    bot = console.workspace.bots[1]
    secret = secret_in(owner.post(f"{HOOKS}add/", {"chatbot": bot.pk, "url": f" {URL} "}))
    made = WebhookEndpoint.objects.get(chatbot=bot)
    assert (made.url, made.team, made.is_enabled) == (URL, console.workspace.team, True)
    assert opened(made.secret, made) == secret
    for path in ("", f"{made.pk}/change/", f"{made.pk}/history/", f"{made.pk}/rotate/"):
        assert "whsec_" not in owner.get(HOOKS + path).content.decode()
    assert secret not in str(dict(owner.session))


@pytest.mark.parametrize("url", ["", "bot.example", "ftp://bot.example/", "https://me:pw@bot.example/"])
def test_it_refuses_an_unusable_address(console: Console, owner, url):
    bot = console.workspace.bots[1]
    assert owner.post(f"{HOOKS}add/", {"chatbot": bot.pk, "url": url}).status_code == 200
    assert not WebhookEndpoint.objects.filter(chatbot=bot).exists()


def test_a_chatbot_has_one(console: Console, owner, hook):
    response = owner.post(f"{HOOKS}add/", {"chatbot": hook.chatbot_id, "url": URL})
    assert "already exists" in response.content.decode()
    assert WebhookEndpoint.objects.get(pk=hook.pk).url == hook.url


def test_a_rotated_secret_signs_beside_the_former(console: Console, owner, hook):
    secret = secret_in(owner.post(f"{HOOKS}{hook.pk}/rotate/"))
    row = WebhookEndpoint.objects.get(pk=hook.pk)
    assert opened(row.secret, row) == secret
    assert bytes(row.previous_secret) == bytes(hook.secret)
    assert abs(row.previous_secret_until - timezone.now() - timedelta(hours=24)) < timedelta(minutes=1)
    assert "the one before" in owner.get(f"{HOOKS}{hook.pk}/change/").content.decode()


def test_an_editor_changes_the_address_and_not_the_secret(console: Console, hook):
    client = console.client("editor")
    client.post(f"{HOOKS}{hook.pk}/change/", {"url": URL, "chatbot": console.workspace.bots[1].pk})
    row = WebhookEndpoint.objects.get(pk=hook.pk)
    assert (row.url, row.chatbot_id, bytes(row.secret)) == (URL, hook.chatbot_id, bytes(hook.secret))
    assert client.post(f"{HOOKS}{hook.pk}/rotate/").status_code == 403
    assert "whsec_" not in client.get(f"{HOOKS}{hook.pk}/change/").content.decode()


def test_one_that_was_disabled_says_why_and_is_enabled_again(console: Console, hook):
    client = console.client("editor")
    disable_endpoint(hook, reason="It answered 410 Gone.", now=timezone.now())
    for path in (HOOKS, f"{HOOKS}{hook.pk}/change/"):
        page = client.get(path).content.decode()
        assert "It answered 410 Gone." in page
    page = f"/admin/schedules/scheduledmessage/{console.pks['schedules_scheduledmessage']}/change/"
    assert "is disabled: it waits. It answered 410 Gone." in client.get(page).content.decode()
    client.post(f"{HOOKS}{hook.pk}/enable/")
    row = WebhookEndpoint.objects.get(pk=hook.pk)
    assert (row.is_enabled, row.disabled_reason) == (True, "")
    client.post(f"{HOOKS}{hook.pk}/disable/")
    assert not WebhookEndpoint.objects.get(pk=hook.pk).is_enabled
    assert [entry.change_message for entry in LogEntry.objects.order_by("id")] == ["Enabled.", "Disabled."]


def test_one_that_fails_says_since_when(console: Console, owner, hook):
    since = timezone.now() - timedelta(hours=2)
    WebhookEndpoint.objects.filter(pk=hook.pk).update(failing_since=since, failures=3)
    page = owner.get(f"{HOOKS}?state=failing").content.decode()
    assert since.isoformat() in page
    assert "3 attempts failed" in page


@pytest.mark.parametrize("step", ["change", "rotate", "enable", "disable", "delete"])
def test_another_team_s_does_not_exist(console: Console, owner, step):
    console.other.member(Role.VIEWER)
    pk = fill(console.other)["chatbots_webhookendpoint"]
    before = WebhookEndpoint.objects.filter(pk=pk).values().get()
    for send in (owner.get, owner.post):
        assert send(f"{HOOKS}{pk}/{step}/").status_code == 404
    assert WebhookEndpoint.objects.filter(pk=pk).values().get() == before
