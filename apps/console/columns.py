"""Columns and fields that several admins show."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from django.utils import timezone
from django.utils.html import format_html
from django.utils.timesince import timesince, timeuntil
from unfold.decorators import display


def moment(value: datetime | None, *, missing: str = "—") -> str:
    """A time as people say it, and to the minute."""
    if value is None:
        return missing
    said = f"in {timeuntil(value)}" if value > timezone.now() else f"{timesince(value)} ago"
    exact = f"{value.astimezone(timezone.get_current_timezone()):%d %b %Y, %H:%M} UTC"
    return format_html('<time datetime="{}" title="{}">{}</time>', value.isoformat(), said, exact)


def when(field: str, label: str, *, missing: str = "—") -> Callable[[Any], str]:
    """A column for a time."""

    @display(description=label)
    def column(row: Any) -> str:
        return moment(getattr(row, field), missing=missing)

    column.__name__ = f"{field}_said"
    named: Callable[[Any], str] = column
    return named


CREATED = when("created_at", "Created")
CHANGED = when("updated_at", "Last change")
