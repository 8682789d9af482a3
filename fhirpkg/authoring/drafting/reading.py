"""A monograph in any of its formats to lines."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fhirpkg.authoring.drafting.plain_text import read_text
from fhirpkg.errors import SourceError

if TYPE_CHECKING:
    from pathlib import Path

    from fhirpkg.authoring.drafting.headings import Headings
    from fhirpkg.authoring.drafting.lines import Line

FORMATS = (".txt", ".text", ".md", ".markdown", ".html", ".htm", ".xhtml", ".docx")


def read(file: Path, content: bytes, table: Headings) -> list[Line]:
    """The lines of a monograph, by the ending of its name.

    Raises SourceError for a format that is not read, and for what is not of its format.
    """
    kind = file.suffix.lower()
    if kind not in FORMATS:
        raise SourceError(str(file), f"'{kind}' cannot be read", f"use one of {', '.join(FORMATS)}")
    other = next((name for start, name in _OTHERS.items() if content.startswith(start)), "")
    if other and (kind != ".docx" or other != _ZIP):
        raise SourceError(str(file), f"it is {other}", "save its text as .docx, .html or .txt")
    if not content.strip():
        raise SourceError(str(file), "it is empty")
    if kind == ".docx":
        from fhirpkg.authoring.drafting.word import read_docx  # noqa: PLC0415 - slow to load

        return read_docx(content, table, str(file))
    if kind in (".html", ".htm", ".xhtml"):
        from fhirpkg.authoring.drafting.markup import read_html  # noqa: PLC0415 - slow to load

        return read_html(content, table, str(file))
    return read_text(_decoded(content, file), table)


def _decoded(content: bytes, file: Path) -> str:
    for encoding in ("utf-8-sig", "utf-16") if content[:2] in _UTF_16 else ("utf-8-sig", "cp1252"):
        try:
            return content.decode(encoding).replace("\r\n", "\n").replace("\r", "\n")
        except UnicodeDecodeError:
            continue
    raise SourceError(str(file), "it is not text in UTF-8", "save it in UTF-8")


_ZIP = "a zip archive, such as a Word document"
_OTHERS = {
    b"%PDF": "a PDF",
    b"\xd0\xcf\x11\xe0": "a document of Word before 2007",
    b"{\\rtf": "a document in RTF",
    b"PK\x03\x04": _ZIP,
}
"""What files begin with that are not of the format that their name says."""
_UTF_16 = (b"\xff\xfe", b"\xfe\xff")
