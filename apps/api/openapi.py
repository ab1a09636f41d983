"""How the OpenAPI document is drawn from the views."""

from __future__ import annotations

from typing import Any

from drf_spectacular.openapi import AutoSchema

Endpoint = tuple[str, str, str, Any]


class Schema(AutoSchema):
    def get_operation_id(self) -> str:
        """The view's own name for the operation; the path with a slash at its end is its second."""
        names: dict[str, str] = getattr(self.view, "operation_ids", {})
        name = names.get(getattr(self.view, "action", "")) or super().get_operation_id()
        return f"{name}_2" if self.path.endswith("/") and names else name


def without_aliases(endpoints: list[Endpoint], **_: Any) -> list[Endpoint]:
    """The paths under /api/v1/ answer, and are not documented."""
    return [endpoint for endpoint in endpoints if not endpoint[0].startswith("/api/v1/")]
