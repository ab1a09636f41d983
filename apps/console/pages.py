"""The first page, and what people get in place of the page that they asked for."""

from __future__ import annotations

from dataclasses import dataclass

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.templatetags.static import static
from django.views.decorators.http import require_safe

from apps.api.errors import internal_error, json_response


@dataclass(frozen=True, slots=True)
class Problem:
    status: int
    title: str
    text: str


NOT_FOUND = Problem(404, "There is nothing here", "The address may be mistyped, or what it led to is gone.")
FORBIDDEN = Problem(
    403,
    "This is not yours to see",
    "Your role in the team does not allow it. An owner of the team can change your role.",
)
BAD_REQUEST = Problem(400, "That can't be understood", "Something in the address or the form is not valid.")
STALE_FORM = Problem(
    403,
    "This form is out of date",
    "Nothing was saved. Go back, reload the page and try again. Cookies must be allowed for this site.",
)


@require_safe
def home(request: HttpRequest) -> HttpResponse:
    return render(request, "console/home.html")


@require_safe
def favicon(request: HttpRequest) -> HttpResponse:
    """Browsers ask for it where a page names no icon."""
    return redirect(static("console/icon.svg"))


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    return _answer(request, NOT_FOUND, "Not found.")


def forbidden(request: HttpRequest, exception: Exception) -> HttpResponse:
    return _answer(request, FORBIDDEN, "You do not have permission to perform this action.")


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    return _answer(request, BAD_REQUEST, "Bad request.")


def stale_form(request: HttpRequest, reason: str = "") -> HttpResponse:
    """Django's CSRF_FAILURE_VIEW. The API's own check answers in REST framework's words."""
    return _answer(request, STALE_FORM, "CSRF verification failed.")


def failed(request: HttpRequest) -> HttpResponse:
    if not wants_page(request):
        return internal_error(request)
    request_id = getattr(request, "request_id", "-")
    text = f"It is not your doing. The log has it under request id {request_id}."
    return _answer(request, Problem(500, "Something went wrong here", text), "")


def show_problem(request: HttpRequest, problem: Problem) -> HttpResponse:
    return render(request, "console/problem.html", {"problem": problem}, status=problem.status)


def _answer(request: HttpRequest, problem: Problem, detail: str) -> HttpResponse:
    if wants_page(request):
        return show_problem(request, problem)
    return json_response({"detail": detail}, status=problem.status)


def wants_page(request: HttpRequest) -> bool:
    """Whether a person with a browser asks, outside the API."""
    return not request.path.startswith("/api/") and "text/html" in request.META.get("HTTP_ACCEPT", "")
