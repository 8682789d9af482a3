"""What the signs of a picture mean, as far as it has them, and what it could not show."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fhirpkg.course.content import SMALL, paragraph
from fhirpkg.course.measure import width
from fhirpkg.course.shapes import Badge, Bar, Box, Path, Ring, Shape, Text
from fhirpkg.languages.words import gettext

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fhirpkg.course.steps import Course

_SIGN = 26.0
_SIZE = SMALL + 0.5


def legend(course: Course, left: float, top: float, room: float) -> tuple[list[Shape], float]:
    """The shapes below a picture, and where they end."""
    shapes: list[Shape] = []
    x, bottom = left, top
    for sign, words in _signs(course):
        wide = _SIGN + width(words, _SIZE) + 18
        if x > left and x + wide > left + room:
            x, bottom = left, bottom + 22
        shapes += _sign(sign, x, bottom + 8)
        shapes.append(Text("note", x + _SIGN, bottom, (words,), _SIZE))
        x += wide
    bottom += 22 if shapes else 0
    for line in course.remarks:
        shapes.append(said := paragraph("remark", line, left, bottom, room, _SIZE))
        bottom = said.bottom + 4
    return shapes, bottom


def _signs(course: Course) -> Iterator[tuple[str, str]]:
    steps = list(course.whole.walk())
    choices = {step.choice for step in steps}
    groups = [step for step in steps[1:] if step.steps]
    if any(step.arrows for step in steps):
        yield "arrow", gettext("comes before")
    if choices & {"exactly-one", "at-most-one"}:
        yield "ring", gettext("choose one")
    if choices & {"any", "one-or-more", "all-or-none"}:
        yield "check", gettext("choose")
    if any(step.is_optional for step in steps):
        yield "optional", gettext("may be left out")
    if any(step.is_repeated for step in steps):
        yield "again", gettext("may be repeated")
    if any(step.who for step in steps if not step.steps) and course.lanes:
        yield "who", gettext("does this step")
    if any(step.who for step in groups) and course.lanes:
        yield "bar", gettext("takes part in the group")


def _sign(sign: str, left: float, middle: float) -> list[Shape]:
    box = (left + 1, middle - 6, 18, 12)
    signs: dict[str, list[Shape]] = {
        "arrow": [Path("arrow", ((left + 1, middle), (left + 20, middle)))],
        "ring": [Ring(left + 10, middle)],
        "check": [Box("check", left + 5, middle - 5, 10, 10)],
        "optional": [Box("card optional", *box)],
        "again": [
            Path(
                "again", ((left + 22, middle - 2), (left + 22, middle + 9), (left + 5, middle + 9))
            ),
            Box("card", *box),
        ],
        "who": [Badge(left + 10, middle, 0)],
        "bar": [Bar(left + 6, middle - 8, 8, 16, 0)],
    }
    return signs[sign]
