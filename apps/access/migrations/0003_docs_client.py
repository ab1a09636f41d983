"""The API's documentation is an OAuth2 client of its own, so that "Authorize" works there at once."""

from django.db import migrations


def add(apps, schema_editor):
    apps.get_model("access", "Application").objects.get_or_create(
        client_id="api-docs",
        defaults={
            "name": "API documentation",
            "client_type": "public",
            "authorization_grant_type": "authorization-code",
            # It has no secret; this can't be anything's hash.
            "client_secret": "sha256_of_random$$",
        },
    )


def remove(apps, schema_editor):
    apps.get_model("access", "Application").objects.filter(client_id="api-docs").delete()


class Migration(migrations.Migration):
    # The library's later migrations change columns of the applications' table in name only.
    dependencies = [("access", "0002_oauth"), ("oauth2_provider", "0022_refreshtoken_token_family_index")]

    operations = [migrations.RunPython(add, remove)]
