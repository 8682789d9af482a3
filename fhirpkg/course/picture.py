"""A drawing as SVG, for a page or as a file of its own.

All looks are attributes, so that it needs no stylesheet and no policy has to let one through; a
page's stylesheet may change them by class. Lines and words have the color of the text around the
picture, and areas let its background through, so that it follows a dark page and print.
"""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from fhirpkg.course.shapes import LINE, Badge, Bar, Box, Path, Ring, Text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fhirpkg.course.shapes import Drawing, Shape

_FONT = "Arial, Helvetica, 'Liberation Sans', 'Noto Sans', sans-serif"
_TONES = ("#2f6db5", "#a84f2a", "#2f7d4f", "#7d4a9c", "#7d661f", "#22767f", "#a23d63")
_BLUE = "#3f7fcc"
_FAINT = 'stroke="currentColor" stroke-opacity="0.3"'
_BOXES = {
    "phase": f'fill="{_BLUE}" fill-opacity="0.1" stroke="{_BLUE}" stroke-opacity="0.75"',
    "group": f'fill="{_BLUE}" fill-opacity="0.05" stroke="{_BLUE}" stroke-opacity="0.5"',
    "deep": f'fill="none" stroke="{_BLUE}" stroke-opacity="0.5"',
    "card": f'fill="currentColor" fill-opacity="0.02" {_FAINT}',
    "set": f'fill="none" {_FAINT}',
    "pill": f'fill="{_TONES[4]}" fill-opacity="0.22"',
    "check": 'fill="none" stroke="currentColor" stroke-opacity="0.7" stroke-width="1.4"',
    "lane": 'fill="currentColor" fill-opacity="0.035"',
}
_PATHS = {
    "arrow": 'stroke-opacity="0.75" stroke-width="1.5"',
    "line": 'stroke-opacity="0.75" stroke-width="1.5"',
    "again": 'stroke-opacity="0.45"',
    "lead": 'stroke-opacity="0.35" stroke-dasharray="1 4" stroke-linecap="round"',
}
_CORNERS = {
    "phase": 8,
    "group": 6,
    "deep": 6,
    "card": 5,
    "set": 6,
    "pill": 9,
    "check": 2,
    "lane": 6,
}
_DASHED = ' stroke-dasharray="5 4"'
_QUIET = {"words": 0.85, "note": 0.85}


def written(drawing: Drawing, title: str, summary: str, prefix: str, *, is_alone: bool) -> str:
    """The SVG. `prefix` begins its ids, so that two may be on one page.

    Alone it is a document of its own, dark on white; else an element for a page.
    """
    wide, high = _number(drawing.width), _number(drawing.height)
    size = f'width="{wide}" height="{high}" color="#1a1a1a"' if is_alone else 'width="100%"'
    root = (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="course" role="img" viewBox="0 0 {wide}'
        f' {high}" {size} aria-labelledby="{prefix}-title {prefix}-desc" font-family="{_FONT}"'
        ' fill="currentColor">'
    )
    lines = [
        root,
        f'<title id="{prefix}-title">{escape(title)}</title>',
        f'<desc id="{prefix}-desc">{escape(summary)}</desc>',
        f'<rect width="{wide}" height="{high}" fill="#ffffff"/>' if is_alone else "",
        *(line for shape in drawing.shapes for line in _shape(shape)),
        "</svg>",
    ]
    head = '<?xml version="1.0" encoding="UTF-8"?>\n' if is_alone else ""
    return head + "\n".join(filter(None, lines)) + "\n"


def _shape(shape: Shape) -> Iterator[str]:
    if isinstance(shape, Text):
        yield _text(shape)
    elif isinstance(shape, Path):
        yield from _path(shape)
    elif isinstance(shape, Ring):
        place = f'cx="{_number(shape.left)}" cy="{_number(shape.top)}" r="5.5"'
        yield f'<circle class="course-ring" {place} {_BOXES["check"]}/>'
    elif isinstance(shape, Badge):
        yield from _badge(shape)
    elif isinstance(shape, Bar):
        looks = f'rx="4" fill="{_tone(shape.lane)}" fill-opacity="0.45"'
        yield f'<rect class="course-bar {_tone_class(shape.lane)}" {_frame(shape)} {looks}/>'
    else:
        kind, _, more = shape.kind.partition(" ")
        looks = f'rx="{_CORNERS[kind]}" {_BOXES[kind]}' + (_DASHED if more else "")
        classes = " ".join(f"course-{name}" for name in shape.kind.split())
        yield f'<rect class="{classes}" {_frame(shape)} {looks}/>'


def _frame(shape: Box | Bar) -> str:
    values = zip(
        ("x", "y", "width", "height"),
        (shape.left, shape.top, shape.width, shape.height), strict=True,
    )  # fmt: skip
    return " ".join(f'{name}="{_number(value)}"' for name, value in values)


def _text(text: Text) -> str:
    """Lines as tspans; the whole text as a tooltip where they are cut short."""
    x = _number(text.left)
    quiet = f' fill-opacity="{_QUIET[text.kind]}"' if text.kind in _QUIET else ""
    bold = ' font-weight="bold"' if text.is_bold else ""
    anchor = ' text-anchor="middle"' if text.is_centered else ""
    whole = f"<title>{escape(text.full)}</title>" if text.full else ""
    spans = "".join(
        f'<tspan x="{x}" y="{_number(text.top + text.size * (LINE * number + 1))}">'
        f"{escape(line)}</tspan>"
        for number, line in enumerate(text.lines)
    )
    size = _number(text.size)
    looks = f'font-size="{size}"{bold}{anchor}{quiet}'
    return f'<text class="course-{text.kind}" {looks}>{whole}{spans}</text>'


def _path(path: Path) -> Iterator[str]:
    points = " ".join(f"{_number(x)},{_number(y)}" for x, y in path.points)
    yield (
        f'<polyline class="course-{path.kind}" points="{points}" fill="none" stroke="currentColor"'
        f" {_PATHS[path.kind]}/>"
    )
    if path.kind == "arrow":
        (x, y), (start, _) = path.points[-1], path.points[-2]
        back = [(x - 6, y - 4), (x - 6, y + 4)] if x > start else [(x - 4, y - 6), (x + 4, y - 6)]
        head = " ".join(f"{_number(a)},{_number(b)}" for a, b in ((x, y), *back))
        yield f'<polygon class="course-head" points="{head}" fill-opacity="0.75"/>'


def _badge(badge: Badge) -> Iterator[str]:
    x, y = _number(badge.left), _number(badge.top)
    yield (
        f'<circle class="course-who {_tone_class(badge.lane)}" cx="{x}" cy="{y}" r="8.5"'
        f' fill="{_tone(badge.lane)}"/>'
    )
    y = _number(badge.top + 4)
    yield (
        f'<text class="course-letter" x="{x}" y="{y}" font-size="11" font-weight="bold"'
        f' text-anchor="middle" fill="#ffffff">{badge.letter}</text>'
    )


def _tone(number: int) -> str:
    return _TONES[number % len(_TONES)]


def _tone_class(number: int) -> str:
    return f"course-tone-{number % len(_TONES)}"


def _number(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0")
