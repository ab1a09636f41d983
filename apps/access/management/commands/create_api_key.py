"""Makes an API key."""

from argparse import ArgumentParser
from datetime import datetime, time, timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone
from django.utils.dateparse import parse_date, parse_datetime

from apps.access.services import NotAMember, create_api_key
from apps.teams.models import Team, User, normalise_email


class Command(BaseCommand):
    help = "Make an API key for a member of a team. The key is printed once and can't be had again."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--team", required=True, metavar="NAME")
        parser.add_argument("--user", required=True, metavar="EMAIL", help="whose rights the key has")
        parser.add_argument("--name", default="Made on the command line")
        parser.add_argument("--read-only", action="store_true")
        parser.add_argument(
            "--expires",
            metavar="WHEN",
            default="",
            help="a date or time (UTC), or a number of days such as 90d",
        )

    def handle(self, *, team: str, user: str, name: str, read_only: bool, expires: str, **_: Any) -> None:
        try:
            made = create_api_key(
                team=Team.objects.get(name=team),
                user=User.objects.get(email=normalise_email(user)),
                name=name,
                read_only=read_only,
                expires_at=parse_expiry(expires, now=timezone.now()),
            )
        except Team.DoesNotExist as error:
            raise CommandError(f"There is no team {team!r}.") from error
        except User.DoesNotExist as error:
            raise CommandError(f"There is no user {user!r}.") from error
        except NotAMember as error:
            raise CommandError(error.message) from error
        rights = "read only" if read_only else "read and write"
        expiry = (
            f"expires {made.key.expires_at:%Y-%m-%d %H:%M} UTC" if made.key.expires_at else "does not expire"
        )
        self.stdout.write(made.secret)
        self.stderr.write(f"API key of {user} in {team}: {rights}, {expiry}. It is shown this once.")


def parse_expiry(text: str, *, now: datetime) -> datetime | None:
    """Raises CommandError for what is neither a moment to come nor a number of days."""
    if not text:
        return None
    if text.removesuffix("d").isdecimal():
        return now + timedelta(days=int(text.removesuffix("d")))
    try:
        moment = parse_datetime(text)
        if moment is None and (day := parse_date(text)):
            moment = datetime.combine(day, time.min, now.tzinfo)
    except ValueError as error:
        raise CommandError(f"--expires {text!r}: {error}.") from error
    if moment is None:
        raise CommandError(f"--expires {text!r}: give a date, a time, or a number of days such as 90d.")
    if timezone.is_naive(moment):
        moment = moment.replace(tzinfo=now.tzinfo)
    if moment <= now:
        raise CommandError(f"--expires {text!r} is past.")
    return moment
