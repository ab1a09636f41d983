"""Where webhooks may go."""

from __future__ import annotations

import asyncio

import pytest

from apps.chatbots.endpoints import UnusableUrl, parse
from apps.schedules.addresses import Refused, allowed_addresses, is_public


@pytest.mark.parametrize(
    "address",
    [
        "93.184.216.34",
        "8.8.8.8",
        "2606:2800:220:1:248:1893:25c8:1946",
        "::ffff:8.8.8.8",
        "64:ff9b::808:808",
    ],
)
def test_it_allows_what_is_public(address):
    assert is_public(address)


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "127.255.255.254",
        "10.0.0.1",
        "172.16.0.1",
        "192.168.1.1",
        "169.254.169.254",
        "100.64.0.1",
        "0.0.0.0",
        "0.1.2.3",
        "192.0.2.1",
        "198.18.0.1",
        "224.0.0.1",
        "239.255.255.250",
        "240.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "::7f00:1",
        "::808:808",
        "::ffff:127.0.0.1",
        "::ffff:10.0.0.1",
        "::ffff:a9fe:a9fe",
        "2002:7f00:1::",
        "2002:a00:1::1",
        "2002:808:808::1",
        "64:ff9b::7f00:1",
        "64:ff9b::a9fe:a9fe",
        "64:ff9b:1::808:808",
        "2001:0:4136:e378:8000:63bf:3fff:fdd2",
        "2606:4700::5efe:a00:1",
        "2606:4700::200:5efe:808:808",
        "2001:db8::1",
        "fc00::1",
        "fd00:ec2::254",
        "fe80::1",
        "fe80::1%eth0",
        "2606:4700::1%eth0",
        "fec0::1",
        "ff02::1",
    ],
)
def test_it_refuses_what_is_not_public_in_any_form(address):
    assert not is_public(address)


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "2130706433",
        "017700000001",
        "0x7f000001",
        "0x7f.1",
        "127.1",
        "0",
        "localhost",
        "::1",
        "::ffff:127.0.0.1",
        "0:0:0:0:0:ffff:7f00:1",
    ],
)
def test_it_refuses_loopback_however_it_is_written(host):
    with pytest.raises(Refused, match="nothing is sent there"):
        asyncio.run(allowed_addresses(host, 80, allow_private=False))


def test_it_refuses_a_name_that_leads_inside_with_one_of_its_addresses():
    with pytest.raises(Refused, match=r"10\.0\.0\.7"):
        asyncio.run(
            allowed_addresses(
                "bot.example", 443, allow_private=False, lookup=lambda *_: ["8.8.8.8", "10.0.0.7"]
            )
        )


def test_it_refuses_a_name_that_nobody_knows():
    def unknown(host, port):
        raise OSError("no such name")

    with pytest.raises(Refused, match="can't be resolved"):
        asyncio.run(allowed_addresses("bot.example", 443, allow_private=True, lookup=unknown))


def test_it_allows_what_is_inside_where_the_setting_says_so():
    assert asyncio.run(allowed_addresses("127.0.0.1", 80, allow_private=True)) == ["127.0.0.1"]


# Addresses as they are set


def test_it_takes_an_address_apart():
    target = parse(" https://Bot.Example.org:8443/hook/é?a=b%20c#part ")
    assert (target.scheme, target.host, target.port) == ("https", "bot.example.org", 8443)
    assert target.path == "/hook/%C3%A9?a=b%20c"
    assert target.authority == "bot.example.org:8443"


@pytest.mark.parametrize(
    ("url", "authority", "path"),
    [
        ("http://bot.example", "bot.example", "/"),
        ("http://bot.example:80/x", "bot.example", "/x"),
        ("https://[2606:4700::1]/x", "[2606:4700::1]", "/x"),
        ("https://bücher.example/x", "xn--bcher-kva.example", "/x"),
    ],
)
def test_it_says_what_the_host_header_holds(url, authority, path):
    target = parse(url)
    assert (target.authority, target.path) == (authority, path)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "bot.example/hook",
        "ftp://bot.example/",
        "file:///etc/passwd",
        "gopher://bot.example/",
        "http://",
        "http:///hook",
        "http://user:secret@bot.example/",
        "http://bot.example@127.0.0.1/",
        "http://bot.example:0/",
        "http://bot.example:65536/",
        "http://bot.example:x/",
        "http://[::1/",
        "http://[fe80::1%25eth0]/",
        "http://bot.example\\@127.0.0.1/",
        "http://bot.example/a b",
        "http://bot.example/\r\nX-Evil: 1",
        "http://bot\texample/",
        "http://" + "a" * 2000,
        "http://" + "ü" * 300 + ".example/",
    ],
)
def test_it_refuses_an_address_that_is_none(url):
    with pytest.raises(UnusableUrl):
        parse(url)
