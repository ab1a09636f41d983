"""The two servers that are compared."""

from __future__ import annotations

import json
import statistics
import subprocess
import time
import urllib.error
import urllib.request
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from tests.server import free_port

from .cases import PATH, Seeded, paths
from .load import Target
from .place import Place

_PATIENCE = 30.0


@dataclass(frozen=True, slots=True)
class Side:
    """The service or the floor, and where its cases ask."""

    target: Target
    seeded: Seeded
    paths: dict[str, str]
    start_seconds: float


def start_service(run: Place, seeded: Seeded) -> Side:
    """By the command of the Dockerfile."""
    headers = {"X-api-key": seeded.key}
    target, seconds = _start(run, "config.web", headers)
    url: str = target.url + PATH
    for _ in range(seeded.deep_page - 1):
        url = answer(url, headers)["next"]
    return Side(target, seeded, paths(seeded, deep_page=urlsplit(url).query), seconds)


def start_floor(run: Place, seeded: Seeded) -> Side:
    target, seconds = _start(run, "benchmarks.floor", {}, FLOOR_TEAM=str(seeded.team))
    return Side(target, seeded, paths(seeded, deep_page=f"before={seeded.before}"), seconds)


def _start(run: Place, module: str, headers: dict[str, str], **environment: str) -> tuple[Target, float]:
    port = free_port()
    began = time.monotonic()
    process = run.start("-m", module, PORT=str(port), HOST="127.0.0.1", **environment)
    target = Target(f"http://127.0.0.1:{port}", process.pid, headers)
    _wait_for(target, process, run)
    return target, time.monotonic() - began


def _wait_for(target: Target, process: subprocess.Popen[bytes], run: Place) -> None:
    deadline = time.monotonic() + _PATIENCE
    while process.poll() is None and time.monotonic() < deadline:
        try:
            answer(f"{target.url}{PATH}?identifier=nobody", target.headers)
        except (urllib.error.URLError, ConnectionError):
            time.sleep(0.02)
        else:
            return
    raise SystemExit(f"The server did not start:\n{run.log.read_text()}")


def answer(url: str, headers: dict[str, str]) -> Any:
    request = urllib.request.Request(url, headers=headers)
    with urllib.request.urlopen(request, timeout=20) as response:
        return json.loads(response.read())


def page_ratio(side: Side, *, rounds: int = 15) -> float:
    """How much longer a page of 1,500 takes than one of 100: medians, in turns."""
    took: dict[int, list[float]] = {100: [], 1500: []}
    for _ in range(rounds):
        for size, times in took.items():
            began = time.perf_counter()
            answer(f"{side.target.url}{PATH}?page_size={size}", side.target.headers)
            times.append(time.perf_counter() - began)
    return statistics.median(took[1500]) / statistics.median(took[100])
