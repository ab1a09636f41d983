"""Addresses of webhooks: what may stand in one. Which hosts they may lead to is decided when something
is sent, for a name can come to mean another host: `apps.schedules.addresses`."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import quote, urlsplit

from apps.errors import DomainError

MAX_LENGTH = 2000
_PORTS = {"http": 80, "https": 443}
# What a path and query may hold beside letters and digits (RFC 3986), and percent signs as they stand.
_SAFE = "/:?#[]@!$&'()*+,;=-._~%"


class UnusableUrl(DomainError):
    message = "Give an address such as https://bot.example.org/webhook."


@dataclass(frozen=True, slots=True)
class Target:
    """An address, taken apart. `host` is in ASCII and without brackets."""

    scheme: str
    host: str
    port: int
    path: str

    @property
    def is_https(self) -> bool:
        return self.scheme == "https"

    @property
    def authority(self) -> str:
        """What the Host header says."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == _PORTS[self.scheme] else f"{host}:{self.port}"


def parse(url: str) -> Target:
    """Raises UnusableUrl."""
    url = url.strip()
    if len(url) > MAX_LENGTH:
        raise UnusableUrl(f"The address is longer than {MAX_LENGTH} characters.")
    # What urlsplit would drop silently could read differently elsewhere.
    if any(character.isspace() or not character.isprintable() for character in url) or "\\" in url:
        raise UnusableUrl("The address holds a space, a backslash or a control character.")
    try:
        parts = urlsplit(url)
        port = parts.port
        host = _ascii(parts.hostname or "")
    except ValueError as error:
        raise UnusableUrl(f"The address can't be read: {error}.") from error
    if parts.scheme not in _PORTS or not host or port == 0:
        raise UnusableUrl
    if "@" in parts.netloc:
        raise UnusableUrl("A user name or password can't stand in the address.")
    path = quote(parts.path or "/", safe=_SAFE)
    query = f"?{quote(parts.query, safe=_SAFE)}" if parts.query else ""
    return Target(parts.scheme, host, port or _PORTS[parts.scheme], path + query)


def _ascii(host: str) -> str:
    if "%" in host:
        raise ValueError("a zone can't stand in it")
    if ":" in host:
        return host
    return host if host.isascii() else host.encode("idna").decode()
