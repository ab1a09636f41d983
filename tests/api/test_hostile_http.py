"""Hostile requests over real HTTP: what the web server itself makes of them."""

from __future__ import annotations

import json
import socket
import time
from pathlib import Path

import pytest

from tests.fixtures import Workspace, snapshot
from tests.server import Server

pytestmark = pytest.mark.django_db(transaction=True)

MEGABYTE = 1024 * 1024
TOO_LARGE = {"detail": "Request body is larger than 5,242,880 bytes."}
MISSING = {"detail": "Authentication credentials were not provided."}
REFUSED = {"detail": "Invalid or expired credentials."}


def head(workspace: Workspace | None, *lines: str, start: str = "POST /api/participants HTTP/1.1") -> bytes:
    key = [f"X-api-key: {workspace.api.key}"] if workspace else []
    fixed = [start, "Host: localhost", "Content-Type: application/json", "Connection: close", *key]
    return "\r\n".join([*fixed, *lines, "", ""]).encode("latin-1")


def parse(received: bytes) -> tuple[int, object]:
    """Status and JSON body; None for an empty body."""
    top, _, content = received.partition(b"\r\n\r\n")
    assert top.startswith(b"HTTP/1.1 "), received[:100]
    return int(top.split()[1]), json.loads(content) if content else None


def chunk(data: bytes) -> bytes:
    return b"%x\r\n%s\r\n" % (len(data), data)


def resident(pid: int) -> int:
    """Bytes of memory of a process and its children."""
    family = [pid, *map(int, Path(f"/proc/{pid}/task/{pid}/children").read_text().split())]
    pages = [int(Path(f"/proc/{member}/statm").read_text().split()[1]) for member in family]
    return sum(pages) * 4096


PERSON = b'{"identifier":"ada","data":[]}'
BLOCK = b"x" * MEGABYTE


@pytest.mark.parametrize(
    ("line", "parts"),
    [
        (f"Content-Length: {30 * MEGABYTE}", [BLOCK] * 30),
        ("Transfer-Encoding: chunked", [chunk(BLOCK)] * 30 + [b"0\r\n\r\n"]),
        ("Content-Length: 999999999999999", [BLOCK] * 3),
    ],
    ids=["with a length", "chunked", "with a lie"],
)
def test_it_refuses_30_megabytes(server: Server, workspace, line, parts):
    before = snapshot()
    started = time.monotonic()
    for _ in range(3):
        assert parse(server.send(head(workspace, line), *parts)) == (413, TOO_LARGE)
    assert time.monotonic() - started < 10
    assert snapshot() == before


def test_it_does_not_keep_what_it_refuses(server: Server, workspace):
    """Twenty bodies of 30 MB do not make the server 600 MB larger."""
    before = resident(server.pid)
    for _ in range(20):
        server.send(head(workspace, "Transfer-Encoding: chunked"), *[chunk(BLOCK)] * 30, b"0\r\n\r\n")
    assert resident(server.pid) - before < 300 * MEGABYTE


def test_it_checks_the_credential_before_the_body(server: Server, workspace):
    length = f"Content-Length: {30 * MEGABYTE}"
    assert parse(server.send(head(None, length))) == (401, MISSING)
    assert parse(server.send(head(None, length, "X-api-key: wrong"))) == (401, REFUSED)
    assert parse(server.send(head(None, "Content-Length: 4", "Authorization: Bearer x"), b"{not")) == (
        401,
        REFUSED,
    )


def test_it_answers_the_next_request_on_the_connection_after_a_refusal(server: Server, workspace):
    with server.client(workspace.api.key) as client:
        for _ in range(3):
            refused = client.post(
                "/api/participants",
                content=b"[" * (6 * MEGABYTE),
                headers={"Content-Type": "application/json"},
            )
            assert (refused.status_code, refused.json()) == (413, TOO_LARGE)
            assert client.get("/api/participants").status_code == 200


@pytest.mark.parametrize("sizes", [[1], [7, 1, 100], [len(PERSON)], [5000]])
def test_it_reads_a_chunked_body(server: Server, workspace, sizes):
    body, parts = PERSON + b" " * 5000, []
    while body:
        size = sizes[len(parts) % len(sizes)]
        parts.append(chunk(body[:size]))
        body = body[size:]
    assert parse(
        server.send(head(workspace, "Transfer-Encoding: chunked"), b"".join(parts), b"0\r\n\r\n")
    ) == (200, None)
    assert [row["identifier"] for row in snapshot()[0]] == ["ada"]


def test_it_asks_for_the_body_when_the_caller_waits_for_that(server: Server, workspace):
    received = server.send(head(workspace, f"Content-Length: {len(PERSON)}", "Expect: 100-continue"), PERSON)
    assert received.startswith((b"HTTP/1.1 100", b"HTTP/1.1 200"))
    assert len(snapshot()[0]) == 1


@pytest.mark.parametrize(
    "sent",
    [
        (b"POST /api/participants HTTP/1.1\r\nContent-Length: -5\r\n\r\n",),
        (b"POST /api/participants HTTP/1.1\r\nHost: x\r\nContent-Length: abc\r\n\r\n",),
        (
            b"POST /api/participants HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello!",
        ),
        (b"GET /api/participants\x00 HTTP/1.1\r\nHost: x\r\n\r\n",),
        (b"GET /api/participants HTTP/9.9\r\nHost: x\r\n\r\n",),
        (b"GET /api/participants HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer a\x00b\r\n\r\n",),
        (b"GET /api/participants HTTP/1.1\r\nHost: x\r\nNo colon\r\n\r\n",),
        (b"GET /api/participants HTTP/1.1\r\nHost: x\r\nX: " + b"x" * MEGABYTE + b"\r\n\r\n",),
        (b"GET /api/participants?" + b"x" * MEGABYTE + b" HTTP/1.1\r\nHost: x\r\n\r\n",),
        (b"GET /api/participants HTTP/1.1\r\nHost: x\r\n" + b"X: y\r\n" * 5000 + b"\r\n",),
        (b"POST /api/participants HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",),
        (b"GET /api/participants?identifier=\xff HTTP/1.1\r\nHost: x\r\n\r\n",),
        (b"GET /api/\xff HTTP/1.1\r\nHost: x\r\n\r\n",),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\x00" * 100,),
        (b"\xff" * 1000 + b"\r\n\r\n",),
    ],
    ids=lambda value: None,
)
def test_it_refuses_what_is_no_http_and_lives_on(server: Server, workspace, sent):
    received = server.send(*sent, b"", timeout=5)
    assert not received or 400 <= int(received.split()[1]) < 500, received[:200]
    assert b"<" not in received
    with server.client() as client:
        assert client.get("/health/live").status_code == 200


@pytest.mark.parametrize(
    ("target", "status"),
    [
        ("/api/participants?identifier=" + "x" * 10_000, 200),
        ("/api/participants?identifier=%", 200),
        ("/api/participants?identifier=%zz&%00", 200),
        ("/api/participants?identifier=%00", 400),
        ("/api/participants?cursor=" + "x" * 10_000, 404),
        ("/api/participants?page_size=" + "9" * 10_000, 200),
        ("/api/participants%00", 404),
        ("/api/participants%ff", 404),
        ("/api/../api/participants", 404),
        ("//api/participants", 404),
        ("http://evil.example/api/participants", 200),
    ],
    ids=lambda value: str(value)[:40],
)
def test_it_answers_a_hostile_address_in_json(server: Server, workspace, target, status):
    received = server.send(head(workspace, start=f"GET {target} HTTP/1.1"))
    found, content = parse(received)
    assert (found, type(content)) == (status, dict)
    assert b"evil" not in received


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        # The server leaves out a header that is not ASCII.
        ("Authorization: Bearer \xe9\xff", MISSING),
        ("Authorization: Bearer " + "x" * 10_000, REFUSED),
        ("Authorization:" + " " * 10_000, MISSING),
        ("Authorization: Bearer" + " " * 10_000 + "x", REFUSED),
        ("Authorization: Bearer x\r\nAuthorization: Bearer y", REFUSED),
        ("X-api-key: \xff\xfe", MISSING),
        ('Cookie: sessionid="abcdefgh\\000"', MISSING),
        ("Cookie: sessionid=\xff\xff\xff\xff\xff\xff\xff\xff\xff", MISSING),
        ("Cookie: " + "a=b; " * 1000, MISSING),
    ],
    ids=lambda value: str(value)[:40],
)
def test_it_refuses_a_hostile_header(server: Server, workspace, line, expected):
    assert parse(server.send(head(None, line, start="GET /api/participants HTTP/1.1"))) == (401, expected)


@pytest.mark.parametrize(
    "sent",
    [
        ("Content-Length: 1000", PERSON),
        ("Content-Length: 1000", PERSON[:-1]),
        ("Transfer-Encoding: chunked", chunk(PERSON[:-1])),
        ("Transfer-Encoding: chunked", b"3e8\r\n" + PERSON[:-1]),
    ],
)
def test_a_body_cut_off_writes_nothing(server: Server, workspace, sent):
    line, part = sent
    before = snapshot()
    with socket.create_connection(("127.0.0.1", server.port)) as peer:
        peer.sendall(head(workspace, line) + part)
    with server.client(workspace.api.key) as client:
        assert client.get("/api/participants").json()["results"] == []
    time.sleep(0.1)
    assert snapshot() == before


def test_a_slow_stranger_holds_up_nobody(server: Server, workspace):
    """More connections than the server has threads begin a body and never end it."""
    peers = [socket.create_connection(("127.0.0.1", server.port)) for _ in range(20)]
    try:
        for peer in peers:
            peer.sendall(head(None, "Content-Length: 1000", "X-api-key: wrong") + PERSON)
        started = time.monotonic()
        with server.client(workspace.api.key) as client:
            assert client.get("/api/participants").status_code == 200
        assert time.monotonic() - started < 2
    finally:
        for peer in peers:
            peer.close()


def test_nothing_of_all_this_left_a_trace_in_the_log(server: Server, workspace):
    with server.client() as client:
        client.get("/api/participants", headers={"Host": "a b"})
        client.get("/api/participants", headers={"X-Forwarded-Host": "a b"})
    with server.client(workspace.api.key) as client:
        assert client.get("/api/participants?" + "&".join(f"p{n}=1" for n in range(1001))).status_code == 400
    assert "Traceback" not in server.log()
    assert workspace.api.key not in server.log()
