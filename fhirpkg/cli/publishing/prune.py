"""`fhirpkg prune`: retire or delete what a package left behind on a server."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from fhirpkg.cli.publishing.shared import content_options, versions_option
from fhirpkg.cli.shared.connection import connect, server_options

if TYPE_CHECKING:
    from fhirpkg.cli import ExitCode


@click.command("prune")
@content_options
@versions_option
@server_options
@click.option("--delete", is_flag=True, help="Delete instead of retiring.")
@click.option(
    "--max-delete",
    type=click.IntRange(min=0),
    default=20,
    show_default=True,
    help="Do nothing when there are more orphans than this.",
)
@click.option("--dry-run", is_flag=True, help="Show what would be done; write nothing.")
def command(
    content: str | None,
    *,
    delete: bool,
    max_delete: int,
    dry_run: bool,
    output_format: str,
    versions: str | None,
    **options: Any,
) -> ExitCode:
    """Retire or delete what belongs to the package of CONTENT but is no longer in it.

    CONTENT is what `plan` takes. By default it retires resources and removes the package's tag
    from them. A resource that another package holds too loses only the tag; one that the package
    does not own is not touched.

    Example: fhirpkg prune --server http://127.0.0.1:8080/fhir --dry-run
    """
    from fhirpkg.cli.publishing.output import Output
    from fhirpkg.cli.publishing.shared import (
        exit_code_of,
        make_plan_with_progress,
        releases_of,
        selection_of,
    )
    from fhirpkg.errors import ConfigError
    from fhirpkg.publishing.leasing import check_lease
    from fhirpkg.publishing.prune import foreseen, prune
    from fhirpkg.publishing.survey import Change

    (release,) = releases_of(content, selection_of(options))
    client = connect(**options)
    output = Output("prune", output_format)

    def work() -> ExitCode:
        plan = make_plan_with_progress(release, client, versions=versions)
        check_lease(plan)
        orphans = plan.of(Change.ORPHAN)
        if len(orphans) > max_delete:
            raise ConfigError(
                f"there are {len(orphans)} orphans and --max-delete allows {max_delete}; "
                "look at them with 'plan'"
            )
        found = foreseen(plan, delete=delete) if dry_run else prune(plan, client, delete=delete)
        return output.pruning(found, plan, client, dry_run=dry_run)

    return exit_code_of(work, output)
