"""Runs a worker."""

import asyncio
import resource
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand
from django.db import connection, connections
from procrastinate.contrib.django import app
from procrastinate.psycopg_connector import PsycopgConnector

from apps.schedules.outbound import Outbound
from apps.schedules.worker import PATIENCE, work
from config.postgres import sessions


class Command(BaseCommand):
    help = (
        "Send what is due to the chatbots' webhooks, and run jobs, until SIGTERM. Run as many as you like, "
        "on as many machines as you like."
    )

    # They import all of the web. `make check` runs them, and the web server's start.
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--patience",
            type=float,
            default=PATIENCE,
            metavar="SECONDS",
            help="how long SIGTERM waits for what is under way (default: %(default)g)",
        )

    def handle(self, *, patience: float, **_: Any) -> None:
        # Before the first connection is made, in this thread or another.
        connections.settings["default"].update(settings.WORKER_DATABASE)
        connection.ensure_connection()  # starts the embedded database
        _allow_many_files()
        outbound = Outbound(allow_private=settings.WEBHOOK_ALLOW_PRIVATE_NETWORKS)
        with app.replace_connector(_connector()) as jobs:
            connection.close()
            asyncio.run(work(jobs, outbound, patience=patience))


def _connector() -> PsycopgConnector:
    """procrastinate's own for Django can't listen for jobs: it needs a connection to itself."""
    params = connection.get_connection_params()
    for name in ("cursor_factory", "context"):
        params.pop(name, None)
    return PsycopgConnector(kwargs=params, configure=sessions.prepare, min_size=1, max_size=4)


def _allow_many_files() -> None:
    """Each attempt under way has a socket; the usual limit is for other programs' sake."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = 8192 if hard == resource.RLIM_INFINITY else min(8192, hard)
    resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
