"""Rows that change stay on their page, where there is room, and none of their seven indexes has to know.

Pages that are there already are filled when they are next rewritten.
"""

from django.db import migrations

_FILLED = {"participants_participant": 90, "participants_participantdata": 85}


class Migration(migrations.Migration):
    dependencies = [("participants", "0004_searchable")]

    operations = [
        migrations.RunSQL(
            f"ALTER TABLE {table} SET (fillfactor = {filled})", f"ALTER TABLE {table} RESET (fillfactor)"
        )
        for table, filled in _FILLED.items()
    ]
