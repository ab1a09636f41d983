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
from apps.access.demo_bot import ready_bot
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
        "Then print the addresses and curl lines to try."
    )

    def handle(self, **_: Any) -> None:
        demo = remembered_demo()
        if not Team.objects.exists():
            made = bootstrap(team_name=TEAM, chatbot_names=CHATBOTS)
            demo = remember(Demo(made.api_key, str(made.chatbots[0].public_id)))
            self.stdout.write(f"A demo team was made:\n\n{indent(as_text(made))}\n\n")
        self.stdout.write(indent(addresses()))
        if demo:
            lines = curl_lines(demo, has_bot=demo_bot_environment() is not None)
            self.stdout.write(f"\nTry it:\n\n{indent(lines)}\n\n")


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


def demo_bot_environment() -> dict[str, str] | None:
    """With which examples/echo_bot.py is to be started; None where it is not."""
    demo = remembered_demo()
    chatbot = demo and Chatbot.objects.select_related("team").filter(public_id=demo.chatbot).first()
    bot = ready_bot(chatbot) if chatbot else None
    return bot.environment(api_url=base_url(), api_key=demo.api_key) if demo and bot else None


def curl_lines(demo: Demo, *, has_bot: bool) -> str:
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
    return "\n\n".join([save, find, *([prompt_line(demo, key, url)] if has_bot else [])])


def prompt_line(demo: Demo, key: str, url: str) -> str:
    """Has the demo's bot prompted in five seconds."""
    schedule = {"name": "Hello", "prompt": "Say hello to Ada.", "date": "WHEN"}
    entry = {"experiment": demo.chatbot, "schedules": [schedule]}
    body = shlex.quote(json.dumps({"identifier": "ada@example.org", "data": [entry]}))
    # With GNU's date, or with that of BSD and macOS.
    when = "$(date -u -d +5sec +%FT%TZ 2>/dev/null || date -u -v+5S +%FT%TZ)"
    body = body.replace("WHEN", f"'\"{when}\"'")
    return f"curl -H {key} -H 'Content-Type: application/json' -d {body} {url}"


def indent(text: str) -> str:
    return "\n".join(f"  {line}" if line else "" for line in text.splitlines())
