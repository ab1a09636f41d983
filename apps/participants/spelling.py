"""A filter by identifier finds a person under the spelling that a write would keep, whatever the platform."""

from __future__ import annotations

from collections.abc import Collection

from .platforms import Platform, normalise_identifier


def spellings(identifier: str) -> dict[str, str]:
    """The values of the condition: as it is given, and where that differs as CommCare Connect keeps it."""
    lowered = normalise_identifier(identifier, Platform.COMMCARE_CONNECT)
    return {"identifier": identifier} | ({"lowered": lowered} if lowered != identifier else {})


def condition(given: Collection[str]) -> str:
    """For a statement with these values, in which participants are `p`."""
    if "lowered" not in given:
        return "p.identifier = %(identifier)s"
    kept = f"p.identifier = %(lowered)s AND p.platform = '{Platform.COMMCARE_CONNECT.value}'"
    return f"(p.identifier = %(identifier)s OR {kept})"
