"""`fhirpkg rollback`: bring a server back to the previous version of a package."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from fhirpkg.cli.connection import connect, server_options

if TYPE_CHECKING:
    from fhirpkg.cli import ExitCode


@click.command("rollback")
@click.argument("content", type=click.Path(path_type=Path), required=False)
@server_options
@click.option(
    "--package",
    type=click.Path(path_type=Path, exists=True),
    metavar="FILE",
    help="The previous package, for a server that keeps no history.",
)
@click.option("--dry-run", is_flag=True, help="Show what would be done; write nothing.")
def command(
    content: Path | None, *, package: Path | None, dry_run: bool, **options: Any
) -> ExitCode:
    """Bring back the state of a package that was published before the present one.

    CONTENT only says which package it is. What the present state has beyond the previous one
    becomes an orphan, for `prune`. A second rollback undoes the first.

    Example: fhirpkg rollback --server http://127.0.0.1:8080/fhir --dry-run
    """
    from fhirpkg.bundling import read_content
    from fhirpkg.cli.publishing import ending, make_plan_with_progress, publish, show_plan
    from fhirpkg.publishing.members import release_of
    from fhirpkg.publishing.rollback import check_package, content_before, previous_inventory

    given = read_content(package) if package else None
    name = given.id.name if given else read_content(content).id.name
    client = connect(**options)
    with ending() as end:
        inventory = previous_inventory(client, name)
        if given:
            check_package(given, inventory)
        release = release_of(given or content_before(client, inventory))
        plan = make_plan_with_progress(release, client, ())
        end.code = show_plan(plan, client) if dry_run else publish(plan, client)
    return end.code
