import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("chatbots", "0002_webhook_endpoint"),
        ("participants", "0002_same_team"),
        ("schedules", "0003_verbose_names"),
        ("teams", "0001_initial"),
    ]

    operations = [
        migrations.CreateModel(
            name="DeliveryAttempt",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("occurrence", models.PositiveIntegerField()),
                ("number", models.PositiveSmallIntegerField()),
                ("scheduled_for", models.DateTimeField()),
                ("started_at", models.DateTimeField(help_text="By the database's clock.")),
                (
                    "outcome",
                    models.CharField(
                        choices=[
                            ("sending", "Sending"),
                            ("delivered", "Delivered"),
                            ("failed", "Failed"),
                            ("unknown", "Not known"),
                        ],
                        max_length=10,
                    ),
                ),
                ("duration_ms", models.PositiveIntegerField(blank=True, null=True)),
                ("status_code", models.PositiveSmallIntegerField(blank=True, null=True)),
                ("answer", models.TextField(blank=True, db_default="", default="")),
                ("reason", models.TextField(blank=True, db_default="", default="")),
            ],
        ),
        migrations.RemoveIndex(
            model_name="scheduledmessage",
            name="schedule_due",
        ),
        migrations.AddField(
            model_name="scheduledmessage",
            name="claim",
            field=models.BigIntegerField(
                blank=True, editable=False, help_text="The attempt whose answer still counts.", null=True
            ),
        ),
        migrations.AddField(
            model_name="scheduledmessage",
            name="occurrence",
            field=models.PositiveIntegerField(
                db_default=1,
                default=1,
                editable=False,
                help_text="Counts what it had to say. With the id it names a message, the same on every attempt.",
            ),
        ),
        migrations.AddField(
            model_name="scheduledmessage",
            name="reason",
            field=models.TextField(
                blank=True,
                db_default="",
                default="",
                editable=False,
                help_text="Why it was not delivered yet.",
            ),
        ),
        migrations.AddField(
            model_name="scheduledmessage",
            name="rrule",
            field=models.TextField(blank=True, db_default="", default=""),
        ),
        migrations.AddField(
            model_name="scheduledmessage",
            name="starts",
            field=models.CharField(
                blank=True,
                db_default="",
                default="",
                help_text="Where the rule starts, in the time zone's own time.",
                max_length=19,
            ),
        ),
        migrations.AddField(
            model_name="scheduledmessage",
            name="timezone",
            field=models.TextField(blank=True, db_default="", default=""),
        ),
        migrations.AlterField(
            model_name="scheduledmessage",
            name="attempts",
            field=models.PositiveSmallIntegerField(
                default=0, editable=False, help_text="Begun since it last became due."
            ),
        ),
        migrations.AddIndex(
            model_name="scheduledmessage",
            index=models.Index(
                condition=models.Q(("status", "pending")), fields=["chatbot", "due_at"], name="schedule_due"
            ),
        ),
        migrations.AddField(
            model_name="deliveryattempt",
            name="schedule",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE,
                related_name="attempt_set",
                to="schedules.scheduledmessage",
            ),
        ),
        migrations.AddIndex(
            model_name="deliveryattempt",
            index=models.Index(
                condition=models.Q(("outcome", "sending")), fields=["started_at"], name="attempt_under_way"
            ),
        ),
        migrations.AddConstraint(
            model_name="deliveryattempt",
            constraint=models.CheckConstraint(
                condition=models.Q(("outcome__in", ["sending", "delivered", "failed", "unknown"])),
                name="attempt_outcome_known",
            ),
        ),
    ]
