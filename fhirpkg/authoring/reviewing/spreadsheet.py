"""A sheet for readers as an Excel workbook, a worksheet a procedure, and back."""

from __future__ import annotations

import csv
import io
import zipfile
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import openpyxl
from openpyxl.styles import Font
from openpyxl.utils import get_column_letter
from openpyxl.utils.exceptions import InvalidFileException
from openpyxl.worksheet.datavalidation import DataValidation

from fhirpkg.authoring.reviewing.filled import Entry, plain_verdict, report
from fhirpkg.authoring.reviewing.form import COLUMNS, GUIDE, MARK, READ, heads, missing
from fhirpkg.authoring.reviewing.rules import REVIEW_COLUMNS, REVIEW_FORMULA, REVIEW_MERGED
from fhirpkg.errors import SourceError
from fhirpkg.languages.words import gettext, recognized
from fhirpkg.render.workbook import TO_FILL_IN, empty, landscape, saved, sheet_name, write

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from openpyxl.cell import Cell, MergedCell
    from openpyxl.worksheet.worksheet import Worksheet

    from fhirpkg.authoring.reviewing.sheet import Line, Sheet
    from fhirpkg.issues import Issue

_WIDTHS = (18, 60, 40, 40, 30, 40, 24, 14, 40, 14)


def workbook(sheets: Sequence[Sheet]) -> bytes:
    """The workbook: of each procedure its id, how to fill the sheet in, the head and the lines."""
    book = empty()
    for sheet in sheets:
        title = sheet_name(sheet.folder if sheet.folder != "." else sheet.procedure)
        _fill(book.create_sheet(title[:31]), sheet)
    return saved(book)


def _fill(page: Worksheet, sheet: Sheet) -> None:
    page.append([gettext(MARK), sheet.procedure, f"{sheet.name} ({sheet.package})"])
    left_out = [
        gettext("Left out: {what}", what=f"{fact} ({reason})") for fact, reason in sheet.left_out
    ]
    for text in (*map(gettext, GUIDE), *left_out):
        page.append(["", text])
    page.append([*map(gettext, COLUMNS)])
    head = page.max_row
    for column in range(1, len(COLUMNS) + 1):
        page.cell(head, column).font = Font(bold=True)
    for row, line in enumerate(sheet.lines, head + 1):
        for column, text in enumerate(_cells(line), 1):
            write(page.cell(row, column), text)
        _offer(page, line, row)
    for number, width in enumerate(_WIDTHS, 1):
        page.column_dimensions[get_column_letter(number)].width = width
    page.freeze_panes = f"B{head + 1}"
    landscape(page)
    page.print_title_rows = f"{head}:{head}"


def _cells(line: Line) -> tuple[str, ...]:
    several = (line.elements, line.codes, line.criteria, line.sources)
    lists = ("\n".join(each) for each in several)
    return (line.label, line.words, *lists, line.earlier, "", "", line.digest)


def _offer(page: Worksheet, line: Line, row: int) -> None:
    """The verdicts to choose from, in the cell of the verdict; the cells to fill in are tinted."""
    offered = DataValidation(
        "list", formula1=f'"{",".join(map(gettext, line.verdicts))}"', allow_blank=True
    )
    page.add_data_validation(offered)
    offered.add(page.cell(row, COLUMNS.index("Verdict") + 1))
    for name in ("Verdict", "Comment"):
        page.cell(row, COLUMNS.index(name) + 1).fill = TO_FILL_IN


def entries(data: bytes, file: str) -> tuple[list[Entry], list[Issue]]:
    """The lines of a workbook that came back, and what of its form is wrong.

    Raises SourceError when it is not a workbook, or has no sheet of a review.
    """
    try:
        book = openpyxl.load_workbook(io.BytesIO(data), rich_text=False)
    except (OSError, ValueError, KeyError, zipfile.BadZipFile, InvalidFileException) as error:
        raise SourceError(file, f"it is not an Excel workbook ({error})", _ADVICE) from error
    return _of_pages(book.worksheets, file)


def _of_pages(pages: Iterable[Worksheet], file: str) -> tuple[list[Entry], list[Issue]]:
    found: list[Entry] = []
    issues: list[Issue] = []
    marks = recognized([MARK])
    ours = [page for page in pages if _text(page.cell(1, 1)).casefold() in marks]
    if not ours:
        raise SourceError(file, f"none of its sheets begins with '{MARK}'", _ADVICE)
    for page in ours:
        _read(page, file, found, issues)
    return found, issues


def entries_of_csv(data: bytes, file: str) -> tuple[list[Entry], list[Issue]]:
    """The lines of a worksheet that was saved as CSV, with commas, semicolons or tabs.

    Raises SourceError when it is not a sheet of a review.
    """
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        advice = "save it as 'CSV UTF-8' or as .xlsx"
        raise SourceError(file, "it is not CSV in UTF-8", advice) from error
    first = text.partition("\n")[0]
    delimiter = max(",;\t", key=first.count)
    page = openpyxl.Workbook().create_sheet(sheet_name(Path(file).stem)[:31])
    for row, cells in enumerate(csv.reader(io.StringIO(text), delimiter=delimiter), 1):
        for column, value in enumerate(cells, 1):
            write(page.cell(row, column), value)
    return _of_pages([page], file)


_ADVICE = "give a sheet of 'fhirpkg review --output FILE.xlsx' that was filled in"


def _read(page: Worksheet, file: str, found: list[Entry], issues: list[Issue]) -> None:
    procedure = _text(page.cell(1, 2))
    wanted = {"Fact", "Verdict"}
    head = next((r for r in range(1, page.max_row + 1) if wanted & set(_row(page, r))), 0)
    at = Entry(file, page.title, max(head, 1), procedure, "", "", "")
    names = _row(page, head) if head else []
    problem = missing(names) or _beside(page, head, names)
    if problem:
        issues.append(report(at, REVIEW_COLUMNS, problem=problem, columns=", ".join(COLUMNS)))
        return
    columns = {name: names.index(name) + 1 for name in READ}
    issues += _merged(at, page, head)
    for row in range(head + 1, page.max_row + 1):
        cells = {name: page.cell(row, column) for name, column in columns.items()}
        entry = _entry(Entry(file, page.title, row, procedure, "", "", ""), cells)
        issues += _formulas(entry, cells)
        if entry.label or entry.is_filled:
            found.append(entry)


def _beside(page: Worksheet, head: int, names: Sequence[str]) -> str:
    """A column that somebody has added and written into, as a second reader may; or nothing."""
    for column, name in enumerate(names, 1):
        below = (page.cell(row, column) for row in range(head + 1, page.max_row + 1))
        if name not in COLUMNS and any(map(_text, below)):
            said = f"'{name}'" if name else get_column_letter(column)
            return f"the column {said} was added and would not be read; each reader needs a sheet"
    return ""


def _entry(at: Entry, cells: dict[str, Cell | MergedCell]) -> Entry:
    text = {name: _text(cell) for name, cell in cells.items()}
    return Entry(
        at.file,
        at.sheet,
        at.row,
        at.procedure,
        text["Fact"],
        text["Digest"],
        plain_verdict(text["Verdict"]),
        "; ".join(filter(None, [text["Comment"], *_remarks(cells)])),
        str(cells["Words"].value or ""),
    )


def _remarks(cells: dict[str, Cell | MergedCell]) -> Iterator[str]:
    """What a reader pinned to a cell as a remark, and did not write into the comment."""
    for cell in cells.values():
        if cell.comment and cell.comment.text.strip():
            yield " ".join(cell.comment.text.split())


def _merged(at: Entry, page: Worksheet, head: int) -> Iterator[Issue]:
    """Cells that several lines share."""
    for cells in page.merged_cells.ranges:
        if cells.max_row > head and cells.max_row > cells.min_row:
            row = max(cells.min_row, head + 1)
            yield report(replace(at, row=row), REVIEW_MERGED, cells=cells.coord)


def _formulas(entry: Entry, cells: dict[str, Cell | MergedCell]) -> Iterator[Issue]:
    for name, cell in cells.items():
        if cell.data_type == "f":
            yield report(entry, REVIEW_FORMULA, cell=f"{cell.coordinate} ({name})")


def _row(page: Worksheet, row: int) -> list[str]:
    cells: Iterable[Cell | MergedCell] = page[row]
    return heads(map(_text, cells))


def _text(cell: Cell | MergedCell) -> str:
    """What a cell says; a date as people write it."""
    value = cell.value
    if isinstance(value, datetime):
        return value.date().isoformat()
    return "" if value is None else str(value).strip()
