"""An endpoint can't be tied to a chatbot of another team: the database sees to it."""

from django.db import migrations

_ADD = """
    ALTER TABLE chatbots_webhookendpoint ADD CONSTRAINT endpoint_chatbot_same_team
    FOREIGN KEY (team_id, chatbot_id) REFERENCES chatbots_chatbot (team_id, id)
"""
_DROP = "ALTER TABLE chatbots_webhookendpoint DROP CONSTRAINT endpoint_chatbot_same_team"


class Migration(migrations.Migration):
    dependencies = [("chatbots", "0002_webhook_endpoint")]

    operations = [migrations.RunSQL(_ADD, _DROP)]
