"""Web origins (RFC 6454), and patterns of them: https://*.example.org."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from apps.errors import DomainError

_DEFAULT_PORTS = {"http": 80, "https": 443}
_HOST = re.compile(r"(\*\.)?([a-z0-9-]+\.)*[a-z0-9-]+|\[[0-9a-f:.]+\]")


class NoOrigin(DomainError):
    def __init__(self, text: str) -> None:
        super().__init__(
            f"{text!r} is not an origin: give scheme, host and perhaps port, such as https://site.example "
            "or https://*.site.example."
        )


def normalise(text: str) -> str:
    """One spelling for one origin: lower case, without the scheme's own port. Raises NoOrigin."""
    try:
        parts = urlsplit(text.strip().lower())
        port = parts.port
    except ValueError as error:
        raise NoOrigin(text) from error
    host = parts.netloc.rpartition(":")[0] if port is not None else parts.netloc
    plain = not (parts.query or parts.fragment or parts.path.strip("/"))
    if parts.scheme not in _DEFAULT_PORTS or not plain or not _HOST.fullmatch(host):
        raise NoOrigin(text)
    suffix = "" if port in (None, _DEFAULT_PORTS[parts.scheme]) else f":{port}"
    return f"{parts.scheme}://{host}{suffix}"


def is_allowed(origin: str, patterns: list[str]) -> bool:
    """Whether a page of this origin matches one of the normalised patterns. `*.` stands for one or
    more labels: a site's subdomains, and not the site itself."""
    try:
        origin = normalise(origin)
    except NoOrigin:
        return False
    if "*" in origin:
        return False
    return any(origin == pattern or _matches_wildcard(origin, pattern) for pattern in patterns)


def _matches_wildcard(origin: str, pattern: str) -> bool:
    scheme, star, rest = pattern.partition("://*.")
    return bool(star) and origin.startswith(f"{scheme}://") and origin.endswith(f".{rest}")
