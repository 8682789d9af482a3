"""What a text holds beside its words: heads and feet of pages, front matter, columns of tabs."""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fhirpkg.authoring.drafting.headings import Headings

_NUMBER = re.compile(
    r"\W*(?:page|p\.|seite|sheet)\s*\d+(?:\s*(?:of|/|von)\s*\d+)?\W*|\W*\d+\s*(?:of|/)\s*\d+\W*"
    r"|[-–—]\s*\d{1,3}\s*[-–—]",
    re.IGNORECASE,
)
_ENDS_WITH_NUMBER = re.compile(
    r".*\S\s{2,}(?:page|p\.)?\s*\d+(?:\s*(?:of|/)\s*\d+)?", re.IGNORECASE
)
_COLUMNS = re.compile(r"\t+| {3,}")
_FRONT = re.compile(r"[\w-]+\s*:.*|\s+.*|- .*|#.*|")
_ROWS = 3
"""From so many rows whose first column names a section on, columns are taken for a table."""


def furniture(raw: Sequence[str]) -> dict[int, str]:
    """The lines that printing puts on each page, by place: their words the first time, then none.

    These are numbers of pages, and lines that are beside such a number, or a break, twice.
    """
    breaks = [
        at
        for at, line in enumerate(raw)
        if _NUMBER.fullmatch(line.strip())
        or line.startswith("\f")
        or (_ENDS_WITH_NUMBER.fullmatch(line) and "page" in line.lower())
    ]
    if not breaks:
        return {}
    beside = Counter(
        key
        for at in breaks
        for near in (_next(raw, at, -1), at, _next(raw, at, 1))
        if 0 <= near < len(raw) and (key := _key(raw[near]))
    )
    running = {key for key, count in beside.items() if count > 1}
    found: dict[int, str] = {}
    seen: set[str] = set()
    for at, line in enumerate(raw):
        if _key(line) in running or at in breaks:
            text = "" if _key(line) in seen or _NUMBER.fullmatch(line.strip()) else line.strip()
            found[at] = " ".join(text.split())
            seen.add(_key(line))
    return found


def _next(raw: Sequence[str], at: int, step: int) -> int:
    """The place of the line with words before or after a break of the page."""
    at += step
    while 0 <= at < len(raw) and not raw[at].strip():
        at += step
    return at


def _key(line: str) -> str:
    """A line without its digits: the numbers of pages differ."""
    return " ".join(re.sub(r"\d+", "#", line).split())


def front_matter(raw: Sequence[str]) -> tuple[int, str]:
    """How many lines the front matter of Markdown takes, and the title that it gives."""
    if not raw or raw[0].strip() != "---":
        return 0, ""
    end = next((at for at in range(1, min(len(raw), 60)) if raw[at].strip() in ("---", "...")), 0)
    if not end or not all(_FRONT.fullmatch(line) for line in raw[1:end]):
        return 0, ""
    titles = [line.partition(":")[2].strip(" \"'") for line in raw[1:end] if line[:6] == "title:"]
    return end + 1, titles[0] if titles else ""


def columns(raw: Sequence[str], start: int, table: Headings) -> list[tuple[int, list[str]]]:
    """The rows of a table of tabs or wide spaces that begins here: the line of each, its cells."""
    rows: list[tuple[int, list[str]]] = []
    for at in range(start, len(raw)):
        line = raw[at].rstrip()
        cells = [cell.strip() for cell in _COLUMNS.split(line)]
        if not line:
            continue
        if len(cells) < 2:
            break
        rows.append((at, cells))
    first = [cells[0].rstrip(":") for _, cells in rows if cells[0]]
    known = sum(table.named(text, strictly=True).is_known for text in first)
    return rows if known >= _ROWS and known * 2 >= len(first) else []
