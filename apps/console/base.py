"""What every admin of team-owned rows is made of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.contrib import admin, messages
from django.contrib.admin import ShowFacets
from django.contrib.admin.widgets import RelatedFieldWidgetWrapper
from django.db.models import ForeignKey, Model, QuerySet
from django.forms import ModelChoiceField, ModelForm
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from unfold.admin import ModelAdmin, TabularInline

from apps.access.scopes import PARTICIPANTS_READ, PARTICIPANTS_WRITE
from apps.errors import DomainError
from apps.teams.models import Team

from .access import Access, access_of
from .paginator import CappedPaginator
from .site import site


@dataclass(frozen=True, slots=True)
class Needs:
    """The scope that each right takes; None is nobody's. See `apps.access.scopes` for who has it."""

    view: str | None
    add: str | None = None
    change: str | None = None
    delete: str | None = None

    @classmethod
    def read_write(cls, read: str, write: str) -> Needs:
        return cls(view=read, add=write, change=write, delete=write)


PARTICIPANTS = Needs.read_write(PARTICIPANTS_READ, PARTICIPANTS_WRITE)


class TeamRows:
    """Rows of the current team alone, and rights from the role table; for admins and inlines alike."""

    needs: Needs
    team_path = "team"  # from a row to its team

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        rows: QuerySet[Any] = super().get_queryset(request)  # type: ignore[misc]  # a mixin
        access = access_of(request)
        if access.sees_every_team:
            return rows
        return rows.filter(**{self.team_path: access.team.pk}) if access.team else rows.none()

    def team_id_of(self, row: Any) -> int:
        return int(row.team_id)

    def allows(self, request: HttpRequest, scope: str | None, row: Model | None = None) -> bool:
        access = access_of(request)
        if scope is None or scope not in access.scopes:
            return False
        return row is None or access.reaches(self.team_id_of(row))

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.allows(request, self.needs.view, obj)

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request)

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        # What is added belongs to the current team: a superuser chooses one first.
        return access_of(request).team is not None and self.allows(request, self.needs.add)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.allows(request, self.needs.change, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.allows(request, self.needs.delete, obj)


class TeamForm(ModelForm):  # type: ignore[type-arg]  # not at run time
    """Gives a new row its team before anything is checked, so that what is unique in a team is.

    `access` is whoever fills it in; `TeamAdmin.get_form` sets it.
    """

    access: Access

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk is None and self.access.team and hasattr(self.instance, "team_id"):
            self.instance.team = self.access.team

    def _get_validation_exclusions(self) -> set[str]:
        # The team is in no form, and yet the constraints that name it are to be checked.
        excluded: set[str] = super()._get_validation_exclusions()  # type: ignore[misc]  # its stubs lack it
        return excluded - {"team"}


class TeamAdmin(TeamRows, ModelAdmin):
    """Base of every admin of team-owned rows. A subclass says what it `needs`, and shows columns.

    It sees the rows of the current team and no others, wherever Django's admin looks: list, search,
    filters, forms, autocomplete, actions, history. For rows without a `team` of their own set
    `team_path` and `team_id_of`. Choices of a form are what the chosen model's own admin shows.

    Writes that need a service override `save_model` or `delete_row`; a DomainError from either
    undoes everything and is shown to the person. Actions take `permissions=[…]` with a matching
    `has_…_permission(request, obj=None)`, made with `allows`.
    """

    form: type[ModelForm[Any]] = TeamForm
    actions: tuple[str, ...] | None = ("delete_selected",)
    paginator = CappedPaginator
    show_full_result_count = False
    show_facets = ShowFacets.NEVER  # they count every row
    list_per_page = 50
    list_max_show_all = 0
    list_disable_select_all = True
    list_filter_submit = True
    ordering: tuple[str, ...] = ("-id",)
    sortable_by: tuple[str, ...] = ()  # ordering a million rows by any column is not free
    query_parameters: tuple[str, ...] = ()  # what else a link may filter the list by
    also_deleted = ""  # what goes with a row, in words
    when_empty = ""  # how the first row comes about
    warn_unsaved_form = True
    compressed_fields = True

    # The list

    def get_list_display(self, request: HttpRequest) -> list[Any]:
        columns = list(super().get_list_display(request))
        return [*columns, "team"] if self._shows_teams(request) else columns

    def get_list_select_related(self, request: HttpRequest) -> Any:
        related = list(super().get_list_select_related(request) or ())
        return [*related, "team"] if self._shows_teams(request) else related

    def _shows_teams(self, request: HttpRequest) -> bool:
        return access_of(request).sees_every_team and hasattr(self.model, "team_id")

    def lookup_allowed(self, lookup: str, value: Any, request: HttpRequest | None = None) -> bool:
        """Only what the list's filters offer: an address can't probe other columns."""
        return lookup in self.query_parameters or any(
            lookup == (item[0] if isinstance(item, tuple | list) else item)
            or lookup == getattr(item, "parameter_name", None)
            or (isinstance(item, tuple | list) and lookup.startswith(f"{item[0]}__"))
            for item in self.list_filter
        )

    def response_action(self, request: HttpRequest, queryset: QuerySet[Any]) -> HttpResponse | None:
        """Actions are for the rows that were ticked, never for all that a search finds."""
        sent = request.POST.copy()
        sent["select_across"] = "0"
        request.POST = sent  # type: ignore[assignment]  # a copy
        response: HttpResponse | None = super().response_action(request, queryset)
        return response

    # The form

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        form = super().get_form(request, obj, change=change, **kwargs)
        form.access = access_of(request)
        return form

    def formfield_for_foreignkey(
        self, db_field: ForeignKey[Any, Any], request: HttpRequest, **kwargs: Any
    ) -> ModelChoiceField[Any] | None:
        chosen = self.admin_site._registry.get(db_field.remote_field.model)
        if isinstance(chosen, TeamRows):
            kwargs["queryset"] = chosen.get_queryset(request)
        field: ModelChoiceField[Any] | None = super().formfield_for_foreignkey(db_field, request, **kwargs)
        return field

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        field = super().formfield_for_dbfield(db_field, request, **kwargs)
        if field is not None and isinstance(field.widget, RelatedFieldWidgetWrapper):
            field.widget = field.widget.widget  # no windows in windows
        return field

    def render_change_form(
        self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any
    ) -> HttpResponse:
        one_way = {"show_save_and_add_another": False, "show_save_and_continue": False}
        response: HttpResponse = super().render_change_form(request, context | one_way, *args, **kwargs)
        return response

    def _get_obj_does_not_exist_redirect(self, request: HttpRequest, opts: Any, object_id: str) -> Any:
        # What is another team's does not exist.
        raise Http404

    def changeform_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        return self._refusable(request, super().changeform_view, *args, **kwargs)

    # Deleting

    def delete_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        return self._refusable(request, super().delete_view, *args, **kwargs)

    def changelist_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        return self._refusable(request, super().changelist_view, *args, **kwargs)

    def delete_row(self, row: Any) -> None:
        """Deletes one row, after its team was checked."""
        row.delete()

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        self.delete_row(obj)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        for row in queryset:
            self.delete_row(row)

    def get_deleted_objects(
        self, objs: Any, request: HttpRequest
    ) -> tuple[list[str], dict[str, int], set[str], list[str]]:
        """Names the rows and, in words, what goes with them: there may be a million of those."""
        rows = list(objs)
        count = {str(self.opts.verbose_name_plural): len(rows)}
        also = [self.also_deleted] if self.also_deleted else []
        refused = {
            str(self.opts.verbose_name) for row in rows if not self.has_delete_permission(request, row)
        }
        return [*map(str, rows), *also], count, refused, []

    def _refusable(self, request: HttpRequest, view: Any, *args: Any, **kwargs: Any) -> HttpResponse:
        """Shows why something was refused, on the page from which it was tried."""
        try:
            response: HttpResponse = view(request, *args, **kwargs)
        except DomainError as error:
            messages.error(request, error.message)
            return HttpResponseRedirect(request.get_full_path())
        return response


class TeamInline(TeamRows, TabularInline):
    """Rows of the current team below another row, to look at."""

    extra = 0
    max_num = 0
    can_delete = False
    hide_title = True

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


def current_team(request: HttpRequest) -> Team:
    """The team to which something is added; `has_add_permission` has seen to it that there is one."""
    team = access_of(request).team
    assert team is not None, "nothing is added without a team"
    return team


def register(model: type[Model]) -> Any:
    """Like Django's own, on our site."""
    return admin.register(model, site=site)
