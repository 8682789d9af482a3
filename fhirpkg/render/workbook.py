"""What every workbook of ours has: texts that stay texts, names that Excel takes, landscape."""

from __future__ import annotations

import io
import re
from typing import TYPE_CHECKING

import openpyxl
from openpyxl.styles import Alignment, PatternFill
from openpyxl.worksheet.properties import PageSetupProperties

if TYPE_CHECKING:
    from openpyxl.cell import Cell, MergedCell
    from openpyxl.worksheet.worksheet import Worksheet

TO_FILL_IN = PatternFill("solid", fgColor="FFF7D6")
"""The tint of a cell that a reader fills in."""
_FORBIDDEN = re.compile(r"[:\\/?*\[\]]")
"""What Excel does not take in the name of a worksheet."""


def empty() -> openpyxl.Workbook:
    """A workbook without a worksheet."""
    book = openpyxl.Workbook()
    assert book.active is not None, "a new workbook has one worksheet"
    book.remove(book.active)
    return book


def saved(book: openpyxl.Workbook) -> bytes:
    """The file."""
    data = io.BytesIO()
    book.save(data)
    return data.getvalue()


def sheet_name(title: str) -> str:
    """A title without the characters that Excel refuses; more than 31 it refuses too."""
    return _FORBIDDEN.sub("-", title)


def write(cell: Cell | MergedCell, text: str, *, wraps: bool = True) -> None:
    """A text as a text, whatever it begins with."""
    cell.value = text
    if text:
        cell.data_type = "s"
    cell.number_format = "@"
    cell.alignment = Alignment(wrap_text=wraps, vertical="top")


def landscape(page: Worksheet) -> None:
    """Printed across, as many pages high as it needs."""
    page.page_setup.orientation, page.page_setup.fitToHeight = "landscape", 0
    page.sheet_properties.pageSetUpPr = PageSetupProperties(fitToPage=True)
