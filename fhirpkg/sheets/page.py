"""A build sheet as one HTML page that loads nothing, to read and to print."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fhirpkg.render.environment import render
from fhirpkg.sheets.tables import lines

if TYPE_CHECKING:
    from fhirpkg.sheets.tables import BuildSheet


def page(sheet: BuildSheet) -> bytes:
    """The page; the same content gives the same bytes."""
    return render("sheet.html", sheet=sheet, lines=lines).encode() + b"\n"
