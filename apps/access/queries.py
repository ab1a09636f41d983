"""Reads of credentials."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from apps.sql import fetch
from apps.teams.models import Team, User

from .scopes import ALL, Scopes, effective_scopes

# The hot path of every request: credential, owner, membership and team in one statement. Time is
# the database's, so that web hosts whose clocks differ agree on what has expired.
_PERSON = """
           t.id, t.name, t.created_at,
           u.id, u.password, u.last_login, u.is_superuser, u.email, u.name, u.is_active, u.date_joined"""
_USABLE_KEY = f"""
    SELECT k.id, k.read_only, m.role,
           (k.last_used_at IS NULL OR k.last_used_at < now() - interval '1 minute')
               AND NOT pg_is_in_recovery(),  -- a replica can't write it down
           {_PERSON}
      FROM access_apikey k
      JOIN teams_team t ON t.id = k.team_id
      JOIN teams_user u ON u.id = k.user_id AND u.is_active
      JOIN teams_membership m ON m.user_id = k.user_id AND m.team_id = k.team_id
     WHERE k.hash = %s
       AND k.revoked_at IS NULL
       AND (k.expires_at IS NULL OR k.expires_at > now())
"""
# A machine's token has no person; its rights end with its application's.
_USABLE_TOKEN = f"""
    SELECT k.id, k.application_id, k.expires, k.scope, m.role,
           {_PERSON}
      FROM access_accesstoken k
      JOIN access_application a ON a.id = k.application_id
      JOIN teams_team t ON t.id = k.team_id AND t.id = coalesce(a.team_id, t.id)
      LEFT JOIN teams_user u ON u.id = k.user_id AND u.is_active
      LEFT JOIN teams_membership m ON m.user_id = u.id AND m.team_id = t.id
     WHERE k.token_checksum = %s
       AND k.expires > now()
       AND CASE WHEN k.user_id IS NULL
                THEN a.authorization_grant_type = 'client-credentials'
                ELSE m.role IS NOT NULL END
"""

_TEAM_FIELDS = ("id", "name", "created_at")
_USER_FIELDS = (
    "id",
    "password",
    "last_login",
    "is_superuser",
    "email",
    "name",
    "is_active",
    "date_joined",
)


@dataclass(frozen=True, slots=True)
class UsableKey:
    id: int
    read_only: bool
    role: str
    use_is_unrecorded: bool
    team: Team
    user: User


@dataclass(frozen=True, slots=True)
class UsableToken:
    """`role` and `user` are None for a machine."""

    id: int
    application_id: int
    expires: datetime
    granted: Scopes
    role: str | None
    team: Team
    user: User | None

    @property
    def effective_scopes(self) -> Scopes:
        """What was granted and the person's role allows now; for a machine all that was granted."""
        return effective_scopes(self.granted, self.role) if self.role else self.granted & ALL


def usable_key(*, digest: bytes) -> UsableKey | None:
    """The key with this SHA-256, unless it is revoked or expired, or its owner is inactive or has
    left the team."""
    rows = fetch(_USABLE_KEY, [digest])
    if not rows:
        return None
    row = rows[0]
    return UsableKey(
        id=row[0],
        read_only=row[1],
        role=row[2],
        use_is_unrecorded=row[3],
        team=Team.from_db("default", _TEAM_FIELDS, row[4:7]),
        user=User.from_db("default", _USER_FIELDS, row[7:]),
    )


def usable_token(*, checksum: str) -> UsableToken | None:
    """The OAuth2 access token with this SHA-256 (in hex), unless it is expired, its person inactive or no
    longer in the team, or its application gone from the team."""
    rows = fetch(_USABLE_TOKEN, [checksum])
    if not rows:
        return None
    row = rows[0]
    return UsableToken(
        id=row[0],
        application_id=row[1],
        expires=row[2],
        granted=frozenset(row[3].split()),
        role=row[4],
        team=Team.from_db("default", _TEAM_FIELDS, row[5:8]),
        user=User.from_db("default", _USER_FIELDS, row[8:]) if row[8] is not None else None,
    )
