"""Cursor pagination."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, ClassVar, TypeVar

from django.core.signing import BadSignature, Signer
from rest_framework.exceptions import NotFound
from rest_framework.pagination import CursorPagination
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.utils.urls import replace_query_param

Row = TypeVar("Row")


@dataclass(frozen=True, slots=True)
class Place:
    """Where a page begins: after the row with this id, or before it when it is read backwards."""

    is_backwards: bool
    id: int
    due_at: datetime | None = None


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
    is_ascending = False
    signer: ClassVar[Signer] = Signer(sep=".", salt="api.cursor")

    page: list[Any]

    def get_page_size(self, request: Request) -> int:
        """More digits than Python turns into a number are more than the greatest page too."""
        text = request.query_params.get(self.page_size_query_param, "").strip().lstrip("0")
        if not (text.isascii() and text.isdigit()):
            return self.page_size
        return min(int(text[:9]), self.max_page_size)

    def paginate(self, request: Request, read: Callable[[Place | None, int], list[Row]]) -> list[Row]:
        """The page that is asked for. `read` gives so many rows at most, those nearest to the place first.

        Raises NotFound for a cursor that was not issued here.
        """
        size = self.get_page_size(request)
        self._request, self._place = request, self._place_of(request)
        is_backwards = self._place is not None and self._place.is_backwards
        found = read(self._place, size + 1)
        page = found[:size]
        if is_backwards:
            page.reverse()
        self.page = page
        self.has_next = is_backwards or len(found) > size
        self.has_previous = len(found) > size if is_backwards else self._place is not None
        return page

    def _place_of(self, request: Request) -> Place | None:
        encoded = request.query_params.get(self.cursor_query_param)
        if not encoded:
            return None
        try:
            return self.place_in(self.signer.unsign(encoded))
        except BadSignature as error:
            raise NotFound(self.invalid_cursor_message) from error

    def body(self, results: list[Any]) -> dict[str, Any]:
        return {"next": self.get_next_link(), "previous": self.get_previous_link(), "results": results}

    def get_paginated_response(self, data: Any) -> Response:
        return Response(self.body(data))

    def get_next_link(self) -> str | None:
        return self._link(is_backwards=False) if self.has_next else None

    def get_previous_link(self) -> str | None:
        return self._link(is_backwards=True) if self.has_previous else None

    def _link(self, *, is_backwards: bool) -> str:
        if self.page:
            place = self.place_at(self.page[0 if is_backwards else -1], is_backwards=is_backwards)
        else:
            # Its rows are gone: the neighbours begin at the place from which it was asked for, with its row.
            assert self._place is not None, "the first page has neighbours only when it has rows"
            step = 1 if is_backwards == self.is_ascending else -1
            place = replace(self._place, is_backwards=is_backwards, id=self._place.id + step)
        cursor = self.signer.sign(self.text_of(place))
        return replace_query_param(self._request.build_absolute_uri(), self.cursor_query_param, cursor)

    # What an order is made of

    def place_at(self, row: Any, *, is_backwards: bool) -> Place:
        return Place(is_backwards, row.id)

    def text_of(self, place: Place) -> str:
        return f"{'p' if place.is_backwards else 'n'}{place.id}"

    def place_in(self, text: str) -> Place:
        return Place(text[0] == "p", int(text[1:]))


class SoonestFirst(NewestFirst):
    """Pages by `due_at` and, where that is the same, by id: exactly, as far as rows keep their `due_at`.

    A cursor is `n` or `p`, the moment and the id that the page starts after, and a signature of its own.
    """

    is_ascending = True
    signer = Signer(sep="~", salt="api.cursor.due_at")

    def place_at(self, row: Any, *, is_backwards: bool) -> Place:
        return Place(is_backwards, row.id, row.due_at)

    def text_of(self, place: Place) -> str:
        assert place.due_at is not None
        return f"{'p' if place.is_backwards else 'n'}_{place.due_at.isoformat()}_{place.id}"

    def place_in(self, text: str) -> Place:
        way, moment, key = text.split("_")
        return Place(way == "p", int(key), datetime.fromisoformat(moment))
