"""Runs a part of a benchmark that uses the project's code: `python -m benchmarks.with_django PART …`."""

from __future__ import annotations

import os
import sys
from importlib import import_module

import django

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    django.setup()
    import_module(f"benchmarks.{sys.argv[1]}").main(sys.argv[2:])
