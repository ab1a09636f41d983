"""What is measured, and what is to be reached."""

from __future__ import annotations

from dataclasses import dataclass

PATH = "/api/participants"


@dataclass(frozen=True, slots=True)
class Case:
    """`bar` and `aim` are parts of the floor's rate, at 8 connections."""

    title: str
    kind: str
    bar: float
    aim: float


CASES = {
    "a": Case("first page of 100", "get", 0.45, 0.6),
    "b": Case("page 51 (26 of 50 when quick)", "get", 0.45, 0.6),
    "c": Case("one identifier", "find", 0.35, 0.5),
    "d": Case("first page of a chatbot", "get", 0.45, 0.6),
    "e": Case("upsert, 2 entries x 2 schedules", "change", 0.33, 0.5),
    "f": Case("new participant, 1 entry", "new", 0.4, 0.5),
}


@dataclass(frozen=True, slots=True)
class Seeded:
    """`deep_page` is the number of a page of 100 far inside; `before` the id of the row before its first."""

    team: int
    key: str
    chatbots: list[str]
    deep_page: int
    before: int


def paths(seeded: Seeded, *, deep_page: str) -> dict[str, str]:
    """Where each case asks. `deep_page` is the query that leads there."""
    return dict.fromkeys(CASES, PATH) | {
        "b": f"{PATH}?{deep_page}",
        "d": f"{PATH}?chatbot={seeded.chatbots[0]}",
    }
