"""The one moment at which a secret can be read."""

from __future__ import annotations

from dataclasses import dataclass

from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.views.decorators.cache import never_cache

from .site import site


@dataclass(frozen=True, slots=True)
class NewSecret:
    """`fields` are shown with a button that copies them: label -> text. `next_url` is where the
    person goes on, and where reloading the page leads."""

    title: str
    help: str
    fields: dict[str, str]
    next_url: str


@never_cache
def show_secret(request: HttpRequest, secret: NewSecret) -> HttpResponse:
    """Answers the very request that made the secret: nothing keeps it, not even the session."""
    context = site.each_context(request) | {"title": secret.title, "secret": secret}
    return TemplateResponse(request, "console/secret.html", context)
