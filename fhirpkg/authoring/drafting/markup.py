"""HTML to lines, by lxml: headings, lists, tables and paragraphs, wherever they are nested."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

import lxml.html

from fhirpkg.authoring.drafting.lines import BOLD, ITEM, TITLE, Cell, Line, looks, table_lines
from fhirpkg.errors import SourceError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from lxml.html import HtmlElement

    from fhirpkg.authoring.drafting.headings import Headings

_HIDDEN = frozenset("script style noscript template svg math title button select option".split())
_OUTSIDE = {
    "nav": "navigation", "footer": "a footer", "aside": "a side note",
    "figcaption": "the caption of a figure",
}  # fmt: skip
_BLOCKS = frozenset(
    "address article aside blockquote body caption center dd details div dl dt fieldset figcaption "
    "figure footer form h1 h2 h3 h4 h5 h6 header hr html legend li main nav ol p pre section "
    "summary table tbody td tfoot th thead tr ul".split()
)
_BOLD = frozenset("b strong u".split())
_STYLED_BOLD = re.compile(r"font-weight\s*:\s*(?:bold|[6-9]00)|text-decoration[^;]*underline")
_AROUND = re.compile(
    r"nav(bar|igation)?|menu|breadcrumbs?|cookies?|cookie-(banner|notice|bar)|site-?(header|footer)|footer|sidebar"
    r"|skip-?(link|nav|to-content)?|social|share|sharing|toolbar|pagination|advert\w*|related(-links)?"
)
"""Classes, ids and roles of what surrounds the text of a page."""
_BULLET = re.compile(r"[-*•‣◦▪·–§☐☑☒□■\uf0b7\uf0a7]\s+(?=\S)|o\s+(?=[A-Z])")
_NUMBER = re.compile(r"(\d{1,2}(?:\.\d{1,2})*|[a-z])[.)]\s+(?=\S)")


class _Reader:
    """Walks the tree; text is gathered until a block begins or ends."""

    def __init__(self, table: Headings) -> None:
        self.lines: list[Line] = []
        self._table = table
        self._words: list[tuple[str, bool]] = []
        self._line = self._started = 1
        self._mark, self._level, self._depth = "", 0, -1
        self._outside = ""

    def read(self, element: HtmlElement, *, is_bold: bool = False) -> None:
        """Read an element and what is in it, in bold if something around it is."""
        tag = element.tag
        if element.sourceline:
            self._line = max(self._line, element.sourceline)
        if not isinstance(tag, str) or _is_hidden(element):
            self._line += lxml.html.tostring(element, with_tail=False).count(b"\n")
            return
        if tag == "br":
            self.flush(keeps=True)
        elif tag in ("table", "dl"):
            self._block(element, is_bold=is_bold, inside=self._table_of)
        elif tag in _BLOCKS or tag == "button":
            is_bold = is_bold or _is_styled_bold(element)
            self._block(element, is_bold=is_bold, inside=self._inside)
        else:
            self._inside(element, is_bold=is_bold or tag in _BOLD or _is_styled_bold(element))

    def _inside(self, element: HtmlElement, *, is_bold: bool) -> None:
        self._text(element.text, is_bold=is_bold)
        for child in element:
            self.read(child, is_bold=is_bold)
            self._text(child.tail, is_bold=is_bold)

    def _text(self, text: str | None, *, is_bold: bool) -> None:
        if text and text.strip():
            if not self._words:
                before = text[: len(text) - len(text.lstrip())]
                self._started = self._line + before.count("\n")
            self._words.append((text, is_bold))
        elif text and self._words:
            self._words.append((" ", is_bold))
        self._line += (text or "").count("\n")

    def _block(self, element: HtmlElement, *, is_bold: bool, inside: _Inside) -> None:
        tag = str(element.tag)
        self.flush()
        kept = self._mark, self._level, self._depth, self._outside
        if re.fullmatch("h[1-6]", tag):
            self._mark, self._level = "", int(tag[1])
        elif tag in ("summary", "legend", "caption") or (tag == "button" and not self._level):
            self._mark, self._level = BOLD, 0
        elif tag == "li":
            self._mark, self._level = ITEM, 0
        elif tag in ("ul", "ol"):
            self._mark, self._depth = "", self._depth + 1
        elif tag == "p" and element.get("class") in ("MsoTitle", "MsoSubtitle"):
            self._mark = TITLE  # as Word writes it
        self._outside = self._outside or _OUTSIDE.get(tag, "") or _around(element)
        inside(element, is_bold=is_bold)
        self.flush()
        self._mark, self._level, self._depth, self._outside = kept

    def flush(self, *, keeps: bool = False) -> None:
        """End a line; `keeps` when the block goes on behind a line break."""
        text = " ".join("".join(words for words, _ in self._words).split())
        if text:
            mark, opening = looks(self._words)
            mark = self._mark if self._mark or self._level else mark
            level, depth, label = self._level, max(self._depth, 0), ""
            if not mark and not level:
                mark, label, text = _as_written(text)
            opening = opening if text.startswith(opening) else ""
            line = Line(
                text, self._started, mark, level, depth, label=label, gap=True, opening=opening
            )
            self.lines.append(replace(line, outside=self._outside))
            if self._mark == ITEM and not keeps:
                self._mark = ""  # what follows in the item is a paragraph of it
        self._words = []

    def _table_of(self, element: HtmlElement, *, is_bold: bool) -> None:
        if element.tag == "dl":
            rows, has_header = self._definitions(element), False
        else:
            found = [row for row in element.iter("tr") if _owner(row) is element]
            rows = _spanned([[*row.iterchildren("td", "th")] for row in found], self._cell)
            heads = [[cell.tag for cell in row if cell.tag in ("td", "th")] for row in found]
            has_header = bool(heads) and set(heads[0]) == {"th"} and len(heads[0]) > 1
            for caption in element.findall("caption"):
                self.read(caption, is_bold=is_bold)
        self.lines += (
            replace(line, outside=self._outside)
            for line in table_lines(rows, self._table, has_header=has_header)
        )

    def _definitions(self, element: HtmlElement) -> list[list[Cell]]:
        rows: list[list[Cell]] = []
        for part in element.iter("dt", "dd"):
            if part.tag == "dt" or not rows:
                rows.append([self._cell(part)])
            else:
                rows[-1].append(self._cell(part))
        return [[row[0], *map(_as_items, row[1:])] if len(row) > 2 else row for row in rows]

    def _cell(self, element: HtmlElement) -> Cell:
        inner = _Reader(self._table)
        inner._line = max(self._line, element.sourceline or 1)
        inner._inside(element, is_bold=False)
        inner.flush()
        self._line = inner._line
        lines = inner.lines
        if len(lines) > 1 and all(not line.mark for line in lines):
            lines = [replace(line, mark=ITEM) for line in lines]
        if element.tag == "th" and len(lines) == 1:
            lines = [replace(lines[0], mark=BOLD)]
        return tuple(lines)


if TYPE_CHECKING:
    from typing import Protocol

    class _Inside(Protocol):
        def __call__(self, element: HtmlElement, *, is_bold: bool) -> None: ...


def _as_items(cell: Cell) -> Cell:
    return tuple(replace(line, mark=ITEM) for line in cell)


def _as_written(text: str) -> tuple[str, str, str]:
    """The mark, the label and the words of a line: Word and old pages write bullets as text."""
    if found := _BULLET.match(text):
        return ITEM, "", text[found.end() :]
    if found := _NUMBER.match(text):
        return ITEM, found[1], text[found.end() :]
    return "", "", text


def _is_hidden(element: HtmlElement) -> bool:
    """What a reader of the page does not see as its text; a button that opens a part heads it."""
    if element.tag == "button":
        opens = any(element.get(name) for name in ("aria-expanded", "aria-controls"))
        return not (
            opens or any(re.fullmatch("h[1-6]", str(e.tag)) for e in element.iterancestors())
        )
    return element.tag in _HIDDEN or element.get("hidden") is not None


def _is_styled_bold(element: HtmlElement) -> bool:
    return bool(_STYLED_BOLD.search((element.get("style") or "").lower()))


def _around(element: HtmlElement) -> str:
    """Whether an element surrounds the text of a page, by its class, id or role."""
    if element.tag in ("html", "body", "main", "article") or element.find(".//h1") is not None:
        return ""
    words = " ".join(element.get(name) or "" for name in ("class", "id", "role")).lower().split()
    return "navigation" if any(_AROUND.fullmatch(word) for word in words) else ""


def _spanned(
    rows: Sequence[Sequence[HtmlElement]], cell: Callable[[HtmlElement], Cell]
) -> list[list[Cell]]:
    """The cells of a table; one that spans rows is there once, and empty in those below."""
    found: list[list[Cell]] = []
    open_: dict[int, int] = {}
    for row in rows:
        cells: list[Cell] = []
        rest = list(row)
        while rest or open_.get(len(cells), 0):
            column = len(cells)
            if open_.get(column, 0):
                open_[column] -= 1
                cells.append(())
            else:
                span = rest[0].get("rowspan") or "1"
                open_[column] = int(span) - 1 if span.isdigit() else 0
                cells.append(cell(rest.pop(0)))
        found.append(cells)
    return found


def _owner(row: HtmlElement) -> HtmlElement:
    return next(row.iterancestors("table"))


def read_html(content: bytes, table: Headings, file: str) -> list[Line]:
    """The lines of a page. Raises SourceError when it holds nothing to read."""
    try:
        root = lxml.html.document_fromstring(content, parser=_parser(content))
    except (lxml.etree.ParserError, ValueError) as error:
        raise SourceError(file, f"it cannot be read as HTML ({error})") from error
    reader = _Reader(table)
    title = next(root.iter("title"), None)
    reader.read(root)
    reader.flush()
    lines = reader.lines
    if (
        title is not None
        and title.text
        and not any(line.level == 1 or line.mark == TITLE for line in lines)
    ):
        lines.insert(0, Line(" ".join(title.text.split()), _line_of(title), TITLE))
    return lines


def read_piece(content: str, table: Headings) -> list[Line]:
    """The lines of HTML inside a text; of tags alone, none."""
    if not re.search(r">[^<]*\w", f">{content}"):
        return []
    return read_html(content.encode(), table, "")


def _line_of(element: HtmlElement) -> int:
    return int(str(element.sourceline or 1))


def _parser(content: bytes) -> lxml.html.HTMLParser:
    """UTF-8 where the text is that and the page says nothing else."""
    try:
        content.decode("utf-8")
    except UnicodeDecodeError:
        return lxml.html.HTMLParser()
    return lxml.html.HTMLParser(encoding="utf-8")
