"""Word documents to lines, by python-docx: styles, lists and tables; lines are paragraphs."""

from __future__ import annotations

import io
import re
import zipfile
from typing import TYPE_CHECKING

import docx
from docx.oxml.ns import qn
from docx.table import Table

from fhirpkg.authoring.drafting.lines import BOLD, ITEM, TITLE, Cell, Line, table_lines
from fhirpkg.errors import SourceError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from docx.blkcntnr import BlockItemContainer
    from docx.document import Document
    from docx.text.paragraph import Paragraph

    from fhirpkg.authoring.drafting.headings import Headings

_BULLET = re.compile(r"[-*•‣◦▪·–\uf0b7]\s+")


def read_docx(content: bytes, table: Headings, file: str) -> list[Line]:
    """The lines of a Word document; raises SourceError when it is none."""
    try:
        document = docx.Document(io.BytesIO(content))
    except (ValueError, KeyError, zipfile.BadZipFile) as error:
        raise SourceError(file, f"it cannot be read as a Word document ({error})") from error
    return [*_Reader(table).body(document), *_margins(document)]


class _Reader:
    def __init__(self, table: Headings) -> None:
        self._table = table
        self._line = 0

    def body(self, container: Document | BlockItemContainer) -> Iterator[Line]:
        """The lines of a document or a cell, its tables among them."""
        gap = True
        for block in container.iter_inner_content():
            if isinstance(block, Table):
                yield from self._rows(block)
                gap = True
                continue
            self._line += 1
            found = list(self._paragraph(block, gap=gap))
            yield from found
            gap = not found

    def _paragraph(self, paragraph: Paragraph, *, gap: bool) -> Iterator[Line]:
        style = (paragraph.style.name or "") if paragraph.style else ""
        heading = re.match(r"heading (\d)", style, re.IGNORECASE)
        depth = _list_depth(paragraph, style)
        for part in _text(paragraph).split("\n"):
            text = " ".join(part.split())
            if not text:
                continue
            if heading:
                yield Line(text, self._line, level=int(heading[1]), gap=gap)
            elif style.lower() in ("title", "subtitle"):
                yield Line(text, self._line, TITLE, gap=gap)
            elif depth is not None or _BULLET.match(text):
                yield Line(_BULLET.sub("", text, count=1), self._line, ITEM, depth=depth or 0)
            else:
                mark = BOLD if _is_bold(paragraph) else ""
                yield Line(text, self._line, mark, gap=gap)

    def _rows(self, found: Table) -> Iterator[Line]:
        rows: list[list[Cell]] = []
        for row in found.rows:
            cells: list[Cell] = []
            seen = None
            for cell in row.cells:
                if cell._tc is not seen:  # a merged cell is given once for each column it spans
                    cells.append(self._cell(tuple(self.body(cell))))
                seen = cell._tc
            rows.append(cells)
        has_header = len(rows) > 1 and _repeats(found)
        return table_lines(rows, self._table, has_header=has_header)

    def _cell(self, lines: Cell) -> Cell:
        plain = all(line.mark in ("", BOLD) for line in lines)
        if len(lines) > 1 and plain:
            return tuple(Line(line.text, line.line, ITEM) for line in lines)
        return lines


def _repeats(found: Table) -> bool:
    """Whether the first row is a header: it repeats on each page, or is all in bold."""
    row = found.rows[0]
    properties = row._tr.trPr
    if properties is not None and properties.find(qn("w:tblHeader")) is not None:
        return True
    paragraphs = [p for cell in row.cells for p in cell.paragraphs if p.text.strip()]
    return bool(paragraphs) and all(_is_bold(p) for p in paragraphs)


def _text(paragraph: Paragraph) -> str:
    """The text of a paragraph and of the text boxes anchored in it."""
    boxes = paragraph._p.iter(qn("w:txbxContent"))
    inner = ["".join(t.text or "" for t in p.iter(qn("w:t"))) for b in boxes for p in b]
    return "\n".join([paragraph.text, *dict.fromkeys(inner)])


def _list_depth(paragraph: Paragraph, style: str) -> int | None:
    """The depth of a list item; None for what is none."""
    properties = paragraph._p.pPr
    numbering = properties.find(qn("w:numPr")) if properties is not None else None
    level = numbering.find(qn("w:ilvl")) if numbering is not None else None
    if level is not None:
        return int(level.get(qn("w:val"), "0"))
    found = re.match(r"list (?:bullet|number|paragraph)\s*(\d?)", style, re.IGNORECASE)
    if numbering is None and (not found or "paragraph" in style.lower()):
        return None
    return int(found[1]) - 1 if found and found[1] else 0


def _is_bold(paragraph: Paragraph) -> bool:
    runs = [run for run in paragraph.runs if run.text.strip(" :.\t")]
    return bool(runs) and all(run.bold for run in runs)


def _margins(document: Document) -> Iterator[Line]:
    """Headers and footers, which are no part of the monograph."""
    seen = set()
    for section in document.sections:
        for where, part in (("a header", section.header), ("a footer", section.footer)):
            for paragraph in part.paragraphs:
                text = " ".join(paragraph.text.split())
                if text and text not in seen:
                    seen.add(text)
                    yield Line(text, 0, outside=where)
