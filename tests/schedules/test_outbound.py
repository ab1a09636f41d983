"""The client that calls webhooks, against a real receiver."""

from __future__ import annotations

import asyncio
import ssl
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from apps.chatbots.endpoints import parse
from apps.schedules.outbound import MAX_ANSWER, Outbound, Unreachable
from tests.receiver import Reply, receiving


async def serving(handle):
    """A server that says what the function writes, and always hangs up."""

    async def serve(reader, writer):
        try:
            await handle(reader, writer)
            await writer.drain()
        except (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    return await asyncio.start_server(serve, "127.0.0.1", 0)


def settled(work):
    """Its result, once what it closed is closed."""

    async def run():
        try:
            return await work
        finally:
            await asyncio.sleep(0.02)

    return asyncio.run(run())


def posted(url: str, *, times: int = 1, pause: float = 0.0, outbound: Outbound | None = None):
    """The answers to so many requests, one after the other."""

    async def post():
        client = outbound or Outbound(allow_private=True)
        answers = []
        for _ in range(times):
            route = await client.route(parse(url))
            answers.append(await client.post(route, [("X-Test", "1")], b'{"a":1}'))
            await asyncio.sleep(pause)
        client.close_idle(older_than=0)
        return answers

    return settled(post())


def test_it_posts_and_reads_the_answer(receiver):
    (answer,) = posted(receiver.url + "?x=1")
    assert (answer.status, answer.body) == (200, b"ok")
    (got,) = receiver.got
    assert (got.path, got.body) == ("/hook?x=1", b'{"a":1}')
    assert got.headers == {
        "host": f"127.0.0.1:{receiver.port}",
        "x-test": "1",
        "accept-encoding": "identity",
        "content-length": "7",
    }


def test_it_keeps_the_connection(receiver):
    posted(receiver.url, times=5)
    assert receiver.connections == 1


def test_it_makes_a_new_connection_when_the_other_side_closed_the_idle_one(receiver):
    receiver.answer = lambda _: Reply(close=True)
    assert [answer.status for answer in posted(receiver.url, times=3)] == [200, 200, 200]
    assert receiver.connections == 3


def test_it_sends_again_when_an_idle_connection_breaks_under_it():
    bodies = []

    async def serve(reader, writer):
        is_first = not bodies
        for _ in range(2):
            bodies.append((await reader.readuntil(b"}"))[-1:])
            if is_first and len(bodies) == 2:
                break  # as a server does that was just about to close
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")

    async def run():
        server = await serving(serve)
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
        client = Outbound(allow_private=True)
        route = await client.route(parse(url))
        answers = [await client.post(route, [], b'{"a":1}') for _ in range(2)]
        client.close_idle(older_than=0)
        server.close()
        return answers

    assert [answer.status for answer in settled(run())] == [200, 200]
    assert len(bodies) == 3


def test_it_follows_no_redirect(receiver):
    receiver.answer = lambda _: Reply(302, {"Location": "http://127.0.0.1:1/inside"})
    assert posted(receiver.url)[0].status == 302
    assert len(receiver.got) == 1


def test_it_reads_no_more_than_it_keeps(receiver):
    receiver.answer = lambda _: Reply(body=b"x" * (MAX_ANSWER * 50))
    (answer,) = posted(receiver.url)
    assert (answer.status, len(answer.body)) == (200, MAX_ANSWER)


def test_it_gives_up_after_its_time(receiver):
    receiver.answer = lambda _: Reply(delay=5)
    with pytest.raises(Unreachable, match=r"No answer within 0\.3 seconds"):
        posted(receiver.url, outbound=Outbound(allow_private=True, limit=0.3))


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        (b"", "without an answer in HTTP"),
        (b"SSH-2.0-OpenSSH\r\n\r\n", "without an answer in HTTP"),
        (b"HTTP/1.1 200 OK\r\nX: " + b"a" * 200_000, "without an answer in HTTP"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nshort", "without an answer in HTTP"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nnope\r\n", "without an answer in HTTP"),
    ],
    ids=["nothing", "another protocol", "endless header", "cut off", "bad chunks"],
)
def test_it_says_what_came_instead_of_an_answer(said, reason):
    async def run():
        async def serve(reader, writer):
            await reader.readuntil(b'{"a":1}')
            writer.write(said)

        server = await serving(serve)
        port = server.sockets[0].getsockname()[1]
        client = Outbound(allow_private=True, limit=3)
        route = await client.route(parse(f"http://127.0.0.1:{port}/"))
        try:
            with pytest.raises(Unreachable, match=reason):
                await client.post(route, [], b'{"a":1}')
        finally:
            server.close()

    settled(run())


def test_it_says_that_nobody_listens():
    with pytest.raises(Unreachable, match="refused"):
        posted("http://127.0.0.1:1/")


def test_it_skips_an_interim_answer():
    async def run():
        async def serve(reader, writer):
            await reader.readuntil(b'{"a":1}')
            writer.write(b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n")
            await writer.drain()
            await asyncio.sleep(0.2)

        server = await serving(serve)
        client = Outbound(allow_private=True)
        port = server.sockets[0].getsockname()[1]
        route = await client.route(parse(f"http://127.0.0.1:{port}/"))
        answer = await client.post(route, [], b'{"a":1}')
        client.close_idle(older_than=0)
        server.close()
        return answer

    assert settled(run()).status == 204


# To the address that was checked, and to no other


def test_it_asks_anew_for_every_sending_and_refuses_a_name_that_moved_inside(receiver):
    """DNS rebinding: the second look-up leads to ourselves."""
    answers = iter([["93.184.216.34"], ["127.0.0.1"]])
    client = Outbound(allow_private=False, lookup=lambda *_: next(answers))

    async def run():
        target = parse(f"http://rebound.example:{receiver.port}/")
        first = await client.route(target)
        with pytest.raises(Unreachable, match=r"leads to 127\.0\.0\.1"):
            await client.route(target)
        return first

    assert settled(run()).addresses == ("93.184.216.34",)
    assert receiver.got == []


def test_it_connects_to_the_address_that_it_checked_under_the_name_that_was_asked_for(receiver):
    looked_up = []

    def lookup(host, port):
        looked_up.append((host, port))
        return ["127.0.0.1"]

    outbound = Outbound(allow_private=True, lookup=lookup)
    posted(f"http://bot.example:{receiver.port}/hook", outbound=outbound)
    assert looked_up == [("bot.example", receiver.port)]
    assert receiver.got[0].headers["host"] == f"bot.example:{receiver.port}"


def test_it_refuses_what_is_inside_by_default(receiver):
    with pytest.raises(Unreachable, match="not on the public internet"):
        posted(receiver.url, outbound=Outbound(allow_private=False))
    assert receiver.connections == 0


def test_it_knows_no_proxy(receiver, monkeypatch):
    for name in ("http_proxy", "HTTP_PROXY", "https_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    assert posted(receiver.url)[0].status == 200


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    """For bot.example, by its own authority."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "bot.example")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("bot.example")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path_factory.mktemp("tls") / "bot.pem"
    path.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        + made.public_bytes(serialization.Encoding.PEM)
    )
    return path


@pytest.mark.parametrize(
    ("host", "is_trusted", "reason"),
    [
        ("bot.example", True, None),
        ("other.example", True, "certificate is not valid: Hostname mismatch"),
        ("bot.example", False, "certificate is not valid: self-signed"),
    ],
    ids=["its own name", "another name", "an unknown authority"],
)
def test_it_checks_the_certificate_against_the_name_though_it_connects_to_an_address(
    certificate, host, is_trusted, reason
):
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    tls.load_cert_chain(certificate)
    with receiving(tls) as receiver:
        outbound = Outbound(allow_private=True, lookup=lambda *_: ["127.0.0.1"])
        if is_trusted:
            outbound._tls.load_verify_locations(certificate)
        url = f"https://{host}:{receiver.port}/hook"
        if reason is None:
            assert posted(url, outbound=outbound)[0].status == 200
            assert receiver.got[0].headers["host"] == f"bot.example:{receiver.port}"
        else:
            with pytest.raises(Unreachable, match=reason):
                posted(url, outbound=outbound)
            assert receiver.got == []
