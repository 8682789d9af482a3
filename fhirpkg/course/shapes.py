"""What a picture is made of: boxes, lines of text, paths and dots, in units of a pixel."""

from __future__ import annotations

from dataclasses import dataclass

LINE = 1.36
"""From one line of text to the next, in parts of the size of the font."""


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle; `kind` says how it looks."""

    kind: str
    left: float
    top: float
    width: float
    height: float


@dataclass(frozen=True, slots=True)
class Text:
    """Lines below each other from `top` on; `full` is all of it where the lines are cut short."""

    kind: str
    left: float
    top: float
    lines: tuple[str, ...]
    size: float
    is_bold: bool = False
    full: str = ""
    is_centered: bool = False
    """Whether `left` is where the middle of the lines is."""

    @property
    def bottom(self) -> float:
        """Where the last line ends."""
        return self.top + len(self.lines) * self.size * LINE


@dataclass(frozen=True, slots=True)
class Path:
    """A line through points; an arrow has its head at the last."""

    kind: str
    points: tuple[tuple[float, float], ...]


@dataclass(frozen=True, slots=True)
class Ring:
    """A circle before something to choose."""

    left: float
    top: float


@dataclass(frozen=True, slots=True)
class Badge:
    """A disc with the letter of a lane, counted from 0; so are the colors of lanes."""

    left: float
    top: float
    lane: int

    @property
    def letter(self) -> str:
        """A for the first lane."""
        return chr(ord("A") + self.lane)


@dataclass(frozen=True, slots=True)
class Bar:
    """An upright bar in a lane: who takes part all the while."""

    left: float
    top: float
    width: float
    height: float
    lane: int


Shape = Box | Text | Path | Ring | Badge | Bar


@dataclass(frozen=True, slots=True)
class Drawing:
    """Shapes in the order to paint them."""

    width: float
    height: float
    shapes: tuple[Shape, ...]
