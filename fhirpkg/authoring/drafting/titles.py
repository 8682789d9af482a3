"""What a monograph calls its procedure: its title, not the lines above it."""

from __future__ import annotations

import itertools
import re
from dataclasses import replace
from typing import TYPE_CHECKING

from fhirpkg.authoring.drafting.headings import normal
from fhirpkg.authoring.drafting.lines import BOLD, TEXT, TITLE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fhirpkg.authoring.drafting.headings import Headings
    from fhirpkg.authoring.drafting.lines import Line

_AROUND = re.compile(r"(before|during|after) (?:the|your|an?) (\w+)")
_ABOVE = 3
"""The number of lines that may precede a title."""


def without_letterhead(lines: list[Line], table: Headings) -> list[Line]:
    """The lines; those above a title that name a house or a kind of text are outside of it."""
    at = 0
    while at < min(_ABOVE, len(lines)) and _is_letterhead(lines[at], table):
        at += 1
    after = lines[at] if at < len(lines) else None
    names = after and (is_title_line(after.text) or after.text.lower().startswith("procedure:"))
    if not after or not names or table.named(after.text).is_known:
        return lines
    marked = [replace(line, outside="the letterhead") for line in lines[:at]]
    return [*marked, *lines[at:]]


def _is_letterhead(line: Line, table: Headings) -> bool:
    is_written = line.mark in (TEXT, BOLD) and not line.outside
    return is_written and bool(table.letterhead.fullmatch(normal(line.text)))


def is_title_line(text: str) -> bool:
    """Whether a line is short and does not end as sentences do."""
    return len(text.split()) <= 14 and text[-1:] not in ".:;"


def is_title(line: Line) -> bool:
    """A line that can only be a title: short, and not written as descriptors are."""
    longest = 12 if line.mark == TITLE or line.level == 1 else 6
    return len(line.text.split()) <= longest and not re.search(r"[;,(]", line.text)


def title_of(lines: Sequence[Line], table: Headings) -> str:
    """The only heading of the highest level, which is the title; else nothing."""
    marked = [line for line in lines if not line.outside]
    found = [line for line in marked if line.mark == TITLE] or [
        line for line in marked if line.level == 1
    ]
    is_one = len(found) == 1 and not table.named(found[0].text).is_known
    return found[0].text if is_one else ""


def names_of(lines: Sequence[Line], table: Headings) -> list[str]:
    """The words that may be the procedure's name: the first line, titles, and what names it."""
    found = [line.text for line in lines[:1]]
    found += [line.text for line in lines if line.mark == TITLE or line.level == 1]
    for line, after in itertools.pairwise(lines):
        label, _, rest = line.text.partition(":")
        if table.named(label, strictly=True).section == "name":
            found.append(rest or after.text)
    return [text for text in found if len(text.split()) < 16 and not table.named(text).is_known]


def marked_titles(lines: Sequence[Line], table: Headings) -> list[str]:
    """The lines that are titles by their marks and name no section of any procedure."""
    highest = [line for line in lines if line.level == 1 and not line.outside]
    found = [line for line in lines if line.mark == TITLE] + highest * (len(highest) == 1)
    return [line.text for line in found if not table.named(line.text).is_known]


def called_things(lines: Sequence[Line]) -> list[str]:
    """What headings call the procedure: the same word behind "before the" and "after the"."""
    found: dict[str, set[str]] = {}
    for line in lines:
        if around := _AROUND.fullmatch(normal(line.text)):
            found.setdefault(around[2], set()).add(around[1])
    return [word for word, times in found.items() if len(times) > 1]
