"""The boxes of an SVG of ours: rectangles, and lines of text as wide as they are at most."""

import itertools
from dataclasses import dataclass
from xml.etree import ElementTree as ET

from fhirpkg.course.measure import width

SVG = "{http://www.w3.org/2000/svg}"


@dataclass(frozen=True)
class Box:
    left: float
    top: float
    right: float
    bottom: float
    name: str = ""

    def meets(self, other):
        return (
            self.left < other.right - 0.2
            and other.left < self.right - 0.2
            and self.top < other.bottom - 0.2
            and other.top < self.bottom - 0.2
        )

    def holds(self, other):
        return (
            self.left <= other.left + 0.2
            and other.right <= self.right + 0.2
            and self.top <= other.top + 0.2
            and other.bottom <= self.bottom + 0.2
        )


def texts(svg):
    """A box for each line of text."""
    for text in ET.fromstring(svg).iter(f"{SVG}text"):
        size = float(text.get("font-size"))
        bold = text.get("font-weight") == "bold"
        for line in text.findall(f"{SVG}tspan") or [text]:
            wide = width(line.text or "", size, bold=bold)
            x, y = float(line.get("x")), float(line.get("y"))
            left = x - wide / 2 if text.get("text-anchor") == "middle" else x
            yield Box(left, y - 0.85 * size, left + wide, y + 0.28 * size, line.text or "")


def rectangles(svg, *kinds):
    """The boxes of these kinds."""
    for rect in ET.fromstring(svg).iter(f"{SVG}rect"):
        if any(f"course-{kind}" in rect.get("class", "").split() for kind in kinds):
            x, y, w, h = (float(rect.get(key)) for key in ("x", "y", "width", "height"))
            yield Box(x, y, x + w, y + h, rect.get("class"))


def faults(svg):
    """What overlaps or leaves its box in a picture; nothing when all is well."""
    lines = list(texts(svg))
    _, _, wide, high = map(float, ET.fromstring(svg).get("viewBox").split())
    paper = Box(0, 0, wide, high)
    yield from (f"{line.name!r} leaves the picture" for line in lines if not paper.holds(line))
    yield from (f"{one.name!r} meets {other.name!r}" for one, other in _meeting(lines))
    for box in rectangles(svg, "phase", "group", "deep", "card", "set", "pill"):
        for line in lines:
            if box.meets(line) and not box.holds(line):
                yield f"{line.name!r} leaves its {box.name}"
    boxes = list(rectangles(svg, "phase", "group", "deep", "card", "set"))
    for one, other in _meeting(boxes):
        if not one.holds(other) and not other.holds(one):
            yield f"{one} and {other} cross"


def _meeting(boxes):
    """Pairs that meet; only those close in height are compared."""
    ordered = sorted(boxes, key=lambda box: box.top)
    for number, one in enumerate(ordered):
        below = itertools.takewhile(lambda b, one=one: b.top < one.bottom, ordered[number + 1 :])
        yield from ((one, other) for other in below if one.meets(other))
