"""All that the admin shows. Django looks for it under this name; each line is one part of the domain."""

from . import (
    applications,
    chatbots,
    data,
    embed_keys,
    endpoints,
    invitations,
    keys,
    participants,
    schedules,
    teams,
    users,
)

__all__ = (
    "applications",
    "chatbots",
    "data",
    "embed_keys",
    "endpoints",
    "invitations",
    "keys",
    "participants",
    "schedules",
    "teams",
    "users",
)
