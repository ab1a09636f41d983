"""The OpenAPI document and the pages that show it."""

from __future__ import annotations

from collections.abc import Sequence

from drf_spectacular.renderers import OpenApiJsonRenderer2, OpenApiYamlRenderer
from drf_spectacular.views import SpectacularAPIView
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request


class JSONOrYAML(BaseContentNegotiation):
    """JSON for who asks for it, by `?format=json` or `Accept`, and YAML for everybody else."""

    def select_renderer(  # type: ignore[override]  # instances, as REST framework passes them
        self, request: Request, renderers: Sequence[BaseRenderer], format_suffix: str | None = None
    ) -> tuple[BaseRenderer, str]:
        asked = request.query_params.get("format") or request.META.get("HTTP_ACCEPT", "")
        chosen = next(
            renderer for renderer in renderers if renderer.format in asked or renderer is renderers[-1]
        )
        return chosen, chosen.media_type or ""


class Schema(SpectacularAPIView):
    renderer_classes = [OpenApiJsonRenderer2, OpenApiYamlRenderer]
    content_negotiation_class = JSONOrYAML
