"""Course to drawing: a phase frames its steps, and what comes later is further down.

Side by side stand steps without an order between them. An arrow leads from a step to one that comes
after it, straight down to the next, else on a line at the left. Columns at the right are the lanes:
a letter says who does a step, a bar who takes part in all of a group.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from fhirpkg.course.content import TITLE, WORDS, content, paragraph
from fhirpkg.course.lanes import MOST, Lanes
from fhirpkg.course.legend import legend
from fhirpkg.course.order import rails
from fhirpkg.course.shapes import LINE, Box, Drawing, Path, Ring, Shape
from fhirpkg.course.steps import Note, Step, in_words
from fhirpkg.languages.words import gettext

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fhirpkg.course.steps import Course

_WIDTH = 1000.0
_WIDE = 700.0
"""Narrower pictures have no room for lanes: they name people on the steps."""
_EDGE = 8.0
_PAD = 12.0
_GAP = 10.0
_ARROW = 22.0
"""Room for an arrow between two boxes."""
_COLUMN = 12.0
"""From one line at the left to the next."""
_NARROWEST, _NARROWEST_GROUP = 190.0, 320.0
"""Of cards and of groups side by side."""
_ROOM = 220.0
"""What the deepest step needs."""
_TINTED = 3
"""Tints lie on tints: deeper groups have none, or words on them would be hard to read."""
_MARKER = 20.0


def drawing(course: Course, width: float = _WIDTH) -> Drawing:
    """A picture at least `width` wide: wider where steps in steps would leave no room for words."""
    if width < _WIDE or len(course.lanes) > MOST:
        course = in_words(course)
    lanes = Lanes(course)
    width = max(width, _depth(course.whole) * 2 * _PAD + _ROOM + lanes.width + 2 * _EDGE)
    lanes.left = width - lanes.width
    layout = _Layout(lanes)
    title = paragraph("title", course.title, _EDGE, _EDGE, width - 2 * _EDGE, 17, bold=True)
    key, top = lanes.key(_EDGE, title.bottom + 6, width - 2 * _EDGE)
    top += 8
    room = width - lanes.width - 2 * _EDGE
    if course.whole.steps:
        shapes, bottom = layout.parts(course.whole, _EDGE, top, room, 0)
    else:
        empty = paragraph("words", gettext("This plan has no actions."), _EDGE, top, room, WORDS)
        shapes, bottom = [empty], empty.bottom
    stripes = lanes.stripes(top - 4, bottom + 4)
    below, bottom = legend(course, _EDGE, bottom + 1.5 * _PAD, width - 2 * _EDGE)
    return Drawing(width, bottom + _EDGE, (*stripes, title, *key, *shapes, *below))


def _depth(step: Step) -> int:
    """How many frames lie around the innermost step."""
    return max((_depth(each) + 1 for each in step.steps), default=0)


class _Layout:
    """Places boxes from the top down."""

    def __init__(self, lanes: Lanes) -> None:
        self._lanes = lanes

    def parts(
        self, step: Step, left: float, top: float, room: float, level: int
    ) -> tuple[list[Shape], float]:
        """The parts of a step below each other, with the arrows between them, and their bottom."""
        blocks = _blocks(step)
        at = {part: number for number, block in enumerate(blocks) for part in block}
        straight, beside = rails({(at[a], at[b]) for a, b in step.arrows})
        columns = max((rail.column + 1 for rail in beside), default=0)
        gutter = columns * _COLUMN + 8 if columns else 0.0
        left, room = left + gutter, room - gutter
        shapes: list[Shape] = []
        boxes: list[tuple[float, float]] = []
        for number, block in enumerate(blocks):
            if number:
                top += _ARROW if (number - 1, number) in straight else _GAP
            found, bottom = self._block(step, block, left, top, room, level)
            shapes += found
            boxes.append((top, bottom))
            top = bottom
        for first, second in straight:
            x = left + 28
            shapes.append(Path("arrow", ((x, boxes[first][1] + 2), (x, boxes[second][0] - 2))))
        for rail in beside:
            shapes += _rail(rail.starts, rail.ends, left, left - 10 - rail.column * _COLUMN, boxes)
        return shapes, top

    def _block(
        self, step: Step, block: Sequence[int], left: float, top: float, room: float, level: int
    ) -> tuple[list[Shape], float]:
        parts = [step.steps[number] for number in block]
        if len(parts) == 1:
            place = self._frame if parts[0].steps else self._row
            return place(parts[0], left, top, room, level, step.choice)
        common, parts = _shared(parts)
        if not common and not any(n in pair for pair in step.arrows for n in block):
            return self._grid(parts, left, top, room, level, step.choice)
        head, below = content(
            Step("", text=gettext("Each of these:"), notes=common), left + 8, top + 8, room - 16
        )
        below = below + 8 if common else top + 8
        shapes, bottom = self._grid(parts, left + 8, below, room - 16, level, step.choice)
        box = Box("set", left, top, room, bottom + 8 - top)
        return [box, *(head if common else ()), *shapes], bottom + 8

    def _grid(
        self, parts: Sequence[Step], left: float, top: float, room: float, level: int, marker: str
    ) -> tuple[list[Shape], float]:
        """Boxes side by side, all of a row as high as the highest."""
        is_groups = bool(parts[0].steps)
        place = self._frame if is_groups else self._row
        columns = _columns(len(parts), room, _NARROWEST_GROUP if is_groups else _NARROWEST)
        wide = (room - _GAP * (columns - 1)) / columns
        shapes: list[Shape] = []
        for start in range(0, len(parts), columns):
            row = parts[start : start + columns]
            if is_groups and len(row) < columns:
                wide = (room - _GAP * (len(row) - 1)) / len(row)
            lefts = [left + number * (wide + _GAP) for number in range(len(row))]
            placed = [
                place(p, x, top, wide, level, marker) for p, x in zip(row, lefts, strict=True)
            ]
            bottom = max(end for _, end in placed)
            for found, end in placed:
                shapes += [_higher(shape, top, end, bottom) for shape in found]
            top = bottom + _GAP
        return shapes, top - _GAP

    def _frame(
        self, step: Step, left: float, top: float, room: float, level: int, marker: str
    ) -> tuple[list[Shape], float]:
        """A group: its words, its parts, the frame around them and the bars of those in it."""
        said, indent = _marked(marker, left + _PAD, top + _PAD)
        words, bottom = content(
            step, left + _PAD + indent, top + _PAD, room - 2 * _PAD - indent,
            heading=TITLE + 2 if level == 0 else TITLE,
        )  # fmt: skip
        inner, bottom = self.parts(step, left + _PAD, bottom + _GAP, room - 2 * _PAD, level + 1)
        bottom += _PAD
        kind = "phase" if level == 0 else "group" if level <= _TINTED else "deep"
        frame = _outlined(step, kind, left, top, room, bottom - top)
        bars = self._lanes.bars(step, top + 6, bottom - 4)
        return [*frame, *said, *words, *bars, *inner], bottom

    def _row(
        self, step: Step, left: float, top: float, room: float, _: int, marker: str
    ) -> tuple[list[Shape], float]:
        """A step across all the room, with letters for those who do it."""
        shapes, bottom = _inside(step, left, top, room, marker)
        box = _outlined(step, "card", left, top, room, bottom - top)
        badges = self._lanes.badges(step, left + room, (top + bottom) / 2)
        return [*box, *shapes, *badges], bottom


def _blocks(step: Step) -> list[list[int]]:
    """Which parts stand side by side: plain ones in a row that have the same neighbors."""
    neighbors: list[tuple[set[int], set[int]]] = [(set(), set()) for _ in step.steps]
    for first, second in step.arrows:
        neighbors[first][1].add(second)
        neighbors[second][0].add(first)
    blocks: list[list[int]] = []
    last: object = None
    for number, part in enumerate(step.steps):
        is_plain = _is_flat(part) and not any(each.who for each in part.walk())
        same = (*neighbors[number], bool(part.steps)) if is_plain else None
        if same is not None and same == last:
            blocks[-1].append(number)
        else:
            blocks.append([number])
        last = same
    return blocks


def _is_flat(step: Step) -> bool:
    """Whether a step is one, or a group of nothing but steps without an order."""
    return not step.arrows and not any(part.steps for part in step.steps)


def _shared(parts: Sequence[Step]) -> tuple[tuple[Note, ...], list[Step]]:
    """The notes that all of several steps have, and the steps without them."""
    common = tuple(n for n in parts[0].notes if all(n in part.notes for part in parts))
    if parts[0].steps or len(parts) < 3:
        return (), list(parts)
    rest = [replace(part, notes=tuple(n for n in part.notes if n not in common)) for part in parts]
    return common, rest


def _columns(count: int, room: float, least: float) -> int:
    """How many boxes side by side: up to three, in rows as even as can be."""
    most = max(1, min(3, count, int((room + _GAP) // (least + _GAP))))
    return 2 if most == 3 and count == 4 else most


def _higher(shape: Shape, top: float, end: float, bottom: float) -> Shape:
    """A box as high as those beside it, where it is the one around all the rest."""
    if isinstance(shape, Box) and (shape.top, shape.top + shape.height) == (top, end):
        return replace(shape, height=bottom - top)
    return shape


def _inside(
    step: Step, left: float, top: float, room: float, marker: str
) -> tuple[list[Shape], float]:
    """What is on a card, and where the card ends."""
    said, indent = _marked(marker, left + 10, top + 8)
    words, bottom = content(step, left + 10 + indent, top + 8, room - 20 - indent)
    return [*said, *words], bottom + 8


def _marked(choice: str, left: float, top: float) -> tuple[list[Shape], float]:
    """The ring or square before something to choose, and the room it takes."""
    if not choice:
        return [], 0.0
    middle = top + TITLE * LINE / 2
    if choice in ("exactly-one", "at-most-one"):
        return [Ring(left + 6, middle)], _MARKER
    return [Box("check", left + 1, middle - 5, 10, 10)], _MARKER


def _outlined(
    step: Step, kind: str, left: float, top: float, width: float, height: float
) -> list[Shape]:
    """The box of a step: dashed if it may be left out, with another behind it if it is repeated."""
    kind = f"{kind} optional" if step.is_optional else kind
    box = Box(kind, left, top, width, height)
    if not step.is_repeated:
        return [box]
    corner = ((left + width + 4, top + 8), (left + width + 4, top + height + 4))
    return [Path("again", (*corner, (left + 8, top + height + 4))), box]


def _rail(
    starts: Sequence[int], ends: Sequence[int], left: float, x: float,
    boxes: Sequence[tuple[float, float]],
) -> list[Shape]:  # fmt: skip
    """A line beside the boxes: out of each start near its bottom, into each end near its top."""
    outs = [max((boxes[n][0] + boxes[n][1]) / 2, boxes[n][1] - 16) for n in starts]
    ins = [min((boxes[n][0] + boxes[n][1]) / 2 - 2, boxes[n][0] + 16) for n in ends]
    shapes: list[Shape] = [Path("line", ((left, y), (x, y))) for y in outs[1:]]
    shapes.append(Path("line", ((left, outs[0]), (x, outs[0]), (x, max(ins)))))
    return [*shapes, *(Path("arrow", ((x, y), (left - 2, y))) for y in ins)]
