"""What every request passes, pages included."""

from __future__ import annotations

import ipaddress
import re
import uuid
from collections.abc import Callable
from functools import cache
from typing import Any

from corsheaders.middleware import CorsMiddleware
from django.conf import settings
from django.core.handlers.exception import convert_exception_to_response
from django.http import HttpRequest, HttpResponse
from django.utils.cache import patch_vary_headers
from django.utils.module_loading import import_string

from config import logs

from . import errors
from .authentication import brings_credential

GetResponse = Callable[[HttpRequest], HttpResponse]

_GIVEN_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")


class RequestId:
    """Names each request, in the log, in `X-Request-ID` and in the body of a 500.

    An id that a proxy gave is kept if it is short and plain.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        given = request.META.get("HTTP_X_REQUEST_ID", "")
        request_id = given if _GIVEN_ID.fullmatch(given) else uuid.uuid4().hex
        request.request_id = request_id  # type: ignore[attr-defined]  # for the log
        token = logs.request_id.set(request_id)
        try:
            response = self.get_response(request)
        finally:
            logs.request_id.reset(token)
        response["X-Request-ID"] = request_id
        return response


class ForwardedHeaders:
    """Believes `X-Forwarded-*` only from the proxies of TRUSTED_PROXIES, whose outermost value counts."""

    HEADERS = ("HTTP_X_FORWARDED_HOST", "HTTP_X_FORWARDED_PROTO", "HTTP_X_FORWARDED_PORT")

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        for header in self.HEADERS:
            if not request.META.get(header):
                request.META.pop(header, None)
            elif is_trusted_proxy(request.META.get("REMOTE_ADDR", "")):
                request.META[header] = request.META[header].split(",")[0].strip()
            else:
                del request.META[header]
        return self.get_response(request)


@cache
def _trusted_networks() -> list[ipaddress.IPv4Network | ipaddress.IPv6Network]:
    return [ipaddress.ip_network(text, strict=False) for text in settings.TRUSTED_PROXIES]


def is_trusted_proxy(address: str) -> bool:
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return False
    return any(parsed in network for network in _trusted_networks())


class DatabaseOutage:
    """503 for pages too, when the database goes away under them."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        if errors.is_outage(error):
            return errors.unavailable(request, error)
        return None


class Cors(CorsMiddleware):
    """Spares requests that name no origin, as programs' do, all but what tells caches that it matters."""

    def __call__(self, request: HttpRequest) -> Any:
        if "HTTP_ORIGIN" in request.META:
            return super().__call__(request)
        response = self.get_response(request)
        if re.match(settings.CORS_URLS_REGEX, request.path_info):
            patch_vary_headers(response, ("origin",))  # type: ignore[arg-type]  # not async here
        return response


class ForPages:
    """What pages need and the API does not: the session, messages, what a browser is told. It took a fifth of
    a short request. The API has it too where a session may speak for the caller."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response
        page: Any = get_response
        for name in reversed(settings.PAGE_MIDDLEWARE):
            # As Django does with those of MIDDLEWARE. Those that look at the view could not stand here.
            page = convert_exception_to_response(import_string(name)(page))
        self.page: GetResponse = page

    def __call__(self, request: HttpRequest) -> HttpResponse:
        is_api = request.path_info.startswith("/api/") and brings_credential(request.META)
        return self.get_response(request) if is_api else self.page(request)


class ContentSecurityPolicy:
    """Pages load nothing from another host and can't be framed. Scripts in the page itself are what
    the admin's theme and the API's documentation are made of."""

    POLICY = (
        "default-src 'self'; script-src 'self' 'unsafe-inline' 'unsafe-eval'; "
        "style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; font-src 'self' data:; "
        "worker-src 'self' blob:; object-src 'none'; base-uri 'self'; frame-ancestors 'none'"
    )

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if response.get("Content-Type", "").startswith("text/html"):
            response["Content-Security-Policy"] = self.POLICY
        return response
