"""`fhirpkg leaflets`: the documents for patients as PDF, to be printed and filled in."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from fhirpkg.cli import ExitCode
from fhirpkg.cli.shared.content import content_argument

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from fhirpkg.issues import Resource
    from fhirpkg.render.pdf import Paper


@click.command("leaflets")
@content_argument
@click.option(
    "--output",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("leaflets"),
    show_default=True,
    help="The folder to write to.",
)
@click.option(
    "--paper",
    type=click.Choice(["A4", "Letter"]),
    default="A4",
    show_default=True,
    help="Paper size.",
)
@click.option("--large-print", is_flag=True, help="Set the text in 18-point type.")
def command(content: str | None, output: Path, paper: Paper, large_print: bool) -> ExitCode:
    """Make a PDF of each document for patients in CONTENT: DOCUMENT.pdf.

    The PDF is tagged (PDF/UA) and has lines to fill in. It needs fhirpkg[pdf].

    Example: fhirpkg leaflets resources --paper Letter --output leaflets
    """
    from fhirpkg.authoring.writing import replace
    from fhirpkg.bundling.reading import read_content
    from fhirpkg.render.pdf import pdf

    read = read_content(content)
    for note in read.notes:
        click.echo(f"note: {note}", err=True)
    made = {
        resource["id"]: pdf(text, paper=paper, created=day, large_print=large_print)
        for resource, text, day in _documents(read.resources)
    }
    output.mkdir(parents=True, exist_ok=True)
    for name, data in made.items():
        file = output / f"{name}.pdf"
        replace(file, data)
        click.echo(f"{file} ({len(data)} bytes)")
    if not made:
        click.echo(f"{read.source} holds no document for patients", err=True)
    return ExitCode.DONE if made else ExitCode.ISSUES


def _documents(resources: Iterable[Resource]) -> Iterator[tuple[Resource, str, str]]:
    """Each DocumentReference that contains a page, with its text and its day."""
    from fhirpkg.untrusted import objects, text_in, text_of

    for resource in resources:
        for content in objects(resource, "content"):
            attachment = content.get("attachment")
            is_page = text_of(attachment, "contentType") == "application/xhtml+xml"
            if is_page and (text := text_in(attachment)):
                yield resource, text, text_of(attachment, "creation")[:10]
