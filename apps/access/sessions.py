"""Where sessions are kept: Django's table."""

from django.contrib.sessions.backends import db


class SessionStore(db.SessionStore):
    def _validate_session_key(self, key: str | None) -> bool:
        """A cookie can spell NUL as \\000, which PostgreSQL does not take as text."""
        return bool(super()._validate_session_key(key)) and "\0" not in str(key)  # type: ignore[misc]  # not in the stubs
