"""A page of a site, with the widget on it."""

from __future__ import annotations

from apps.access.embedding import create_embed_key
from tests.fixtures import Api, Workspace

SITE = "https://site.example"
REFUSED = {"detail": "Invalid or expired credentials."}


class Page:
    """A page of a site, with the widget of one chatbot on it."""

    def __init__(self, workspace: Workspace, *, origin: str = SITE, **options) -> None:
        options = {"allowed_origins": [SITE]} | options
        self.embed_key = create_embed_key(team=workspace.team, chatbot=workspace.bot, name="Site", **options)
        self.chatbot_id = workspace.bot.public_id
        self.api = Api(headers={"X-Embed-Key": self.embed_key.key, "Origin": origin})

    def identify(self, token: str | None = None, **fields):
        headers = {"X_Participant_Token": token} if token else {}
        return self.api.post(fields, f"/api/widget/{self.chatbot_id}/identify", **headers)

    def me(self, token: str, **headers: str):
        return self.api.get(f"/api/widget/{self.chatbot_id}/me", X_Participant_Token=token, **headers)

    def change(self, token: str, **fields):
        path = f"/api/widget/{self.chatbot_id}/me"
        return self.api.request("PATCH", path, fields, X_Participant_Token=token)

    def enter(self, **fields) -> str:
        return self.identify(**fields).json()["participant_token"]


def refused(response) -> bool:
    return (response.status_code, response.json()) == (401, REFUSED)
