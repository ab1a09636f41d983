"""Participant data at rest: JSON text, bound to its participant and chatbot."""

import struct

from apps import encryption

binding = struct.Struct(">qq").pack


def seal(text: bytes, *, participant_id: int, chatbot_id: int) -> bytes:
    return encryption.seal(text, binding=binding(participant_id, chatbot_id))


def unseal(sealed: bytes, *, participant_id: int, chatbot_id: int) -> bytes:
    """The JSON text. Raises encryption.Unreadable."""
    return encryption.unseal(sealed, binding=binding(participant_id, chatbot_id))
