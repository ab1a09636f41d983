"""The OpenAPI document and the pages that show it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.http import HttpRequest, HttpResponse
from drf_spectacular.renderers import OpenApiJsonRenderer2, OpenApiYamlRenderer
from drf_spectacular.views import (
    SpectacularAPIView,
    SpectacularRedocView,
    SpectacularSwaggerOauthRedirectView,
    SpectacularSwaggerView,
)
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


class Page:
    """Shows itself, and nothing else: what REST framework answers to other methods is not for pages."""

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if request.method in ("GET", "HEAD"):
            response: HttpResponse = super().dispatch(request, *args, **kwargs)  # type: ignore[misc]  # not in the stubs
            # Back to Django's own "same-origin". The library opens it for consent pages on other hosts,
            # and with another policy than theirs the pages here lose sight of the one that opened them.
            response.headers.pop("Cross-Origin-Opener-Policy", None)
            return response
        status = 204 if request.method == "OPTIONS" else 405
        return HttpResponse(status=status, headers={"Allow": "GET, HEAD, OPTIONS"})


class Docs(Page, SpectacularSwaggerView):
    pass


class Redoc(Page, SpectacularRedocView):
    template_name = "api/redoc.html"


class OauthRedirect(Page, SpectacularSwaggerOauthRedirectView):
    """Where Swagger UI gets the authorization code."""
