"""Lines to blocks: which of them are headings, by how this monograph writes its headings.

A format may mark headings (levels of HTML, Word, Markdown). Where it does not, the way in which the
headings that the table knows are written shows how the unknown ones are: in bold, in capitals,
numbered, with a colon, or as short lines. An unknown heading that is found costs a question; one
that is missed would take its facts into the section above it.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from fhirpkg.authoring.drafting.headings import normal
from fhirpkg.authoring.drafting.lines import (
    BOLD,
    CELL,
    END,
    ITEM,
    OF_TABLES,
    ROW,
    TEXT,
    TITLE,
    answered,
)
from fhirpkg.authoring.drafting.monograph import sentences
from fhirpkg.authoring.drafting.run_ins import RunIns, bare

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from fhirpkg.authoring.drafting.headings import Headings
    from fhirpkg.authoring.drafting.lines import Line

HEADING, LEAD, PARENT, FACT, PROSE = "heading", "lead", "parent", "fact", "prose"
ENDING, OUTSIDE = "end", "outside"

_PEER, _SUB = 2, OF_TABLES
"""Levels of headings that only their looks show: beside each other, or below real headings."""
_OWN = OF_TABLES + 1
"""The level of a heading that reaches no further than the paragraph or item that it begins."""
_LABEL = 2
"""An item of so few words with items of its own is a label of theirs, and no fact."""
_STYLES = ("level", "bold", "capitals", "number", "colon", "short")
_LEADING = re.compile(
    r"(?<!-)\b(includes?|including|following|these|this|are|is|may|can|might|could|if|when|should|must|you"
    r"|such as|as follows|with|has|have|need|needs|includ\w+|will|would|do|does|not)\b",
    re.IGNORECASE,
)


_ASKED = re.compile(
    r"(?:what|who|where|when|why|how|(?:\w+ )?(?:things|events|effects|people|persons|reasons"
    r"|points|facts) (?:that|which|who|you|we|to))\b",
    re.IGNORECASE,
)
"""How lines begin that are headings although they have verbs."""


@dataclass(frozen=True, slots=True)
class Block:
    """A heading, a line that leads in what follows, an item or a paragraph.

    A parent is an item that leads in those below it.

    `inherits` marks a heading that, if unknown, continues the section above it.
    """

    kind: str
    text: str
    line: int
    level: int = 0
    inherits: bool = True
    why: str = ""


def outline(lines: Sequence[Line], table: Headings) -> list[Block]:
    """The blocks of a monograph in their order."""
    return list(_Outline(answered(lines), table).blocks())


class _Outline:
    def __init__(self, lines: Sequence[Line], table: Headings) -> None:
        self._lines = [line for line in lines if _has_words(line) or line.mark == END]
        self._table = table
        written = [line for line in self._lines if sum(map(str.isalpha, line.text)) > 3]
        capital = sum(_is_in_capitals(line.text) for line in written)
        self._is_capital = capital * 5 > len(written) * 4
        self._run_ins = RunIns(self._lines, table)
        known = [
            line
            for line in self._lines
            if not line.outside and line.mark not in (END, ROW) and self._names(line)
        ]
        counts = Counter(style for line in known for style in self._styles(line))
        self._style = next((s for s in _STYLES if counts[s] > 1), "short")
        if counts["level"] == 1 and counts[self._style] < 2:
            self._style = "level"
        numbered = [line for line in known if "number" in self._styles(line) and self._is_of(line)]
        self._numbers = [line.label for line in numbered]
        self._families = list(dict.fromkeys(map(_family, self._numbers)))
        self._in_capitals = bool(numbered) and all(_is_in_capitals(line.text) for line in numbered)
        self._last_number = ""
        self._run_in_is_the_way = self._run_ins.number > len(known)
        self._own: Line | None = None
        self._is_led = False

    def _is_of(self, line: Line) -> bool:
        """Whether a line names a section of a procedure, and not what no procedure has."""
        return bool(self._table.named(bare(line.text), strictly=True).sections)

    def _styles(self, line: Line) -> set[str]:
        """How a line is written; capitals say nothing where everything is in capitals."""
        found = _styles(line)
        is_short = line.mark in (TEXT, BOLD) and not line.level and line.text.isupper()
        if is_short and self._table.named(bare(line.text)).sections:
            found.add("capitals")  # such as AIM
        return found - ({"capitals"} if self._is_capital else set())

    def _names(self, line: Line) -> bool:
        """Whether the table knows a line for a heading, whatever it looks like."""
        return self._table.named(bare(line.text), strictly=not line.level).is_known

    def blocks(self) -> Iterator[Block]:
        """Each line as a block of its kind, and an ENDING where a section or a table ends."""
        for at, line in enumerate(self._lines):
            if self._own and _is_beyond(self._own, line):
                self._own = None
                yield Block(ENDING, "", line.line, _OWN)
            self._is_led = self._is_led and line.mark == TEXT and not line.gap
            if line.mark == END:
                yield Block(ENDING, "", line.line, OF_TABLES)
            elif line.outside:
                yield Block(OUTSIDE, line.text, line.line, why=f"it is in {line.outside}")
            elif line.mark != TITLE and not line.level and self._is_imprint(line):
                yield Block(OUTSIDE, line.text, line.line, why="it is about the text itself")
            elif line.level or line.mark == TITLE:
                yield self._heading(line)
            else:
                yield from self._by_looks(line, at)

    def _is_imprint(self, line: Line) -> bool:
        text = f"{line.label}. {line.text}" if line.label.isalpha() else line.text
        return bool(self._table.imprint.match(text))

    def _heading(self, line: Line) -> Block:
        is_row = line.mark == ROW
        level = 0 if line.mark == TITLE else line.level
        if self._is_of_labels(line.text):
            level += 1  # it divides the section above it, whatever its level
        return Block(HEADING, bare(line.text), line.line, level, not is_row)

    def _by_looks(self, line: Line, at: int) -> Iterator[Block]:
        level = _SUB if self._style == "level" else _PEER
        run_in = self._run_ins.of(line)
        if self._is_label(line) and self._has_more(at):
            yield Block(HEADING, bare(line.text), line.line, _OWN)
            return
        if not run_in and self._is_heading(line, at):
            if line.label:
                self._last_number = line.label
                level += line.label.count(".") + self._families.index(_family(line.label))
            yield Block(HEADING, bare(line.text), line.line, level, inherits=level != _PEER)
        elif line.text.endswith(":") and self._has_more(at):
            self._is_led = line.mark == TEXT
            yield from _lead(line)
        elif not run_in and self._is_parent(line, at):
            kind = LEAD if self._labels_items(line.text) else PARENT
            yield Block(kind, line.text, line.line, line.depth)
        elif run_in:
            if line.mark == ITEM or not self._run_in_is_the_way:
                self._own, level = line, _OWN
            yield Block(HEADING, run_in[0], line.line, level, inherits=level != _PEER)
            yield Block(PROSE, run_in[1], line.line)
        else:
            kind = FACT if line.mark == ITEM or self._is_led else PROSE
            text = f"{line.label}. {line.text}" if _is_code(line) else line.text
            yield Block(kind, text, line.line, line.depth)

    def _is_label(self, line: Line) -> bool:
        """A line that only divides a section, such as "Absolute" or "Early"."""
        return line.mark in (TEXT, BOLD) and self._is_of_labels(line.text)

    def _is_parent(self, line: Line, at: int) -> bool:
        """An item with items of its own."""
        after = self._lines[at + 1] if at + 1 < len(self._lines) else line
        return line.mark == after.mark == ITEM and after.depth > line.depth

    def _labels_items(self, text: str) -> bool:
        """Whether an item only says what those below it are."""
        named = self._table.named(text)
        is_short = len(text.split()) <= _LABEL and text[-1:] not in ".!?"
        return is_short or named.section == "contraindications" or self._is_of_labels(text)

    def _is_of_labels(self, text: str) -> bool:
        return bool(self._table.labels.fullmatch(normal(text)))

    def _is_heading(self, line: Line, at: int) -> bool:
        if line.mark == CELL:
            return False
        styles = self._styles(line)
        named = self._table.named(bare(line.text), strictly=not {"bold", "capitals"} & styles)
        if line.mark == ITEM:
            known = bool(named.sections)
            numbered = "number" in styles and self._is_numbered(line, known=known)
            return numbered and (known or self._numbers_go_back(line, at))
        if len(line.text.split()) > 14:
            return False
        if named.is_known:
            return self._is_known_heading(line, styles, at)
        if "bold" in styles:
            return not line.text.endswith(".") and self._has_more(at)
        if self._style not in styles:
            return False
        if self._style == "colon":
            return self._is_noun_phrase(line.text)
        if self._style == "capitals":
            return len(line.text) > 5 or " " in line.text or self._stands_out(line, at)
        return self._style == "short" and self._stands_out(line, at)

    def _is_noun_phrase(self, text: str) -> bool:
        """A line with a colon that does not lead in what follows, such as ``Cost:``."""
        is_asked = _ASKED.match(text)
        return bool(is_asked) or not (_LEADING.search(text) or len(text.split()) > 5)

    def _numbers_go_back(self, line: Line, at: int) -> bool:
        """Whether something is below a numbered line: the next number is not a higher one."""
        after = self._lines[at + 1] if at + 1 < len(self._lines) else line
        if after.mark != ITEM or not after.label:
            return after is not line
        if _family(after.label) != _family(line.label):
            return True
        is_part = after.depth > line.depth or after.label.startswith(f"{line.label}.")
        return is_part or _order(after.label) < _order(line.label)

    def _is_known_heading(self, line: Line, styles: set[str], at: int) -> bool:
        """A line whose words name a section: a heading where it looks like the others."""
        if self._style in styles or styles & {"bold", "capitals", "colon"}:
            return True
        return "short" in styles and (
            self._style in ("colon", "short") or self._stands_out(line, at)
        )

    def _is_numbered(self, line: Line, *, known: bool) -> bool:
        """A numbered line among numbered headings; by its number, where the table is silent."""
        is_deep = line.depth and "." not in line.label
        if self._style not in ("number", "level") or is_deep or not self._numbers:
            return False
        if self._style == "level" and len(self._numbers) < 2:
            return False
        if known:
            return True
        if _family(line.label) not in self._families or line.label in self._numbers:
            return False
        if self._in_capitals:
            return _is_in_capitals(line.text)
        order = _order(line.label)
        others = [_order(n) for n in self._numbers if _family(n) == _family(line.label)]
        last = _order(self._last_number) if self._last_number else (0.0,)
        is_between = last < order < min((n for n in others if n > last), default=(99.0,))
        return is_between and len(line.text.split()) <= 10 and line.text[-1:] not in ".;,"

    def _stands_out(self, line: Line, at: int) -> bool:
        """A short line that what is around it shows to be a heading."""
        before = self._lines[at - 1] if at else None
        after = self._lines[at + 1] if at + 1 < len(self._lines) else None
        if after is None or after.mark in (BOLD, END, TITLE) or after.level:
            return False
        if before and (before.text.endswith(":") or (not line.gap and self._names(before))):
            return False
        introduces = after.mark == ITEM or after.text[-1:] in ".:" or (line.gap and not after.gap)
        ends_list = before is not None and before.mark == ITEM and line.text[:1].isupper()
        introduces = introduces or (ends_list and after.mark == TEXT)
        is_alone = before is None or line.gap or before.mark == ITEM or before.text[-1:] in ".!?"
        has_items = after.mark == ITEM and line.text[:1].isupper() and line.text[-1:] != ":"
        is_alone = is_alone or has_items
        if at > 1 and self._names_the_name(self._lines[at - 2]):
            return after.mark in (TEXT, ITEM)
        return introduces and is_alone

    def _names_the_name(self, line: Line) -> bool:
        """Whether a line heads the name of the procedure, which is one line."""
        return self._table.named(bare(line.text), strictly=True).section == "name"

    def _has_more(self, at: int) -> bool:
        """Whether something other than a heading follows."""
        if at + 1 >= len(self._lines):
            return False
        after = self._lines[at + 1]
        return not after.level and after.mark not in (TITLE, END, ROW)


def _has_words(line: Line) -> bool:
    return any(c.isalnum() for c in line.text)


def _styles(line: Line) -> set[str]:
    """How a line is written, as far as headings are."""
    if line.level:
        return {"level"}
    found: set[str] = set()
    if line.mark == ITEM:
        is_high = line.label and (not line.depth or "." in line.label)
        return {"number"} if is_high and len(line.text.split()) < 13 else found
    if line.mark == BOLD:
        found.add("bold")
    if _is_in_capitals(line.text):
        found.add("capitals")
    if line.text.endswith(":"):
        found.add("colon")
    if line.mark == TEXT and len(line.text.split()) <= 10 and bare(line.text)[-1:] not in ".;,":
        found.add("short")
    return found


def _is_in_capitals(text: str) -> bool:
    letters = [c for c in text if c.isalpha()]
    return text.upper() == text and (len(letters) > 3)


def _lead(line: Line) -> Iterator[Block]:
    """What leads in the lines below it: the last sentence of a line; those before it are facts."""
    *before, last = sentences(line.text)
    if before:
        yield Block(FACT if line.mark == ITEM else PROSE, " ".join(before), line.line, line.depth)
    yield Block(LEAD, last, line.line, line.depth if line.mark == ITEM else -1)


def _is_beyond(own: Line, line: Line) -> bool:
    """Whether a line lies beyond the item or paragraph that began with its own heading."""
    if own.mark == ITEM:
        return line.depth <= own.depth if line.mark == ITEM else line.gap
    return line.mark != ITEM


def _family(label: str) -> str:
    """Whether a label is a number, a roman numeral or a letter."""
    if label[0].isdigit():
        return "1"
    kind = "i" if re.fullmatch("[ivx]+", label.lower()) else "a"
    return kind.upper() if label.isupper() else kind


def _order(label: str) -> tuple[float, ...]:
    """The place of a number, letter or roman numeral among its like."""
    letter, *parts = label.split(".")
    numbers = tuple(float(part) for part in parts if part.isdigit())
    return (_counted(letter), *numbers)


def _counted(label: str) -> float:
    """One number, roman numeral or letter as a number."""
    if label.isdigit():
        return float(label)
    roman = {"i": 1, "v": 5, "x": 10}
    if re.fullmatch("[ivx]+", label.lower()):
        values = [roman[c] for c in label.lower()]
        pairs = zip(values, [*values[1:], 0], strict=True)
        return float(sum(-v if v < after else v for v, after in pairs))
    return float(ord(label[:1].lower() or "`") - 96)


def _is_code(line: Line) -> bool:
    """A number that belongs to the words: `5.5 mm port` is not the item 5.5."""
    is_number = line.label[:1].isdigit() and "." in line.label
    return is_number and not line.text[:1].isupper()
