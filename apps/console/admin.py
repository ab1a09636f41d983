"""All that the admin shows. Django looks for it under this name; each line is one part of the domain."""

from . import chatbots, data, keys, participants, schedules, teams, users

__all__ = ("chatbots", "data", "keys", "participants", "schedules", "teams", "users")
