"""A sheet for readers as one HTML page with fields, and back; and lines of plain text, back."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from lxml import etree, html

from fhirpkg.authoring.reviewing.filled import Entry, plain_verdict, report
from fhirpkg.authoring.reviewing.form import COLUMNS, GUIDE, heads, missing
from fhirpkg.authoring.reviewing.rules import REVIEW_COLUMNS, REVIEW_LINE
from fhirpkg.errors import SourceError
from fhirpkg.render.environment import render

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fhirpkg.authoring.reviewing.sheet import Sheet
    from fhirpkg.issues import Issue

_ADVICE = "give a sheet of 'fhirpkg review --output FILE.html', saved with the button below it"
_LINE = re.compile(
    r"(?P<procedure>\S+)\s+(?P<fact>\S+)\s+(?P<digest>[0-9a-f]{12})\s+"
    r"(?P<verdict>[^\W\d_]+(?: +[^\W\d_]+)*)\s*(?::\s*(?P<note>.*))?"
)


def page(sheets: Sequence[Sheet]) -> bytes:
    """The page: it loads nothing; its button saves it with what was filled in."""
    return render("review.html", sheets=sheets, columns=COLUMNS, guide=GUIDE).encode() + b"\n"


def entries(data: bytes, file: str) -> tuple[list[Entry], list[Issue]]:
    """The lines of a page that came back, and what of its form is wrong.

    Raises SourceError when it is not such a page.
    """
    try:
        root = html.document_fromstring(data.decode("utf-8-sig"))
    except (etree.ParserError, ValueError) as error:
        raise SourceError(file, f"it is not HTML ({error})", _ADVICE) from error
    found: list[Entry] = []
    issues: list[Issue] = []
    tables = root.findall(".//table[@data-procedure]")
    if not tables:
        raise SourceError(file, "it holds no table of a review", _ADVICE)
    for table in tables:
        _read(table, file, found, issues)
    return found, issues


def _read(table: html.HtmlElement, file: str, found: list[Entry], issues: list[Issue]) -> None:
    procedure = str(table.get("data-procedure"))
    rows = table.findall(".//tr")
    names = heads(map(_text, rows[0])) if rows else []
    problem = missing(names)
    if problem:
        at = Entry(file, procedure, 1, procedure, "", "", "")
        issues.append(report(at, REVIEW_COLUMNS, problem=problem, columns=", ".join(COLUMNS)))
        return
    for number, row in enumerate(rows[1:], 2):
        cells = dict(zip(names, row, strict=False))
        text = {name: _text(cell) for name, cell in cells.items()}
        chosen = row.find(".//option[@selected]")
        note = row.find(".//textarea")
        found.append(
            Entry(
                file,
                procedure,
                number,
                procedure,
                text.get("Fact", ""),
                text.get("Digest", ""),
                "" if chosen is None else plain_verdict(_text(chosen)),
                "" if note is None else _text(note),
                str(cells["Words"].text_content()) if "Words" in cells else "",
            )
        )


def _text(element: html.HtmlElement) -> str:
    return str(element.text_content()).strip()


def entries_of_text(data: bytes, file: str) -> tuple[list[Entry], list[Issue]]:
    """Lines typed from paper: procedure, fact, digest, verdict, and a comment after a colon.

    Empty lines and those that begin with ``#`` are passed over.
    """
    found: list[Entry] = []
    issues: list[Issue] = []
    try:
        lines = data.decode("utf-8-sig").splitlines()
    except UnicodeDecodeError as error:
        raise SourceError(file, f"it is not text in UTF-8 ({error.reason})") from error
    for number, text in enumerate(lines, 1):
        if not text.strip() or text.startswith("#"):
            continue
        read = _LINE.fullmatch(text.strip())
        if not read:
            issues.append(report(Entry(file, file, number, "", "", "", ""), REVIEW_LINE))
            continue
        note = (read["note"] or "").strip()
        words = (
            read["procedure"],
            read["fact"],
            read["digest"],
            plain_verdict(read["verdict"]),
            note,
        )
        found.append(Entry(file, file, number, *words))
    return found, issues
