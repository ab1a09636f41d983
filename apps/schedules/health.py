"""What deliveries tell of an endpoint: when to leave it alone for a while, and when for good."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta

from django.db import connection

from .claims import Claimed
from .delivery import Verdict

logger = logging.getLogger(__name__)

# Long enough for a weekend; and a whole series of attempts must have failed.
FAILING_LIMIT = timedelta(days=3)
FAILURES_LIMIT = 10
LONGEST_PAUSE = timedelta(seconds=30)
LONGEST_WISH = timedelta(hours=1)

GONE = "It answered 410 Gone. Enable it once the bot is there again."
FAILING = "It failed for more than 3 days. Enable it once the bot is well again: what waits is sent then."

# An attempt that was given up is in other hands. What comes of it late, from a worker that had lost its
# network, tells of the worker.
_CURRENT = "SELECT id FROM schedules_deliveryattempt WHERE id = ANY(%s) AND outcome = 'sending'"

_WELL = """
    UPDATE chatbots_webhookendpoint
       SET failing_since = NULL, failures = 0, paused_until = NULL, pause_seconds = 0
     WHERE chatbot_id = ANY(%s) AND failing_since IS NOT NULL
"""

# Attempts that were under way together fail together: they make one pause and not one each.
_UNWELL = """
    UPDATE chatbots_webhookendpoint AS e
       SET failing_since = coalesce(e.failing_since, now()),
           failures = least(e.failures + r.failed, 2000000000),
           pause_seconds = pause.seconds,
           paused_until = greatest(e.paused_until, now() + make_interval(secs => r.wish),
               CASE WHEN r.trouble AND coalesce(e.paused_until <= now(), true)
                    THEN now() + make_interval(secs => pause.seconds) END),
           is_enabled = ended.reason IS NULL,
           disabled_at = CASE WHEN ended.reason IS NOT NULL THEN now() END,
           disabled_reason = coalesce(ended.reason, '')
      FROM unnest(%(chatbots)s::bigint[], %(urls)s::text[], %(failed)s::int[], %(trouble)s::bool[],
                  %(gone)s::bool[], %(wishes)s::float[]) AS r (chatbot, url, failed, trouble, gone, wish)
      JOIN chatbots_webhookendpoint AS known ON known.chatbot_id = r.chatbot
     CROSS JOIN LATERAL (
           SELECT CASE WHEN r.trouble AND coalesce(known.paused_until <= now(), true)
                       THEN least(greatest(known.pause_seconds * 2, 1), %(longest)s)
                       ELSE known.pause_seconds END AS seconds) AS pause
     CROSS JOIN LATERAL (
           SELECT CASE WHEN r.gone THEN %(gone_text)s
                       WHEN known.failing_since < now() - make_interval(secs => %(limit)s)
                            AND known.failures + r.failed >= %(most)s
                       THEN %(failing_text)s END) AS ended (reason)
     WHERE e.chatbot_id = r.chatbot AND e.is_enabled AND e.url = r.url
    RETURNING e.chatbot_id, e.is_enabled
"""


@dataclass(slots=True)
class _Tally:
    url: str
    failed: int = 0
    trouble: bool = False
    gone: bool = False
    wish: timedelta | None = None


def note_health(results: Iterable[tuple[Claimed, Verdict]]) -> None:
    """Writes what these attempts tell of their endpoints; nothing where all is as it was."""
    found = list(results)
    if any(due.is_in_trouble or not verdict.is_delivered for due, verdict in found):
        _note(_current(found))


def _current(results: list[tuple[Claimed, Verdict]]) -> list[tuple[Claimed, Verdict]]:
    with connection.cursor() as cursor:
        cursor.execute(_CURRENT, [[due.attempt_id for due, _ in results]])
        current = {row[0] for row in cursor.fetchall()}
    return [(due, verdict) for due, verdict in results if due.attempt_id in current]


def _note(results: list[tuple[Claimed, Verdict]]) -> None:
    well: set[int] = set()
    unwell: dict[int, _Tally] = {}
    recovered: set[int] = set()
    for due, verdict in results:
        if verdict.is_delivered:
            well.add(due.chatbot_key)
            if due.is_in_trouble:
                recovered.add(due.chatbot_key)
        else:
            _count(unwell.setdefault(due.chatbot_key, _Tally(due.url)), verdict)
    # One that takes some messages is well. Not so one that says that it is gone, or asks for a pause.
    unwell = {key: tally for key, tally in unwell.items() if key not in well or tally.gone or tally.wish}
    if recovered:
        with connection.cursor() as cursor:
            cursor.execute(_WELL, [list(recovered)])
    if unwell:
        _note_unwell(unwell)


def _count(tally: _Tally, verdict: Verdict) -> None:
    tally.failed += 1
    tally.trouble |= verdict.is_trouble
    tally.gone |= verdict.is_gone
    if verdict.wish:
        tally.wish = max(tally.wish or timedelta(0), min(verdict.wish, LONGEST_WISH))


def _note_unwell(unwell: dict[int, _Tally]) -> None:
    tallies = unwell.values()
    with connection.cursor() as cursor:
        cursor.execute(
            _UNWELL,
            {
                "chatbots": list(unwell),
                "urls": [tally.url for tally in tallies],
                "failed": [tally.failed for tally in tallies],
                "trouble": [tally.trouble for tally in tallies],
                "gone": [tally.gone for tally in tallies],
                "wishes": [tally.wish.total_seconds() if tally.wish else None for tally in tallies],
                "longest": int(LONGEST_PAUSE.total_seconds()),
                "limit": FAILING_LIMIT.total_seconds(),
                "most": FAILURES_LIMIT,
                "gone_text": GONE,
                "failing_text": FAILING,
            },
        )
        for chatbot_id, is_enabled in cursor.fetchall():
            if not is_enabled:
                logger.warning("webhook endpoint of chatbot %s was disabled", chatbot_id)
