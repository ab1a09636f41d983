"""Cursor pagination."""

from __future__ import annotations

from django.core.signing import BadSignature, Signer
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
