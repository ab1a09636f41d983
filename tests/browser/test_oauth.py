"""OAuth2 as a person meets it: from Swagger UI to the consent page and back."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from apps.access.services import create_application

from .conftest import sign_in

pytestmark = pytest.mark.django_db(transaction=True)


def test_swagger_ui_is_let_in_through_the_consent_page(page: Page, workspace, owner, docs_client):
    workspace.upsert("ada", name="Ada")
    sign_in(page, owner)
    page.goto("/api/docs/")
    page.get_by_role("button", name="Authorize").first.click()
    dialog = page.locator(".dialog-ux")
    oauth = dialog.locator(".auth-container", has_text="OAuth2")
    expect(oauth.get_by_text("participants:read")).to_be_visible()
    with page.context.expect_page() as opened:
        oauth.locator("button.authorize").click()
    consent = opened.value
    expect(consent.get_by_role("heading")).to_contain_text("API documentation asks for access")
    expect(consent.get_by_text(workspace.team.name)).to_be_visible()
    with consent.expect_event("close"):
        consent.get_by_role("button", name="Allow").click()
    expect(oauth.get_by_text("Logout")).to_be_visible()
    dialog.locator("button.btn-done").first.click()
    page.context.clear_cookies()  # from here on the token alone lets it in

    operation = page.locator("#operations-Participants-list_participants")
    operation.locator(".opblock-summary").click()
    operation.get_by_role("button", name="Execute").click()
    answer = operation.locator(".live-responses-table")
    expect(answer.locator(".response-col_status").nth(1)).to_contain_text("200")
    expect(answer).to_contain_text('"identifier": "ada"')


def test_a_person_says_no(page: Page, workspace, owner, server):
    made = create_application(team=workspace.team, name="Clinic app", redirect_uris=[f"{server.url}/"])
    sign_in(page, owner)
    page.goto(
        f"/o/authorize/?client_id={made.application.client_id}&response_type=code&scope=participants:read"
        f"&redirect_uri={server.url}/&state=s&code_challenge_method=S256"
        "&code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
    )
    expect(page.get_by_text("Read participants")).to_be_visible()
    expect(page.get_by_text("Create and change")).to_have_count(0)
    page.get_by_role("button", name="Cancel").click()
    page.wait_for_url("**/?error=access_denied*")
