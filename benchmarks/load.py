"""One run of wrk against one server, and what it cost."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

SCRIPT = Path(__file__).with_name("requests.lua")
_TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Run:
    """Milliseconds as the client saw them; processor milliseconds of web processes and of the database."""

    requests: int
    rps: float
    p50_ms: float
    p99_ms: float
    web_cpu_ms: float
    database_cpu_ms: float


@dataclass(frozen=True, slots=True)
class Target:
    """A server, and how to ask it. `pid` is its main process."""

    url: str
    pid: int
    headers: dict[str, str]


def require_wrk() -> None:
    if not shutil.which("wrk"):
        sys.exit("wrk is missing, which sends the requests: apt-get install wrk (Debian, Ubuntu).")


def drive(target: Target, arguments: list[str], *, connections: int, seconds: int, database_pid: int) -> Run:
    """Exits when an answer is no success: what fails is fast."""
    command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--timeout", "20s", "-s", str(SCRIPT)]
    for name, value in target.headers.items():
        command += ["-H", f"{name}: {value}"]
    web, stored = tree(target.pid), tree(database_pid)
    before = processor_seconds(web), processor_seconds(stored)
    done = subprocess.run(
        [*command, target.url, "--", *arguments], capture_output=True, text=True, check=True
    )
    after = processor_seconds(web), processor_seconds(stored)
    result = json.loads(done.stdout.splitlines()[-1])
    if result["errors"] or not result["requests"]:
        sys.exit(f"{arguments[0]} {target.url}: {result['errors']} errors in {result['requests']} requests")
    each = 1000 / result["requests"]
    return Run(
        requests=result["requests"],
        rps=result["requests"] / result["seconds"],
        p50_ms=result["p50_ms"],
        p99_ms=result["p99_ms"],
        web_cpu_ms=(after[0] - before[0]) * each,
        database_cpu_ms=(after[1] - before[1]) * each,
    )


def tree(pid: int) -> list[int]:
    """A process and what descends from it. Those of the database come and go: one that ends has nothing."""
    found = [pid]
    try:
        for file in Path(f"/proc/{pid}/task").glob("*/children"):
            for child in file.read_text().split():
                found += tree(int(child))
    except (FileNotFoundError, ProcessLookupError):
        pass
    return found


def processor_seconds(pids: list[int]) -> float:
    """Of those that live."""
    total = 0
    for pid in pids:
        try:
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        except FileNotFoundError:
            continue
        total += int(fields[11]) + int(fields[12])
    return total / _TICKS


def resident_mb(pid: int) -> float:
    """What the process has in memory, shared pages included."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    raise ProcessLookupError(pid)
