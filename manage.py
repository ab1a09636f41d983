#!/usr/bin/env python3
"""Django's commands, and `serve`. `manage.py help` lists them."""

import os
import sys

from config.database import StartError
from config.env import SettingError


def main() -> None:
    from django.core.management import execute_from_command_line

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    try:
        execute_from_command_line(sys.argv)
    except (SettingError, StartError) as error:
        sys.exit(f"{error}")


if __name__ == "__main__":
    main()
