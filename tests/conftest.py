"""Loads the fixtures."""

pytest_plugins = ["tests.fixtures", "tests.server", "tests.receiver"]
