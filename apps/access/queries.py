"""Reads of credentials."""

from __future__ import annotations

from dataclasses import dataclass

from django.db import connection

from apps.teams.models import Team, User

# The hot path of every request: credential, owner, membership and team in one statement. Time is
# the database's, so that web hosts whose clocks differ agree on what has expired.
_USABLE_KEY = """
    SELECT k.id, k.read_only, m.role,
           k.last_used_at IS NULL OR k.last_used_at < now() - interval '1 minute',
           t.id, t.name, t.created_at,
           u.id, u.password, u.last_login, u.is_superuser, u.email, u.name, u.is_active, u.date_joined
      FROM access_apikey k
      JOIN teams_team t ON t.id = k.team_id
      JOIN teams_user u ON u.id = k.user_id AND u.is_active
      JOIN teams_membership m ON m.user_id = k.user_id AND m.team_id = k.team_id
     WHERE k.hash = %s
       AND k.revoked_at IS NULL
       AND (k.expires_at IS NULL OR k.expires_at > now())
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


def usable_key(*, digest: bytes) -> UsableKey | None:
    """The key with this SHA-256, unless it is revoked or expired, or its owner is inactive or has
    left the team."""
    with connection.cursor() as cursor:
        cursor.execute(_USABLE_KEY, [digest])
        row = cursor.fetchone()
    if row is None:
        return None
    return UsableKey(
        id=row[0],
        read_only=row[1],
        role=row[2],
        use_is_unrecorded=row[3],
        team=Team.from_db("default", _TEAM_FIELDS, row[4:7]),
        user=User.from_db("default", _USER_FIELDS, row[7:]),
    )
