"""The OAuth2 endpoints: the library's, narrowed to what this service means by them."""

from __future__ import annotations

from functools import cached_property
from typing import Any
from urllib.parse import urlsplit

from django import forms
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils.decorators import method_decorator
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST
from oauth2_provider.forms import AllowForm
from oauth2_provider.views import AuthorizationView, TokenView
from oauth2_provider.views.mixins import OAuthLibMixin

from apps.access.keys import digest
from apps.access.models import Application
from apps.access.oauth import grantable_scopes, memberships_for
from apps.access.queries import usable_token
from apps.access.scopes import SCOPE_TEXTS
from apps.teams.models import Membership


class ConsentForm(AllowForm):
    """What the person decides: yes or no, and for which of their teams."""

    team = forms.TypedChoiceField(coerce=int, widget=forms.RadioSelect, required=False)

    def __init__(self, *args: Any, memberships: list[Membership], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.memberships = {membership.team_id: membership for membership in memberships}
        choices = [(team_id, membership.team.name) for team_id, membership in self.memberships.items()]
        self.fields["team"].choices = choices
        if len(choices) == 1:
            self.fields["team"].initial = choices[0][0]

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        if not Application.objects.filter(client_id=cleaned.get("client_id")).exists():
            raise forms.ValidationError("This application is not registered here any more.")
        if cleaned.get("allow") and not cleaned.get("team"):
            raise forms.ValidationError("Choose the team that the application may work with.")
        return cleaned


@method_decorator(never_cache, name="dispatch")
class Authorize(AuthorizationView):
    """Asks the signed-in person whether an application may act for them, in one team."""

    template_name = "api/authorize.html"
    form_class = ConsentForm

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        # Consent is asked for each time: which team it is for is a part of it.
        query = request.GET.copy()
        query.pop("approval_prompt", None)
        request.GET = query  # type: ignore[assignment]  # a copy that may change
        response: HttpResponse = super().get(request, *args, **kwargs)
        return response

    @cached_property
    def memberships(self) -> list[Membership]:
        source = self.request.POST if self.request.method == "POST" else self.request.GET
        application = Application.objects.filter(client_id=source.get("client_id", "")).first()
        return memberships_for(user=self.request.user, application=application)

    def get_form_kwargs(self) -> dict[str, Any]:
        kwargs: dict[str, Any] = super().get_form_kwargs()
        return kwargs | {"memberships": self.memberships}

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context: dict[str, Any] = super().get_context_data(**kwargs)
        form = context.get("form")
        if form is None:  # an error page
            return context
        requested = (form["scope"].value() or "").split()
        options = [
            {
                "membership": membership,
                "lacks": [SCOPE_TEXTS[scope] for scope in missing(requested, membership.role)],
            }
            for membership in self.memberships
        ]
        application = (
            context.get("application")
            or Application.objects.filter(client_id=form["client_id"].value()).first()
        )
        return context | {
            "options": options,
            "application": application,
            "wishes": [SCOPE_TEXTS[scope] for scope in requested if scope in SCOPE_TEXTS],
            "destination": urlsplit(form["redirect_uri"].value() or "").netloc,
        }

    def form_valid(self, form: ConsentForm) -> HttpResponse:
        self.chosen = form.memberships.get(form.cleaned_data.get("team") or 0)
        response: HttpResponse = super().form_valid(form)
        return response

    def create_authorization_response(
        self, request: HttpRequest, scopes: str, credentials: dict[str, Any], allow: bool
    ) -> Any:
        """Grants what was asked for as far as the person has it themself in the team."""
        membership = self.chosen
        granted = grantable_scopes(requested=scopes.split(), role=membership.role) if membership else []
        if membership:
            credentials["team"] = membership.team
        return super().create_authorization_response(
            request, " ".join(granted), credentials, allow and bool(granted)
        )


def missing(requested: list[str], role: str) -> list[str]:
    granted = grantable_scopes(requested=requested, role=role)
    return [scope for scope in requested if scope in SCOPE_TEXTS and scope not in granted]


class Token(TokenView):
    """Answers the grants that are offered; the library's view knows others at the same address."""

    GRANTS = ("authorization_code", "client_credentials", "refresh_token")

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if request.POST.get("grant_type") not in self.GRANTS:
            return JsonResponse({"error": "unsupported_grant_type"}, status=400)
        response: HttpResponse = self.authorization_flow_token_response(request)
        return response


@csrf_exempt
@require_POST
def introspect(request: HttpRequest) -> JsonResponse:
    """RFC 7662, for the client that a token was issued to: it learns what the token still opens, and
    nothing of other clients' tokens."""
    application = OAuthLibMixin.get_oauthlib_core().client_of(request)
    if application is None:
        return JsonResponse(
            {"error": "invalid_client"}, status=401, headers={"WWW-Authenticate": 'Basic realm="oauth"'}
        )
    token = usable_token(checksum=digest(request.POST.get("token", "")).hex())
    if token is None or token.application_id != application.pk:
        return JsonResponse({"active": False})
    described = {
        "active": True,
        "client_id": application.client_id,
        "token_type": "Bearer",
        "scope": " ".join(sorted(token.effective_scopes)),
        "exp": int(token.expires.timestamp()),
        "team": token.team.name,
    }
    return JsonResponse(described | ({"username": token.user.email} if token.user else {}))
