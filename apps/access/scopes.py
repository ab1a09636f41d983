"""What a caller may do: the one table from a role to its scopes. The API and the admin follow it."""

from __future__ import annotations

from apps.teams.models import Role

PARTICIPANTS_READ = "participants:read"
PARTICIPANTS_WRITE = "participants:write"

SCOPE_TEXTS = {
    PARTICIPANTS_READ: "Read participants, their data and their schedules",
    PARTICIPANTS_WRITE: "Create and change participants, their data and their schedules",
}

# What a signed-in member does in the admin besides. No credential is ever granted these.
CHATBOTS_READ = "chatbots:read"
CHATBOTS_WRITE = "chatbots:write"
MEMBERS_READ = "members:read"
MEMBERS_WRITE = "members:write"
CREDENTIALS = "credentials"
TEAM_WRITE = "team:write"

Scopes = frozenset[str]

READ: Scopes = frozenset({PARTICIPANTS_READ})
ALL: Scopes = frozenset({PARTICIPANTS_READ, PARTICIPANTS_WRITE})

_VIEWER = READ | {CHATBOTS_READ, MEMBERS_READ}
_EDITOR = _VIEWER | ALL | {CHATBOTS_WRITE}
_OWNER = _EDITOR | {MEMBERS_WRITE, CREDENTIALS, TEAM_WRITE}

ROLE_SCOPES: dict[str, Scopes] = {
    Role.OWNER: _OWNER,
    Role.EDITOR: _EDITOR,
    Role.VIEWER: _VIEWER,
}


def role_scopes(role: str) -> Scopes:
    return ROLE_SCOPES.get(role, frozenset())


def effective_scopes(granted: Scopes, role: str) -> Scopes:
    """What the credential was granted and its owner's role allows now."""
    return granted & role_scopes(role)


def can_hand_out(scopes: Scopes, role: str) -> bool:
    """Whether somebody with these scopes may give, change or take away this role: nobody hands out
    more than they have, and nobody overrules those who have more."""
    return MEMBERS_WRITE in scopes and role_scopes(role) <= scopes
