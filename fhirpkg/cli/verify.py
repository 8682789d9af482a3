"""`fhirpkg verify`: prove that a server holds the content as it was published."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from fhirpkg.cli.connection import connect, server_options
from fhirpkg.cli.progress import Progress

if TYPE_CHECKING:
    from fhirpkg.cli import ExitCode


@click.command("verify")
@click.argument("content", type=click.Path(path_type=Path), required=False)
@server_options
@click.option("--validate", is_flag=True, help="Also ask the server's own $validate.")
@click.option(
    "--apply",
    "subject_reference",
    metavar="PATIENT",
    help="Also let the server $apply each PlanDefinition to this patient (Patient/id).",
)
def command(
    content: Path | None, *, validate: bool, subject_reference: str | None, **options: Any
) -> ExitCode:
    """Read CONTENT back from a server by id, search for it as consumers do, hash attachments.

    Exit code 0: all is there as it was published; 1: something is missing or altered.

    Example: fhirpkg verify resources --server http://127.0.0.1:8080/fhir
    """
    from fhirpkg.cli.publishing import ending, release_at, show_verification
    from fhirpkg.publishing.verify import apply_on_server, verify

    package = release_at(content)
    client = connect(**options)
    with ending() as end:
        with Progress(len(package.members), "verified") as progress:
            found = verify(package, client, validate=validate, progress=progress.show)
        if subject_reference:
            apply_on_server(package, client, subject_reference, found)
        click.echo(f"{package.name} {package.version} at {client.base_url}")
        end.code = show_verification(found)
    return end.code
