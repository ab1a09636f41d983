"""The widget's credentials: embed keys, identity tokens and participant tokens."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

import jwt
from django.conf import settings
from django.core import signing

from apps import encryption
from apps.chatbots.models import Chatbot
from apps.teams.models import Team

from . import keys, origins
from .caller import Caller, CredentialRefused, Kind
from .models import EmbedKey, IdentitySecret, identity_binding

# What an embed key opens, and nothing else does but a member's session.
WIDGET = "widget"
LONGEST_IDENTITY_MINUTES = 10
_TOKEN_SALT = "access.participant_token"  # noqa: S105 (a salt)


def create_embed_key(
    *,
    team: Team,
    chatbot: Chatbot,
    name: str,
    allowed_origins: Sequence[str],
    writable_keys: Sequence[str] = (),
) -> EmbedKey:
    """Raises origins.NoOrigin."""
    return EmbedKey.objects.create(
        team=team,
        chatbot=chatbot,
        name=name,
        key=keys.EMBED_KEY_PREFIX + secrets.token_urlsafe(24),
        allowed_origins=list(dict.fromkeys(map(origins.normalise, allowed_origins))),
        writable_keys=list(writable_keys),
    )


def revoke_embed_key(key: EmbedKey, *, now: datetime) -> None:
    """Its pages are refused from the next request on, and so is every token that it gave."""
    EmbedKey.objects.filter(pk=key.pk, revoked_at=None).update(revoked_at=now)


def usable_embed_key(*, key: str, origin: str, chatbot_id: UUID) -> EmbedKey:
    """The key, if it is this chatbot's and the page may use it. Raises CredentialRefused."""
    rows = EmbedKey.objects.select_related("team", "chatbot")
    found = rows.filter(key=key.replace("\0", ""), revoked_at=None, chatbot__public_id=chatbot_id).first()
    if found is None or not origins.is_allowed(origin, found.allowed_origins):
        raise CredentialRefused
    return found


def caller_for_embed_key(found: EmbedKey) -> Caller:
    return Caller(
        kind=Kind.EMBED_KEY,
        team=found.team,
        user=None,
        scopes=frozenset({WIDGET}),
        chatbot=found.chatbot,
        credential_id=found.pk,
    )


def serves_origin(*, origin: str, chatbot_id: UUID) -> bool:
    """Whether any key of this chatbot is for pages of this origin: all that a preflight can be asked."""
    patterns = EmbedKey.objects.filter(revoked_at=None, chatbot__public_id=chatbot_id)
    return any(
        origins.is_allowed(origin, found) for found in patterns.values_list("allowed_origins", flat=True)
    )


# Who a visitor is, in the words of the host site


def rotate_identity_secret(chatbot: Chatbot) -> str:
    """A new secret for the host site; the one before stops working. It can't be had again."""
    secret = keys.new_secret(keys.IDENTITY_SECRET_PREFIX)
    IdentitySecret.objects.update_or_create(
        chatbot=chatbot,
        defaults={
            "team": chatbot.team,
            "sealed": encryption.seal(secret.encode(), binding=identity_binding(chatbot.pk)),
        },
    )
    return secret


def identity_of(token: str, *, chatbot: Chatbot, now: datetime) -> str:
    """The identifier that the host site vouches for with a JWT (RFC 7519): HS256, `sub` the identifier,
    `aud` the chatbot's public id, `exp` at most 10 minutes ahead. Raises CredentialRefused."""
    stored = IdentitySecret.objects.filter(chatbot=chatbot).first()
    if stored is None:
        raise CredentialRefused
    secret = encryption.unseal(bytes(stored.sealed), binding=identity_binding(chatbot.pk))
    try:
        claims = jwt.decode(
            token,
            secret,
            algorithms=["HS256"],
            audience=str(chatbot.public_id),
            options={"require": ["exp", "sub", "aud"]},
        )
    except (jwt.PyJWTError, UnicodeError) as error:
        raise CredentialRefused from error
    latest = now + timedelta(minutes=LONGEST_IDENTITY_MINUTES)
    subject = claims["sub"]
    if claims["exp"] > latest.timestamp() or not isinstance(subject, str) or not subject.strip():
        raise CredentialRefused
    return subject.strip()


# Who a visitor is, in ours


@dataclass(frozen=True, slots=True)
class ParticipantToken:
    text: str
    expires_at: datetime


def participant_token(*, caller: Caller, participant_id: UUID, now: datetime) -> ParticipantToken:
    """Opens one participant's own data to the chatbot, for the bearer of this embed key or session."""
    expires_at = now + timedelta(hours=settings.PARTICIPANT_TOKEN_HOURS)
    claims = [str(participant_id), *_holder(caller), int(expires_at.timestamp())]
    return ParticipantToken(signing.dumps(claims, salt=_TOKEN_SALT), expires_at)


def participant_of(token: str, *, caller: Caller, now: datetime) -> UUID:
    """The public id of the participant whose token it is. Raises CredentialRefused when it is altered or
    expired, or was given to another key, chatbot or person."""
    try:
        participant_id, *holder, expires_at = signing.loads(token, salt=_TOKEN_SALT)
    except (signing.BadSignature, ValueError) as error:
        raise CredentialRefused from error
    if holder != _holder(caller) or expires_at <= now.timestamp():
        raise CredentialRefused
    return UUID(participant_id)


def _holder(caller: Caller) -> list[object]:
    chatbot = caller.chatbot
    assert chatbot is not None, "the widget's callers have one"
    return [chatbot.pk, caller.kind.value, caller.credential_id or (caller.user and caller.user.pk)]
