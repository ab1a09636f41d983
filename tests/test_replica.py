"""A web host may read from a replica: lists and all else that writes nothing."""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from config import cluster, database
from tests.server import OwnService, serve
from tests.waiting import eventually, takes_connections

BODY = {"identifier": "of the replica", "data": []}


@contextmanager
def replica(own: OwnService) -> Iterator[str]:
    """A hot standby of the service's database. Its address."""
    account, binaries = cluster.prepare(own.data_dir, durable=True)
    options = {"cwd": "/", "env": cluster.environment(), "check": True, **account.popen_options()}
    with tempfile.TemporaryDirectory(prefix="ocp-replica-") as folder:
        Path(folder).chmod(0o711)
        home = Path(folder) / "home"
        home.mkdir(mode=0o700)
        os.chown(home, account.uid, account.gid)
        socket = cluster.socket_dir(own.data_dir)
        copy = [str(binaries / "pg_basebackup"), "-h", str(socket), "-U", cluster.SUPERUSER]
        subprocess.run([*copy, "-D", str(home / "data"), "-R", "-c", "fast"], **options)
        command = [
            str(binaries / "postgres"),
            "-D",
            str(home / "data"),
            "-c",
            "listen_addresses=",
            "-c",
            "max_connections=200",
        ]
        command += ["-c", f"unix_socket_directories={home}"]
        options.pop("check")
        process = subprocess.Popen(command, stderr=subprocess.DEVNULL, **options)
        try:
            url = f"postgresql://{cluster.SUPERUSER}@:5432/{database.NAME}?host={home}"
            assert eventually(lambda: takes_connections(url)), "the replica did not start"
            yield url
        finally:
            process.terminate()
            process.wait(10)


def test_a_web_host_reads_from_a_replica(own_service: OwnService):
    own_service.start_database()
    secrets = json.loads((own_service.data_dir / "secrets.json").read_text())
    secrets["DATA_ENCRYPTION_KEYS"] = ",".join(secrets["DATA_ENCRYPTION_KEYS"])
    with own_service.client() as first:
        assert first.post("/api/participants", json=BODY).status_code == 200
        own_service.execute("UPDATE access_apikey SET last_used_at = NULL")
        with (
            replica(own_service) as url,
            serve(DATABASE_URL=url, **secrets) as second,
            second.client(own_service.api_key) as client,
        ):
            found = client.get("/api/participants", params={"identifier": BODY["identifier"]})
            assert [row["identifier"] for row in found.json()["results"]] == [BODY["identifier"]]
            assert first.post("/api/participants", json=BODY | {"identifier": "later"}).status_code == 200
            assert eventually(lambda: client.get("/api/participants?identifier=later").json()["results"])
            refused = client.post("/api/participants", json=BODY)
            assert (refused.status_code, refused.headers["Retry-After"]) == (503, "2")
