"""People and the teams that they work in."""

from __future__ import annotations

from typing import Any, ClassVar, Self, TypeVar

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.models import PermissionsMixin
from django.db import models
from django.utils import timezone


class UserManager(BaseUserManager["User"]):
    def create_user(self, email: str, password: str | None = None, **fields: Any) -> User:
        user = self.model(email=normalise_email(email), **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(self, email: str, password: str | None = None, **fields: Any) -> User:
        return self.create_user(email, password, is_superuser=True, **fields)

    def get_by_natural_key(self, username: str | None) -> User:
        return self.get(email=normalise_email(username or ""))


def normalise_email(email: str) -> str:
    """One person is one address, however they type it."""
    return email.strip().lower()


class User(AbstractBaseUser, PermissionsMixin):
    email = models.EmailField(unique=True)
    name = models.CharField(max_length=200, blank=True)
    is_active = models.BooleanField(
        default=True, help_text="Clear it to lock the person out; their keys stop working too."
    )
    date_joined = models.DateTimeField(default=timezone.now, editable=False)

    USERNAME_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    objects = UserManager()

    def __str__(self) -> str:
        return self.email

    def get_full_name(self) -> str:
        return self.name

    def clean(self) -> None:
        self.email = normalise_email(self.email)

    @property
    def is_staff(self) -> bool:
        """Django's admin asks this; what a person may do there is decided by their role."""
        return self.is_superuser


class Team(models.Model):
    name = models.CharField(max_length=200, unique=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    members: models.ManyToManyField[User, Membership] = models.ManyToManyField(
        User, through="Membership", related_name="teams"
    )

    def __str__(self) -> str:
        return self.name


class Role(models.TextChoices):
    OWNER = "owner", "Owner"
    EDITOR = "editor", "Editor"
    VIEWER = "viewer", "Viewer"


class Membership(models.Model):
    team = models.ForeignKey(Team, models.CASCADE, related_name="memberships")
    user = models.ForeignKey(User, models.CASCADE, related_name="memberships")
    role = models.CharField(max_length=10, choices=Role, default=Role.VIEWER)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        verbose_name = "member"
        constraints = (
            models.UniqueConstraint(fields=("user", "team"), name="membership_once_a_team"),
            models.CheckConstraint(condition=models.Q(role__in=Role.values), name="membership_role_known"),
        )

    def __str__(self) -> str:
        return f"{self.user} is {self.get_role_display().lower()} of {self.team}"


Row = TypeVar("Row", bound=models.Model, covariant=True)


class TeamQuerySet(models.QuerySet[Row]):
    def for_team(self, team: Team) -> Self:
        return self.filter(team=team)


class TeamOwned(models.Model):
    """A row of one team. Every read of such a table starts with `objects.for_team(team)`."""

    # No index of its own: each table has one that starts with the team where a query needs it.
    team = models.ForeignKey(Team, models.CASCADE, related_name="+", db_index=False)

    class Meta:
        abstract = True


class Invitation(TeamOwned):
    """A way into a team for one address: a link that is shown once. `hash` is the SHA-256 of its secret."""

    email = models.EmailField()
    role = models.CharField(max_length=10, choices=Role, default=Role.VIEWER)
    hash = models.BinaryField(max_length=32, unique=True, editable=False)
    invited_by = models.ForeignKey(User, models.CASCADE, related_name="+", editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    expires_at = models.DateTimeField(editable=False)

    objects = TeamQuerySet["Invitation"].as_manager()

    class Meta:
        constraints = (
            # A second invitation takes the place of the first.
            models.UniqueConstraint(fields=("team", "email"), name="invitation_once_a_team"),
            models.CheckConstraint(condition=models.Q(role__in=Role.values), name="invitation_role_known"),
        )

    def __str__(self) -> str:
        return self.email
