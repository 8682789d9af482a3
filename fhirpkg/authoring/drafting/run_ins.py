"""Headings on the line of their own text: ``Risks: …``, ``**Risks** …`` or ``Risks. …``."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from fhirpkg.authoring.drafting.lines import BOLD, CELL, ITEM, TEXT

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fhirpkg.authoring.drafting.headings import Headings, Named
    from fhirpkg.authoring.drafting.lines import Line

RunIn = tuple[str, str]
"""A heading and the text behind it."""

_COLON = re.compile(r"([^:.;]{3,60}?)\s*(?::|\s[–—-])\s+(?=\S)(.+)", re.DOTALL)
_STOP = re.compile(r"([^:.;,]{4,60})\.\s+(?=\S)(.+)", re.DOTALL)
_FEW = 3
"""So many headings that are written in one way show that the text has this way."""


class RunIns:
    """The headings that run in, as a text writes them: unknown ones look like those it knows."""

    def __init__(self, lines: Sequence[Line], table: Headings) -> None:
        self._table = table
        self._first = lines[0] if lines else None
        texts = [line for line in lines if line.mark == TEXT and not line.outside]
        self._has_stops = sum(map(self._is_stopped, texts)) >= _FEW
        self._has_openings = sum(map(self._is_opened, texts)) >= _FEW
        self._has_colons = self._has_capitals = False
        found = [line.text for line in texts if self.of(line)]
        self._has_colons = len(found) >= _FEW
        self._has_capitals = all(text.partition(":")[0].isupper() for text in found)
        self.number = len(found)

    def of(self, line: Line) -> RunIn | None:
        """The heading that begins a line, and its text."""
        if line.mark in (CELL, BOLD) or (line.mark == ITEM and line.depth):
            return None
        found = _COLON.match(line.text)
        if not found or not any(map(str.isalnum, found[2])):
            return self._opened(line) or self._stopped(line)
        named = self._named(found[1])
        if named.is_known:
            # of things that are listed, one may be called like a chapter that no procedure has
            is_item = line.mark == ITEM and (named.is_phase or not named.sections)
            return None if is_item else (found[1], found[2])
        is_like = self._has_colons and self._is_alike(line, found[1], 6)
        is_like = is_like and (found[1].isupper() or not self._has_capitals)
        return (found[1], found[2]) if is_like else self._opened(line) or self._stopped(line)

    def _opened(self, line: Line) -> RunIn | None:
        """A heading that only its bold type shows; a sentence that begins with it stays whole."""
        rest = line.text.removeprefix(line.opening).lstrip(" :.–—-")
        if not line.opening or not any(map(str.isalnum, rest)):
            return None
        head, goes_on = bare(line.opening), rest[:1].islower()
        if self._is_opened(line):
            return head, line.text if goes_on else rest
        is_like = self._has_openings and not goes_on and self._is_alike(line, head, 7)
        return (head, rest) if is_like else None

    def _is_opened(self, line: Line) -> bool:
        named = self._named(bare(line.opening)) if line.opening else None
        return bool(named and named.section and not named.is_phase)

    def _stopped(self, line: Line) -> RunIn | None:
        found = _STOP.match(line.text) if self._has_stops and line.mark == TEXT else None
        if not found:
            return None
        is_heading = self._is_stopped(line) or self._is_alike(line, found[1], 4)
        return (found[1], found[2]) if is_heading else None

    def _is_stopped(self, line: Line) -> bool:
        found = _STOP.match(line.text)
        return found is not None and self._table.named(found[1], strictly=True).is_known

    def _named(self, heading: str) -> Named:
        return self._table.named(self._table.without_labels(heading), strictly=True)

    def _is_alike(self, line: Line, heading: str, words: int) -> bool:
        """Whether an unknown heading is short and no part of the title."""
        return line.mark == TEXT and len(heading.split()) < words and line is not self._first


def bare(text: str) -> str:
    """A heading without the colon or the dots that end it."""
    return re.sub(r"[\s:]*(?:\.\.\.|…)?[\s:]*$", "", text.strip())
