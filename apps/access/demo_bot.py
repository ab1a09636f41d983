"""The demo's bot: examples/echo_bot.py, which `manage.py serve` starts for the demo's first chatbot."""

from __future__ import annotations

import json
import socket
from dataclasses import asdict, dataclass
from pathlib import Path

from django.conf import settings
from django.utils import timezone

from apps.chatbots.models import Chatbot, WebhookEndpoint
from apps.chatbots.services import change_url, set_endpoint
from config.files import write_private

PROGRAM = settings.BASE_DIR / "examples" / "echo_bot.py"


@dataclass(frozen=True, slots=True)
class DemoBot:
    """Kept in DATA_DIR, because the secret can't be read from the database."""

    port: int
    secret: str

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/"

    def environment(self, *, api_url: str, api_key: str) -> dict[str, str]:
        return {
            "BOT_PORT": str(self.port),
            "WEBHOOK_SECRET": self.secret,
            "API_URL": api_url,
            "API_KEY": api_key,
        }


def ready_bot(chatbot: Chatbot) -> DemoBot | None:
    """The bot to start: the chatbot's endpoint leads to it. None where webhooks may not go to this machine,
    or where somebody has pointed the endpoint elsewhere."""
    if not settings.WEBHOOK_ALLOW_PRIVATE_NETWORKS or not PROGRAM.exists():
        return None
    endpoint = WebhookEndpoint.objects.for_team(chatbot.team).filter(chatbot=chatbot).first()
    known = _remembered()
    if endpoint is None:
        port = _free_port(None)
        secret = set_endpoint(chatbot=chatbot, url=DemoBot(port, "").url, now=timezone.now()).secret
        return _remember(DemoBot(port, secret))
    if known is None or endpoint.url != known.url:
        return None
    bot = DemoBot(_free_port(known.port), known.secret)
    if bot != known:
        change_url(endpoint, url=bot.url, now=timezone.now())
    return _remember(bot)


def _file() -> Path:
    path: Path = settings.DATA_DIR / "demo-bot.json"
    return path


def _remembered() -> DemoBot | None:
    try:
        return DemoBot(**json.loads(_file().read_text()))
    except (OSError, ValueError, TypeError):
        return None


def _remember(bot: DemoBot) -> DemoBot:
    write_private(_file(), json.dumps(asdict(bot)))
    return bot


def _free_port(wanted: int | None) -> int:
    """That one if nobody has it, or another."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", wanted or 0))
        except OSError:
            probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
