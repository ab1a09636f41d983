"""Applications of OAuth2."""

from __future__ import annotations

import pytest

from apps.access.services import create_application
from tests.access.oauth import CALLBACK


@pytest.fixture
def app(workspace):
    """A team's confidential application."""
    return create_application(team=workspace.team, name="Clinic app", redirect_uris=[CALLBACK])


@pytest.fixture
def global_app(db):
    return create_application(team=None, name="Everybody's app", redirect_uris=[CALLBACK])


@pytest.fixture
def machine(workspace):
    return create_application(team=workspace.team, name="Nightly job", is_machine=True)
