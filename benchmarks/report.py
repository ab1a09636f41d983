"""Figures of many runs, for people and for programs."""

from __future__ import annotations

import statistics
import sys
from operator import attrgetter
from typing import Any

from .cases import CASES, Case
from .load import Run

Runs = dict[tuple[str, int], list[Run]]


def figures(runs: Runs) -> dict[str, float]:
    """Medians. Rates at 8 connections; milliseconds, and those of the processor, at 1."""

    def median(side: str, connections: int, name: str) -> float:
        return statistics.median(map(attrgetter(name), runs[side, connections]))

    rps, floor_rps = median("service", 8, "rps"), median("floor", 8, "rps")
    return {
        "rps": round(rps, 1),
        "floor_rps": round(floor_rps, 1),
        "ratio": round(rps / floor_rps, 3),
        "p50_ms": round(median("service", 1, "p50_ms"), 2),
        "p99_ms": round(median("service", 1, "p99_ms"), 2),
        "floor_p50_ms": round(median("floor", 1, "p50_ms"), 2),
        "p50_ms_at_8": round(median("service", 8, "p50_ms"), 2),
        "p99_ms_at_8": round(median("service", 8, "p99_ms"), 2),
        "web_cpu_ms": round(median("service", 8, "web_cpu_ms"), 2),
        "database_cpu_ms": round(median("service", 8, "database_cpu_ms"), 2),
        "floor_web_cpu_ms": round(median("floor", 8, "web_cpu_ms"), 2),
        "floor_database_cpu_ms": round(median("floor", 8, "database_cpu_ms"), 2),
    }


def line(letter: str, case: Case, found: dict[str, float]) -> str:
    return (
        f"{letter}  {case.title:<34}{found['rps']:>7.0f}/s of {found['floor_rps']:>6.0f}/s"
        f" = {found['ratio']:.2f} (bar {case.bar}, aim {case.aim})"
        f"   p50 {found['p50_ms']:.2f}  p99 {found['p99_ms']:.2f} ms  {found['statements']:.0f} statements"
        f"   processor: web {found['web_cpu_ms']:.2f}, database {found['database_cpu_ms']:.2f} ms"
    )


def rest(found: dict[str, Any]) -> str:
    return (
        f"resident memory of a web process: {found['rss_mb']} MB\n"
        f"a page of 1,500 takes {found['page_1500_to_100']} times as long as one of 100\n"
        f"from the start of the web server to its first answer: {found['start_seconds']} s"
    )


def table(found: dict[str, Any]) -> str:
    """As Markdown."""
    rows = [
        [
            "case",
            "requests/s",
            "floor",
            "ratio",
            "bar",
            "p50, p99 in ms",
            "statements",
            "processor: web, database",
        ],
        ["---"] * 8,
    ]
    for letter, case in CASES.items():
        got = found[letter]
        rows.append(
            [
                f"{letter}: {case.title}",
                f"{got['rps']:,.0f}",
                f"{got['floor_rps']:,.0f}",
                f"{got['ratio']:.2f}",
                str(case.bar),
                f"{got['p50_ms']:.2f}, {got['p99_ms']:.2f}",
                f"{got['statements']:.0f}",
                f"{got['web_cpu_ms']:.2f}, {got['database_cpu_ms']:.2f} ms",
            ]
        )
    return "".join(f"| {' | '.join(row)} |\n" for row in rows)


def chart(found: dict[str, Any]) -> bytes:
    """As SVG."""
    # Not needed to measure.
    import pygal
    from pygal.style import Style

    style = Style(
        background="white", plot_background="white", colors=("#94a3b8", "#0f766e"), font_family="sans-serif"
    )
    drawn = pygal.HorizontalBar(
        style=style,
        js=[],
        width=900,
        height=520,
        title="Requests a second, 8 at once",
        legend_at_bottom=True,
        print_values=True,
        value_formatter=lambda value: f"{value:,.0f}",
    )
    drawn.x_labels = [case.title for case in reversed(CASES.values())]
    for name, key in (("floor", "floor_rps"), ("service", "rps")):
        drawn.add(name, [found[letter][key] for letter in reversed(CASES)])
    rendered: bytes = drawn.render()
    return rendered


def say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()
