"""Who takes part, as slim columns at the right, each with a letter; a key above says whose."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fhirpkg.course.content import SMALL
from fhirpkg.course.measure import width, wrapped
from fhirpkg.course.shapes import LINE, Badge, Bar, Box, Path, Shape, Text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fhirpkg.course.steps import Course, Step

MOST = 20
"""With more lanes than these a picture is all lanes."""
_WIDE = 26.0
_SIZE = SMALL + 0.5
_BADGE = 24.0
_BETWEEN = 16.0


class Lanes:
    """The columns of a course, the first at `left`."""

    def __init__(self, course: Course) -> None:
        self.left = 0.0
        self.width = _WIDE * len(course.lanes) + 12 if course.lanes else 0.0
        self._at = {name: number for number, name in enumerate(course.lanes)}

    def stripes(self, top: float, bottom: float) -> list[Shape]:
        """The backgrounds of the columns."""
        return [
            Box("lane", self._middle(name) - _WIDE / 2 + 1, top, _WIDE - 2, bottom - top)
            for name in self._at
        ]

    def key(self, left: float, top: float, room: float) -> tuple[list[Shape], float]:
        """Each letter with its name, in lines, and where they end."""
        shapes: list[Shape] = []
        x, high = left, _SIZE * LINE + 4
        bottom = top
        for name, number in self._at.items():
            lines = wrapped(name, _SIZE, room - _BADGE)
            wide = _BADGE + max(width(line, _SIZE) for line in lines) + _BETWEEN
            if x > left and x + wide > left + room:
                x, top = left, bottom
            shapes.append(Badge(x + 9, top + high / 2, number))
            said = Text("note", x + _BADGE, top + 2, lines, _SIZE)
            shapes.append(said)
            x, bottom = x + wide, max(bottom, said.bottom + 6)
        return shapes, bottom

    def badges(self, step: Step, start: float, top: float) -> list[Shape]:
        """A letter for each who does a step, on a line that leads there from its box."""
        middles = [self._middle(who) for who in step.who]
        lead = [Path("lead", ((start + 2, top), (max(middles), top)))] if middles else []
        return [*lead, *self._letters(step, top)]

    def bars(self, step: Step, top: float, bottom: float) -> list[Shape]:
        """A bar for each who takes part in a group, with the letter above it."""
        bars = [Bar(self._middle(who) - 4, top, 8, bottom - top, self._at[who]) for who in step.who]
        return [*bars, *self._letters(step, top + 9)]

    def _letters(self, step: Step, top: float) -> Iterator[Badge]:
        for who in step.who:
            yield Badge(self._middle(who), top, self._at[who])

    def _middle(self, who: str) -> float:
        return self.left + (self._at[who] + 0.5) * _WIDE
