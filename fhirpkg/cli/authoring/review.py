"""`fhirpkg review`: a sheet for readers, and their verdicts and sign-off back from it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from fhirpkg.cli import ExitCode
from fhirpkg.cli.authoring.codes import asked, terms_options, terms_that_know
from fhirpkg.cli.shared.content import folder_argument
from fhirpkg.cli.shared.language import language_option

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import datetime

    from fhirpkg.authoring.folder import Authored
    from fhirpkg.authoring.reviewing.filled import Entry, Reader
    from fhirpkg.authoring.reviewing.sheet import Sheet
    from fhirpkg.authoring.terms.sources import Sources
    from fhirpkg.issues import Issue, Resource

_FORMS = ("html", "xlsx")
_SPREADSHEETS = (".ods", ".xls", ".xlsm", ".xlsb", ".numbers")
_UNSAVED = dict.fromkeys(
    (".html", ".htm"),
    "; if it was filled in, save it with the button below it, not with the browser",
)


@click.command("review")
@folder_argument
@click.option(
    "--output",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write the sheet to this file.",
)
@click.option(
    "--format",
    "form",
    type=click.Choice(_FORMS),
    help="Its format; by default that of its file name.",
)
@click.option(
    "--read",
    "filled",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Read this filled-in sheet (.xlsx, .csv, .html, or lines of .txt) into review.yaml.",
)
@click.option("--by", help="With --read: who filled it in.")
@click.option(
    "--on", type=click.DateTime(["%Y-%m-%d"]), help="With --read: the day that it was filled in."
)
@language_option
@terms_options
def command(
    resources: Path,
    output: Path | None,
    form: str | None,
    filled: Path | None,
    by: str | None,
    on: datetime | None,
    language: str,
    packages: tuple[str, ...],
    files: tuple[str, ...],
    tx: str | None,
) -> ExitCode:
    """Make a sheet for readers of the procedures in RESOURCES, or read one back.

    The sheet holds each fact of the source with our words for it, the elements, codes with their
    official displays, criteria with limits and sources, a verdict and a comment to fill in, and a
    last line to sign. --read records verdicts and sign-off, with who and when, in review.yaml. A
    sheet of any language is read, all of it or nothing. Text lines are:
    PROCEDURE FACT DIGEST VERDICT: COMMENT

    Example: fhirpkg review resources --output review.xlsx, then
    fhirpkg review resources --read review.xlsx --by "Jo Doe, MD" --on 2027-02-01
    """
    from fhirpkg.authoring.folder import package_folder, read_procedure
    from fhirpkg.authoring.reviewing.filled import Reader
    from fhirpkg.languages.words import speaking

    if (output is None) == (filled is None):
        raise click.UsageError("give --output to write a sheet or --read to read a completed one")
    if filled and not (by and by.strip() and on):
        raise click.UsageError("--read needs --by NAME and --on DATE: who completed it, and when")
    kind = (form or output.suffix.removeprefix(".").lower()) if output else ""
    if output and kind not in _FORMS:
        raise click.UsageError(f"give --format {' or '.join(_FORMS)}, or a FILE of that suffix")
    authored, resources = read_procedure(resources), package_folder(resources)
    for issue in authored.issues:
        click.echo(str(issue), err=True)
    if not authored.is_usable:
        return ExitCode.ISSUES
    if output:
        terms = _terms(authored, resources, packages, files, tx)
        made = _made(authored)
        with speaking(language):
            return _write(_sheets(authored, made, terms), output, kind)
    assert filled, "checked above"
    assert by, "checked above"
    assert on, "checked above"
    reader = Reader(by.strip(), on.date().isoformat())
    sheets = _sheets(authored, _made(authored), _terms_of_nobody())
    return _read(resources, authored, sheets, filled, reader)


def _terms_of_nobody() -> Sources:
    from fhirpkg.authoring.terms.sources import Sources

    return Sources(())


def _terms(
    authored: Authored,
    resources: Path,
    packages: tuple[str, ...],
    files: tuple[str, ...],
    tx: str | None,
) -> Sources:
    """What knows displays of the codes of the procedures."""
    from fhirpkg.authoring.codes import codings
    from fhirpkg.authoring.terms import lock
    from fhirpkg.authoring.terms.sources import Sources

    named = {
        (coding.system, coding.code)
        for procedure in authored.procedures.values()
        for lines in procedure.codes.values()
        for line in lines
        for coding in codings(line)
    }
    locked = lock.read(resources)
    found = [*([locked] if locked else [])]
    found += terms_that_know({system for system, _ in named}, packages, files)
    if tx:
        known = Sources(tuple(found))
        found.append(asked(tx, [key for key in sorted(named) if not known.find(*key)])[0])
    return Sources(tuple(found))


def _made(authored: Authored) -> Mapping[str, Sequence[Resource]]:
    """The resources of each procedure, which are the same whatever language the sheet speaks."""
    from fhirpkg.authoring.build import build

    assert authored.package, "the folder is usable"
    return build(authored.package, authored.procedures, beside=authored.beside)


def _sheets(
    authored: Authored, made: Mapping[str, Sequence[Resource]], terms: Sources
) -> list[Sheet]:
    from fhirpkg.authoring.reviewing.sheet import sheet

    assert authored.package, "the folder is usable"
    return [
        sheet(authored.package, procedure, made[name], authored.reviews[name], terms, name)
        for name, procedure in authored.procedures.items()
    ]


def _write(sheets: list[Sheet], output: Path, kind: str) -> ExitCode:
    from fhirpkg.authoring.reviewing.page import page
    from fhirpkg.authoring.reviewing.spreadsheet import workbook
    from fhirpkg.authoring.writing import replace

    replace(output, workbook(sheets) if kind == "xlsx" else page(sheets))
    lines = sum(len(sheet.lines) for sheet in sheets)
    click.echo(f"{output}: {lines} lines of {_count(len(sheets))}", err=True)
    return ExitCode.DONE


def _read(
    resources: Path, authored: Authored, sheets: list[Sheet], filled: Path, reader: Reader
) -> ExitCode:
    """Take the verdicts of a sheet, all or none of them."""
    from fhirpkg.authoring.reviewing.filled import check, merged, overruled
    from fhirpkg.authoring.reviewing.keeping import written
    from fhirpkg.authoring.writing import replace
    from fhirpkg.issues import in_order
    from fhirpkg.packages.freshness import REVIEW

    entries, issues = _entries(filled)
    by_id = {sheet.procedure: sheet for sheet in sheets}
    issues += check(entries, by_id)
    for issue in in_order(issues):
        click.echo(str(issue))
    if issues:
        click.echo(f"{filled}: nothing was read from it", err=True)
        return ExitCode.ISSUES
    entries = [entry for entry in entries if entry.is_filled]
    if not entries:
        click.echo(
            f"{filled}: it holds no verdict{_UNSAVED.get(filled.suffix.lower(), '')}", err=True
        )
        return ExitCode.ISSUES
    texts: dict[Path, bytes] = {}
    replaced: list[str] = []
    for name, procedure in authored.procedures.items():
        mine = [entry for entry in entries if entry.procedure == procedure.id]
        if mine:
            file = resources / name / REVIEW
            before = file.read_text("utf-8") if file.is_file() else ""
            replaced += overruled(authored.reviews[name], mine, reader)
            review = merged(authored.reviews[name], mine, reader)
            texts[file] = written(review, before).encode()
    for file, data in texts.items():
        replace(file, data)
        click.echo(str(file))
    click.echo("\n".join(_told(entries, by_id, filled, replaced)), err=True)
    return ExitCode.DONE


def _entries(filled: Path) -> tuple[list[Entry], list[Issue]]:
    from fhirpkg.authoring.reviewing import page, spreadsheet
    from fhirpkg.errors import SourceError

    readers = {
        ".xlsx": spreadsheet.entries,
        ".csv": spreadsheet.entries_of_csv,
        ".html": page.entries,
        ".htm": page.entries,
        ".txt": page.entries_of_text,
    }
    read = readers.get(filled.suffix.lower())
    if read is None:
        advice = "save it as .xlsx" if filled.suffix.lower() in _SPREADSHEETS else ""
        raise SourceError(str(filled), f"its name must end in one of {', '.join(readers)}", advice)
    try:
        data = filled.read_bytes()
    except OSError as error:
        raise SourceError(str(filled), error.strerror or str(error)) from error
    return read(data, str(filled))


def _told(
    entries: list[Entry], sheets: Mapping[str, Sheet], filled: Path, replaced: list[str]
) -> Iterator[str]:
    from fhirpkg.authoring.reviewing.filled import is_of_now
    from fhirpkg.authoring.reviewing.sheet import SIGN_OFF

    verdicts = [entry for entry in entries if entry.label != SIGN_OFF]
    old = [entry for entry in entries if not is_of_now(entry, sheets[entry.procedure])]
    signed = len(entries) - len(verdicts)
    yield f"{filled}: {len(verdicts)} verdicts, {signed} sign-offs"
    if old:
        names = ", ".join(f"{entry.procedure} {entry.label}" for entry in old)
        yield f"about an earlier wording, so recorded as stale: {names}"
    if replaced:
        yield f"verdicts of another reader that were replaced: {'; '.join(replaced)}"
    if entries:
        yield "run 'fhirpkg build', so that the resources name those who signed"


def _count(number: int) -> str:
    return f"{number} procedure" if number == 1 else f"{number} procedures"
