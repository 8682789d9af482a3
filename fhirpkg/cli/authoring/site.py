"""`fhirpkg site`: content as pages for any web host."""

from __future__ import annotations

from pathlib import Path

import click

from fhirpkg.cli.shared.content import content_argument
from fhirpkg.cli.shared.language import language_option


@click.command("site")
@content_argument
@click.option(
    "--output",
    type=click.Path(path_type=Path, file_okay=False),
    required=True,
    help="The folder to write to: new, empty, or made by this verb.",
)
@click.option(
    "--as",
    "identity",
    metavar="NAME#VERSION",
    help="The package's name, for content that does not state it.",
)
@click.option(
    "--exclude",
    multiple=True,
    metavar="PATTERN",
    help="Leave out a type, Type/id, url or file; * matches anything; may be repeated.",
)
@click.option(
    "--previous",
    metavar="CONTENT",
    help="What was published before; the pages then say what changed.",
)
@language_option
def command(
    content: str | None,
    output: Path,
    identity: str | None,
    exclude: tuple[str, ...],
    previous: str | None,
    language: str,
) -> None:
    """Make web pages of CONTENT to read, print and search: one for each procedure.

    CONTENT is a folder, package, Bundle, NDJSON or NAME#VERSION; without it the current folder if
    it is a package, else its ./resources. The pages are files with relative links and need no
    server. Files of an earlier run that are no longer made are removed; a folder that holds
    anything else is refused. For a folder of authored procedures the pages also show where each
    fact of the source went, with the verdict of its reader.

    Example: fhirpkg site resources --output public
    """
    from fhirpkg.bundling.reading import Selection, read_content
    from fhirpkg.canonical import PackageId
    from fhirpkg.languages.words import speaking
    from fhirpkg.pages.facts import sources_in
    from fhirpkg.pages.site import site_files
    from fhirpkg.pages.writing import write

    try:
        named = PackageId.parse(identity) if identity else None
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--as") from error
    selection = Selection(exclude=exclude, identity=named)
    read = read_content(content, selection)
    for note in read.notes:
        click.echo(f"note: {note}", err=True)
    before = read_content(previous, selection) if previous else None
    with speaking(language):
        count = write(site_files(read, before, sources_in(Path(read.source))), output)
    click.echo(f"{output / 'index.html'} ({count} files)")
