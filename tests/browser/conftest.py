"""A browser that reports whatever a page should not do."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from apps.teams.models import User
from tests.fixtures import Workspace
from tests.server import Server

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
QUIET = (
    "--no-sandbox",  # it refuses to run as root with it
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
PASSWORD = "correct horse battery"

NewContext = Callable[..., BrowserContext]


# Not for the whole session: Playwright's loop runs in this thread until it ends, and until then no other
# test could run one.
@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    if CHROMIUM is None:
        if os.environ.get("CI") == "true":
            pytest.fail("Chromium is not installed: these tests need it.")
        pytest.skip("Chromium is not installed.")
    with pytest.MonkeyPatch.context() as patch, sync_playwright() as playwright:
        # Playwright runs a loop in this thread, which Django takes for asynchronous code.
        patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
        running = playwright.chromium.launch(executable_path=CHROMIUM, args=list(QUIET))
        yield running
        running.close()


@pytest.fixture
def new_context(browser: Browser, server: Server) -> Iterator[NewContext]:
    """Makes contexts of the browser. At the end, whatever their pages complained of fails the test:
    errors and policy violations in the console, failed answers, requests to any other host."""
    complaints: list[str] = []
    contexts: list[BrowserContext] = []

    def make(**options) -> BrowserContext:
        context = browser.new_context(base_url=server.url, **options)
        context.set_default_timeout(15_000)
        contexts.append(context)
        context.on("page", lambda page: watch(page, server.url, complaints))
        return context

    yield make
    for context in contexts:
        context.close()
    assert complaints == []


def watch(page: Page, url: str, complaints: list[str]) -> None:
    own = (url, "data:", "blob:")
    page.on("console", lambda said: said.type == "error" and complaints.append(f"console: {said.text}"))
    page.on("pageerror", lambda error: complaints.append(f"script: {error}"))
    page.on("request", lambda sent: sent.url.startswith(own) or complaints.append(f"asked {sent.url}"))
    page.on(
        "response",
        lambda answer: answer.status < 400 or complaints.append(f"{answer.status} {answer.url}"),
    )


@pytest.fixture
def page(new_context: NewContext) -> Page:
    return new_context(viewport={"width": 1280, "height": 900}).new_page()


@pytest.fixture
def owner(workspace: Workspace) -> User:
    workspace.owner.set_password(PASSWORD)
    workspace.owner.save()
    return workspace.owner


def sign_in(page: Page, user: User) -> None:
    page.goto("/admin/login/")
    page.get_by_label("Email").fill(user.email)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()
    page.wait_for_url("**/admin/")
