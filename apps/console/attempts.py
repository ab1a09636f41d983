"""What was tried to deliver a schedule, below it."""

from __future__ import annotations

from unfold.decorators import display

from apps.schedules.models import DeliveryAttempt

from .base import PARTICIPANTS, TeamInline
from .columns import when

SHOWN_ANSWER = 200


class AttemptInline(TeamInline):
    """The attempts at one schedule, newest first."""

    model = DeliveryAttempt
    needs = PARTICIPANTS
    team_path = "schedule__team"
    verbose_name_plural = "attempts"
    fields = ("begun", "outcome_text", "status_code", "duration", "reason", "answer_start")
    readonly_fields = fields
    ordering = ("-id",)
    per_page = 10

    begun = staticmethod(when("started_at", "When"))

    @display(description="Outcome")
    def outcome_text(self, row: DeliveryAttempt) -> str:
        return row.get_outcome_display()

    @display(description="Took")
    def duration(self, row: DeliveryAttempt) -> str:
        return "—" if row.duration_ms is None else f"{row.duration_ms:,} ms"

    @display(description="Answer")
    def answer_start(self, row: DeliveryAttempt) -> str:
        cut = row.answer[:SHOWN_ANSWER]
        return f"{cut}…" if len(row.answer) > SHOWN_ANSWER else cut or "—"
