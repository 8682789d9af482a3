"""Blocks to facts: each below the section that its heading names, or told with the reason."""

from __future__ import annotations

import itertools
import re
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from fhirpkg.authoring.drafting.headings import normal
from fhirpkg.authoring.drafting.lines import OF_TABLES, TITLE
from fhirpkg.authoring.drafting.outlining import (
    ENDING,
    FACT,
    HEADING,
    LEAD,
    OUTSIDE,
    PROSE,
    Block,
    outline,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from fhirpkg.authoring.drafting.headings import Headings
    from fhirpkg.authoring.drafting.lines import Line

ONE_FACT = frozenset(("name", "code", "summary", "purpose", "duration", "setting", "experience"))
"""Sections whose prose is one fact; that of the others is a fact a sentence."""
_CPT = re.compile(
    r"(?:ama\s+)?cpt\W{0,4}\s*4?\s*(?:procedure\s+)?(?:codes?|number)\b", re.IGNORECASE
)
_FIVE = re.compile(r"\b(\d{4}[0-9A-Z])\b")
_ABBREVIATED = re.compile(
    r"(?:\b(?:e\.?g|i\.?e|etc|vs|dr|mr|mrs|prof|no|approx|ca|cf|fig|st|incl|max|min|hr?s?|tel|resp|al)"
    r"|\b[A-Za-z])\.$",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Fact:
    """One fact of a monograph: its section, words and line, and the headings it stands below."""

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
    """What was read of a monograph: its facts in order, what is told, and the code it names."""

    facts: list[Fact] = field(default_factory=list)
    told: list[Told] = field(default_factory=list)
    code: str = ""

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


def sort(lines: Sequence[Line], table: Headings) -> Monograph:
    """The facts of a monograph by section; what is not certain is told, nothing is lost."""
    monograph = Monograph()
    kept = list(_without_descriptor(lines, monograph))
    naming = table.naming(_titles(kept, table))
    sorter = _Sorter(monograph, naming, table)
    for block in outline(kept, naming):
        sorter.take(block)
    sorter.finish()
    monograph.told.sort(key=lambda told: told.line)
    return monograph


def _without_descriptor(lines: Sequence[Line], monograph: Monograph) -> Iterator[Line]:
    """Without the line above "CPT code": the descriptor of the AMA, which is not ours to copy."""
    lines = [line for line in lines if line.text or line.mark]
    at = next((n for n, line in enumerate(lines) if _CPT.match(line.text)), None)
    above = None
    if at:
        has_name = any(
            re.match(r"(the )?(name|title)\b|\w+ (name|title)\b", normal(line.text))
            for line in lines
        )
        above = None if _is_title(lines[at - 1]) and not has_name else at - 1
        found = _FIVE.search(lines[at].text)
        monograph.code = f"CPT {found[1]}" if found else ""
    for number, line in enumerate(lines):
        if number == above:
            why = "it is the descriptor of the code, which is the AMA's: it is not read"
            monograph.told.append(Told(line.line, why, heading=lines[number + 1].text[:20]))
        else:
            yield line


def _is_title(line: Line) -> bool:
    """A line that can only be a title: short, and not written as descriptors are."""
    longest = 12 if line.mark == TITLE or line.level == 1 else 6
    return len(line.text.split()) <= longest and not re.search(r"[;,(]", line.text)


def _titles(lines: Sequence[Line], table: Headings) -> list[str]:
    """The words that may be the procedure's name: the first line, titles, and what names it."""
    found = [line.text for line in lines[:1]]
    found += [line.text for line in lines if line.mark == TITLE or line.level == 1]
    for line, after in itertools.pairwise(lines):
        label, _, rest = line.text.partition(":")
        if table.named(label, strictly=True).section == "name":
            found.append(rest or after.text)
    return [text for text in found if len(text.split()) < 16 and not table.named(text).is_known]


@dataclass(slots=True)
class _Open:
    """A heading that is open, and what stands below it."""

    level: int
    heading: str
    line: int
    section: str
    why: str
    is_used: bool = False
    is_told: bool = False
    is_inherited: bool = False


class _Sorter:
    def __init__(self, monograph: Monograph, table: Headings, plain: Headings) -> None:
        self._monograph = monograph
        self._table = table
        self._plain = plain
        self._open: list[_Open] = []
        self._lead: tuple[Block, str] | None = None
        self._prose: list[Block] = []
        self._has_begun = False

    def take(self, block: Block) -> None:
        """Place or tell one block."""
        if block.kind != PROSE:
            self._end_prose()
        if block.kind == HEADING:
            self._lead = None
            self._heading(block)
        elif block.kind == LEAD:
            self._begin_lead(block)
        elif block.kind == ENDING:
            self._lead = None
            self._close(OF_TABLES)
        elif block.kind == OUTSIDE:
            self._tell(block, block.why)
        elif block.kind == FACT:
            self._fact(block)
        else:
            self._lead = None
            self._text(block)

    def finish(self) -> None:
        """End what is open."""
        self._end_prose()
        self._close(-1)
        self._name_by_procedure()
        self._leave_titles_out()

    def _leave_titles_out(self) -> None:
        """A title beside a name says the name again: it is told where its words are others."""
        m = self._monograph
        titles = [fact for fact in m.of("name") if not fact.heading]
        named = [fact for fact in m.of("name") if fact.heading]
        for title in titles if named else titles[1:]:
            m.facts.remove(title)
            if normal(title.text) != normal((named or titles)[0].text):
                m.told.append(
                    Told(title.line, "it is a title; the name stands elsewhere", title.text)
                )
        names = {normal(fact.text) for fact in m.of("name")}
        m.told[:] = [told for told in m.told if told.text or normal(told.heading) not in names]

    def _name_by_procedure(self) -> None:
        """A heading "Procedure" above a few words and nothing else gives the name."""
        facts = self._monograph.facts
        found = [
            fact for fact in facts if normal(fact.heading) in ("procedure", "operation", "test")
        ]
        if len(found) == 1 and not self._monograph.of("name") and _is_title_line(found[0].text):
            facts[facts.index(found[0])] = replace(found[0], section="name")

    def _heading(self, block: Block) -> None:
        named = self._table.named(block.text)
        if self._is_the_title(block):
            self._add("name", block.text, block.line, "")
            self._has_begun = True
            self._open = [_Open(block.level, block.text, block.line, "", "", is_used=True)]
            return
        self._has_begun = True
        self._close(block.level)
        section, why, above = named.section, named.why, self._open[-1] if self._open else None
        inherits = False
        if not section and not named.is_known and block.inherits and above and above.level:
            section, why, inherits = above.section, why if not above.section else "", True
            why = why or above.why
        if above:
            above.is_used = True
        if not section and not why:
            near = self._table.nearest(block.text)
            why = "the heading is not known" + (f"; it may be one of {near}" if near else "")
        new = _Open(block.level, block.text, block.line, section, why, is_inherited=inherits)
        self._open.append(new)

    def _is_the_title(self, block: Block) -> bool:
        """The first heading is the procedure's name, unless it names a section."""
        is_known = self._plain.named(block.text).is_known
        return not (is_known or self._has_begun or self._monograph.of("name"))

    def _close(self, level: int) -> None:
        """Close headings of a level and below; one without anything below it is a fact."""
        while self._open and self._open[-1].level >= level:
            closed = self._open.pop()
            if not closed.is_used and closed.is_inherited and closed.section:
                above = self._open[-1].heading if self._open else ""
                self._add(closed.section, closed.heading, closed.line, above)
            elif not closed.is_used and closed.section != "code":
                why = closed.why or "nothing stands below this heading"
                self._monograph.told.append(Told(closed.line, why, heading=closed.heading))

    def _begin_lead(self, block: Block) -> None:
        """A line that leads in a list; where it turns the section round, the list goes there."""
        here = self._open[-1] if self._open else None
        named = self._table.named(block.text)
        turned = named.section if named.section == "contraindications" else ""
        if here and not here.section and named.section and here.level:
            turned = named.section
        self._lead = (block, turned)
        if here:
            here.is_used = True

    def _fact(self, block: Block) -> None:
        if self._lead and block.level <= self._lead[0].level:
            self._lead = None
        lead, turned = self._lead or (None, "")
        self._place(block.text, block.line, lead, turned)

    def _text(self, block: Block) -> None:
        here = self._open[-1] if self._open else None
        if not self._has_begun and not self._open and _is_title_line(block.text):
            self._has_begun = True
            self._add("name", block.text, block.line, "")
            return
        self._has_begun = True
        self._prose.append(block)
        if here:
            here.is_used = True

    def _end_prose(self) -> None:
        """Place the paragraphs that stand together: as one fact, a line each, or by sentences."""
        blocks, self._prose = self._prose, []
        here = self._open[-1] if self._open else None
        if blocks and here and here.section in ONE_FACT:
            self._place(" ".join(block.text for block in blocks), blocks[0].line)
            return
        are_lines = len(blocks) > 1 and any(block.text[-1:] not in ".!?:" for block in blocks)
        for block in blocks:
            for text in [block.text] if are_lines else sentences(block.text):
                self._place(text, block.line)

    def _place(self, text: str, line: int, lead: Block | None = None, turned: str = "") -> None:
        here = self._open[-1] if self._open else None
        section = turned or (here.section if here else "")
        self._has_begun = True
        if here:
            here.is_used = True
        if section:
            self._add(section, text, line, here.heading if here else "", lead)
        elif here and here.why:
            if not here.is_told:
                here.is_told = True
                self._monograph.told.append(Told(here.line, here.why, heading=here.heading))
            why = f"it stands below '{here.heading}'"
            self._monograph.told.append(Told(line, why, text, here.heading))
        else:
            self._monograph.told.append(Told(line, "it stands before any heading", text))

    def _add(
        self, section: str, text: str, line: int, heading: str, lead: Block | None = None
    ) -> None:
        if section == "code":
            found = _FIVE.search(text)
            if found:
                self._monograph.code = f"CPT {found[1]}"
                text = found[1]
        led = (lead.text, lead.line) if lead else ("", 0)
        self._monograph.facts.append(Fact(section, text, line, heading, *led))

    def _tell(self, block: Block, why: str) -> None:
        self._monograph.told.append(Told(block.line, why, block.text))


def _is_title_line(text: str) -> bool:
    return len(text.split()) <= 14 and text[-1:] not in ".:;"


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
