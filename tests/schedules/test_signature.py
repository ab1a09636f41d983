"""A message's signature, checked as somebody else's receiver does: by an implementation that is not ours."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils.timezone import now
from resend import Webhooks

from apps.chatbots.models import WebhookEndpoint
from apps.chatbots.services import rotate_secret
from apps.chatbots.signing import new_secret
from apps.schedules.delivery import body, signed_headers
from tests.schedules.due import claim_all, endpoint, schedule

pytestmark = pytest.mark.django_db


@pytest.fixture
def secret(workspace) -> str:
    return endpoint(workspace.bot).secret


def message(workspace) -> tuple[str, dict[str, str]]:
    """What a worker would send now: its body and its headers."""
    schedule(workspace, prompt="Remind them — 10:00")
    (due,) = claim_all()
    content = body(due)
    headers = dict(signed_headers(due, content, now=due.now))
    return content.decode(), {name: headers[f"webhook-{name}"] for name in ("id", "timestamp", "signature")}


def is_verified(secret: str, content: str, headers: dict[str, str]) -> bool:
    try:
        Webhooks.verify({"payload": content, "headers": headers, "webhook_secret": secret})
    except ValueError:
        return False
    return True


def test_it_is_verified_with_the_secret_and_with_no_other(workspace, secret):
    content, headers = message(workspace)
    assert is_verified(secret, content, headers)
    assert not is_verified(new_secret(), content, headers)


@pytest.mark.parametrize("part", ["body", "id", "timestamp", "signature"])
def test_it_is_refused_when_it_was_altered(workspace, secret, part):
    content, headers = message(workspace)
    if part == "body":
        content = content.replace("10:00", "11:00")
    elif part == "timestamp":
        headers[part] = str(int(headers[part]) + 1)
    else:
        headers[part] += "0"
    assert not is_verified(secret, content, headers)


def test_both_secrets_verify_it_while_the_receiver_changes_them_and_then_only_the_new_one(workspace, secret):
    new = rotate_secret(WebhookEndpoint.objects.get(), now=now()).secret
    content, headers = message(workspace)
    assert is_verified(new, content, headers)
    assert is_verified(secret, content, headers)
    assert not is_verified(new_secret(), content, headers)
    WebhookEndpoint.objects.update(previous_secret_until=now() - timedelta(seconds=1))
    content, headers = message(workspace)
    assert is_verified(new, content, headers)
    assert not is_verified(secret, content, headers)
