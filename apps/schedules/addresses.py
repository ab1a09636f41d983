"""To which addresses webhooks may go: to none inside, in whatever form it is written or resolved."""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

# Their last bits are an IPv4 address to which a gateway passes them on.
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
# What an address of the ISATAP tunnel has there (RFC 5214).
_ISATAP = (0x00005EFE, 0x02005EFE)

# A name server that does not answer holds a thread for long: the others must not wait for it.
_resolvers = ThreadPoolExecutor(max_workers=64, thread_name_prefix="resolver")

Lookup = Callable[[str, int], list[str]]


class Refused(Exception):
    """The message says why nothing is sent there, in words for the team."""


def is_public(text: str) -> bool:
    """Whether an address, as text, is one of the public internet, and stands for no other that is not."""
    address = ipaddress.ip_address(text)
    if isinstance(address, ipaddress.IPv6Address):
        same = address.ipv4_mapped or (_last_bits(address) if address in _NAT64 else None)
        if same:
            return is_public(str(same))
        if address.scope_id or address.is_site_local or _is_of_a_tunnel(address):
            return False
    # Versions of Python differ in what `is_global` covers: these all say no.
    return address.is_global and not (
        address.is_multicast or address.is_reserved or address.is_link_local or address.is_unspecified
    )


def _is_of_a_tunnel(address: ipaddress.IPv6Address) -> bool:
    """Whether it hides an IPv4 address to which a host may pass it on. No service is reached by these any
    more (RFC 7526 ended 6to4)."""
    is_isatap = (int(address) >> 32) & 0xFFFFFFFF in _ISATAP
    return is_isatap or address.teredo is not None or address.sixtofour is not None


def _last_bits(address: ipaddress.IPv6Address) -> ipaddress.IPv4Address:
    return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)


def look_up(host: str, port: int) -> list[str]:
    """Every address of a host, also one that is written as one number, in octal or in hexadecimal."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, proto=socket.IPPROTO_TCP)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


async def allowed_addresses(
    host: str, port: int, *, allow_private: bool, lookup: Lookup = look_up
) -> list[str]:
    """Where a host is now. Raises Refused if one of its addresses is inside: then none is used."""
    try:
        addresses = await asyncio.get_running_loop().run_in_executor(_resolvers, lookup, host, port)
    except (OSError, UnicodeError) as error:
        raise Refused(f"The name {host} can't be resolved.") from error
    if not addresses:
        raise Refused(f"The name {host} has no address.")
    if not allow_private:
        for address in addresses:
            if not is_public(address):
                raise Refused(
                    f"{host} leads to {address}, which is not on the public internet: nothing is sent there."
                )
    return addresses
