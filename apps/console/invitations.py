"""Inviting people, and the page on which they accept."""

from __future__ import annotations

from typing import Any

from django.contrib.auth import login
from django.contrib.auth.password_validation import password_validators_help_text_html, validate_password
from django.forms import CharField, Form, ModelForm, PasswordInput, ValidationError
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods
from unfold.decorators import display

from apps.access.invitations import LIFETIME, InvitationGone, accept_invitation, invite, open_invitation
from apps.access.scopes import MEMBERS_WRITE
from apps.access.services import SESSION_TEAM
from apps.errors import DomainError
from apps.teams.models import Invitation, Membership, Role, User, normalise_email

from .base import Needs, TeamAdmin, current_team, register
from .columns import CREATED, when
from .pages import Problem, show_problem
from .secret_pages import NewSecret, show_secret
from .teams import ROLE_LABELS, RoleForm


class InvitationForm(RoleForm):
    def _get_validation_exclusions(self) -> set[str]:
        # Inviting an address anew replaces its invitation, so that it need not be unique.
        excluded: set[str] = super()._get_validation_exclusions()
        return excluded | {"team"}

    def clean_email(self) -> str:
        email = normalise_email(self.cleaned_data["email"])
        if Membership.objects.filter(team=self.access.team, user__email=email).exists():
            raise ValidationError("This person is a member already.")
        return email


@register(Invitation)
class InvitationAdmin(TeamAdmin):
    needs = Needs(view=MEMBERS_WRITE, add=MEMBERS_WRITE, delete=MEMBERS_WRITE)
    form: type[ModelForm[Any]] = InvitationForm
    fields = ("email", "role")
    list_display = ("email", "role_label", "invited_by", CREATED, when("expires_at", "Expires"))
    list_select_related = ("invited_by",)
    search_fields = ("email__istartswith",)
    search_help_text = "Address starts with"
    when_empty = "An invitation is a link that you send to a person yourself."
    also_deleted = "Its link leads nowhere from then on"

    @display(description="Role", label=ROLE_LABELS)
    def role_label(self, row: Invitation) -> tuple[str, str]:
        return row.role, row.get_role_display()

    def save_model(self, request: HttpRequest, obj: Invitation, form: Any, change: bool) -> None:
        assert isinstance(request.user, User), "has_add_permission: signed in"
        made = invite(
            team=current_team(request),
            email=obj.email,
            role=Role(obj.role),
            by=request.user,
            now=timezone.now(),
        )
        obj.pk, obj.secret = made.invitation.pk, made.secret  # type: ignore[attr-defined]  # for this answer

    def response_add(
        self, request: HttpRequest, obj: Invitation, post_url_continue: Any = None
    ) -> HttpResponse:
        path = reverse("invitation", args=[obj.secret])  # type: ignore[attr-defined]  # for this answer
        return show_secret(
            request,
            NewSecret(
                title="Your invitation is ready",
                help=f"Send this link to {obj.email} yourself: it can't be shown again. It works once, for "
                f"{LIFETIME.days} days, and only for that address.",
                fields={"Link": request.build_absolute_uri(path)},
                next_url=reverse("admin:teams_invitation_changelist"),
            ),
        )


class NewAccountForm(Form):
    name = CharField(max_length=200, label="Your name")
    password = CharField(
        widget=PasswordInput(attrs={"autocomplete": "new-password"}),
        help_text=password_validators_help_text_html,
    )

    def __init__(self, *args: Any, email: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.email = email

    def clean_password(self) -> str:
        password: str = self.cleaned_data["password"]
        validate_password(password, User(email=self.email, name=self.cleaned_data.get("name", "")))
        return password


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def accept(request: HttpRequest, secret: str) -> HttpResponse:
    """Where an invitation's link leads: join as who one is, sign in, or make an account."""
    now = timezone.now()
    try:
        invitation = open_invitation(secret, now=now)
        user = request.user
        if isinstance(user, User):
            if request.method == "POST":
                return _join(request, secret, user)
            return render(request, "console/invitation.html", {"invitation": invitation, "user": user})
        if User.objects.filter(email=invitation.email).exists():
            return render(request, "console/invitation.html", {"invitation": invitation})
        return _new_account(request, secret, invitation)
    except InvitationGone as error:
        return show_problem(request, Problem(404, "This link leads nowhere now", error.message))
    except DomainError as error:
        return show_problem(request, Problem(403, "This is for somebody else", error.message))


def _new_account(request: HttpRequest, secret: str, invitation: Invitation) -> HttpResponse:
    form = NewAccountForm(request.POST or None, email=invitation.email)
    if not form.is_valid():
        return render(request, "console/invitation.html", {"invitation": invitation, "form": form})
    fields = form.cleaned_data
    user = User.objects.create_user(invitation.email, fields["password"], name=fields["name"])
    login(request, user)
    return _join(request, secret, user)


def _join(request: HttpRequest, secret: str, user: User) -> HttpResponse:
    membership = accept_invitation(secret, user=user, now=timezone.now())
    request.session[SESSION_TEAM] = membership.team_id
    return HttpResponseRedirect(reverse("admin:index"))
