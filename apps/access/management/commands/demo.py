"""What `manage.py serve` shows when it starts: a demo team to try the API with."""

from __future__ import annotations

import json
import shlex
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from apps.access import keys, queries
from apps.access.bootstrap import bootstrap
from apps.access.services import create_api_key
from apps.chatbots.models import Chatbot
from apps.teams.models import Membership, Role, Team
from config import env
from config.files import write_private

from .bootstrap import as_text

TEAM = "Demo"
CHATBOTS = ("Clinic reminders", "Study buddy")


@dataclass(frozen=True, slots=True)
class Demo:
    """What the curl lines need. Kept in DATA_DIR, because a key can't be read from the database."""

    api_key: str
    chatbot: str


class Command(BaseCommand):
    help = (
        "On an empty database make a demo team, and print its credentials once. "
        "Then print the addresses and two curl lines to try."
    )

    def handle(self, **_: Any) -> None:
        demo = remembered_demo()
        if not Team.objects.exists():
            made = bootstrap(team_name=TEAM, chatbot_names=CHATBOTS)
            demo = remember(Demo(made.api_key, str(made.chatbots[0].public_id)))
            self.stdout.write(f"A demo team was made:\n\n{indent(as_text(made))}\n\n")
        self.stdout.write(indent(addresses()))
        if demo:
            self.stdout.write(f"\nTry it:\n\n{indent(curl_lines(demo))}\n\n")


def remembered_demo() -> Demo | None:
    """The demo's key, issued anew if it was revoked or the file lost; None without a demo team."""
    try:
        demo = Demo(**json.loads((settings.DATA_DIR / "demo.json").read_text()))
        if queries.usable_key(digest=keys.digest(demo.api_key)):
            return demo
    except (OSError, ValueError, TypeError):
        pass
    owner = Membership.objects.filter(team__name=TEAM, role=Role.OWNER).select_related("team", "user").first()
    if owner is None:
        return None
    chatbot = Chatbot.objects.for_team(owner.team).order_by("pk").first()
    if chatbot is None:
        return None
    made = create_api_key(team=owner.team, user=owner.user, name="Demo")
    return remember(Demo(made.secret, str(chatbot.public_id)))


def remember(demo: Demo) -> Demo:
    text = json.dumps({"api_key": demo.api_key, "chatbot": demo.chatbot})
    write_private(settings.DATA_DIR / "demo.json", text)
    return demo


def base_url() -> str:
    host = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(env.HOST, env.HOST)  # noqa: S104  # only shown
    return env.PUBLIC_URL or f"http://{f'[{host}]' if ':' in host and host[0] != '[' else host}:{env.PORT}"


def addresses() -> str:
    url = base_url()
    return "\n".join(
        (
            f"API             {url}/api/participants",
            f"Documentation   {url}/api/docs/",
            f"Admin           {url}/admin/",
        )
    )


def curl_lines(demo: Demo) -> str:
    person = {
        "identifier": "ada@example.org",
        "name": "Ada",
        "data": [{"experiment": demo.chatbot, "data": {"language": "en", "visits": 3}}],
    }
    key = shlex.quote(f"X-api-key: {demo.api_key}")
    url = f"{base_url()}/api/participants"
    json_headers = "-H 'Content-Type: application/json' -H 'Prefer: return=representation'"
    save = f"curl -H {key} {json_headers} -d {shlex.quote(json.dumps(person))} {url}"
    find = f"curl -H {key} '{url}?identifier=ada@example.org'"
    return f"{save}\n\n{find}"


def indent(text: str) -> str:
    return "\n".join(f"  {line}" if line else "" for line in text.splitlines())
