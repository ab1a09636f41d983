"""What a load balancer asks. An outage of the database is in tests/test_serve.py."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test import Client


@pytest.mark.parametrize("path", ["/health/live", "/health/ready"])
def test_it_answers_anybody(db, path):
    response = Client().get(path)
    assert (response.status_code, response.json()) == (200, {"status": "ok"})


def test_it_is_alive_without_asking_the_database():
    # Without the `db` fixture pytest-django refuses every query.
    assert Client().get("/health/live").status_code == 200


def test_it_is_not_ready_before_it_is_migrated(db):
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM django_migrations WHERE app = 'schedules'")
    response = Client().get("/health/ready")
    assert response.status_code == 503
    assert response.json()["status"] == "unavailable"
    assert "manage.py migrate" in response.json()["detail"]
    assert response["Retry-After"] == "2"


@pytest.mark.parametrize("path", ["/health/live", "/health/ready"])
def test_it_takes_no_other_method(db, path):
    assert Client().post(path).status_code == 405
