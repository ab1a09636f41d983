"""The service on hosts of its own: a database, two of the web, three workers, a receiver and a client."""

from __future__ import annotations

import base64
import json
import os
import shutil
import signal
import socket
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import psycopg
from django.conf import settings

from config import cluster, database
from tests.hosts.network import SUBNET, Host, Network
from tests.receiver import Receiver, receiving
from tests.server import manage
from tests.waiting import eventually

WEB_PORT = 8000
_RECEIVER_PORT = 9000
_ON_ALL_HOSTS = {
    "SECRET_KEY": "for tests " * 6,
    "DATA_ENCRYPTION_KEYS": base64.b64encode(bytes(32)).decode(),
    "WEBHOOK_ALLOW_PRIVATE_NETWORKS": "true",
    "WEB_WORKERS": "1",
    "PORT": str(WEB_PORT),
}


class Place:
    def __init__(self, network: Network, folder: Path, receiver: Receiver) -> None:
        self.network = network
        self.folder = folder
        self.receiver = receiver
        self.database, self.receivers, self.client = network.host(), network.host(), network.host()
        self.webs = [network.host() for _ in range(2)]
        self.workers = [network.host() for _ in range(3)]
        self.environment = os.environ | _ON_ALL_HOSTS
        self.environment["DATABASE_URL"] = f"postgresql://postgres@{self.database.address}/{database.NAME}"
        self.made: dict[str, Any] = {}

    @property
    def chatbot(self) -> str:
        return self.made["chatbots"][0]["id"]

    @property
    def log(self) -> Path:
        return self.folder / "log"

    def start(self) -> None:
        with self.receivers.entered():
            listener = socket.create_server((self.receivers.address, _RECEIVER_PORT), backlog=1024)
        self.receiver.start(listener=listener)
        webhooks = f"--webhook-url=http://{self.receivers.address}:{_RECEIVER_PORT}/hook"
        self._start_database()
        here = {**_ON_ALL_HOSTS, "DATABASE_URL": database.url(self.folder)}
        team = ["bootstrap", "--team=Hosts", "--chatbot=Bot", webhooks, "--json"]
        self.made = json.loads(manage(here, ["migrate", "-v0"], team))
        for host in self.webs:
            self.run(host, "-m", "config.web", HOST=host.address)
        for host in self.workers:
            self.run(host, "manage.py", "worker")
        with self.client.entered():
            assert eventually(lambda: all(self._answers(host) for host in self.webs)), self.said()
        assert eventually(lambda: self.said().count("worker started") == len(self.workers)), self.said()

    def _start_database(self) -> None:
        account, binaries = cluster.prepare(self.folder, durable=False)
        with (cluster.pgdata(self.folder) / "pg_hba.conf").open("a") as file:
            file.write(f"host all all {SUBNET} trust\n")
        sockets = cluster.socket_dir(self.folder)
        given = {
            "listen_addresses": self.database.address,
            "unix_socket_directories": sockets,
            "fsync": "off",
        }
        self.database.start(
            str(binaries / "postgres"),
            f"-D{cluster.pgdata(self.folder)}",
            *(f"--{name}={value}" for name, value in given.items()),
            log=self.log,
            cwd="/",
            env=cluster.environment(),
            **account.popen_options(),
        )
        assert eventually(lambda: cluster.is_ready(self.folder)), self.said()
        with psycopg.connect(database.url(self.folder, "postgres"), autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {database.NAME}")

    def stop(self) -> None:
        """Before its host is: killed, it would leave shared memory behind."""
        for process in self.database.processes:
            process.send_signal(signal.SIGQUIT)
            process.wait()

    def run(self, host: Host, *command: str, **environment: str) -> None:
        env = self.environment | environment
        host.start(sys.executable, *command, log=self.log, cwd=settings.BASE_DIR, env=env)

    def said(self) -> str:
        return self.log.read_text(errors="replace")

    def api(self, web: Host) -> httpx.Client:
        """To be used in a thread that has entered the client's host. Close it."""
        return httpx.Client(
            base_url=f"http://{web.address}:{WEB_PORT}",
            headers={"X-api-key": self.made["api_key"]},
            trust_env=False,
            timeout=40,
        )

    def _answers(self, web: Host) -> bool:
        try:
            with self.api(web) as api:
                return api.get("/health/ready").status_code == 200
        except httpx.TransportError:
            return False

    def rows(self, statement: str, *values: object) -> list[tuple[Any, ...]]:
        """Of the database, by its socket: whatever the network does."""
        with psycopg.connect(database.url(self.folder)) as connection:
            return connection.execute(statement, values).fetchall()

    def execute(self, statement: str, *values: object) -> None:
        with psycopg.connect(database.url(self.folder)) as connection:
            connection.execute(statement, values)


@contextmanager
def several_hosts() -> Iterator[Place]:
    folder = Path(tempfile.mkdtemp(prefix="ocp-hosts-"))
    folder.chmod(0o711)
    try:
        with Network() as network, receiving(start=False) as receiver:
            place = Place(network, folder, receiver)
            try:
                place.start()
                yield place
            finally:
                place.stop()
    finally:
        shutil.rmtree(folder, ignore_errors=True)
