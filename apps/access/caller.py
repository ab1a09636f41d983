"""Who calls."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from apps.chatbots.models import Chatbot
from apps.errors import DomainError
from apps.teams.models import Team, User

from .scopes import Scopes


class Kind(StrEnum):
    API_KEY = "api_key"
    TOKEN = "token"  # noqa: S105 (a kind)
    SESSION = "session"
    EMBED_KEY = "embed_key"


@dataclass(frozen=True, slots=True)
class Caller:
    """For whom a request is answered. Only `scopes` decides what it may do: nothing asks `kind`
    but the log."""

    kind: Kind
    team: Team
    user: User | None
    scopes: Scopes
    chatbot: Chatbot | None = None
    credential_id: int | None = None


class CredentialRefused(DomainError):
    """The same words whatever was wrong, so that nobody learns which keys exist."""

    message = "Invalid or expired credentials."
