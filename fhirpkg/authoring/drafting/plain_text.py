"""Plain text and Markdown to lines: headings, lists and tables as either of them writes them."""

from __future__ import annotations

import html
import itertools
import re
from dataclasses import replace
from typing import TYPE_CHECKING

from fhirpkg.authoring.drafting.lines import BOLD, END, ITEM, TEXT, TITLE, Line, table_lines
from fhirpkg.authoring.drafting.pages import columns, front_matter, furniture

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fhirpkg.authoring.drafting.headings import Headings

_HASHES = re.compile(r" {0,3}(#{1,6})\s+(.*?)\s*#*$")
_ATTRIBUTES = re.compile(r"\s*\{[#.:][^{}]*\}\s*$")
"""What Pandoc and others write behind a heading: ``{#id .class}``."""
_FENCE = re.compile(r"\s*(?:```.*|~~~.*|:{3,}.*|!{3}\s+\w+\s*)$")
_UNDERLINE = re.compile(r" {0,3}(=|-|~|\*|_)\1{2,}\s*$")
_BULLET = re.compile(r"(\s*)(?:[-*+•‣◦▪·–—●○■□☐☑☒➢➤✓✔\uf0b7\uf0a7]|o(?=\s+[A-Z]))\s+(?=\S)(.*)")
_NUMBER = re.compile(
    r"(\s*)\(?(\d{1,2}(?:\.\d{1,2})+\.?|\d{1,2}[.):]|[a-zA-Z][.)]|[ivxIVX]{1,5}[.)]"
    r"|[A-Z]\d{1,2}(?:\.\d{1,2})*[.)])\)?\s+(?=\S)(.*)"
)
_CELLS = re.compile(r"(?<!\\)\|")
_RULE_OF_TABLE = re.compile(r"\s*\|?\s*:?-{2,}:?\s*(\|\s*:?-{2,}:?\s*)*\|?\s*$")
_ALL_BOLD = re.compile(r"\s*(\*\*|__)(?=\S)((?:(?!\1).)+)\1\s*:?\s*$")
_OPENS_BOLD = re.compile(r"\s*(\*\*|__)(?=\S)((?:(?!\1).){3,60}?)(?<=\S)\1\W*\s\W*\w")
_BOX_OR_LABEL = re.compile(r"^(?:\[[ xX]\]|\(?[a-z]\)|\(?\d{1,2}\))\s+")
"""What is between a bullet and its text: a box to tick, a letter, a number."""
_FOOTNOTE = re.compile(r" {0,3}\[\^[^\]\s]+\]:\s+(\S.*)")
_LABELLED = re.compile(r"[A-Z][\w /&()-]{1,30}:\s+\S")
"""A line that begins with a label of its own."""
_TAGS = (
    "a abbr address article aside b blockquote br caption center cite code col colgroup dd del "
    "details div dl dt em figcaption figure font footer h1 h2 h3 h4 h5 h6 header hr i iframe img "
    "ins kbd li main mark nav ol p picture pre q s section small source span strong style sub "
    "summary sup table tbody td tfoot th thead tr u ul video"
).replace(" ", "|")
_TAG = re.compile(rf"</?(?:{_TAGS})\b[^<>]*>", re.IGNORECASE)
_HTML_BLOCK = re.compile(
    r" {0,3}</?(address|article|aside|blockquote|center|details|div|dl|figure|footer|h[1-6]|header"
    r"|hr|iframe|img|main|nav|ol|p|pre|section|style|table|ul|video)\b[^<>]*>",
    re.IGNORECASE,
)
_COMPOUND = re.compile(
    r"\b(?:pre|post|non|self|anti|peri|intra|inter|extra|co|re|sub|follow|well|low|high|short|long|half"
    r"|full|life|side|day|year|month|week|hour|cross|over|under|single|double|two|three|four|five|six|first|second|third"
    r"|in|on|off|up|check|work|drug|blood|pain|dose|risk|body|skin|ill|large|small|wide|deep|soft|hard|old)-$",
    re.IGNORECASE,
)
"""What keeps its hyphen where a line ends with it."""
_NARROW, _WIDE = 56, 132
"""Between these widths a text has lines that were broken for want of room."""


def read_text(text: str, table: Headings) -> list[Line]:
    """The lines of a text; paragraphs and items that run over several of its lines are joined."""
    written = _without_comments(text).split("\n")
    raw = [line.expandtabs(4).rstrip() for line in written]
    printed = furniture(written)
    room = _room(raw)
    at, title = front_matter(raw)
    found = [Line(title, 1, TITLE)] if title else []
    gap, width = False, 0
    while at < len(raw):
        if at in printed:
            if printed[at]:
                found.append(Line(printed[at], at + 1, outside="the head or foot of a page"))
            gap, at = True, at + 1
            continue
        line = _heading_in_html(raw[at])
        end, apart = _set_apart(written, raw, at, line, table)
        if end > at:
            found += apart
            gap, at = True, end
            continue
        new = _line(line, at + 1, gap=gap)
        under = _UNDERLINE.match(raw[at + 1]) if at + 1 < len(raw) else None
        if under and new.mark in (TEXT, BOLD) and len(new.text.split()) <= 14:
            found.append(replace(new, level=1 if under[1] == "=" else 2))
            at += 1
        elif found and (
            _is_broken(raw, at, new) or _continues(found[-1], new, line, room - width, table)
        ):
            found[-1] = replace(found[-1], text=_joined(found[-1].text, plain(line.strip())))
        else:
            found.append(new)
        width, gap, at = len(line), False, at + 1
    return _with_depths(found)


def _heading_in_html(line: str) -> str:
    """A line without the tags around a heading of Markdown; any other as it is."""
    bare = _TAG.sub("", line) if _HTML_BLOCK.match(line) else ""
    return bare if _HASHES.match(bare) else line


def _set_apart(
    written: list[str], raw: list[str], at: int, line: str, table: Headings
) -> tuple[int, list[Line]]:
    """Where a table, HTML or a blank line that begins here ends, with its lines; else `at`."""
    if rows := columns(written, at, table) if line.strip() else []:
        cells = [[_cell(text, n + 1) if text else () for text in row] for n, row in rows]
        return rows[-1][0] + 1, list(table_lines(cells, table, has_header=False))
    if not line.strip() or _FENCE.match(line):
        return at + 1, []
    if _HTML_BLOCK.match(line):
        end = _end_of_html(raw, at)
        return end, list(_html_lines(raw[at:end], at, table))
    if _is_table(raw, at):
        end = next((n for n in range(at, len(raw)) if "|" not in raw[n]), len(raw))
        return end, list(_table(raw, at, end, table))
    # a rule; an underline is read with the line above it
    return (at + 1 if _UNDERLINE.match(line) else at), []


def _without_comments(text: str) -> str:
    """Without HTML comments, which Markdown does not show; their lines stay."""
    return re.sub(r"<!--.*?-->", lambda found: "\n" * found[0].count("\n"), text, flags=re.DOTALL)


def _end_of_html(raw: list[str], start: int) -> int:
    """Where HTML within Markdown ends: a table with its end tag, the rest at an empty line."""
    is_table = "<table" in raw[start].lower()
    for at in range(start, len(raw)):
        if is_table and "</table" in raw[at].lower():
            return at + 1
        if not is_table and not raw[at].strip():
            return at
    return len(raw)


def _html_lines(raw: list[str], before: int, table: Headings) -> Iterator[Line]:
    from fhirpkg.authoring.drafting.markup import read_piece  # noqa: PLC0415 - slow to load

    for line in read_piece("\n".join(raw), table):
        yield replace(line, text=plain(line.text), line=line.line + before)


def _line(line: str, number: int, *, gap: bool) -> Line:
    line = re.sub(r"^\s{0,3}>\s?", "", line)
    if found := _FOOTNOTE.match(line):
        return Line(plain(found[1]), number, gap=gap, outside="a footnote")
    if found := _HASHES.match(_ATTRIBUTES.sub("", line)):
        return Line(plain(found[2]), number, level=len(found[1]), gap=gap)
    if found := _ALL_BOLD.match(line):
        colon = ":" if line.rstrip().endswith(":") and not found[2].endswith(":") else ""
        return Line(plain(found[2]) + colon, number, BOLD, gap=gap)
    if found := _BULLET.match(line):
        text = _BOX_OR_LABEL.sub("", found[2])
        opening = _opening(text)
        return Line(plain(text), number, ITEM, depth=len(found[1]), gap=gap, opening=opening)
    if found := _NUMBER.match(line):
        label = re.sub(r"(\.0+)+$", "", found[2].rstrip(".):"))
        label = re.sub(r"^([A-Z])(?=\d)", r"\1.", label)  # A1 stands below A
        opening = _opening(found[3])
        return Line(
            plain(found[3]), number, ITEM, depth=len(found[1]), gap=gap, label=label,
            opening=opening,
        )  # fmt: skip
    indent = len(line) - len(line.lstrip())
    return Line(plain(line.strip()), number, depth=indent, gap=gap, opening=_opening(line))


def _opening(line: str) -> str:
    """The words in bold that begin a line of Markdown."""
    found = _OPENS_BOLD.match(line)
    return plain(found[2]) if found else ""


def plain(text: str) -> str:
    """A text without the marks of Markdown.

    >>> plain("**Stop** [iron](https://example.org) 7 days_before")
    'Stop iron 7 days_before'
    """
    text = html.unescape(_TAG.sub(" ", text))
    text = re.sub(r"\[\^[^\]\s]+\]", "", text)  # a footnote is meant
    text = re.sub(r"!?\[([^\]]*)\]\([^)]*\)", r"\1", text)
    text = re.sub(r"(\*\*|__)(?=\S)(.+?)(?<=\S)\1", r"\2", text)
    text = re.sub(r"(?<!\w)([*_])(?=\S)(.+?)(?<=\S)\1(?!\w)", r"\2", text)
    text = re.sub(r"`([^`]+)`", r"\1", text)
    text = text.removesuffix("\\")  # it breaks the line
    return " ".join(re.sub(r"\\([!-/:-@\[-`{-~])", r"\1", text).split())


def _room(raw: list[str]) -> int:
    """The width at which the lines of a text were broken; very much where they were not."""
    widths = sorted(len(line) for line in raw if "|" not in line)[-3:]
    is_even = len(widths) == 3 and widths[0] > widths[2] * 0.85 and _NARROW < widths[2] < _WIDE
    goes_on = (
        len(line) > widths[2] * 0.75 and after.lstrip()[:1].islower()
        for line, after in itertools.pairwise(raw if is_even else ())
    )
    return widths[2] if any(goes_on) else 10_000


def _is_broken(raw: list[str], at: int, new: Line) -> bool:
    """Whether the line before ends with Markdown's backslash, and so goes on in this one."""
    return raw[at - 1].endswith("\\") and new.mark == TEXT and not (new.level or new.gap)


def _continues(before: Line, new: Line, line: str, left: int, table: Headings) -> bool:
    """Whether a line goes on with the one before it, in which `left` characters were free."""
    if new.level or new.mark or before.level or before.outside or before.mark in (BOLD, TITLE, END):
        return False
    indent = len(line) - len(line.lstrip())
    if before.mark == ITEM and indent >= before.depth + 2:
        return not (new.gap and table.named(before.text.rstrip(": "), strictly=True).is_known)
    if new.gap or (_LABELLED.match(new.text) and _LABELLED.match(before.text)):
        return False
    if before.mark == TEXT and (
        (before.text.isupper() and not new.text.isupper())
        or table.named(before.text, strictly=not before.gap).is_known
    ):
        return False  # that is a heading
    is_open = before.text[-1:] not in ".:?!;"
    if new.text[:1].islower() and (is_open or before.mark == ITEM):
        return True
    named = table.named(new.text.partition(":")[0], strictly=True)
    is_full = len(new.text.split()[0]) >= left
    return is_full and is_open and not named.is_known and not new.text.isupper()


def _joined(before: str, after: str) -> str:
    """Two lines as one; a word that was broken at the end of the first is whole again.

    >>> _joined("a search before car-", "dioversion"), _joined("a follow-", "up visit")
    ('a search before cardioversion', 'a follow-up visit')
    """
    if after.split(maxsplit=1)[0] in ("and", "or", "to"):
        return f"{before} {after}"
    if re.search(r"[a-z]{2}-$", before) and after[:1].islower():
        return f"{before}{after}" if _COMPOUND.search(before) else f"{before[:-1]}{after}"
    return f"{before} {after}"


def _is_table(raw: list[str], at: int) -> bool:
    """Whether a table begins here: two lines with bars, or one with its rule below."""
    line, below = raw[at], raw[at + 1] if at + 1 < len(raw) else ""
    if "|" not in line:
        return False
    return "|" in below and bool(_RULE_OF_TABLE.match(below) or line.strip().startswith("|"))


def _table(raw: list[str], start: int, end: int, table: Headings) -> Iterator[Line]:
    has_header = end > start + 1 and bool(_RULE_OF_TABLE.match(raw[start + 1]))
    rows = [
        [_cell(text, number + 1) for text in _CELLS.split(raw[number].strip().strip("|"))]
        for number in range(start, end)
        if not _RULE_OF_TABLE.match(raw[number])
    ]
    return table_lines(rows, table, has_header=has_header)


def _cell(text: str, number: int) -> tuple[Line, ...]:
    parts = [part.strip() for part in re.split(r"<br\s*/?>", text) if part.strip()]
    if len(parts) == 1:
        found = _BULLET.match(parts[0])
        return (Line(plain(found[2]), number, ITEM) if found else Line(plain(parts[0]), number),)
    return tuple(Line(plain(re.sub(r"^[-*•]\s+", "", part)), number, ITEM) for part in parts)


def _with_depths(lines: list[Line]) -> list[Line]:
    """Depths of nesting instead of indents."""
    indents: list[int] = []
    found = []
    for line in lines:
        if line.mark != ITEM:
            indents = [] if line.level or line.gap else indents
            found.append(replace(line, depth=0))
            continue
        while indents and indents[-1] > line.depth:
            indents.pop()
        if not indents or indents[-1] < line.depth:
            indents.append(line.depth)
        found.append(replace(line, depth=len(indents) - 1))
    return found
