"""Word documents to lines, by python-docx: styles, lists and tables; lines are paragraphs."""

from __future__ import annotations

import io
import re
import zipfile
from typing import TYPE_CHECKING

import docx
import lxml.etree
from docx.oxml.ns import qn
from docx.oxml.table import CT_Tbl
from docx.oxml.text.paragraph import CT_P
from docx.oxml.text.run import CT_R
from docx.table import Table
from docx.text.paragraph import Paragraph
from docx.text.run import Run

from fhirpkg.authoring.drafting.lines import BOLD, ITEM, TITLE, Cell, Line, looks, table_lines
from fhirpkg.errors import SourceError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from docx.document import Document
    from docx.types import ProvidesStoryPart
    from lxml.etree import _Element

    from fhirpkg.authoring.drafting.headings import Headings

_BULLET = re.compile(r"[-*•‣◦▪·–☐☑☒□■\uf0b7]\s+")
_WRAPPERS = frozenset(qn(f"w:{tag}") for tag in ("sdt", "sdtContent", "customXml", "ins", "moveTo"))
"""What may be around paragraphs and tables: content controls, changes that are tracked."""
_LEFT_OUT = frozenset((
    qn("w:del"), qn("w:moveFrom"), qn("w:txbxContent"), qn("w:sdtPr"), qn("w:rPr"), qn("w:pPr"),
    "{http://schemas.openxmlformats.org/markup-compatibility/2006}Fallback",
))  # fmt: skip
_SIGNS = {qn("w:tab"): " ", qn("w:br"): "\n", qn("w:cr"): "\n", qn("w:noBreakHyphen"): "-"}
_NOTES = {"footnotes": "a footnote", "endnotes": "an endnote"}


def read_docx(content: bytes, table: Headings, file: str) -> list[Line]:
    """The lines of a Word document; raises SourceError when it is not one."""
    try:
        document = docx.Document(io.BytesIO(content))
    except (ValueError, KeyError, zipfile.BadZipFile) as error:
        raise SourceError(file, f"it cannot be read as a Word document ({error})") from error
    return [
        *_Reader(table).body(document.element.body, document),
        *_margins(document),
        *_notes(document),
    ]


class _Reader:
    def __init__(self, table: Headings) -> None:
        self._table = table
        self._line = 0

    def body(self, element: _Element, container: ProvidesStoryPart) -> Iterator[Line]:
        """The lines of a document or a cell, its tables among them."""
        gap = True
        for block in _blocks(element, container):
            if isinstance(block, Table):
                yield from self._rows(block)
                gap = True
                continue
            self._line += 1
            found = list(self._paragraph(block, gap=gap))
            found += (line for box in _boxes(block) for line in self._paragraph(box, gap=gap))
            yield from found
            gap = not found

    def _paragraph(self, paragraph: Paragraph, *, gap: bool) -> Iterator[Line]:
        style = (paragraph.style.name or "") if paragraph.style else ""
        level = _heading_level(paragraph)
        depth = _list_depth(paragraph, style)
        for part in _parts(paragraph):
            text = " ".join("".join(words for words, _ in part).split())
            if not text:
                continue
            mark, opening = looks(part)
            if level:
                yield Line(text, self._line, level=level, gap=gap)
            elif style.lower() in ("title", "subtitle"):
                yield Line(text, self._line, TITLE, gap=gap)
            elif depth is not None or _BULLET.match(text):
                text = _BULLET.sub("", text, count=1)
                yield Line(text, self._line, ITEM, depth=depth or 0, opening=opening)
            else:
                yield Line(text, self._line, mark, gap=gap, opening=opening)

    def _rows(self, found: Table) -> Iterator[Line]:
        rows: list[list[Cell]] = []
        above: set[object] = set()
        for row in found.rows:
            cells: list[Cell] = []
            seen = None
            for cell in row.cells:
                if cell._tc in above:  # a merged cell is given for each row and column it spans
                    cells.append(())
                elif cell._tc is not seen:
                    cells.append(self._cell(tuple(self.body(cell._tc, cell))))
                seen = cell._tc
            above = {cell._tc for cell in row.cells}
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


def _blocks(element: _Element, container: ProvidesStoryPart) -> Iterator[Paragraph | Table]:
    """The paragraphs and tables of a document or a cell, within content controls too."""
    for child in element:
        if isinstance(child, CT_P):
            yield Paragraph(child, container)
        elif isinstance(child, CT_Tbl):
            yield Table(child, container)
        elif child.tag in _WRAPPERS:
            yield from _blocks(child, container)


def _heading_level(paragraph: Paragraph) -> int:
    """The level of a heading, by its style, or one that it is based on, or its outline level."""
    style = paragraph.style
    properties = [paragraph._p.pPr]
    while style is not None:
        if found := re.match(r"heading (\d)", style.name or "", re.IGNORECASE):
            return int(found[1])
        properties.append(style.element.pPr)
        style = style.base_style
    for each in properties:
        level = each.find(qn("w:outlineLvl")) if each is not None else None
        if level is not None and (number := int(level.get(qn("w:val"), "9"))) < 9:
            return number + 1
    return 0


def _boxes(paragraph: Paragraph) -> Iterator[Paragraph]:
    """The paragraphs of the text boxes anchored in a paragraph; Word writes each of them twice."""
    seen = set()
    for box in paragraph._p.iter(qn("w:txbxContent")):
        inner = [Paragraph(p, paragraph._parent) for p in box.iter() if isinstance(p, CT_P)]
        text = "\n".join(_text(each._p) for each in inner)
        if text not in seen:
            yield from inner
        seen.add(text)


def _words(element: _Element, run: CT_R | None = None) -> Iterator[tuple[str, CT_R | None]]:
    """The text of an element in pieces, each with the run that it is in."""
    for child in element:
        if child.tag == qn("w:t"):
            yield child.text or "", run
        elif child.tag in _SIGNS:
            yield _SIGNS[child.tag], run
        elif child.tag not in _LEFT_OUT:
            yield from _words(child, child if isinstance(child, CT_R) else run)


def _text(element: _Element) -> str:
    return "".join(words for words, _ in _words(element))


def _list_depth(paragraph: Paragraph, style: str) -> int | None:
    """The depth of a list item; None for other paragraphs."""
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
    return looks([piece for part in _parts(paragraph) for piece in part])[0] == BOLD


def _parts(paragraph: Paragraph) -> list[list[tuple[str, bool]]]:
    """The lines of a paragraph, each in pieces of text that are in bold or not."""
    found: list[list[tuple[str, bool]]] = [[]]
    for words, run in _words(paragraph._p):
        is_bold = run is not None and _is_strong(Run(run, paragraph), paragraph)
        first, *others = words.split("\n")
        found[-1].append((first, is_bold))
        found += [[(each, is_bold)] for each in others]
    return found


def _is_strong(run: Run, paragraph: Paragraph) -> bool:
    """Whether a run is in bold or underlined, by itself or by the styles it is written in."""
    fonts = [run.font]
    for named in (run.style, paragraph.style):
        style = named
        while style is not None:
            fonts.append(style.font)
            style = style.base_style
    bold = next((font.bold for font in fonts if font.bold is not None), False)
    line = next((font.underline for font in fonts if font.underline is not None), False)
    return bool(bold or line)


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


def _notes(document: Document) -> Iterator[Line]:
    """Footnotes and endnotes, which belong to some fact: which one a person sees."""
    for relation in document.part.rels.values():
        where = _NOTES.get(relation.reltype.rpartition("/")[2])
        if where:
            for paragraph in lxml.etree.fromstring(relation.target_part.blob).iter(qn("w:p")):
                if text := " ".join(_text(paragraph).split()):
                    yield Line(text, 0, outside=where)
