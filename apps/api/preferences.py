"""The `Prefer` header (RFC 7240)."""

from rest_framework.request import Request

RETURN_REPRESENTATION = "return=representation"


def prefers_representation(request: Request) -> bool:
    """Whether the caller wants to see what it wrote. Of repeated preferences the first counts."""
    header: str = request.META.get("HTTP_PREFER", "")
    for part in header.split(","):
        name, _, value = part.partition(";")[0].partition("=")
        if name.strip().lower() == "return":
            return value.strip().strip('"').lower() == "representation"
    return False
