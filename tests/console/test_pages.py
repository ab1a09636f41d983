"""The pages around the admin: first page, signing in and out, errors."""

from __future__ import annotations

import html
import re

import pytest
from django.test import Client

from .conftest import Console, signed_in

BROWSER = {"accept": "text/html"}
PASSWORD = "correct horse battery"


@pytest.mark.django_db
def test_the_first_page_leads_on():
    page = Client().get("/").content.decode()
    for path in ("/api/docs/", "/api/redoc/", "/api/schema/", "/admin/", "/health/live", "/health/ready"):
        assert f'href="{path}' in page


@pytest.mark.parametrize("path", ["/nope", "/admin/nope/", "/invitation/nope"])
def test_an_address_that_leads_nowhere_is_a_page_for_people(console: Console, path):
    response = signed_in(console.editor).get(path)
    assert response.status_code == 404
    assert "<h1>" in response.content.decode()


@pytest.mark.django_db
@pytest.mark.parametrize("path", ["/nope", "/api/nope"])
def test_and_json_for_programs(path):
    response = Client().get(path)
    assert (response.status_code, response.json()) == (404, {"detail": "Not found."})


def test_what_a_role_does_not_allow_says_so(console: Console):
    response = console.client("viewer").get("/admin/access/apikey/")
    assert response.status_code == 403
    assert "Your role in the team" in response.content.decode()


@pytest.mark.django_db
def test_a_form_without_its_token_is_a_page_too():
    response = Client(enforce_csrf_checks=True).post("/admin/login/", headers=BROWSER)
    assert response.status_code == 403
    assert "out of date" in response.content.decode()


def test_switching_teams_takes_the_token(console: Console):
    client = Client(enforce_csrf_checks=True)
    client.force_login(console.editor)
    assert client.post("/admin/switch-team/", {"team": console.workspace.team.pk}).status_code == 403


def test_a_failure_names_its_request_and_nothing_else(console: Console, monkeypatch):
    def fail(request):
        raise RuntimeError("the secret reason")

    monkeypatch.setattr("apps.console.site.tiles", fail)
    response = signed_in(console.editor).get("/admin/")
    assert response.status_code == 500
    assert response["X-Request-ID"] in response.content.decode()
    assert "secret reason" not in response.content.decode()


@pytest.fixture
def with_password(console: Console):
    console.viewer.set_password(PASSWORD)
    console.viewer.save()
    return console.viewer


@pytest.mark.parametrize("spelling", [str, str.upper, lambda email: f" {email} "])
def test_a_member_signs_in_and_out(with_password, spelling):
    client = Client()
    form = {"username": spelling(with_password.email), "password": PASSWORD}
    assert client.post("/admin/login/", form)["Location"] == "/admin/"
    assert client.get("/admin/").status_code == 200
    page = client.post("/admin/logout/").content.decode()
    assert "You are signed out" in page
    assert client.get("/admin/").status_code == 302


@pytest.mark.parametrize("target", ["/admin/teams/team/", "/o/authorize/?a=b"])
def test_signing_in_leads_to_where_one_was_going(with_password, target):
    form = {"username": with_password.email, "password": PASSWORD}
    assert Client().post("/admin/login/", form, query_params={"next": target})["Location"] == target


def test_signing_in_leads_to_no_other_host(with_password):
    form = {"username": with_password.email, "password": PASSWORD, "next": "https://evil.example/"}
    assert Client().post("/admin/login/", form)["Location"] == "/admin/"


@pytest.mark.parametrize("wrong", ["password", "locked out"])
def test_a_refused_sign_in_reads_the_same(with_password, wrong):
    if wrong == "locked out":
        with_password.is_active = False
        with_password.save()
    form = {"username": with_password.email, "password": PASSWORD if wrong == "locked out" else "x"}
    page = Client().post("/admin/login/", form).content.decode()
    assert "don't belong together" in html.unescape(page)


def test_a_member_changes_their_password(with_password):
    client = Client()
    client.force_login(with_password)
    new = "another horse battery"
    form = {"old_password": PASSWORD, "new_password1": new, "new_password2": new}
    assert client.post("/admin/password_change/", form).status_code == 302
    with_password.refresh_from_db()
    assert with_password.check_password(new)


def test_a_person_in_no_team_is_told_what_to_do(console: Console):
    page = console.client("stranger").get("/admin/").content.decode()
    assert "You are in no team yet" in page
    assert "/admin/participants/" not in page


@pytest.mark.parametrize(
    "path", ["/", "/admin/login/", "/admin/", "/admin/participants/participant/", "/api/docs/"]
)
def test_a_page_names_no_other_host(console: Console, path):
    response = signed_in(console.editor).get(path, follow=True)
    loaded = re.findall(r'(?:src|href)="(?:https?:)?//[^"]*"', response.content.decode())
    assert loaded == []
    assert "default-src 'self'" in response["Content-Security-Policy"]
