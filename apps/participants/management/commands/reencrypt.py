"""Moves everything that is encrypted to the first key."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError
from tqdm import tqdm

from apps.participants.reencryption import Report, count_to_move, reencrypt

_SHOWN = 10


class Command(BaseCommand):
    help = (
        "Encrypt everything anew under the first key of DATA_ENCRYPTION_KEYS, while the service runs. "
        "Every process must know the new key before it comes first. "
        "It can be stopped and run again at any time."
    )

    def handle(self, **_: Any) -> None:
        # `disable=None`: no bar where standard error is not a terminal.
        with tqdm(total=count_to_move(), unit=" values", disable=None) as bar:
            reports = reencrypt(on_moved=bar.update)
        for report in reports:
            self.stdout.write(f"{report.column}: {report.moved:,} values moved to the first key.")
        if problems := [line for report in reports for line in complaints(report)]:
            raise CommandError("\n".join(problems))


def complaints(report: Report) -> list[str]:
    found = []
    if count := len(report.unreadable):
        rows = ", ".join(map(str, report.unreadable[:_SHOWN])) + (" …" if count > _SHOWN else "")
        found.append(
            f"{report.column}: {count:,} values could not be opened (rows {rows}): their key is not in "
            "DATA_ENCRYPTION_KEYS, or they were altered. They were left as they are."
        )
    if report.left:
        found.append(
            f"{report.column}: {report.left:,} values are still under another key, because a process that "
            "runs with another first key keeps writing them. Restart it, then run this again."
        )
    return found
