"""The admin that members of teams use. What other packages register with Django's own site is not in it."""

from __future__ import annotations

from typing import Any

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.views.decorators.http import require_POST
from unfold.forms import AuthenticationForm
from unfold.sites import UnfoldAdminSite

from apps.access.services import SESSION_TEAM
from apps.teams.models import Team, User

from .access import access_of, forget_access
from .navigation import newest_participants, team_choices, tiles


class LoginForm(AuthenticationForm):
    """Every active person may sign in: what they then see is their team's affair."""

    error_messages = AuthenticationForm.error_messages | {
        # The same words for a person who is locked out.
        "invalid_login": "This email and password don't belong together.",
    }

    def confirm_login_allowed(self, user: User) -> None:
        if not user.is_active:
            raise self.get_invalid_login_error()


class ConsoleSite(UnfoldAdminSite):
    login_form = LoginForm
    index_title = "Home"
    # These would lead around the admins of the models.
    left_out = frozenset({"view_on_site", "search"})

    def get_urls(self) -> list[URLPattern]:
        switch = path("switch-team/", self.admin_view(require_POST(self.switch_team)), name="switch_team")
        kept = [route for route in super().get_urls() if getattr(route, "name", None) not in self.left_out]
        return [switch, *kept]

    def has_permission(self, request: HttpRequest) -> bool:
        return request.user.is_active

    def each_context(self, request: HttpRequest) -> dict[str, Any]:
        context: dict[str, Any] = super().each_context(request)
        return context | {"team_choices": team_choices(request)}

    def index(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        access = access_of(request)
        shown = {"access": access, "tiles": tiles(request), "newest": newest_participants(request)}
        response: HttpResponse = super().index(request, shown | (extra_context or {}))
        return response

    def get_app_list(self, request: HttpRequest, app_label: str | None = None) -> list[Any]:
        return []  # `navigation.sidebar` is the list

    def app_index(self, request: HttpRequest, app_label: str, extra_context: Any = None) -> HttpResponse:
        """The sidebar is the only map: how the code is cut into apps is no one's concern."""
        return HttpResponseRedirect(reverse("admin:index"))

    def switch_team(self, request: HttpRequest) -> HttpResponse:
        """Chooses the team that the admin and the API's session show; empty is all, for superusers."""
        team_id = request.POST.get("team", "")
        access = access_of(request)
        if access.is_superuser and not team_id:
            request.session.pop(SESSION_TEAM, None)
        elif team_id.isascii() and team_id.isdigit() and self._may_enter(request, int(team_id)):
            request.session[SESSION_TEAM] = int(team_id)
        else:
            raise Http404
        forget_access(request)
        return HttpResponseRedirect(reverse("admin:index"))

    def _may_enter(self, request: HttpRequest, team_id: int) -> bool:
        access = access_of(request)
        if access.is_superuser:
            return team_id < 2**63 and Team.objects.filter(pk=team_id).exists()
        return any(membership.team_id == team_id for membership in access.memberships)


site = ConsoleSite()
