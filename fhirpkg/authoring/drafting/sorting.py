"""Blocks to facts: each is placed below the section that its heading names, or reported."""

from __future__ import annotations

import itertools
import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from fhirpkg.authoring.drafting.coded import codes_of
from fhirpkg.authoring.drafting.headings import normal
from fhirpkg.authoring.drafting.lines import OF_TABLES
from fhirpkg.authoring.drafting.monograph import (
    ONE_FACT,
    Fact,
    Monograph,
    Told,
    are_a_list,
    sentences,
)
from fhirpkg.authoring.drafting.outlining import (
    ENDING,
    FACT,
    HEADING,
    LEAD,
    OUTSIDE,
    PARENT,
    PROSE,
    Block,
    outline,
)
from fhirpkg.authoring.drafting.titles import (
    called_things,
    is_title,
    is_title_line,
    marked_titles,
    names_of,
    title_of,
    without_letterhead,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from fhirpkg.authoring.drafting.headings import Headings, Named
    from fhirpkg.authoring.drafting.lines import Line

_CPT = re.compile(
    r"(?:ama\s+)?cpt\W{0,4}\s*4?\s*(?:procedure\s+)?(?:codes?|number)\b", re.IGNORECASE
)
_DONE = ("preparation", "steps", "recovery")
_FOR = ("indications", "purpose", "benefits", "summary", "name")
"""Sections in which a line that says "should not" leads in what does not belong there."""
_NOWHERE = "nowhere"
_SHORT = 12
"""Paragraphs of so many words below a line that leads in are its list."""
_FIVE = re.compile(r"\b(\d{4}[0-9A-Z])\b")


def sort(lines: Sequence[Line], table: Headings) -> Monograph:
    """The facts of a monograph by section; what is uncertain is reported, and nothing is lost."""
    monograph = Monograph()
    kept = without_letterhead(list(_without_descriptor(lines, monograph)), table)
    naming = table.naming(
        [*names_of(kept, table), *called_things(kept)], marked_titles(kept, table)
    )
    sorter = _Sorter(monograph, naming, table, title_of(kept, table))
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
        above = None if is_title(lines[at - 1]) and not has_name else at - 1
        found = _FIVE.search(lines[at].text)
        monograph.codes = [f"CPT {found[1]}"] if found else []
    for number, line in enumerate(lines):
        if number == above:
            why = "it is the descriptor of the code, which is the AMA's: it is not read"
            monograph.told.append(Told(line.line, why, heading=lines[number + 1].text[:20]))
        else:
            yield line


@dataclass(slots=True)
class _Open:
    """A heading that is open, and what is below it."""

    level: int
    heading: str
    line: int
    section: str
    why: str
    is_used: bool = False
    is_told: bool = False
    is_inherited: bool = False
    is_negation: bool = False
    has_turned: bool = False
    """Whether a heading that only its looks show turned to another section below it."""


@dataclass(slots=True)
class _Lead:
    """A line that leads in those below it, and the section that it turns them to."""

    text: str
    """Its words behind those that lead it in."""
    own: str
    line: int
    level: int
    turned: str
    is_used: bool


class _Sorter:
    def __init__(self, monograph: Monograph, table: Headings, plain: Headings, title: str) -> None:
        self._monograph = monograph
        self._table = table
        self._plain = plain
        self._title = title
        """The title, where it is marked as such."""
        self._open: list[_Open] = []
        self._leads: list[_Lead] = []
        self._prose: list[Block] = []
        self._has_begun = False

    def take(self, block: Block) -> None:
        """Place one block, or report it."""
        if block.kind != PROSE:
            self._end_prose()
        if block.kind == HEADING:
            self._end_leads()
            self._heading(block)
        elif block.kind in (LEAD, PARENT):
            self._begin_lead(block)
        elif block.kind == ENDING:
            self._end_leads()
            self._close(block.level)
        elif block.kind == OUTSIDE:
            self._tell(block, block.why)
        elif block.kind == FACT:
            self._end_leads(block.level)
            self._place(block.text, block.line)
        else:
            self._text(block)

    def finish(self) -> None:
        """End what is open."""
        self._end_prose()
        self._end_leads()
        self._close(-1)
        self._name_by_procedure()
        self._leave_titles_out()
        self._leave_lessons_out()

    def _leave_titles_out(self) -> None:
        """A title beside a name repeats it, and is reported where its words differ."""
        m = self._monograph
        titles = [fact for fact in m.of("name") if not fact.heading]
        named = [fact for fact in m.of("name") if fact.heading]
        for title in titles if named else titles[1:]:
            m.facts.remove(title)
            if normal(title.text) != normal((named or titles)[0].text):
                m.told.append(Told(title.line, "it is a title; the name is elsewhere", title.text))
        names = {normal(fact.text) for fact in m.of("name")}
        m.told[:] = [told for told in m.told if told.text or normal(told.heading) not in names]

    def _leave_lessons_out(self) -> None:
        """Objectives that are to be learnt are no purpose of the procedure."""
        m = self._monograph
        for _, group in itertools.groupby(m.of("purpose"), lambda fact: fact.heading):
            facts = list(group)
            if all(self._table.lessons.match(fact.text) for fact in facts) and len(facts) > 1:
                for fact in facts:
                    m.facts.remove(fact)
                    why = "find it in the text"
                    m.told.append(Told(fact.line, why, fact.text, fact.heading))

    def _name_by_procedure(self) -> None:
        """A heading "Procedure" above a few words gives the name, where others give the steps."""
        m = self._monograph
        found = [f for f in m.facts if normal(f.heading) in ("procedure", "operation", "test")]
        if len(found) != 1 or not is_title_line(found[0].text):
            return
        is_first = all(fact.section == "name" for fact in m.facts[: m.facts.index(found[0])])
        has_steps = len(m.of("steps")) > 1 and is_first
        if has_steps or not m.of("name"):
            m.facts[m.facts.index(found[0])] = replace(found[0], section="name")

    def _heading(self, block: Block) -> None:
        named = self._table.named(block.text)
        if self._is_the_title(block):
            self._add("name", block.text, block.line)
            self._has_begun = True
            self._open = [_Open(block.level, block.text, block.line, "", "", is_used=True)]
            return
        self._has_begun = True
        self._close(block.level)
        above = self._open[-1] if self._open else None
        new = _Open(block.level, block.text, block.line, named.section, named.why)
        if above:
            above.is_used = True
        near = self._table.nearest(block.text)
        is_by_looks = block.level == OF_TABLES
        may = block.inherits and _may_inherit(named, above.section if above else "", near)
        if may and above and above.section and above.has_turned and is_by_looks:
            new.why = (
                f"the heading is unknown and follows one that does not belong to '{above.heading}'"
            )
        elif may and above and above.section in _FOR and self._table.is_wary(block.text):
            new.why = f"the heading is not known, and may turn '{above.heading}' round"
        elif may and above and above.level:
            new.section, new.why = above.section, "" if above.section else named.why or above.why
            new.is_inherited, new.is_negation = True, bool(named.why)
        if not new.section and not new.why:
            new.why = "the heading is unknown" + (f"; it may be one of {near}" if near else "")
        if above and is_by_looks and new.section != above.section:
            above.has_turned = True
        self._open.append(new)

    def _is_the_title(self, block: Block) -> bool:
        """The first heading is the procedure's name, unless it names a section."""
        is_known = self._plain.named(block.text).is_known
        if self._title:
            return normal(block.text) == normal(self._title) and not self._monograph.of("name")
        return not (is_known or self._has_begun or self._monograph.of("name"))

    def _close(self, level: int) -> None:
        """Close headings of a level and below; one without anything below it is a fact."""
        while self._open and self._open[-1].level >= level:
            closed = self._open.pop()
            if not closed.is_used and closed.is_inherited and closed.section:
                self._add(closed.section, closed.heading, closed.line)
            elif not closed.is_used and closed.section != "code":
                why = closed.why or "nothing follows this heading"
                self._monograph.told.append(Told(closed.line, why, heading=closed.heading))

    def _begin_lead(self, block: Block) -> None:
        """A line that leads in a list; where it turns the section round, the list goes there."""
        self._end_leads(block.level)
        if block.kind == PARENT:
            self._place(block.text, block.line)
        here = self._open[-1] if self._open else None
        above = self._leads[-1] if self._leads else None
        named = self._table.named(block.text)
        strictly = self._table.named(block.text, strictly=True)
        turned = above.turned if above else ""
        if named.section == "contraindications" or (strictly.section and not strictly.is_phase):
            turned = named.section
        elif here and not here.section and named.section and here.level:
            turned = turned or named.section
        elif here and here.section in _FOR and self._table.says_not_to(block.text):
            turned = _NOWHERE
        if above:
            above.is_used = True
        text = f"{above.text}: {block.text}" if above else block.text
        self._leads.append(
            _Lead(text, block.text, block.line, block.level, turned, block.kind == PARENT)
        )
        if here:
            here.is_used = True

    def _end_leads(self, level: int = -9) -> None:
        """Close the lines that introduce nothing more; one that introduced nothing is reported."""
        while self._leads and self._leads[-1].level >= level:
            lead = self._leads.pop()
            if not lead.is_used:
                self._place(lead.own, lead.line)

    def _text(self, block: Block) -> None:
        here = self._open[-1] if self._open else None
        is_first = not (self._has_begun or self._open or self._title)
        if is_first and is_title_line(block.text):
            self._has_begun = True
            self._add("name", block.text, block.line)
            return
        self._has_begun = True
        self._leads = [lead for lead in self._leads if not lead.is_used]
        self._prose.append(block)
        if here:
            here.is_used = True

    def _end_prose(self) -> None:
        """Place adjacent paragraphs: as one fact, a line each, or by sentences."""
        blocks, self._prose = self._prose, []
        if not blocks:
            return
        here = self._open[-1] if self._open else None
        texts = [block.text for block in blocks]
        if here and here.section in ONE_FACT and not any(lead.turned for lead in self._leads):
            led = [f"{lead.text}:" for lead in self._leads]
            line = self._leads[0].line if led else blocks[0].line
            self._leads = []
            said = [(text, block.line) for block in blocks for text in sentences(block.text)]
            kept = [text for text, _ in said if not self._is_rejected(here.section, text)]
            if led or kept:
                self._place(" ".join([*led, *kept]), line)
            for text, at in said:
                if self._is_rejected(here.section, text):
                    self._place(text, at)
            return
        are_lines = are_a_list(texts)
        are_led = are_lines or all(len(text.split()) <= _SHORT for text in texts)
        for block in blocks:
            for text in [block.text] if are_lines else sentences(block.text):
                self._place(text, block.line)
            if not are_led:
                self._end_leads()
        self._end_leads()

    def _place(self, text: str, line: int) -> None:
        here = self._open[-1] if self._open else None
        lead = self._leads[-1] if self._leads else None
        section = (lead.turned if lead else "") or (here.section if here else "")
        self._has_begun = True
        if here:
            here.is_used = True
        if self._is_rejected(section, text):
            section = "contraindications"
        if section == _NOWHERE and lead:
            self._tell_against(lead, text, line)
            return
        if section:
            if lead:
                lead.is_used = True
            self._add(section, text, line)
            return
        if lead and not lead.is_used:
            lead.is_used = True
            self._tell_below(here, lead.text, lead.line)
        self._tell_below(here, text, line)

    def _is_rejected(self, section: str, text: str) -> bool:
        """Whether a sentence among reasons for the procedure is one against it."""
        return section in _FOR and section != "name" and self._table.rejects_it(text)

    def _tell_against(self, lead: _Lead, text: str, line: int) -> None:
        if not lead.is_used:
            self._monograph.told.append(Told(lead.line, "it says 'not': of what?", lead.text))
        lead.is_used = True
        self._monograph.told.append(Told(line, "the line that introduces it says 'not'", text))

    def _tell_below(self, here: _Open | None, text: str, line: int) -> None:
        if not here or not here.why:
            self._monograph.told.append(Told(line, "it comes before any heading", text))
            return
        if not here.is_told:
            here.is_told = True
            self._monograph.told.append(Told(here.line, here.why, heading=here.heading))
        why = f"it is below '{here.heading}'"
        self._monograph.told.append(Told(line, why, text, here.heading))

    def _add(self, section: str, text: str, line: int) -> None:
        here = self._open[-1] if self._open else None
        lead = self._leads[-1] if self._leads else None
        led = (lead.text, lead.line) if lead else ("", 0)
        if not lead and here and here.is_negation:
            led = (here.heading, here.line)
        if section == "code":
            codes, wrong, text = codes_of(here.heading if here else "", text)
            self._monograph.wrong_codes += wrong
            known = self._monograph.codes
            known += [code for code in codes if code not in known]
        fact = Fact(section, text, line, here.heading if here else "", *led)
        self._monograph.facts.append(fact)

    def _tell(self, block: Block, why: str) -> None:
        self._monograph.told.append(Told(block.line, why, block.text))


def _may_inherit(named: Named, above: str, near: str) -> bool:
    """Whether an unknown heading goes on with the section above it.

    One that says "not" does so only among things that are done, each of which is read with it;
    one that says "before" or "after" (`near`) not among what is done at another time.
    """
    if named.why:
        return not named.is_known and above in ("", *_DONE)
    return not named.is_known and not (above in _DONE and near in _DONE and near != above)
