from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("schedules", "0004_delivery")]

    operations = [
        migrations.AddIndex(
            model_name="scheduledmessage",
            index=models.Index(
                fields=["chatbot", "fired_for"],
                name="schedule_fired",
                condition=models.Q(("fired_for__isnull", False)),
            ),
        ),
    ]
