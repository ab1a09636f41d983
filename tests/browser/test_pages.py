"""What people do in a browser, with a real server and a real browser."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from apps.access.models import ApiKey
from apps.participants.models import Participant, ParticipantData
from apps.schedules.models import ScheduledMessage
from tests.fixtures import Workspace
from tests.server import Server

from .conftest import sign_in

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def filled(workspace: Workspace) -> Workspace:
    schedule = {"id": "one", "name": "Reminder", "prompt": "Remind.", "date": "2031-01-01T00:00:00Z"}
    workspace.upsert("ada", workspace.entry(data={"visits": 3}, schedules=[schedule]), name="Ada")
    return workspace


def test_an_owner_makes_a_key_in_the_admin_and_uses_it(page: Page, owner, filled: Workspace, server: Server):
    sign_in(page, owner)
    page.get_by_role("link", name="API keys").first.click()
    page.get_by_role("link", name="Add API key").click()
    page.get_by_label("Name").fill("From the browser")
    page.get_by_role("button", name="Save").click()
    key = page.get_by_label("From the browser").input_value()
    with server.client(key) as client:
        people = client.get("/api/participants").json()["results"]
    assert [person["identifier"] for person in people] == ["ada"]

    page.reload()
    expect(page.get_by_text(f"{key[:8]}…").first).to_be_visible()
    assert key not in page.content(), "it was shown once"
    page.get_by_role("link", name="Revoke").click()
    page.get_by_role("button", name="Revoke").click()
    expect(page.get_by_text("Revoked").first).to_be_visible()
    with server.client(key) as client:
        assert client.get("/api/participants").status_code == 401


def test_swagger_ui_lists_participants_with_a_key(page: Page, filled: Workspace):
    page.goto("/api/docs/")
    page.get_by_role("button", name="Authorize").first.click()
    dialog = page.locator(".modal-ux")
    form = dialog.locator(".auth-container", has_text="apiKeyAuth")
    form.get_by_role("textbox").fill(filled.api.key or "")
    form.get_by_role("button", name="Apply credentials").click()
    dialog.get_by_role("button", name="Close").first.click()
    operation = page.locator("#operations-Participants-list_participants")
    operation.locator(".opblock-summary-control").click()
    operation.get_by_role("button", name="Execute").click()
    answer = operation.locator(".live-responses-table")
    expect(answer.locator(".response-col_status").last).to_contain_text("200")
    expect(answer.locator(".response-col_description").last).to_contain_text('"identifier": "ada"')


def addresses(workspace: Workspace) -> list[str]:
    person = Participant.objects.get(team=workspace.team).pk
    data = ParticipantData.objects.get(team=workspace.team).pk
    schedule = ScheduledMessage.objects.get(team=workspace.team).pk
    key = ApiKey.objects.filter(team=workspace.team).first()
    assert key is not None
    return [
        "/",
        "/api/docs/",
        "/api/redoc/",
        "/admin/",
        "/admin/participants/participant/",
        f"/admin/participants/participant/{person}/change/",
        f"/admin/participants/participantdata/{data}/change/",
        f"/admin/schedules/scheduledmessage/{schedule}/change/",
        "/admin/schedules/scheduledmessage/add/",
        f"/admin/access/apikey/{key.pk}/revoke/",
        "/admin/teams/membership/",
        "/admin/password_change/",
    ]


@pytest.mark.parametrize("look", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_every_page_fits_and_loads_from_here_alone(new_context, owner, filled, look, width):
    page = new_context(viewport={"width": width, "height": 844}, color_scheme=look).new_page()
    sign_in(page, owner)
    for path in addresses(filled):
        page.goto(path)
        page.wait_for_load_state("networkidle")
        assert page.evaluate("document.documentElement.scrollWidth") <= width, path


def test_the_keyboard_shows_where_it_is(page: Page, owner, filled: Workspace):
    sign_in(page, owner)
    for _ in range(3):
        page.keyboard.press("Tab")
    style = page.evaluate("(e => [e.outlineStyle, e.outlineWidth])(getComputedStyle(document.activeElement))")
    assert style == ["solid", "2px"]


def test_one_switches_teams_in_the_menu(page: Page, owner, filled: Workspace, other: Workspace):
    other.upsert("grace")
    other.team.memberships.create(user=owner, role="viewer")
    sign_in(page, owner)
    page.get_by_role("button", name="Switch team").click()
    page.get_by_role("button", name=other.team.name).click()
    expect(page.get_by_text("grace")).to_be_visible()
    expect(page.get_by_role("link", name="API keys")).to_have_count(0)
