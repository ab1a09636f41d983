"""The row's way through delivery, in statements that several workers may run at once.

Each runs on its own, outside of any other transaction, and waits for nobody's lock: a row that somebody
is editing is left for the next time. The clock is the database's, whatever that of a worker says.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from apps.sql import fetch

from .models import Outcome, Status

# An attempt takes 20 seconds at most; what has no answer after this, its worker never recorded.
LEASE = timedelta(seconds=40)
LOST = "The worker ended, or lost its network, before it could say how this went: it may have arrived."
_LOST_AT_A_TIME = 1000

# An endpoint in trouble gets a few at a time, until one succeeds. They come in random order, so that
# none is always last where not all have room.
_CLAIM = """
    WITH room AS MATERIALIZED (
        SELECT e.chatbot_id,
               CASE WHEN e.pause_seconds > 0 THEN %(cautious)s ELSE %(each)s END
                   - coalesce(busy.number, 0) AS free
          FROM chatbots_webhookendpoint e
          LEFT JOIN unnest(%(busy)s::bigint[], %(numbers)s::int[]) AS busy (chatbot_id, number)
                 ON busy.chatbot_id = e.chatbot_id
         WHERE e.is_enabled AND (e.paused_until IS NULL OR e.paused_until <= now())
         ORDER BY random()
    ), due AS MATERIALIZED (
        SELECT row.*
          FROM room
         CROSS JOIN LATERAL (
               SELECT s.id, s.occurrence, s.attempts, s.scheduled_for
                 FROM schedules_scheduledmessage s
                WHERE s.chatbot_id = room.chatbot_id AND s.status = 'pending' AND s.due_at <= now()
                ORDER BY s.due_at
                LIMIT greatest(room.free, 0)
                  FOR NO KEY UPDATE SKIP LOCKED) AS row
         LIMIT %(limit)s
    ), listed AS (
        -- The planner expects ten rows of arrays. Expecting hundreds, it would read all schedules and all
        -- participants, to join them to what may be one row.
        SELECT row.*
          FROM (SELECT array_agg(id) AS ids, array_agg(occurrence) AS occurrences,
                       array_agg(attempts) AS attempts, array_agg(scheduled_for) AS moments
                  FROM due) AS arrays
         CROSS JOIN LATERAL unnest(ids, occurrences, attempts, moments)
                    AS row (id, occurrence, attempts, scheduled_for)
    ), begun AS (
        INSERT INTO schedules_deliveryattempt
               (schedule_id, occurrence, number, scheduled_for, started_at, outcome)
        -- Columns of the locked rows: joined anew, they would be those before an edit that came between.
        SELECT id, occurrence, attempts + 1, scheduled_for, clock_timestamp(), 'sending' FROM listed
        RETURNING id, schedule_id
    ), claimed AS (
        UPDATE schedules_scheduledmessage s
           SET status = 'sending', attempts = s.attempts + 1, claim = begun.id, reason = ''
          FROM begun WHERE s.id = begun.schedule_id
        RETURNING s.*
    )
    SELECT s.claim, s.id, s.public_id, s.name, s.prompt, s.scheduled_for, s.occurrence, s.attempts,
           s.rrule, s.timezone, s.starts,
           p.public_id, p.identifier, p.name, p.platform, p.remote_id,
           s.chatbot_id, c.public_id, c.name,
           e.url, e.secret,
           CASE WHEN e.previous_secret_until > now() THEN e.previous_secret END,
           e.failing_since IS NOT NULL, clock_timestamp()
      FROM claimed s
      JOIN participants_participant p ON p.id = s.participant_id
      JOIN chatbots_chatbot c ON c.id = s.chatbot_id
      JOIN chatbots_webhookendpoint e ON e.chatbot_id = s.chatbot_id
"""

# The answer counts for the schedule only while no edit, cancel or other attempt has come between.
# For the record it always does.
_RECORD = """
    WITH result AS MATERIALIZED (
        SELECT * FROM unnest(%(attempts)s::bigint[], %(schedules)s::bigint[], %(outcomes)s::text[],
                             %(codes)s::int[], %(durations)s::int[], %(answers)s::text[],
                             %(reasons)s::text[], %(statuses)s::text[], %(delays)s::float[],
                             %(moments)s::timestamptz[], %(notes)s::text[])
               AS r (attempt, schedule, outcome, code, duration, answer, reason, status, delay, moment, note)
    ), locked AS MATERIALIZED (
        -- All columns: joined to the results once more, the planner compares each row with each.
        SELECT s.id, r.*
          FROM result r JOIN schedules_scheduledmessage s ON s.id = r.schedule
           FOR NO KEY UPDATE OF s SKIP LOCKED
    ), recorded AS (
        UPDATE schedules_deliveryattempt a
           SET outcome = r.outcome, status_code = r.code, duration_ms = r.duration, answer = r.answer,
               reason = r.reason
          FROM locked r
         WHERE a.id = r.attempt
    ), settled AS (
        UPDATE schedules_scheduledmessage s
           SET status = r.status,
               due_at = coalesce(r.moment, now() + make_interval(secs => r.delay), s.due_at),
               scheduled_for = coalesce(r.moment, s.scheduled_for),
               occurrence = s.occurrence + (r.moment IS NOT NULL)::int,
               attempts = CASE WHEN r.moment IS NULL THEN s.attempts ELSE 0 END,
               fired_for = CASE WHEN r.outcome = 'delivered' THEN s.scheduled_for ELSE s.fired_for END,
               claim = NULL, reason = r.note, updated_at = clock_timestamp()
          FROM locked r
         WHERE s.id = r.id AND s.claim = r.attempt AND s.status IN ('sending', 'pending')
    )
    SELECT r.attempt FROM result r
     WHERE r.schedule NOT IN (SELECT id FROM locked)
       AND EXISTS (SELECT FROM schedules_scheduledmessage s WHERE s.id = r.schedule)
"""

# The claim stays: should the worker be alive after all, its answer still counts until the next attempt.
_GIVE_BACK_LOST = """
    WITH lost AS MATERIALIZED (
        SELECT a.id, a.schedule_id
          FROM schedules_deliveryattempt a JOIN schedules_scheduledmessage s ON s.id = a.schedule_id
         WHERE a.outcome = 'sending' AND a.started_at < now() - make_interval(secs => %(lease)s)
         LIMIT %(limit)s
           FOR NO KEY UPDATE SKIP LOCKED
    ), recorded AS (
        UPDATE schedules_deliveryattempt a SET outcome = 'unknown', reason = %(reason)s
          FROM lost WHERE a.id = lost.id
    ), freed AS (
        UPDATE schedules_scheduledmessage s
           SET status = 'pending', due_at = now(), reason = %(reason)s, updated_at = clock_timestamp()
          FROM lost WHERE s.id = lost.schedule_id AND s.claim = lost.id AND s.status = 'sending'
    )
    SELECT count(*) FROM lost
"""


@dataclass(frozen=True, slots=True)
class Claimed:
    """A schedule that is ours to send now, with all that the sending needs."""

    attempt_id: int
    schedule_id: int
    public_id: UUID
    name: str
    prompt: str
    scheduled_for: datetime
    occurrence: int
    attempts: int
    rrule: str
    timezone: str
    starts: str
    participant_id: UUID
    participant_identifier: str
    participant_name: str
    participant_platform: str
    participant_remote_id: str
    chatbot_key: int
    chatbot_id: UUID
    chatbot_name: str
    url: str
    secret: bytes
    previous_secret: bytes | None
    is_in_trouble: bool
    now: datetime


@dataclass(frozen=True, slots=True)
class Settled:
    """What became of an attempt, and what follows for its schedule: `delay` until the next attempt, or
    the `moment` of the next occurrence. `note` is shown with the schedule."""

    attempt_id: int
    schedule_id: int
    outcome: Outcome
    status: Status
    status_code: int | None = None
    duration_ms: int | None = None
    answer: str = ""
    reason: str = ""
    delay: timedelta | None = None
    moment: datetime | None = None
    note: str = ""


def claim(*, limit: int, each: int, cautious: int, busy: Mapping[int, int]) -> list[Claimed]:
    """Takes up to `limit` due schedules, and notes that an attempt at each has begun.

    No endpoint gets more than `each` at once, less what this worker is sending it (`busy`, by chatbot);
    one in trouble no more than `cautious`.
    """
    rows = fetch(
        _CLAIM,
        {
            "limit": limit,
            "each": each,
            "cautious": cautious,
            "busy": list(busy.keys()),
            "numbers": list(busy.values()),
        },
    )
    return [Claimed(*row) for row in rows]


def record(results: Sequence[Settled]) -> Collection[int]:
    """Writes what became of attempts. Returns those to be tried again: somebody is editing their schedule."""
    if not results:
        return ()
    rows = fetch(
        _RECORD,
        {
            "attempts": [result.attempt_id for result in results],
            "schedules": [result.schedule_id for result in results],
            "outcomes": [result.outcome for result in results],
            "codes": [result.status_code for result in results],
            "durations": [result.duration_ms for result in results],
            "answers": [result.answer for result in results],
            "reasons": [result.reason for result in results],
            "statuses": [result.status for result in results],
            "delays": [None if result.delay is None else result.delay.total_seconds() for result in results],
            "moments": [result.moment for result in results],
            "notes": [result.note for result in results],
        },
    )
    return {row[0] for row in rows}


def give_back_lost(*, lease: timedelta = LEASE) -> int:
    """Makes due again what a worker took and never recorded. Returns how many attempts were lost."""
    rows = fetch(_GIVE_BACK_LOST, {"lease": lease.total_seconds(), "limit": _LOST_AT_A_TIME, "reason": LOST})
    return int(rows[0][0])
