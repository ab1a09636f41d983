"""What the widget does, as operations. Nothing here knows of HTTP."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction

from apps.access.caller import Caller, CredentialRefused
from apps.access.embedding import ParticipantToken, identity_of, participant_of, participant_token
from apps.chatbots.models import Chatbot
from apps.errors import DomainError
from apps.participants import queries
from apps.participants.models import MAX_IDENTIFIER, Participant
from apps.participants.platforms import Platform
from apps.participants.services import merge_data, rename_participant, save_participant

ANONYMOUS = "anon:"


class KeysNotWritable(DomainError):
    def __init__(self, names: list[str]) -> None:
        self.names = names
        super().__init__("This page may not change: " + ", ".join(names))


@dataclass(frozen=True, slots=True)
class Identified:
    participant: Participant
    token: ParticipantToken


def chatbot_of(caller: Caller) -> Chatbot:
    assert caller.chatbot is not None, "the widget's callers have one"
    return caller.chatbot


def identify(
    *,
    caller: Caller,
    identity_token: str | None,
    own_token: str | None,
    name: str | None,
    remote_id: str | None,
    now: datetime,
) -> Identified:
    """Who a visitor is: a member is themself, one whom the host site vouches for is that person, one with
    a participant token who they were before, and anybody else somebody new.

    Raises CredentialRefused.
    """
    platform, identifier = _identity(caller, identity_token, own_token, now)
    with transaction.atomic():
        saved = save_participant(
            team=caller.team,
            platform=platform,
            identifier=identifier,
            name=name or (caller.user and caller.user.name) or None,
            remote_id=remote_id,
            now=now,
        )
    token = participant_token(caller=caller, participant_id=saved.public_id, now=now)
    return Identified(queries.participant(team=caller.team, public_id=saved.public_id), token)


def _identity(
    caller: Caller, identity_token: str | None, own_token: str | None, now: datetime
) -> tuple[str, str]:
    if caller.user is not None:
        return Platform.WEB, caller.user.email
    if identity_token is not None:
        identifier = identity_of(identity_token, chatbot=chatbot_of(caller), now=now)
        if len(identifier) > MAX_IDENTIFIER or "\0" in identifier or identifier.startswith(ANONYMOUS):
            raise CredentialRefused
        return Platform.EMBEDDED_WIDGET, identifier
    if own_token is not None:
        known = visitor(caller=caller, token=own_token, now=now)
        return known.platform, known.identifier
    return Platform.EMBEDDED_WIDGET, f"{ANONYMOUS}{uuid.uuid4()}"


def visitor(*, caller: Caller, token: str, now: datetime) -> Participant:
    """The participant whose token it is. Raises CredentialRefused."""
    try:
        return queries.participant(team=caller.team, public_id=participant_of(token, caller=caller, now=now))
    except queries.ParticipantNotFound as error:
        raise CredentialRefused from error


def change_visitor(
    *,
    caller: Caller,
    token: str,
    name: str | None,
    patch: dict[str, Any],
    writable_keys: list[str] | None,
    now: datetime,
) -> None:
    """Renames the visitor and merges into their data, under `writable_keys` alone; None allows all.

    Raises CredentialRefused, and KeysNotWritable, in which case nothing was written.
    """
    if writable_keys is not None and (refused := sorted(patch.keys() - set(writable_keys))):
        raise KeysNotWritable(refused)
    with transaction.atomic():
        participant = visitor(caller=caller, token=token, now=now)
        if name is not None:
            rename_participant(team=caller.team, participant_id=participant.pk, name=name, now=now)
        if patch:
            merge_data(
                team=caller.team,
                participant_id=participant.pk,
                chatbot_id=chatbot_of(caller).pk,
                patch=patch,
                now=now,
            )
