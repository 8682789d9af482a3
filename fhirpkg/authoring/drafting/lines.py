"""What a format shows of a monograph: a flat list of lines, each with its marks and its place."""

from __future__ import annotations

import itertools
import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from fhirpkg.authoring.drafting.headings import Headings

TITLE, BOLD, ITEM, ROW, END, CELL, TEXT = "title", "bold", "item", "row", "end", "cell", ""
"""Marks: the title, a line all in bold, a list item, a heading in a table, the end of a table, the
text of a cell, any other text."""
OF_TABLES = 7
"""The level of headings in tables and of bold lines below real headings."""


@dataclass(frozen=True, slots=True)
class Line:
    """One piece of text as the format shows it.

    `line` counts from 1 (in a Word document the paragraphs); `level` is that of a heading (1 is
    the highest) or 0; `depth` that of a list item; `gap` marks an empty line before it;
    `label` is its number; `outside` says why it is not part of the monograph; `opening` holds the
    words in bold that begin it, where others follow.
    """

    text: str
    line: int
    mark: str = TEXT
    level: int = 0
    depth: int = 0
    gap: bool = False
    label: str = ""
    outside: str = ""
    opening: str = ""


Cell = tuple[Line, ...]


def looks(pieces: Sequence[tuple[str, bool]]) -> tuple[str, str]:
    """The mark of a line in pieces of bold and other text, and the bold words that begin it."""
    told = [(words, is_bold) for words, is_bold in pieces if words.strip(" \n\t:.")]
    if told and all(is_bold for _, is_bold in told):
        return BOLD, ""
    strong = itertools.takewhile(lambda piece: piece[1] or not piece[0].strip(), pieces)
    return TEXT, " ".join("".join(words for words, _ in strong).split())


def table_lines(
    rows: Sequence[Sequence[Cell]], table: Headings, *, has_header: bool
) -> Iterator[Line]:
    """The lines of a table, by what it is for.

    Sections in the first column, sections in the columns, or one fact a row.
    """
    rows = [row for row in rows if any(row)]
    if not rows:
        return
    if _is_of_things(rows):
        yield from _things(rows, table)
        yield Line("", rows[-1][0][0].line if rows[-1][0] else 0, END)
        return
    first = [_section(row[0], table) for row in rows if row and len(row) > 1]
    header = {section for cell in rows[0] if (section := _section(cell, table))}
    if len(header) > 1 and len(rows) > 1:
        yield from _by_columns(rows, are_labelled=not _is_known(rows[0][0], table))
    elif sum(map(bool, first)) > max(1, len(first) // 4):
        yield from _by_rows(rows, table, has_header=has_header)
    elif len(first) == len(rows) == 1 and first[0]:
        yield from _by_rows(rows, table, has_header=False)
    else:
        alone = [cells[0] for row in rows if len(cells := [cell for cell in row if cell]) == 1]
        are_headings = sum(map(bool, (_section(cell, table) for cell in alone))) > 1
        for row in rows[has_header and len(rows) > 1 :]:
            yield from _fact(row, table, are_headings=are_headings)
    yield Line("", rows[-1][0][0].line if rows[-1][0] else 0, END)


_THINGS = "no|nr|#|number|steps?|items?|actions?|activit(?:y|ies)|tasks?|what|risks?|complications?"
_OF_THINGS = re.compile(
    rf"(?:{_THINGS}|who|by|by whom|performed by|responsib(?:le|ility)|persons?|roles?|staff|when"
    r"|time|timing|duration|minutes|rationale|reasons?|why|notes?|comments?|remarks?|details?|rate"
    r"|frequency|how often|likelihood|incidence|quantity|amount|dose|route|done|initials"
    r"|signature|tick|unit|size)"
    r"(?: \([^()]*\))?\.?",
    re.IGNORECASE,
)


def _is_of_things(rows: Sequence[Sequence[Cell]]) -> bool:
    """Whether each row is one thing, and the columns say what, who, when: "Step, Who, Time"."""
    heads = [" ".join(line.text for line in cell).rstrip(": ") for cell in rows[0]]
    are_known = all(_OF_THINGS.fullmatch(head) for head in heads)
    begins = re.fullmatch(rf"(?:{_THINGS})\.?", heads[0], re.IGNORECASE)
    return len(rows) > 1 and len(heads) > 1 and are_known and begins is not None


def _things(rows: Sequence[Sequence[Cell]], table: Headings) -> Iterator[Line]:
    """A fact a row, without the number of the row, below the heading that the columns give."""
    is_counted = all(len(row[0]) == 1 and row[0][0].text.strip(".)").isdigit() for row in rows[1:])
    heads, *rest = [row[is_counted:] for row in rows]
    if _section(heads[0], table):
        yield Line(heads[0][0].text, heads[0][0].line, ROW, OF_TABLES)
    for row in rest:
        yield from _fact(row, table, are_headings=False)


def _section(cell: Cell, table: Headings) -> str:
    """The section that a cell names, as far as that is certain."""
    named = table.named(cell[0].text.rstrip(":"), strictly=True) if len(cell) == 1 else None
    return " ".join(named.sections) if named else ""


def _is_known(cell: Cell, table: Headings) -> bool:
    return len(cell) == 1 and table.named(cell[0].text.rstrip(":"), strictly=True).is_known


def _by_rows(
    rows: Sequence[Sequence[Cell]], table: Headings, *, has_header: bool
) -> Iterator[Line]:
    skips_header = has_header and not _section(rows[0][0], table)
    for row in rows[skips_header:]:
        name, *rest = row
        if name:
            text = " ".join(line.text for line in name)
            yield Line(text, name[0].line, ROW, OF_TABLES)
        for cell in rest:
            yield from _content(cell)


def _by_columns(rows: Sequence[Sequence[Cell]], *, are_labelled: bool) -> Iterator[Line]:
    """Sections in the columns; a first column that names none says what each row is about."""
    for at, cell in enumerate(rows[0]):
        if are_labelled and at == 0:
            continue
        if cell:
            yield Line(" ".join(line.text for line in cell), cell[0].line, ROW, OF_TABLES)
        for row in rows[1:]:
            label = " ".join(line.text for line in row[0]) if are_labelled and row else ""
            for line in _content(row[at], alone=ITEM) if at < len(row) else ():
                yield replace(line, text=f"{label}: {line.text}" if label else line.text)


def _content(cell: Cell, alone: str = CELL) -> Iterator[Line]:
    """What is in a cell; its text is never a heading, and may be one item of many."""
    mark = alone if len(cell) == 1 else CELL
    return (line if line.mark == ITEM else replace(line, mark=mark) for line in cell)


def _fact(row: Sequence[Cell], table: Headings, *, are_headings: bool) -> Iterator[Line]:
    """One row as one fact; a row of one cell may be a heading or hold lines of its own."""
    cells = [cell for cell in row if cell]
    alone: Cell = cells[0] if len(cells) == 1 and len(cells[0]) == 1 else ()
    is_marked = bool(alone) and (alone[0].mark == BOLD or len(cells) < len(row))
    if alone and ((are_headings and is_marked) or _section(alone, table)):
        yield replace(cells[0][0], mark=ROW, level=OF_TABLES)
    elif len(cells) == 1:
        yield from _content(cells[0], alone=ITEM)
    elif cells:
        text = ": ".join(" ".join(line.text for line in cell).rstrip(":") for cell in cells)
        yield Line(text, cells[0][0].line, ITEM)


_QUESTION = re.compile(
    r"(?:q|question|frage)\s*\d*\s*[:.)]\s+(.+?\?)(?:\s+a(?:nswer)?\s*[:.)]\s+(.+))?", re.IGNORECASE
)
_ANSWER = re.compile(r"(?:a|answer)\s*\d*\s*[:.)]\s+(.+)", re.IGNORECASE)


def answered(lines: Sequence[Line]) -> list[Line]:
    """Questions and answers that are marked as such (``Q: …``, ``A: …``), as headings and text."""
    whole = [_labelled(line) for line in lines]
    if sum(bool(_QUESTION.fullmatch(text)) for text in whole) < 2:
        return list(lines)
    return [part for line, text in zip(lines, whole, strict=True) for part in _answer(line, text)]


def _answer(line: Line, text: str) -> Iterator[Line]:
    asked = _QUESTION.fullmatch(text)
    said = _ANSWER.fullmatch(text)
    if asked:
        yield replace(line, text=asked[1], mark="" if line.level else BOLD, label="")
    answer = asked[2] if asked else said[1] if said else ""
    if answer:
        yield replace(line, text=answer, mark=TEXT, level=0, label="", gap=True)
    elif not asked:
        yield line


def _labelled(line: Line) -> str:
    is_letter = line.mark == ITEM and line.label.lower() in ("q", "a")
    return f"{line.label}. {line.text}" if is_letter else line.text
