"""`fhirpkg rollback`: bring a server back to the previous version of a package."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from fhirpkg.cli.publishing.shared import content_options
from fhirpkg.cli.shared.connection import connect, server_options

if TYPE_CHECKING:
    from fhirpkg.cli import ExitCode


@click.command("rollback")
@content_options
@server_options
@click.option(
    "--package",
    metavar="FILE",
    help="The previous package, for a server that keeps no history.",
)
@click.option("--dry-run", is_flag=True, help="Show what would be done; write nothing.")
def command(
    content: str | None,
    *,
    package: str | None,
    dry_run: bool,
    output_format: str,
    **options: Any,
) -> ExitCode:
    """Bring back the version of a package that was published before the present one.

    CONTENT only identifies the package; options that select resources apply to --package. Resources
    of the present version alone become orphans, which `prune` removes. A second rollback undoes
    the first.

    Example: fhirpkg rollback --server http://127.0.0.1:8080/fhir --dry-run
    """
    from fhirpkg.bundling.reading import read_content
    from fhirpkg.cli.publishing.output import Output
    from fhirpkg.cli.publishing.shared import (
        exit_code_of,
        make_plan_with_progress,
        publish,
        selection_of,
    )
    from fhirpkg.errors import ResolutionError
    from fhirpkg.publishing.members import release_of
    from fhirpkg.publishing.rollback import check_package, content_before, previous_inventory

    selection = selection_of(options)
    given = read_content(package, selection) if package else None
    name = given.id.name if given else read_content(content, selection).id.name
    client = connect(**options)
    output = Output("rollback", output_format)

    def work() -> ExitCode:
        inventory = previous_inventory(client, name)
        if given:
            check_package(given, inventory)
        try:
            release = release_of(given or content_before(client, inventory))
        except ResolutionError as error:
            advice = "give the package with --package"
            raise ResolutionError(error.reference, f"{error.problem}; {advice}") from error
        plan = make_plan_with_progress(release, client)
        return output.plan(plan, client) if dry_run else publish(plan, client, output)

    return exit_code_of(work, output)
