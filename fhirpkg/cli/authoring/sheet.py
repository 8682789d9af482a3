"""`fhirpkg sheet`: content as a build sheet for those who type it into their own system."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from fhirpkg.cli import ExitCode
from fhirpkg.cli.shared.content import content_argument
from fhirpkg.cli.shared.language import language_option

if TYPE_CHECKING:
    from fhirpkg.sheets.tables import BuildSheet

_FORMS = ("xlsx", "docx", "html")
_FILE = click.Path(path_type=Path, dir_okay=False)


@click.command("sheet")
@content_argument
@click.option("--output", type=_FILE, required=True, metavar="FILE", help="The file to write.")
@click.option(
    "--format",
    "form",
    type=click.Choice(_FORMS),
    help="Its format; by default that of its file name.",
)
@click.option(
    "--as",
    "identity",
    metavar="NAME#VERSION",
    help="The package's name, for content that does not state it.",
)
@language_option
def command(
    content: str | None, output: Path, form: str | None, identity: str | None, language: str
) -> ExitCode:
    """Make a build sheet of CONTENT for teams whose EHR cannot import FHIR definitions.

    CONTENT is a folder, package, Bundle, NDJSON or NAME#VERSION; without it the current folder if
    it is a package, else its ./resources. Each PlanDefinition becomes an order set: items with
    codes by system, defaults, conditions in words, instructions, documents and columns to fill in
    and sign; then alerts, lists of codes, forms, documents, goals and logic. Exit code 1 when there
    is no PlanDefinition, and nothing is written.

    Example: fhirpkg sheet resources --output build.xlsx
    """
    from fhirpkg.authoring.writing import replace
    from fhirpkg.bundling.reading import Selection, read_content
    from fhirpkg.canonical import PackageId
    from fhirpkg.languages.words import speaking
    from fhirpkg.sheets.making import build_sheet

    kind = form or output.suffix.removeprefix(".").lower()
    if kind not in _FORMS:
        raise click.UsageError("give --format xlsx, docx or html, or a FILE of that suffix")
    try:
        named = PackageId.parse(identity) if identity else None
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--as") from error
    read = read_content(content, Selection(identity=named))
    for note in read.notes:
        click.echo(f"note: {note}", err=True)
    with speaking(language):
        sheet = build_sheet(read.resources, str(read.id))
        if sheet.plans:
            replace(output, _written(sheet, kind))
    if not sheet.plans:
        click.echo(
            f"{read.source}: it has no PlanDefinition, so there is nothing to build", err=True
        )
        return ExitCode.ISSUES
    rows = sum(len(table.rows) for table in sheet.tables)
    click.echo(f"{output}: {len(sheet.tables)} tables, {rows} rows", err=True)
    return ExitCode.DONE


def _written(sheet: BuildSheet, kind: str) -> bytes:
    """The bytes of a form; only what it needs is imported."""
    if kind == "xlsx":
        from fhirpkg.sheets.spreadsheet import workbook

        return workbook(sheet)
    if kind == "docx":
        from fhirpkg.sheets.word import document

        return document(sheet)
    from fhirpkg.sheets.page import page

    return page(sheet)
