"""What a build sheet is made of, before it has a form."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from fhirpkg.languages.words import gettext

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True, slots=True)
class Column:
    """A column; `width` counts letters. Head and group are English and are translated when shown.

    On paper those of one `group` share a column, each with its head before its words, but for the
    one that is called as the group. What is `to_fill_in` stays empty.
    """

    head: str
    width: int
    group: str
    to_fill_in: bool = False


Row = dict[str, str]
"""The cells of a row by the head of their column; those without words are absent."""


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of one kind: of an order set, of value sets; `intro` are lines above them.

    `levels` say how deep each row is in a tree, from 0; `headings` are the rows of groups.
    """

    title: str
    columns: tuple[Column, ...]
    rows: tuple[Row, ...]
    intro: tuple[str, ...] = ()
    levels: tuple[int, ...] = ()
    headings: frozenset[int] = field(default_factory=frozenset)
    together: tuple[str, ...] = ()
    """On paper rows that are equal in these columns are one, with their other words joined."""

    def used(self) -> tuple[Column, ...]:
        """The columns that hold something, and those to fill in."""
        return tuple(
            column
            for column in self.columns
            if column.to_fill_in or any(row.get(column.head) for row in self.rows)
        )

    def grouped(self) -> dict[str, tuple[Column, ...]]:
        """The columns in use, by the group that they share on paper."""
        found: dict[str, tuple[Column, ...]] = {}
        for column in self.used():
            found[column.group] = (*found.get(column.group, ()), column)
        return found

    def on_paper(self) -> tuple[Row, ...]:
        """The rows, fewer where several are shown together."""
        if not self.together:
            return self.rows
        found: dict[tuple[str, ...], list[Row]] = {}
        for row in self.rows:
            found.setdefault(tuple(row.get(head, "") for head in self.together), []).append(row)
        return tuple(_joined(rows, self.together) for rows in found.values())


def _joined(rows: list[Row], same: tuple[str, ...]) -> Row:
    """One row of several: what differs is listed, each row's words behind each other."""
    heads = [head for head in rows[0] if head not in same]
    listed = (" ".join(filter(None, (row.get(head) for head in heads))) for row in rows)
    return {**{head: rows[0].get(head, "") for head in same}, heads[0]: "; ".join(listed)}


@dataclass(frozen=True, slots=True)
class BuildSheet:
    """All tables of a content; `facts` are the lines at the head, by name."""

    title: str
    facts: tuple[tuple[str, str], ...]
    guide: tuple[str, ...]
    signatures: tuple[str, ...]
    """Who signs at the end, each with a name, a date and a signature to fill in."""
    tables: tuple[Table, ...]
    plans: int
    """How many plans there are."""
    date: str
    """The day of the content, which files of it carry: `2026-11-30`; empty if it has none."""


def lines(row: Row, columns: tuple[Column, ...]) -> list[tuple[str, str]]:
    """What a row says in columns that share one: shown heads (empty where needless) and words."""
    return [
        ("" if column.head == column.group else gettext(column.head), row[column.head])
        for column in columns
        if row.get(column.head)
    ]


@dataclass(frozen=True, slots=True)
class Paper:
    """What columns share on a page, all in the unit of its file: centimetres, letters."""

    room: float
    """Between the margins of the page."""
    narrowest: float
    to_fill_in: float
    letter: float
    """A bold letter's width."""
    margin: float


_WORD = 10
"""Letters of a word that is not to be broken."""


def spread(
    groups: dict[str, tuple[Column, ...]], rows: Sequence[Row], paper: Paper
) -> tuple[float, ...]:
    """The width of each group, in proportion to its text; together they fill the page."""
    least, more = [], []
    for name, columns in groups.items():
        texts = [" ".join(b for _, b in lines(row, columns)) for row in rows]
        sizes = sorted(map(len, texts))
        typical = sizes[int(len(sizes) * 0.9)] if sizes else 0
        longest = max(len(word) for text in (gettext(name), *texts) for word in [*text.split(), ""])
        fits = min(longest, _WORD) * paper.letter + paper.margin
        fill_in = paper.to_fill_in if columns[0].to_fill_in else 0.0
        least.append(fill_in or max(paper.narrowest, fits))
        more.append(0.0 if fill_in else typical**0.7)
    room = paper.room - sum(least)
    return tuple(a + b * room / (sum(more) or 1) for a, b in zip(least, more, strict=True))
