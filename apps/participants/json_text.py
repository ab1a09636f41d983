"""JSON in which every value keeps the text that it was sent as."""

from __future__ import annotations

import json
import math
from itertools import chain
from typing import Any

import orjson

# Data may have 200 levels (the contract), in a request of a few more. Python reads some 900, and then
# whatever prints or compares the value is what fails.
DEEPEST = 250


class Number(str):
    """A JSON number that no Python number would write back as it was sent: 1.10, 1E5, -0, 30 digits."""

    __slots__ = ()


def parse(text: str) -> Any:
    """Raises ValueError for malformed JSON, NaN and infinity, and more than DEEPEST levels."""
    try:
        value = _decoder.decode(text)
    except RecursionError as error:
        raise ValueError("nested too deeply") from error
    # Counting is quick, and spares most texts the other look.
    if text.count("[") + text.count("{") > DEEPEST and is_nested_deeper(value, DEEPEST):
        raise ValueError("nested too deeply")
    return value


def dump(value: Any) -> bytes:
    """Compact JSON text of what `parse` gave. Raises TypeError for lone surrogates, which UTF-8 lacks."""
    return orjson.dumps(value, default=_number_text, option=orjson.OPT_PASSTHROUGH_SUBCLASS)


def indented(text: str) -> str:
    """JSON text laid out for people, each value as it was stored."""
    options = orjson.OPT_PASSTHROUGH_SUBCLASS | orjson.OPT_INDENT_2
    return orjson.dumps(parse(text), default=_number_text, option=options).decode()


def is_nested_deeper(value: Any, limit: int) -> bool:
    level = [value]
    for _ in range(limit):
        children = chain.from_iterable(node.values() if isinstance(node, dict) else node for node in level)
        level = [child for child in children if isinstance(child, dict | list)]
        if not level:
            return False
    return True


def merge_patch(target: Any, patch: Any) -> Any:
    """RFC 7396: objects merge, null removes, anything else replaces."""
    if not isinstance(patch, dict):
        return patch
    merged = dict(target) if isinstance(target, dict) else {}
    for key, value in patch.items():
        if value is None:
            merged.pop(key, None)
        else:
            merged[key] = merge_patch(merged.get(key), value)
    return merged


def _integer(text: str) -> int | Number:
    # 18 digits always fit 64 bits, which is what orjson writes. Longer ones are never converted,
    # so a million digits cost no more than their text.
    return int(text) if len(text) <= 18 and text != "-0" else Number(text)


def _float(text: str) -> float | Number:
    value = float(text)
    if math.isinf(value):
        raise ValueError(f"Number out of range: {text[:20]}")
    return value if orjson.dumps(value) == text.encode() else Number(text)


def _constant(text: str) -> Any:
    raise ValueError(f"Out of range float values are not JSON compliant: {text}")


def _number_text(value: Any) -> orjson.Fragment:
    if isinstance(value, Number):
        return orjson.Fragment(str(value))
    raise TypeError


_decoder = json.JSONDecoder(parse_int=_integer, parse_float=_float, parse_constant=_constant)
