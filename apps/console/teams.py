"""Teams and who belongs to them."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.forms import ChoiceField, ValidationError
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from unfold.decorators import action, display
from unfold.enums import ActionVariant
from unfold.widgets import UnfoldAdminSelectWidget

from apps.access.scopes import MEMBERS_READ, TEAM_WRITE, can_hand_out
from apps.access.services import SESSION_TEAM
from apps.teams.models import Membership, Role, Team
from apps.teams.services import change_role, remove_member

from .access import access_of
from .base import Needs, TeamAdmin, TeamForm, register
from .columns import CREATED, when
from .confirm import confirmed

SINCE = when("created_at", "Since")
ROLE_LABELS = {Role.OWNER: "primary", Role.EDITOR: "info", Role.VIEWER: ""}


@register(Team)
class TeamsAdmin(TeamAdmin):
    """The team's own page. Only superusers make and delete teams."""

    needs = Needs(view=MEMBERS_READ, change=TEAM_WRITE)
    team_path = "pk"
    fields = ("name", CREATED)
    readonly_fields = (CREATED,)
    list_display = ("name", CREATED)
    search_fields = ("name__istartswith",)
    search_help_text = "Name starts with"
    actions_detail = ("enter",)
    also_deleted = "Its members' access, chatbots, participants, data, schedules and credentials"

    def team_id_of(self, row: Team) -> int:
        return row.pk

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return access_of(request).is_superuser

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return access_of(request).is_superuser

    def has_enter_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return access_of(request).is_superuser

    @confirmed(
        button="Work in this team",
        question="Work in this team?",
        text="Every page then shows this team alone, and you may add to it. The menu leads back to all.",
        permission="enter",
        icon="login",
        danger=False,
    )
    def enter(self, request: HttpRequest, row: Team) -> HttpResponse:
        request.session[SESSION_TEAM] = row.pk
        return HttpResponseRedirect(reverse("admin:index"))

    def changelist_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        team = access_of(request).team
        if request.method == "GET" and team and not access_of(request).is_superuser:
            return HttpResponseRedirect(reverse("admin:teams_team_change", args=[team.pk]))
        return super().changelist_view(request, *args, **kwargs)


class RoleForm(TeamForm):
    """Hands out a role, up to what one has."""

    role = ChoiceField(
        choices=Role.choices,
        initial=Role.VIEWER,
        widget=UnfoldAdminSelectWidget,
        help_text="Owner: everything, members and credentials too. Editor: chatbots, participants, their "
        "data and schedules. Viewer: looks, and changes nothing.",
    )

    def clean_role(self) -> Role:
        role = Role(self.cleaned_data["role"])
        if not can_hand_out(self.access.scopes, role):
            raise ValidationError("This is more than you may hand out.")
        return role


@register(Membership)
class MembershipAdmin(TeamAdmin):
    needs = Needs(view=MEMBERS_READ)
    form = RoleForm
    fields = ("who", "role", SINCE)
    readonly_fields = ("who", SINCE)
    list_display = ("person", "role_label", SINCE)
    list_display_links = ("person",)
    list_select_related = ("user", "team")
    search_fields = ("user__email__istartswith", "user__name__istartswith")
    search_help_text = "Address or name starts with"
    list_filter = ("role",)
    ordering = ("role", "id")
    actions = None
    actions_list = ("invite",)
    also_deleted = "Their API keys in this team stop working"

    @display(description="Person", header=True)
    def person(self, row: Membership) -> list[str]:
        return [row.user.name or row.user.email, row.user.email if row.user.name else ""]

    @display(description="Person")
    def who(self, row: Membership) -> str:
        return f"{row.user.name} ({row.user.email})" if row.user.name else row.user.email

    @display(description="Role", label=ROLE_LABELS)
    def role_label(self, row: Membership) -> tuple[str, str]:
        return row.role, row.get_role_display()

    @action(
        description="Invite a member",
        icon="person_add",
        permissions=["invite"],
        variant=ActionVariant.PRIMARY,
    )
    def invite(self, request: HttpRequest) -> HttpResponse:
        return HttpResponseRedirect(reverse("admin:teams_invitation_add"))

    def has_invite_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return access_of(request).team is not None and self._may_manage(request, None)

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Membership | None = None) -> bool:
        return self._may_manage(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Membership | None = None) -> bool:
        """Everyone may leave."""
        if obj is not None and self.has_view_permission(request, obj) and obj.user_id == request.user.pk:
            return True
        return self._may_manage(request, obj)

    def _may_manage(self, request: HttpRequest, row: Membership | None) -> bool:
        scopes = access_of(request).scopes
        if row is None:
            return can_hand_out(scopes, Role.VIEWER)
        return access_of(request).reaches(row.team_id) and can_hand_out(scopes, row.role)

    def save_model(self, request: HttpRequest, obj: Membership, form: Any, change: bool) -> None:
        change_role(obj, role=Role(obj.role))

    def delete_row(self, row: Membership) -> None:
        remove_member(row)

    def response_delete(self, request: HttpRequest, obj_display: str, obj_id: int) -> HttpResponse:
        messages.success(request, f"Removed: {obj_display}.")
        return HttpResponseRedirect(reverse("admin:index"))
