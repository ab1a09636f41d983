"""A row can't tie a participant of one team to a chatbot of another: the database sees to it."""

from django.db import migrations

_TABLE = "participants_participantdata"
_PARENTS = {"participant": "participants_participant", "chatbot": "chatbots_chatbot"}


def _add(parent: str, table: str) -> str:
    return (
        f"ALTER TABLE {_TABLE} ADD CONSTRAINT data_{parent}_same_team "
        f"FOREIGN KEY (team_id, {parent}_id) REFERENCES {table} (team_id, id)"
    )


def _drop(parent: str) -> str:
    return f"ALTER TABLE {_TABLE} DROP CONSTRAINT data_{parent}_same_team"


class Migration(migrations.Migration):
    dependencies = [("participants", "0001_initial"), ("chatbots", "0001_initial")]

    operations = [migrations.RunSQL(_add(parent, table), _drop(parent)) for parent, table in _PARENTS.items()]
