"""How wide text is at most, and how it is broken into lines.

Nothing here asks a font: whichever sans-serif a reader's machine has, its letters are no wider than
these (those of DejaVu Sans and Liberation Sans, the wider of both, rounded up). So a picture made
on one machine holds its text on every other.
"""

from __future__ import annotations

import unicodedata
from functools import cache

_REGULAR = {
    0.3: "'Iijl", 0.35: " ,./:;\\|", 0.4: "()-[]ft", 0.45: "!r", 0.5: '"*J`', 0.55: "csz",
    0.6: "?L_kvxy", 0.65: "$0123456789FTabdeghnopqu{}", 0.7: "ABEKPSVXYZ", 0.75: "CNRU",
    0.8: "&DGHOQ", 0.85: "#+<=>^w~", 0.9: "M", 1.0: "%Wm", 1.05: "@",
}  # fmt: skip
_BOLD = {
    0.35: " 'ijl", 0.4: ",./:;I\\|", 0.45: "-f", 0.5: "!()[]`rt", 0.55: '"*', 0.6: "J_csz",
    0.65: "?Lx", 0.7: "$0123456789EFTaekovy", 0.75: "CPSYZbdghnpqu{}", 0.8: "ABKRVX",
    0.85: "#+<=>DGHNU^~", 0.9: "&OQ", 0.95: "w", 1.0: "@M", 1.05: "%m", 1.15: "W",
}  # fmt: skip
"""Letters by their width in parts of the size of the font."""
_WIDTHS = [
    {letter: width for width, letters in table.items() for letter in letters}
    for table in (_REGULAR, _BOLD)
]
_KEPT = "\u200c\u200d"
"""Joiners: invisible, yet some scripts are written wrongly without them."""


_IN_PLACE = dict.fromkeys("\r\t\v\f\u2028\u2029\x85", " ")


def clean(text: str) -> str:
    """Text as one line that XML can hold: no control characters, no marks that turn direction."""
    return " ".join(printable(text).split())


def printable(text: str) -> str:
    """The same with its lines and spaces; other ends of lines and tabs become spaces."""
    kept = (c if c == "\n" or c in _KEPT or _is_printable(c) else _IN_PLACE.get(c) for c in text)
    return "".join(filter(None, kept))


@cache
def _is_printable(letter: str) -> bool:
    """Whether a character is allowed in XML and does more than control how others are shown."""
    code = ord(letter)
    return unicodedata.category(letter) not in {"Cc", "Cf", "Cs"} and code & 0xFFFE != 0xFFFE


def width(text: str, size: float, *, bold: bool = False) -> float:
    """How wide a text is at most, in the units of its size."""
    return size * sum(_letter(letter, bold) for letter in text)


@cache
def _letter(letter: str, bold: bool) -> float:
    if (known := _WIDTHS[bold].get(letter)) is not None:
        return known
    if unicodedata.category(letter) in {"Mn", "Me", "Cf"}:
        return 0
    base = unicodedata.normalize("NFD", letter)[0]
    if base in _WIDTHS[bold]:
        return _WIDTHS[bold][base]
    if ord(letter) >= 0x1F000:  # emoji
        return 1.4
    if unicodedata.east_asian_width(letter) in "WF":
        return 1.05
    return 1.25 if bold else 1.1


def wrapped(
    text: str, size: float, room: float, *, bold: bool = False, most: int = 0
) -> tuple[str, ...]:
    """The lines of a text, none wider than the room; with `most` lines the last ends in `…`.

    It breaks between words, between letters of scripts without spaces, and inside a word that is
    wider than the room.
    """
    lines: list[str] = []
    line, used = "", 0.0
    for piece in _pieces(text, size, room, bold):
        wide = width(piece, size, bold=bold)
        if line and used + width(piece.rstrip(), size, bold=bold) > room:
            lines.append(line.rstrip())
            line, used, piece = "", 0.0, piece.lstrip()  # noqa: PLW2901 - a new line begins
            wide = width(piece, size, bold=bold)
        line, used = line + piece, used + wide
    if line.strip():
        lines.append(line.rstrip())
    if most and len(lines) > most:
        last = lines[most - 1]
        while width(f"{last}…", size, bold=bold) > room and last:
            last = last[:-1].rstrip()
        lines = [*lines[: most - 1], f"{last}…"]
    return tuple(lines)


def _pieces(text: str, size: float, room: float, bold: bool) -> list[str]:
    """What a line may not be broken in: words with the spaces behind them, or parts of words."""
    pieces: list[str] = []
    piece, used = "", 0.0
    for letter in text:
        wide = size * _letter(letter, bold)
        free = bool(piece) and (
            (piece[-1] == " " and letter != " ")
            or unicodedata.east_asian_width(letter) in "WF"
            or unicodedata.east_asian_width(piece[-1]) in "WF"
        )
        if free or (piece and used + wide > room and letter != " "):
            pieces.append(piece)
            piece, used = "", 0.0
        piece, used = piece + letter, used + wide
    return [*pieces, piece] if piece else pieces
