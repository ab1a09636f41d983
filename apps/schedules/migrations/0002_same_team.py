"""A row can't tie a participant of one team to a chatbot of another: the database sees to it."""

from django.db import migrations

_TABLE = "schedules_scheduledmessage"
_PARENTS = {"participant": "participants_participant", "chatbot": "chatbots_chatbot"}


def _add(parent: str, table: str) -> str:
    return (
        f"ALTER TABLE {_TABLE} ADD CONSTRAINT schedule_{parent}_same_team "
        f"FOREIGN KEY (team_id, {parent}_id) REFERENCES {table} (team_id, id)"
    )


def _drop(parent: str) -> str:
    return f"ALTER TABLE {_TABLE} DROP CONSTRAINT schedule_{parent}_same_team"


class Migration(migrations.Migration):
    dependencies = [("schedules", "0001_initial"), ("participants", "0002_same_team")]

    operations = [migrations.RunSQL(_add(parent, table), _drop(parent)) for parent, table in _PARENTS.items()]
