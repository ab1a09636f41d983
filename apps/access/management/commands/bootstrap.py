"""Makes a team, its owner, chatbots and credentials."""

import json
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from apps.access.bootstrap import DEFAULT_ORIGINS, Bootstrapped, bootstrap
from apps.access.origins import NoOrigin
from apps.chatbots.endpoints import UnusableUrl


class Command(BaseCommand):
    help = (
        "Make a team with an owner, chatbots and credentials. Running it again makes only what is "
        "missing, and issues new credentials; the earlier ones stay valid."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--team", required=True, metavar="NAME")
        parser.add_argument(
            "--chatbot", action="append", default=[], metavar="NAME", help="may be given several times"
        )
        parser.add_argument(
            "--email", default="", help="the owner's address; default: made from the team's name"
        )
        parser.add_argument(
            "--allowed-origin",
            action="append",
            metavar="ORIGIN",
            help="a site whose pages may use the embed key; may be given several times "
            f"(default: {', '.join(DEFAULT_ORIGINS)})",
        )
        parser.add_argument(
            "--webhook-url", default="", metavar="URL", help="where the chatbots named here are prompted"
        )
        parser.add_argument("--json", action="store_true", help="print one JSON object")

    def handle(
        self,
        *,
        team: str,
        chatbot: list[str],
        email: str,
        allowed_origin: list[str] | None,
        webhook_url: str,
        json: bool,
        **_: Any,
    ) -> None:
        try:
            made = bootstrap(
                team_name=team,
                chatbot_names=chatbot,
                email=email,
                allowed_origins=allowed_origin or DEFAULT_ORIGINS,
                webhook_url=webhook_url,
            )
        except (NoOrigin, UnusableUrl) as error:
            raise CommandError(error.message) from error
        self.stdout.write(as_json(made) if json else as_text(made))


def as_json(made: Bootstrapped) -> str:
    return json.dumps(made.as_json(), ensure_ascii=False)


def as_text(made: Bootstrapped) -> str:
    password = made.password or "(unchanged)"
    lines = [
        f"Team            {made.team.name}",
        f"Owner           {made.owner.email}, password {password}",
        f"API key         {made.api_key}",
        f"Read-only key   {made.read_only_api_key}",
        f"OAuth2 machine  {made.machine.application.client_id}, secret {made.machine.secret}",
        *([f"Embed key       {made.embed_key.key}"] if made.embed_key else []),
        *(f"Chatbot         {bot.public_id}  {bot.name}" for bot in made.chatbots),
        *(f"Webhook secret  {secret}" for secret in made.webhook_secrets.values()),
        "Passwords and keys are shown this once.",
    ]
    return "\n".join(lines)
