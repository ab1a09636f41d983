"""The first page, and what an address gets that leads nowhere."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe


@require_safe
def home(request: HttpRequest) -> HttpResponse:
    return render(request, "api/home.html")


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    if wants_page(request):
        return render(request, "api/not_found.html", status=404)
    return JsonResponse({"detail": "Not found."}, status=404)


def bad_request(request: HttpRequest, exception: Exception) -> JsonResponse:
    return JsonResponse({"detail": "Bad request."}, status=400)


def wants_page(request: HttpRequest) -> bool:
    """Whether a person with a browser asks, outside the API."""
    return not request.path.startswith("/api/") and "text/html" in request.META.get("HTTP_ACCEPT", "")
