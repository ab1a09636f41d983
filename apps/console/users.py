"""People, for superusers. Members meet each other as members of their team."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.admin import UserAdmin
from django.db.models import QuerySet
from django.http import HttpRequest
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm

from apps.teams.models import User
from apps.teams.services import delete_user

from .access import access_of
from .base import Needs, TeamAdmin, register


class NewUserForm(UserCreationForm):
    class Meta:
        model = User
        fields = ("email", "name")
        field_classes: dict[str, Any] = {}


class ChangedUserForm(UserChangeForm):
    class Meta:
        model = User
        fields = ("email", "name", "is_active", "is_superuser")
        field_classes: dict[str, Any] = {}


@register(User)
class PeopleAdmin(TeamAdmin, UserAdmin):  # type: ignore[misc,type-arg]  # two admins in one
    needs = Needs(view=None)
    form = ChangedUserForm
    add_form = NewUserForm
    change_password_form = AdminPasswordChangeForm
    fieldsets = (
        (None, {"fields": ("email", "name", "password")}),
        ("Access", {"fields": ("is_active", "is_superuser")}),
        ("Dates", {"fields": ("last_login", "date_joined")}),
    )
    add_fieldsets = ((None, {"classes": ("wide",), "fields": ("email", "name", "password1", "password2")}),)
    readonly_fields = ("last_login", "date_joined")
    list_display = ("email", "name", "is_active", "is_superuser", "last_login")
    list_filter = ("is_active", "is_superuser")
    search_fields = ("email__istartswith", "name__istartswith")
    search_help_text = "Address or name starts with"
    filter_horizontal = ()
    also_deleted = "Their memberships and API keys"

    def get_queryset(self, request: HttpRequest) -> QuerySet[User]:
        rows = User.objects.all()
        return rows if access_of(request).is_superuser else rows.none()

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return access_of(request).is_superuser

    has_add_permission = has_view_permission
    has_change_permission = has_view_permission
    has_delete_permission = has_view_permission

    def delete_row(self, row: User) -> None:
        delete_user(row)
