"""`fhirpkg verify`: prove that a server holds the content as it was published."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from fhirpkg.cli.publishing.shared import content_options, dependency_option
from fhirpkg.cli.shared.connection import connect, server_options
from fhirpkg.cli.shared.progress import Progress

if TYPE_CHECKING:
    from fhirpkg.cli import ExitCode


@click.command("verify")
@content_options
@dependency_option
@server_options
@click.option("--validate", is_flag=True, help="Also ask the server's own $validate.")
@click.option(
    "--apply",
    "subject_reference",
    metavar="PATIENT",
    help="Also let the server $apply each PlanDefinition to this patient (Patient/id).",
)
def command(
    content: str | None,
    *,
    validate: bool,
    subject_reference: str | None,
    with_dependencies: bool,
    output_format: str,
    **options: Any,
) -> ExitCode:
    """Read CONTENT back from a server by id, search for it as consumers do, hash attachments.

    CONTENT is what `plan` takes. Exit code 0: all is there as it was published; 1: something is
    missing or altered.

    Example: fhirpkg verify resources --server http://127.0.0.1:8080/fhir
    """
    from fhirpkg.cli.publishing.output import Output
    from fhirpkg.cli.publishing.shared import exit_code_of, releases_of, selection_of, worst
    from fhirpkg.publishing.proving.verify import apply_on_server, verify

    selection = selection_of(options)
    releases = releases_of(content, selection, with_dependencies=with_dependencies)
    client = connect(**options)
    output = Output("verify", output_format)

    def work() -> ExitCode:
        codes = []
        for release in releases:
            with Progress(len(release.members), "verified") as progress:
                found = verify(release, client, validate=validate, progress=progress.show)
            if subject_reference:
                apply_on_server(release, client, subject_reference, found)
            output.release(release, client)
            codes.append(output.verification(found))
        return worst(codes)

    return exit_code_of(work, output)
