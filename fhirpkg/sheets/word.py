"""A build sheet as a Word document: landscape, with few columns that hold several facts each."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import docx
from docx.enum.section import WD_ORIENT
from docx.oxml import OxmlElement
from docx.oxml.ns import qn
from docx.shared import Cm, Pt

from fhirpkg.languages.words import gettext, language
from fhirpkg.sheets.fixed import fixed
from fhirpkg.sheets.tables import Paper, lines, spread

if TYPE_CHECKING:
    from collections.abc import Sequence

    from docx.document import Document
    from docx.table import Table as WordTable
    from docx.table import _Cell, _Row
    from docx.text.paragraph import Paragraph

    from fhirpkg.sheets.tables import BuildSheet, Table

_PAPER = Paper(room=27.7, narrowest=1.2, to_fill_in=2.0, letter=0.18, margin=0.4)
"""Centimetres: those between the margins of A4 in landscape, and those of a bold letter."""
_LONG = 600
"""Letters in a cell from which a row may go on to the next page, not to leave one nearly empty."""


def document(sheet: BuildSheet) -> bytes:
    """The document; the same content gives the same bytes."""
    made = docx.Document()
    _laid_out(made)
    made.core_properties.title, made.core_properties.author = sheet.title, "fhirpkg"
    made.add_heading(gettext("Build sheet: {name}", name=sheet.title), 0)
    for text in sheet.guide:
        made.add_paragraph(text)
    _facts(made, sheet)
    for table in sheet.tables:
        made.add_heading(table.title, 1)
        for text in table.intro:
            made.add_paragraph(text)
        _fill(made, table)
    data = io.BytesIO()
    made.save(data)
    return fixed(data.getvalue(), sheet.date)


def _laid_out(made: Document) -> None:
    section = made.sections[0]
    section.orientation = WD_ORIENT.LANDSCAPE
    section.page_width, section.page_height = Cm(29.7), Cm(21)
    section.left_margin = section.right_margin = Cm(1)
    section.top_margin = section.bottom_margin = Cm(1.5)
    style = made.styles["Normal"]
    for spoken in made.styles.element.iter(qn("w:lang")):
        spoken.set(qn("w:val"), language())
    style.font.name, style.font.size = "Arial", Pt(8.5)
    style.paragraph_format.space_after = Pt(2)


def _facts(made: Document, sheet: BuildSheet) -> None:
    table = _table(made, (4.0, 23.7))
    for name, text in sheet.facts:
        row = _row(table)
        _said(row.cells[0].paragraphs[0], name, is_bold=True)
        _said(row.cells[1].paragraphs[0], text)
    made.add_heading(gettext("Sign-off"), 1)
    table = _table(made, (6.0, 8.0, 4.0, 9.7))
    _head(table, ("Role", "Name", "Date", "Signature"))
    for role in sheet.signatures:
        row = _row(table)
        row.height = Cm(0.9)
        _said(row.cells[0].paragraphs[0], role)


def _fill(made: Document, table: Table) -> None:
    groups = table.grouped()
    rows = table.on_paper()
    word = _table(made, spread(groups, rows, _PAPER))
    _head(word, tuple(groups))
    for place, cells in enumerate(rows):
        row = _row(word)
        said = [lines(cells, columns) for columns in groups.values()]
        if max(sum(len(text) for _, text in each) for each in said) < _LONG:
            _unbroken(row)
        for cell, columns, each in zip(row.cells, groups.values(), said, strict=True):
            is_heading = place in table.headings and not table.together
            _cell(cell, each, is_bold=is_heading and columns[0].head == "Item")


def _table(made: Document, widths: Sequence[float]) -> WordTable:
    table: WordTable = made.add_table(rows=0, cols=len(widths))
    table.style = made.styles["Table Grid"]
    table.autofit = False
    for column, width in zip(table.columns, widths, strict=True):
        column.width = Cm(width)
    return table


def _row(table: WordTable) -> _Row:
    row: _Row = table.add_row()  # type: ignore[no-untyped-call]
    return row


def _head(table: WordTable, names: Sequence[str]) -> None:
    """A first row that comes again on each page."""
    row = _row(table)
    for cell, name in zip(row.cells, names, strict=True):
        _said(cell.paragraphs[0], gettext(name), is_bold=True)
        shade = OxmlElement("w:shd")
        shade.set(qn("w:val"), "clear")
        shade.set(qn("w:fill"), "DCE6F2")
        cell._tc.get_or_add_tcPr().append(shade)  # noqa: SLF001 - python-docx has no other way
    _mark(row, "w:tblHeader")
    _unbroken(row)


def _unbroken(row: _Row) -> None:
    """Keep a row on one page, where it fits."""
    _mark(row, "w:cantSplit")


def _mark(row: _Row, name: str) -> None:
    row._tr.get_or_add_trPr().append(OxmlElement(name))  # noqa: SLF001 - python-docx has no other way


def _cell(cell: _Cell, said: Sequence[tuple[str, str]], *, is_bold: bool) -> None:
    """Facts below each other, each behind its head; the first fills the paragraph that is there."""
    for number, (head, text) in enumerate(said):
        paragraph = cell.add_paragraph() if number else cell.paragraphs[0]
        if head:
            _said(paragraph, f"{head}: ", is_bold=True)
        _said(paragraph, text, is_bold=is_bold and not number)


def _said(paragraph: Paragraph, text: str, *, is_bold: bool = False) -> None:
    paragraph.add_run(text).bold = is_bold or None
