"""What is sent for a due schedule, and what the answer means (the Standard Webhooks specification)."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from functools import lru_cache

import orjson
from standardwebhooks import Webhook

from apps.chatbots import endpoints, signing
from apps.chatbots.endpoints import Target
from apps.encryption import Unreadable

from .claims import Claimed, Settled
from .models import Outcome, Status
from .outbound import Answer, Headers, Outbound, Route, Unreachable
from .recurrence import MIN_GAP, Recurrence
from .retries import delay_after
from .rules import UnusableRule

KEPT_OF_ANSWER = 1000
GONE = 410
# They come with the wish to be left alone for a while.
_BUSY = (429, 503)
UNREADABLE_SECRET = "The signing secret can't be decrypted: set the endpoint anew."  # noqa: S105 (no secret: a sentence)


@dataclass(frozen=True, slots=True)
class Verdict:
    """How one attempt went. `wish` is how long the receiver asked to be left alone."""

    outcome: Outcome
    status_code: int | None = None
    duration_ms: int | None = None
    answer: str = ""
    reason: str = ""
    wish: timedelta | None = None

    @property
    def is_delivered(self) -> bool:
        return self.outcome == Outcome.DELIVERED

    @property
    def is_gone(self) -> bool:
        return self.status_code == GONE

    @property
    def is_trouble(self) -> bool:
        """Whether it speaks of the endpoint as a whole, not of this message alone."""
        code = self.status_code
        return not self.is_delivered and (code is None or code >= 500 or code == 429)


def message_id(public_id: object, occurrence: int) -> str:
    """The same on every attempt at one occurrence, so that receivers can drop a repeat."""
    return f"msg_{str(public_id).replace('-', '')}_{occurrence}"


def body(due: Claimed) -> bytes:
    return orjson.dumps(
        {
            "type": "schedule.triggered",
            "timestamp": _utc(due.scheduled_for),
            "data": {
                "schedule": {
                    "id": due.public_id,
                    "name": due.name,
                    "prompt": due.prompt,
                    "scheduled_for": _utc(due.scheduled_for),
                    "occurrence": due.occurrence,
                },
                "participant": {
                    "id": due.participant_id,
                    "identifier": due.participant_identifier,
                    "name": due.participant_name,
                    "platform": due.participant_platform,
                    "remote_id": due.participant_remote_id,
                },
                "chatbot": {"id": due.chatbot_id, "name": due.chatbot_name},
            },
        }
    )


def signed_headers(due: Claimed, content: bytes, *, now: datetime) -> Headers:
    """Raises Unreadable when a secret does not open."""
    identity = message_id(due.public_id, due.occurrence)
    sealed = [due.secret, due.previous_secret] if due.previous_secret else [due.secret]
    signatures = [
        _signer(bytes(secret), due.chatbot_key).sign(identity, now.astimezone(UTC), content.decode())
        for secret in sealed
    ]
    return (
        ("Content-Type", "application/json"),
        ("User-Agent", "open-chat-participants"),
        ("webhook-id", identity),
        ("webhook-timestamp", str(int(now.timestamp()))),
        ("webhook-signature", " ".join(signatures)),
    )


async def attempt(due: Claimed, route: Route, outbound: Outbound, *, now: datetime) -> Verdict:
    """Sends one message. `now` is the database's: receivers refuse a timestamp that is minutes off."""
    content = body(due)
    try:
        headers = signed_headers(due, content, now=now)
    except Unreadable:
        return Verdict(Outcome.FAILED, reason=UNREADABLE_SECRET)
    began = time.monotonic()
    try:
        answer = await outbound.post(route, headers, content)
    except Unreachable as error:
        return Verdict(Outcome.FAILED, reason=str(error), duration_ms=_since(began))
    return judge(answer, duration_ms=_since(began), now=now)


def judge(answer: Answer, *, duration_ms: int, now: datetime) -> Verdict:
    code = answer.status
    text = answer.body.decode("utf-8", "replace").replace("\0", "")[:KEPT_OF_ANSWER]
    if 200 <= code < 300:
        return Verdict(Outcome.DELIVERED, code, duration_ms, text)
    if code == GONE:
        reason = "It answered 410: there is nobody any more, and the endpoint was disabled."
    elif 300 <= code < 400:
        reason = f"It answered {code}: redirects are not followed. Set the final address."
    else:
        reason = f"It answered {code} instead of 2xx."
    wish = _wish(answer.headers.get("retry-after", ""), now) if code in _BUSY else None
    return Verdict(Outcome.FAILED, code, duration_ms, text, reason, wish)


def settle(due: Claimed, verdict: Verdict, *, now: datetime) -> Settled:
    """What follows for the schedule: delivered, another attempt, the next occurrence, or failed."""
    upcoming = _next_occurrence(due, now=now)
    delay = None if verdict.is_delivered else delay_after(due.attempts, wish=verdict.wish)
    note = verdict.reason
    if delay is not None and upcoming and now + delay >= upcoming:
        delay = None  # By then there is something newer to say.
    if upcoming and delay is None:
        status = Status.PENDING
        if note:
            note = f"Occurrence {due.occurrence} was not delivered. {note}"
    elif verdict.is_delivered:
        status = Status.DELIVERED
    else:
        status = Status.FAILED if delay is None else Status.PENDING
    return Settled(
        attempt_id=due.attempt_id,
        schedule_id=due.schedule_id,
        outcome=verdict.outcome,
        status=status,
        status_code=verdict.status_code,
        duration_ms=verdict.duration_ms,
        answer=verdict.answer,
        reason=verdict.reason,
        delay=delay,
        moment=upcoming if delay is None else None,
        note=note,
    )


def cut_off(due: Claimed) -> Settled:
    """An attempt that we ended ourselves, to stop in time. Another is due at once."""
    reason = "The worker stopped before there was an answer: it may have arrived."
    return Settled(
        attempt_id=due.attempt_id,
        schedule_id=due.schedule_id,
        outcome=Outcome.UNKNOWN,
        status=Status.PENDING,
        reason=reason,
        delay=timedelta(0),
        note=reason,
    )


@lru_cache(maxsize=1000)
def target_of(url: str) -> Target:
    """Raises UnusableUrl."""
    return endpoints.parse(url)


@lru_cache(maxsize=1000)
def _signer(sealed: bytes, chatbot_key: int) -> Webhook:
    return Webhook(signing.unseal(sealed, chatbot_id=chatbot_key))


def _next_occurrence(due: Claimed, *, now: datetime) -> datetime | None:
    """Of occurrences that were missed none is made up for: the next is the first to come."""
    if not due.rrule:
        return None
    recurrence = Recurrence(due.rrule, due.timezone, datetime.fromisoformat(due.starts))
    after = max(now, due.scheduled_for + MIN_GAP - timedelta(microseconds=1))
    try:
        return recurrence.next(after=after, now=now)
    except UnusableRule:  # a zone that this machine no longer knows, or a rule that tires it
        return None


def _wish(text: str, now: datetime) -> timedelta | None:
    """What Retry-After says (RFC 9110, 10.2.3): seconds, or a date."""
    text = text.strip()
    if text.isascii() and text.isdigit():
        return timedelta(seconds=min(int(text[:9]), 366 * 24 * 3600))
    try:
        moment = parsedate_to_datetime(text)
    except ValueError:
        return None
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return max(moment - now, timedelta(0))


def _since(began: float) -> int:
    return round((time.monotonic() - began) * 1000)


def _utc(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


def by_chatbot(claimed: Sequence[Claimed]) -> dict[int, list[Claimed]]:
    groups: dict[int, list[Claimed]] = {}
    for due in claimed:
        groups.setdefault(due.chatbot_key, []).append(due)
    return groups
