"""A build sheet as an Excel workbook: a cover, and a worksheet for each table."""

from __future__ import annotations

import math
from copy import copy
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from openpyxl.styles import Alignment, Border, Font, PatternFill, Side
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.properties import Outline

from fhirpkg.languages.words import gettext
from fhirpkg.render.workbook import TO_FILL_IN, empty, landscape, saved, sheet_name, write
from fhirpkg.sheets.fixed import fixed
from fhirpkg.sheets.tables import Paper, lines, spread

if TYPE_CHECKING:
    from collections.abc import Sequence

    from openpyxl import Workbook
    from openpyxl.cell import Cell, MergedCell
    from openpyxl.styles.cell_style import StyleArray
    from openpyxl.worksheet.worksheet import Worksheet

    from fhirpkg.sheets.tables import BuildSheet, Column, Row, Table

_FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""What a spreadsheet program may take for a formula when the cell is edited or saved as CSV."""
_LONGEST = 32_000
"""Excel takes 32,767 letters in a cell."""
_TALLEST = 409.0
_LINE = 13.5
_PAGE = Paper(room=250, narrowest=6, to_fill_in=11, letter=1.1, margin=2)
"""Letters, of which so many beside each other can still be read on A4 across: at 60 %, in 6 pt."""
_FONT = "Calibri"
_PLAIN, _BOLD = Font(name=_FONT, size=10), Font(name=_FONT, size=10, bold=True)
_TITLE = Font(name=_FONT, size=16, bold=True)
_HEAD = PatternFill("solid", fgColor="DCE6F2")
_GROUP = PatternFill("solid", fgColor="F1F5FA")
_THIN = Side(style="thin", color="BFC7D1")
_STYLES: WeakKeyDictionary[Workbook, dict[object, StyleArray]] = WeakKeyDictionary()
_EDGES = Border(left=_THIN, right=_THIN, top=_THIN, bottom=_THIN)


def workbook(sheet: BuildSheet) -> bytes:
    """The workbook; the same content gives the same bytes."""
    book = empty()
    book.properties.title, book.properties.creator = sheet.title, "fhirpkg"
    _cover(book.create_sheet(gettext("Cover")), sheet)
    for table in sheet.tables:
        _fill(book.create_sheet(_name(table.title, book.sheetnames)), table)
    return fixed(saved(book), sheet.date)


def _name(title: str, taken: Sequence[str]) -> str:
    """A name that Excel takes and that no other worksheet has."""
    name = sheet_name(title).strip("' ")[:31].strip() or gettext("Sheet")
    number = 2
    while name.lower() in {each.lower() for each in taken}:
        ending = f" {number}"
        name, number = name[: 31 - len(ending)] + ending, number + 1
    return name


def _cover(page: Worksheet, sheet: BuildSheet) -> None:
    """Title, guide, facts, and lines to sign."""
    page.column_dimensions["A"].width = 22
    for letter in "BCD":
        page.column_dimensions[letter].width = 40
    _write(page.cell(1, 1), gettext("Build sheet: {name}", name=sheet.title), _TITLE, wraps=False)
    page.cell(1, 1).border = Border()
    page.row_dimensions[1].height = 26
    row = 2
    for text in sheet.guide:
        row = _across(page, row, 1, text)
    for name, text in sheet.facts:
        _write(page.cell(row, 1), name, _BOLD)
        row = _across(page, row, 2, text)
    row += 1
    for column, text in enumerate(("Sign-off", "Name", "Date", "Signature"), 1):
        _write(page.cell(row, column), gettext(text), _BOLD, _HEAD)
    for row, role in enumerate(sheet.signatures, row + 1):  # noqa: B020 - on from the head
        _write(page.cell(row, 1), role)
        page.row_dimensions[row].height = 2 * _LINE
        for column in (2, 3, 4):
            _write(page.cell(row, column), "", fill=TO_FILL_IN)
    _printed(page)


def _across(page: Worksheet, row: int, column: int, text: str) -> int:
    """A text from a column to the last, as high as it needs; the next row."""
    _write(page.cell(row, column), text)
    page.merge_cells(start_row=row, end_row=row, start_column=column, end_column=4)
    page.row_dimensions[row].height = _height([(text, 140 if column == 1 else 118)])
    return row + 1


def _fill(page: Worksheet, table: Table) -> None:
    """The head, frozen with the number and the name of a row, and the rows, which fold by level."""
    groups, widths = _columns(table)
    for number, (head, width) in enumerate(zip(groups, widths, strict=True), 1):
        _write(page.cell(1, number), gettext(head), _BOLD, _HEAD)
        page.column_dimensions[get_column_letter(number)].width = width
    for place, cells in enumerate(table.rows):
        row = place + 2
        is_heading = place in table.headings
        texts = [_said(cells, columns) for columns in groups.values()]
        for number, ((head, columns), text) in enumerate(
            zip(groups.items(), texts, strict=True), 1
        ):
            cell = page.cell(row, number)
            fill = TO_FILL_IN if columns[0].to_fill_in else _GROUP if is_heading else None
            font = _BOLD if is_heading and head == "Item" else _PLAIN
            _write(cell, text, font, fill)
            if head == "Item" and table.levels:
                indent = min(table.levels[place], 15)
                cell.alignment = Alignment("left", "top", wrap_text=True, indent=indent)
        page.row_dimensions[row].height = _height([*zip(texts, widths, strict=True)])
        if table.levels and table.levels[place]:
            page.row_dimensions[row].outline_level = min(table.levels[place], 7)
    page.sheet_properties.outlinePr = Outline(summaryBelow=False)
    _frozen(page, [*groups], len(table.rows))
    _printed(page)


def _columns(table: Table) -> tuple[dict[str, tuple[Column, ...]], Sequence[float]]:
    """The columns by their heads, and their widths; in groups where a page is too narrow for all.

    What is to be filled in keeps a column of its own.
    """
    used = table.used()
    widths = [_width(column, table) for column in used]
    if sum(widths) <= _PAGE.room:
        return {column.head: (column,) for column in used}, widths
    groups: dict[str, tuple[Column, ...]] = {}
    for column in used:
        name = column.head if column.to_fill_in else column.group
        groups[name] = (*groups.get(name, ()), column)
    return groups, spread(groups, table.rows, _PAGE)


def _said(row: Row, columns: tuple[Column, ...]) -> str:
    """What a row says in a column, or in several that share one, each behind its head."""
    if len(columns) == 1:
        return row.get(columns[0].head, "")
    found = lines(row, columns)
    return "\n".join(f"{head}: {text}" if head else text for head, text in found)


def _width(column: Column, table: Table) -> int:
    """As wide as its words, and no wider than it should be."""
    texts = (row.get(column.head, "") for row in table.rows)
    longest = max((len(line) for text in texts for line in text.split("\n")), default=0)
    most = max(longest, len(gettext(column.head))) + 4
    return column.width if column.to_fill_in else min(column.width, most)


def _frozen(page: Worksheet, heads: Sequence[str], rows: int) -> None:
    fixed_columns = 2 if heads[0] == "No." else 1
    page.freeze_panes = f"{get_column_letter(fixed_columns + 1)}2"
    page.print_title_rows = "1:1"
    page.auto_filter.ref = f"A1:{get_column_letter(len(heads))}{rows + 1}"


def _printed(page: Worksheet) -> None:
    """Landscape, one page wide, with the name of the worksheet and page numbers below."""
    landscape(page)
    page.page_setup.paperSize = page.PAPERSIZE_A4
    page.page_setup.fitToWidth = 1
    footer = page.oddFooter
    assert footer is not None, "a new worksheet has one"
    assert footer.left is not None, "and it has all its parts"
    assert footer.right is not None, "and it has all its parts"
    footer.left.text, footer.right.text = "&A", "&P / &N"
    margins = page.page_margins
    margins.left = margins.right = margins.top = 0.4
    margins.bottom = 0.6


def _height(texts: Sequence[tuple[str, float]]) -> float:
    """How high a row is, in points: Excel does not measure cells that nobody has opened."""
    lines = (
        sum(max(1, math.ceil(len(line) * 1.1 / width)) for line in text.split("\n"))
        for text, width in texts
    )
    return min(_TALLEST, max(lines, default=1) * _LINE + 4)


def _write(
    cell: Cell | MergedCell,
    text: str,
    font: Font = _PLAIN,
    fill: PatternFill | None = None,
    *,
    wraps: bool = True,
) -> None:
    """A text as a text, whatever it begins with.

    A style is found by its parts once for a workbook: openpyxl takes long to compare them.
    """
    text = text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"
    is_quoted = text.startswith(_FORMULA)
    book = cell.parent.parent
    assert book is not None, "a cell is made in a workbook"
    styles = _STYLES.setdefault(book, {})
    styled: Any = cell  # openpyxl's types lack its style
    key = (id(font), id(fill), wraps, is_quoted)
    if key in styles:
        cell.value = text
        if text:
            cell.data_type = "s"
        styled._style = copy(styles[key])  # noqa: SLF001 - as openpyxl's manual copies styles
        return
    write(cell, text, wraps=wraps)
    cell.quotePrefix = is_quoted
    cell.border, cell.font = _EDGES, font
    if fill:
        cell.fill = fill
    styles[key] = copy(styled._style)  # noqa: SLF001 - as above
