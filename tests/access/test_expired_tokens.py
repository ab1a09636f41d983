"""Expired OAuth2 tokens are removed by a job."""

from __future__ import annotations

from datetime import timedelta

from asgiref.sync import async_to_sync
from django.utils import timezone
from procrastinate.contrib.django import app

from apps.access import tasks
from apps.access.models import AccessToken, Grant
from tests.access.test_permissions import token


def test_it_removes_what_has_expired_and_nothing_else(workspace):
    alive = token(workspace, user=workspace.owner, scope="participants:read")
    token(workspace, user=workspace.owner, scope="participants:read", expires=-60)
    application = AccessToken.objects.first().application
    Grant.objects.create(
        application=application, user=workspace.owner, code="x", expires=timezone.now() - timedelta(days=1)
    )
    async_to_sync(tasks.clear_expired_tokens.func)(timestamp=0)
    assert alive.get().status_code == 200
    assert AccessToken.objects.count() == 1
    assert not Grant.objects.exists()


def test_workers_run_it_daily():
    names = {periodic.task.name for periodic in app.periodic_registry.periodic_tasks.values()}
    assert "apps.access.tasks.clear_expired_tokens" in names
