"""Where values stand in JSON text: lines and columns of paths and of character offsets.

A text is scanned only for the paths asked for, and only where it was read without an error.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable

    from fhirpkg.issues import Path

_SPACE = re.compile(r"[ \t\r\n]*")


def locate(text: str, paths: Iterable[Path]) -> dict[Path, tuple[int, int]]:
    """Line and column, from 1, of each path in JSON text; of its nearest ancestor if it is absent.

    A path to a property leads to its key, a path to an item to the item's first character.
    """
    wanted: dict[Any, Any] = {}
    paths = list(paths)
    for path in paths:
        node = wanted
        for step in path:
            node = node.setdefault(step, {})
    offsets: dict[Path, int] = {}
    start = _skip(text, 0)
    _scan(text, start, wanted, (), offsets)
    places = positions(text, (start, *offsets.values()))
    found: dict[Path, tuple[int, int]] = {}
    for path in paths:
        known = next((path[:n] for n in range(len(path), 0, -1) if path[:n] in offsets), ())
        found[path] = places[offsets.get(known, start)]
    return found


def position(text: str, offset: int) -> tuple[int, int]:
    """Line and column, from 1, of a character offset."""
    return text.count("\n", 0, offset) + 1, offset - text.rfind("\n", 0, offset)


def positions(text: str, offsets: Iterable[int]) -> dict[int, tuple[int, int]]:
    """Line and column, from 1, of character offsets, in one pass over the text."""
    found: dict[int, tuple[int, int]] = {}
    line, start, last = 1, 0, 0
    for offset in sorted(set(offsets)):
        ends = text.count("\n", last, offset)
        if ends:  # else the line may be the whole text: it is not searched again and again
            line += ends
            start = text.rindex("\n", last, offset) + 1
        found[offset] = (line, offset - start + 1)
        last = offset
    return found


_scan_once: Any = vars(json.JSONDecoder(parse_float=len, parse_int=len))["scan_once"]


def _scan(text: str, at: int, wanted: dict[Any, Any], path: Path, offsets: dict[Path, int]) -> int:
    """Note the offsets of the wanted paths below a value; what is not wanted is skipped quickly."""
    if not wanted or text[at] not in "{[":
        return int(_scan_once(text, at)[1])
    is_object = text[at] == "{"
    at = _skip(text, at + 1)
    index = 0
    while text[at] not in "}]":
        step: str | int = index
        start = at
        if is_object:
            step, at = _scan_once(text, at)
            at = _skip(text, _skip(text, at) + 1)
        inner = wanted.get(step)
        if inner is not None:
            offsets[(*path, step)] = start
        at = _skip(text, _scan(text, at, inner or {}, (*path, step), offsets))
        index += 1
        if text[at] == ",":
            at = _skip(text, at + 1)
    return at + 1


def _skip(text: str, at: int) -> int:
    match = _SPACE.match(text, at)
    return match.end() if match else at
