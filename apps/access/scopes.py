"""What a caller may do: the one table from a role to its scopes."""

from __future__ import annotations

from apps.teams.models import Role

PARTICIPANTS_READ = "participants:read"
PARTICIPANTS_WRITE = "participants:write"

SCOPE_TEXTS = {
    PARTICIPANTS_READ: "Read participants, their data and their schedules",
    PARTICIPANTS_WRITE: "Create and change participants, their data and their schedules",
}

Scopes = frozenset[str]

READ: Scopes = frozenset({PARTICIPANTS_READ})
ALL: Scopes = frozenset({PARTICIPANTS_READ, PARTICIPANTS_WRITE})

ROLE_SCOPES: dict[str, Scopes] = {
    Role.OWNER: ALL,
    Role.EDITOR: ALL,
    Role.VIEWER: READ,
}


def effective_scopes(granted: Scopes, role: str) -> Scopes:
    """What the credential was granted and its owner's role allows now."""
    return granted & ROLE_SCOPES.get(role, frozenset())
