"""Places in JSON text: lines and columns of paths and of character offsets.

A text is scanned only for the paths asked for, and only where it was read without an error.
"""

from __future__ import annotations

import contextlib
import json
import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable

    from fhirpkg.issues import Path

_SPACE = re.compile(r"[ \t\r\n]*")
_COLON: Any = re.compile(r"[ \t\r\n]*:[ \t\r\n]*").match
_COMMA: Any = re.compile(r"[ \t\r\n]*,?[ \t\r\n]*").match


def locate(
    text: str, paths: Iterable[Path], *, may_repeat: bool = True
) -> dict[Path, tuple[int, int]]:
    """Line and column, from 1, of each path in JSON text; of its nearest ancestor if it is absent.

    A path to a property leads to its key, a path to an item to the item's first character. Of keys
    that `may_repeat` in an object the last one counts.
    """
    paths = list(paths)
    start = _skip(text, 0)
    scan = _Scan(text, paths, may_repeat=may_repeat)
    scan.run(start)
    offsets = scan.offsets
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


class _AllFoundError(Exception):
    """Ends a scan: what follows in the text is not wanted."""


class _Scan:
    """One pass over a text; `offsets` are those of the wanted paths found so far."""

    def __init__(self, text: str, paths: Iterable[Path], *, may_repeat: bool) -> None:
        self.text = text
        self._may_repeat = may_repeat
        self.offsets: dict[Path, int] = {}
        self._wanted: dict[Any, Any] = {}
        self._left = 0
        for path in paths:
            node = self._wanted
            for step in path:
                self._left += step not in node
                node = node.setdefault(step, {})

    def run(self, at: int) -> None:
        """Scan the value at an offset, as far as is needed."""
        with contextlib.suppress(_AllFoundError):
            self._value(at, self._wanted, ())

    def _value(self, at: int, wanted: dict[Any, Any], path: Path) -> int:
        """Note the offsets of the wanted paths below a value; the rest is skipped quickly."""
        text = self.text
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
                at = _COLON(text, at).end()
            if step in wanted:
                self._note((*path, step), start)
                at = self._value(at, wanted[step], (*path, step))
            else:
                at = _scan_once(text, at)[1]
            index += 1
            at = _COMMA(text, at).end()
        return at + 1

    def _note(self, path: Path, at: int) -> None:
        self._left -= path not in self.offsets
        self.offsets[path] = at
        if not self._left and not self._may_repeat:
            raise _AllFoundError


def _skip(text: str, at: int) -> int:
    match = _SPACE.match(text, at)
    return match.end() if match else at
