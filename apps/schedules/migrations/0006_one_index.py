from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("chatbots", "0003_same_team"),
        ("participants", "0003_verbose_names"),
        ("schedules", "0005_fired"),
        ("teams", "0002_verbose_names"),
    ]

    operations = [
        migrations.RemoveIndex(
            model_name="scheduledmessage",
            name="schedule_by_chatbot",
        ),
        migrations.RemoveIndex(
            model_name="scheduledmessage",
            name="schedule_due",
        ),
        migrations.AddIndex(
            model_name="scheduledmessage",
            index=models.Index(fields=["chatbot", "status", "due_at"], name="schedule_due"),
        ),
    ]
