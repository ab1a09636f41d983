"""The example page: on a site that its key is for, and on another."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import pytest
from django.conf import settings
from playwright.sync_api import Browser, expect

from apps.access.embedding import create_embed_key
from apps.participants.models import Participant

pytestmark = pytest.mark.django_db(transaction=True)


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def site() -> Iterator[int]:
    """The port of a site that is not ours."""
    handler = partial(Quiet, directory=settings.BASE_DIR / "examples")
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as running:
        thread = threading.Thread(target=running.serve_forever)
        thread.start()
        yield running.server_port
        running.shutdown()
        thread.join()


@pytest.fixture
def widget(browser: Browser, server, site, workspace):
    """Opens the example page at a host name; the key is for http://localhost alone."""
    key = create_embed_key(
        team=workspace.team,
        chatbot=workspace.bot,
        name="Site",
        allowed_origins=[f"http://localhost:{site}"],
    )
    context = browser.new_context()
    context.set_default_timeout(15_000)
    query = f"api={server.url}&key={key.key}&chatbot={workspace.bot.public_id}"

    def visit(host: str):
        page = context.new_page()
        page.goto(f"http://{host}:{site}/widget.html?{query}")
        return page

    yield visit
    context.close()


def test_a_visitor_meets_the_chatbot_on_the_site(widget, workspace):
    page = widget("localhost")
    expect(page.get_by_role("status")).to_have_text("Hello visitor.")
    page.get_by_label("Your name").fill("Ada")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("status")).to_have_text("Hello Ada.")
    person = Participant.objects.get()
    assert (person.name, person.team) == ("Ada", workspace.team)

    again = widget("localhost")
    expect(again.get_by_role("status")).to_have_text("Hello Ada.")
    assert Participant.objects.count() == 1


def test_the_browser_refuses_it_on_another_site(widget):
    page = widget("127.0.0.1")
    expect(page.get_by_role("status")).to_contain_text("can't be asked")
    assert not Participant.objects.exists()
