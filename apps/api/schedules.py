"""The writes of schedules, one function each: one transaction, in which everything is resolved inside the
caller's team before anything is written. They go through the same services as the upsert."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

from django.db import transaction

from apps.chatbots.queries import chatbot_ids
from apps.errors import DomainError
from apps.participants import queries
from apps.schedules.models import ScheduledMessage, Status
from apps.schedules.queries import ScheduleNotFound
from apps.schedules.recurrence import Recurrence, checked, resolve, zone_named
from apps.schedules.rules import UnusableRule
from apps.schedules.services import ScheduleCancel, ScheduleSave, apply_schedules, retry_schedule
from apps.teams.models import Team

_OVER = (Status.DELIVERED, Status.FAILED, Status.CANCELLED)


class NotNow(DomainError):
    """What a schedule is at does not allow it."""


@dataclass(frozen=True, slots=True)
class When:
    """A moment, or a rule and its first moment."""

    moment: datetime
    recurrence: Recurrence | None = None


@dataclass(frozen=True, slots=True)
class Change:
    """What is to be otherwise; None leaves it. `rrule` that is empty makes a one-off."""

    name: str | None = None
    prompt: str | None = None
    date: datetime | None = None
    rrule: str | None = None
    timezone: str | None = None

    @property
    def says_when(self) -> bool:
        return not (self.date is None and self.rrule is None and self.timezone is None)


def when(*, date: datetime, rrule: str, timezone: str, now: datetime) -> When:
    """`date` is local where it has no offset: in UTC if no zone is given. Raises UnusableRule."""
    try:
        zone = zone_named(timezone or "UTC")
        if not rrule:
            return When(resolve(date, zone) if date.tzinfo is None else date.astimezone(UTC))
        local = date if date.tzinfo is None else date.astimezone(zone)
        recurrence = checked(rule=rrule, timezone=zone.key, starts=local, now=now)
        first = recurrence.next(after=now, now=now)
    except OverflowError as error:
        raise UnusableRule("The date leaves the calendar.", field="date") from error
    assert first is not None, "it was checked"
    return When(first, recurrence)


def create_schedule(
    *,
    team: Team,
    participant: UUID,
    chatbot: UUID,
    external_id: str | None,
    name: str,
    prompt: str,
    when: When,
    now: datetime,
) -> tuple[UUID, bool]:
    """Creates a schedule, or changes the one that has this id. Returns its public id, and whether it is new.

    Raises ParticipantNotFound and ChatbotsNotFound.
    """
    with transaction.atomic():
        person = queries.participant(team=team, public_id=participant)
        chatbot_id = chatbot_ids(team=team, public_ids=[chatbot])[chatbot]
        item = ScheduleSave(chatbot_id, external_id, name, prompt, when.moment, when.recurrence)
        rows = ScheduledMessage.objects.for_team(team).filter(
            participant=person.pk, chatbot=chatbot_id, external_id=item.key[1]
        )
        is_new = not rows.exists()
        apply_schedules(team=team, participant_id=person.pk, items=[item], now=now)
        return rows.values_list("public_id", flat=True).get(), is_new


def change_schedule(*, team: Team, public_id: UUID, change: Change, now: datetime) -> None:
    """Raises ScheduleNotFound, UnusableRule, and NotNow for one that is over and gets no new date."""
    with transaction.atomic():
        row = _locked(team, public_id)
        if row.status in _OVER and not change.says_when:
            raise NotNow(f"It is {row.status}: give a date to have it start again.")
        planned = _changed_when(row, change, now) if change.says_when else _present_when(row)
        if row.status == Status.DELIVERED and row.fired_for == planned.moment:
            raise NotNow("It was delivered for this very date: give another one to have it start again.")
        item = ScheduleSave(
            row.chatbot_id,
            row.external_id,
            row.name if change.name is None else change.name,
            row.prompt if change.prompt is None else change.prompt,
            planned.moment,
            planned.recurrence,
        )
        apply_schedules(team=team, participant_id=row.participant_id, items=[item], now=now)


def cancel_schedule(*, team: Team, public_id: UUID, now: datetime) -> None:
    """Cancelling twice is fine. Raises ScheduleNotFound, and NotNow for one that was delivered."""
    with transaction.atomic():
        row = _locked(team, public_id)
        if row.status == Status.DELIVERED:
            raise NotNow("It was delivered: that can't be taken back.")
        item = ScheduleCancel(row.chatbot_id, row.external_id)
        apply_schedules(team=team, participant_id=row.participant_id, items=[item], now=now)


def retry(*, team: Team, public_id: UUID) -> None:
    """Raises ScheduleNotFound, and NotNow for one that did not fail."""
    with transaction.atomic():
        row = _locked(team, public_id)
        if not retry_schedule(row.pk):
            raise NotNow(f"It is {row.status}: only one that failed can be tried again.")


def rule_of(row: ScheduledMessage, change: Change, *, now: datetime) -> Recurrence:
    """The rule as it would be. Raises UnusableRule, also where it would have none."""
    found = _changed_when(row, change, now).recurrence
    if found is None:
        raise UnusableRule("This schedule has no rule: give one.")
    return found


def _locked(team: Team, public_id: UUID) -> ScheduledMessage:
    rows = ScheduledMessage.objects.for_team(team).select_for_update(no_key=True)
    row = rows.filter(public_id=public_id).first()
    if row is None:
        raise ScheduleNotFound
    return row


def _present_when(row: ScheduledMessage) -> When:
    if not row.rrule:
        return When(row.scheduled_for)
    return When(row.scheduled_for, Recurrence(row.rrule, row.timezone, datetime.fromisoformat(row.starts)))


def _changed_when(row: ScheduledMessage, change: Change, now: datetime) -> When:
    rrule = row.rrule if change.rrule is None else change.rrule
    timezone = change.timezone or row.timezone
    date = change.date
    if date is None and not rrule:
        return When(row.scheduled_for)
    if date is None:
        date = datetime.fromisoformat(row.starts) if row.starts else row.scheduled_for
    return when(date=date, rrule=rrule, timezone=timezone, now=now)
