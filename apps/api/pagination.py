"""Cursor pagination."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.core.signing import BadSignature, Signer
from django.db.models import Q, QuerySet
from rest_framework.exceptions import NotFound
from rest_framework.pagination import Cursor, CursorPagination
from rest_framework.request import Request
from rest_framework.utils.urls import replace_query_param

_signer = Signer(sep=".", salt="api.cursor")


class NewestFirst(CursorPagination):
    """Pages by the internal id, which is unique: no row is lost or repeated, however many were made in
    one instant and while others are added.

    A cursor is `n` (next) or `p` (previous), the id that the page starts after, and a signature:
    one that was not issued here is refused before it reaches the database.
    """

    page_size = 100
    max_page_size = 1500
    page_size_query_param = "page_size"
    ordering = "-id"

    def get_page_size(self, request: Request) -> int:
        """More digits than Python turns into a number are more than the greatest page too."""
        text = request.query_params.get(self.page_size_query_param, "").strip().lstrip("0")
        if not (text.isascii() and text.isdigit()):
            return self.page_size
        return min(int(text[:9]), self.max_page_size)

    def decode_cursor(self, request: Request) -> Cursor | None:
        encoded = request.query_params.get(self.cursor_query_param)
        if not encoded:
            return None
        try:
            value = _signer.unsign(encoded)
        except BadSignature as error:
            raise NotFound(self.invalid_cursor_message) from error
        return Cursor(offset=0, reverse=value[0] == "p", position=int(value[1:]))

    base_url: str

    def encode_cursor(self, cursor: Cursor) -> str:
        assert cursor.offset == 0, "ids are unique"
        encoded = _signer.sign(f"{'p' if cursor.reverse else 'n'}{cursor.position}")
        return replace_query_param(self.base_url, self.cursor_query_param, encoded)

    # When the rows of a page were deleted, REST framework's own links would skip the row at its edge.

    def get_next_link(self) -> str | None:
        if not self.page and self.has_next and self.next_position is not None:
            return self.encode_cursor(Cursor(offset=0, reverse=False, position=int(self.next_position) + 1))
        return super().get_next_link()

    def get_previous_link(self) -> str | None:
        if not self.page and self.has_previous and self.previous_position is not None:
            return self.encode_cursor(
                Cursor(offset=0, reverse=True, position=int(self.previous_position) - 1)
            )
        return super().get_previous_link()


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a page begins: after this row, or before it when it is read backwards."""

    is_backwards: bool
    due_at: datetime
    id: int

    def beyond(self) -> Q:
        if self.is_backwards:
            return Q(due_at__lte=self.due_at) & (Q(due_at__lt=self.due_at) | Q(id__lt=self.id))
        return Q(due_at__gte=self.due_at) & (Q(due_at__gt=self.due_at) | Q(id__gt=self.id))


class SoonestFirst(NewestFirst):
    """Pages by `due_at` and, where that is the same, by id: exactly, as far as rows keep their `due_at`.

    A cursor is `n` or `p`, the moment and the id that the page starts after, and a signature of its own.
    """

    _signer = Signer(sep="~", salt="api.cursor.due_at")
    page: list[Any]

    def paginate_queryset(self, queryset: QuerySet[Any], request: Request, view: Any = None) -> list[Any]:
        size = self.get_page_size(request)
        self.base_url = request.build_absolute_uri()
        self._place = self._place_of(request)
        is_backwards = self._place is not None and self._place.is_backwards
        rows = queryset.order_by("-due_at", "-id") if is_backwards else queryset.order_by("due_at", "id")
        if self._place:
            rows = rows.filter(self._place.beyond())
        found = list(rows[: size + 1])
        self.page = found[:size]
        if is_backwards:
            self.page.reverse()
        self.has_next = is_backwards or len(found) > size
        self.has_previous = len(found) > size if is_backwards else self._place is not None
        return self.page

    def _place_of(self, request: Request) -> _Place | None:
        encoded = request.query_params.get(self.cursor_query_param)
        if not encoded:
            return None
        try:
            way, moment, key = self._signer.unsign(encoded).split("_")
        except BadSignature as error:
            raise NotFound(self.invalid_cursor_message) from error
        return _Place(way == "p", datetime.fromisoformat(moment), int(key))

    def get_next_link(self) -> str | None:
        return self._link("n", self.page[-1] if self.page else None, -1) if self.has_next else None

    def get_previous_link(self) -> str | None:
        return self._link("p", self.page[0] if self.page else None, 1) if self.has_previous else None

    def _link(self, way: str, row: Any, step_back: int) -> str:
        if row:
            moment, key = row.due_at, row.pk
        else:
            # Its rows are gone: the neighbours begin at the place from which it was asked for.
            assert self._place is not None, "the first page has neighbours only when it has rows"
            moment, key = self._place.due_at, self._place.id + step_back
        encoded = self._signer.sign(f"{way}_{moment.isoformat()}_{key}")
        return replace_query_param(self.base_url, self.cursor_query_param, encoded)
