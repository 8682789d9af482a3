"""The content of a monograph: facts by section, remarks, and how prose is cut into facts."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

ONE_FACT = frozenset(("name", "code", "summary", "purpose", "duration", "setting", "experience"))
"""Sections whose prose is one fact; that of the others is a fact a sentence."""
_ABBREVIATED = re.compile(
    r"(?:\b(?:e\.?g|i\.?e|etc|vs|dr|mr|mrs|prof|no|approx|ca|cf|fig|st|incl|max|min|hr?s?|tel|resp|al)"
    r"|\b[A-Za-z])\.$",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Fact:
    """One fact of a monograph: its section, words and line, and the headings it is below."""

    section: str
    text: str
    line: int
    heading: str = ""
    lead: str = ""
    lead_line: int = 0


@dataclass(frozen=True, slots=True)
class Told:
    """What was not placed: words (none for what must not be repeated), or a heading, and why."""

    line: int
    why: str
    text: str = ""
    heading: str = ""


@dataclass(slots=True)
class Monograph:
    """What was read from a monograph: its facts in order, remarks, and the codes it names."""

    facts: list[Fact] = field(default_factory=list)
    told: list[Told] = field(default_factory=list)
    codes: list[str] = field(default_factory=list)
    wrong_codes: list[str] = field(default_factory=list)

    def labels(self) -> list[str]:
        """The label of each fact, in order: `summary`, `risks-1`, `risks-2`."""
        seen: dict[str, int] = {}
        found = []
        for fact in self.facts:
            seen[fact.section] = number = seen.get(fact.section, 0) + 1
            is_one = self.counts[fact.section] == 1
            found.append(fact.section if is_one else f"{fact.section}-{number}")
        return found

    def of(self, section: str) -> list[Fact]:
        """The facts of one section."""
        return [fact for fact in self.facts if fact.section == section]

    @property
    def counts(self) -> dict[str, int]:
        """How many facts each section has, sections in the order of the monograph."""
        found: dict[str, int] = {}
        for fact in self.facts:
            found[fact.section] = found.get(fact.section, 0) + 1
        return found


def sentences(text: str) -> list[str]:
    """A paragraph's sentences.

    >>> sentences("Take 2.5 mg, e.g. in the morning. Then rest.")
    ['Take 2.5 mg, e.g. in the morning.', 'Then rest.']
    """
    found: list[str] = []
    start = 0
    for end in re.finditer(r"[.!?][\"')\]]?(?=\s+[\"'(]?[A-Z0-9])", text):
        part = text[start : end.end()].strip()
        if not _ABBREVIATED.search(part) and part.count("(") <= part.count(")"):
            found.append(part)
            start = end.end()
    rest = text[start:].strip()
    return [*found, rest] if rest else found


def are_a_list(texts: Sequence[str]) -> bool:
    """Whether paragraphs are the lines of a list: most of them do not end as sentences do."""
    open_ = sum(text[-1:] not in ".!?:" for text in texts)
    return len(texts) > 1 and open_ * 2 >= len(texts)
