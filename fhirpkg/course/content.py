"""The content of a step: title, tags, words and notes, laid out from the top of its box."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fhirpkg.course.measure import width, wrapped
from fhirpkg.course.shapes import LINE, Box, Shape, Text
from fhirpkg.languages.words import gettext

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fhirpkg.course.steps import Note, Step

TITLE = 13.5
WORDS = 12.5
SMALL = 11.0
_GAP = 4.0
_MOST = {"title": 6, "words": 5, "note": 4}
"""Lines that a text may take; a picture is not for reading pages."""


def paragraph(
    kind: str, text: str, left: float, top: float, room: float, size: float, *, bold: bool = False
) -> Text:
    """A text in the lines it needs, cut short where these are too many."""
    most = _MOST.get(kind, 0)
    lines = wrapped(text, size, room, bold=bold, most=most)
    is_cut = bool(lines) and lines[-1].endswith("…") and not text.endswith("…")
    return Text(kind, left, top, lines, size, bold, text if is_cut else "")


def content(
    step: Step, left: float, top: float, room: float, *, heading: float = TITLE
) -> tuple[list[Shape], float]:
    """The shapes of what a step says, and where they end."""
    shapes: list[Shape] = []
    if step.title:
        title = paragraph("title", step.title, left, top, room, heading, bold=True)
        shapes.append(title)
        top = title.bottom + _GAP
    if step.text:
        words = paragraph("words", step.text, left, top, room, WORDS)
        shapes.append(words)
        top = words.bottom + _GAP
    if step.tags:
        pills, top = _pills(step.tags, left, top, room)
        shapes += pills
    for note in step.notes:
        shapes += _note(note, left, top, room)
        top = shapes[-1].bottom + _GAP  # type: ignore[union-attr] # a note ends with its text
    if not shapes:
        shapes.append(Text("words", left, top, (gettext("Step {number}", number=step.key),), WORDS))
        top += WORDS * LINE + _GAP
    return shapes, top - _GAP


def _pills(
    tags: tuple[str, ...], left: float, top: float, room: float
) -> tuple[list[Shape], float]:
    shapes: list[Shape] = []
    high = SMALL * LINE + 4
    x = left
    for tag in tags:
        line = wrapped(tag, SMALL, room - 16, bold=True, most=1)
        wide = width(line[0], SMALL, bold=True) + 16
        if x > left and x + wide > left + room:
            x, top = left, top + high + 4
        shapes.append(Box("pill", x, top, wide, high))
        shapes.append(Text("tag", x + wide / 2, top + 2, line, SMALL, True, "", True))
        x += wide + 6
    return shapes, top + high + _GAP + 2


def _note(note: Note, left: float, top: float, room: float) -> Iterator[Text]:
    label = gettext(note.label)
    wide = width(label, SMALL + 0.5, bold=True) + 6
    yield Text("label", left, top, (label,), SMALL + 0.5, is_bold=True)
    yield paragraph("note", note.text, left + wide, top, room - wide, SMALL + 0.5)
