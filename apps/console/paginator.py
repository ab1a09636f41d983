"""Pages of a list that may have millions of rows."""

from __future__ import annotations

from typing import Any

from django.core.paginator import Paginator
from django.utils.functional import cached_property


class CappedPaginator(Paginator):  # type: ignore[type-arg]  # not at run time
    """Counts to CAP and no further, and leads no further: beyond it one searches or filters."""

    CAP = 2_000

    @cached_property
    def _counted(self) -> int:
        rows: Any = self.object_list
        return int(rows.order_by()[: self.CAP + 1].count())

    @cached_property
    def count(self) -> int:
        return min(self._counted, self.CAP)

    @property
    def is_capped(self) -> bool:
        return self._counted > self.CAP
