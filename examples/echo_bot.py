"""A chatbot that is prompted by webhooks: it checks who sent the prompt, prints it, and remembers it.

`make run` starts it for the demo's first chatbot. By hand:

    WEBHOOK_SECRET=whsec_… API_KEY=ocp_… API_URL=http://127.0.0.1:8000 python examples/echo_bot.py

It needs nothing but Python and the package standardwebhooks (https://www.standardwebhooks.com).
"""

from __future__ import annotations

import contextlib
import json
import os
import threading
import urllib.parse
import urllib.request
from collections import OrderedDict
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from standardwebhooks import Webhook, WebhookVerificationError

PORT = int(os.environ.get("BOT_PORT", "8001"))
# While a secret is being changed both the new and the former one are in use, with a comma between.
SECRETS = os.environ["WEBHOOK_SECRET"].split(",")
API_URL = os.environ.get("API_URL", "http://127.0.0.1:8000")
API_KEY = os.environ.get("API_KEY", "")
LARGEST = 1024 * 1024


class Seen:
    """The ids of the latest messages. A repeat carries the same id: it is answered, and not acted on."""

    def __init__(self, size: int = 10_000) -> None:
        self.size = size
        self.ids: OrderedDict[str, None] = OrderedDict()
        self.lock = threading.Lock()

    def is_new(self, message_id: str) -> bool:
        with self.lock:
            if message_id in self.ids:
                return False
            self.ids[message_id] = None
            if len(self.ids) > self.size:
                self.ids.popitem(last=False)
            return True


seen = Seen()


class Bot(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        length = int(self.headers.get("content-length") or 0)
        if length > LARGEST:
            self.close_connection = True
            self.answer(413)
            return
        event = verified(self.rfile.read(length), dict(self.headers))
        # The answer is due within 20 seconds. What takes longer, such as a language model, comes after it.
        self.answer(204 if event else 401)
        if event and event["type"] == "schedule.triggered" and seen.is_new(self.headers["webhook-id"]):
            threading.Thread(target=act, args=(event["data"],), daemon=True).start()

    def answer(self, status: int) -> None:
        self.send_response(status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        """Quiet: the prompt itself is what there is to see."""


def verified(body: bytes, headers: dict[str, str]) -> Any:
    """The event, or None for what was not signed with one of our secrets, or too long ago."""
    for secret in SECRETS:
        try:
            return Webhook(secret).verify(body, headers)
        except WebhookVerificationError:
            continue
    return None


def act(data: dict[str, Any]) -> None:
    """What a real bot would do here: ask its model, and speak to the person on their platform."""
    participant, schedule = data["participant"], data["schedule"]
    who = participant["name"] or participant["identifier"]
    print(f"Prompt for {who} ({participant['platform']}): {schedule['prompt']}", flush=True)
    if API_KEY:
        try:
            remember(participant, data["chatbot"]["id"], {"last_prompt": schedule["prompt"]})
        except OSError as error:
            print(f"It could not be remembered: {error}", flush=True)


def remember(participant: dict[str, Any], chatbot: str, news: dict[str, Any]) -> None:
    """Adds to what this chatbot keeps of the person. A write replaces it, so it is read first."""
    query = urllib.parse.urlencode({"identifier": participant["identifier"], "chatbot": chatbot})
    found = call("GET", f"/api/participants?{query}")["results"]
    kept = next((entry["data"] for row in found for entry in row["data"] if is_same(row, participant)), {})
    entry = {"experiment": chatbot, "data": {**kept, **news}}
    person = {key: participant[key] for key in ("identifier", "platform")}
    call("POST", "/api/participants", person | {"data": [entry]})


def is_same(row: dict[str, Any], participant: dict[str, Any]) -> bool:
    return bool(row["id"] == participant["id"])


def call(method: str, path: str, body: Any = None) -> Any:
    request = urllib.request.Request(API_URL + path, method=method)
    request.add_header("X-api-key", API_KEY)
    if body is not None:
        request.add_header("Content-Type", "application/json")
        request.data = json.dumps(body).encode()
    with urllib.request.urlopen(request, timeout=10) as response:
        text = response.read()
    return json.loads(text) if text else None


if __name__ == "__main__":
    print(f"The echo bot listens on http://127.0.0.1:{PORT}", flush=True)
    with contextlib.suppress(KeyboardInterrupt):
        ThreadingHTTPServer(("127.0.0.1", PORT), Bot).serve_forever()
