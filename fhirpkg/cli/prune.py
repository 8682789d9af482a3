"""`fhirpkg prune`: retire or delete what a package left behind on a server."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from fhirpkg.cli import ExitCode
from fhirpkg.cli.connection import connect, server_options


@click.command("prune")
@click.argument("content", type=click.Path(path_type=Path), required=False)
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
    content: Path | None, *, delete: bool, max_delete: int, dry_run: bool, **options: Any
) -> ExitCode:
    """Take out of use what belongs to the package of CONTENT but is no longer in it.

    Retires by default and takes the package's mark away; nothing that the package does not own is
    touched.

    Example: fhirpkg prune --server http://127.0.0.1:8080/fhir --dry-run
    """
    from fhirpkg.cli.publishing import ending, make_plan_with_progress, release_at
    from fhirpkg.errors import ConfigError
    from fhirpkg.publishing.prune import prune
    from fhirpkg.publishing.push import check_lease
    from fhirpkg.publishing.survey import Change

    release = release_at(content)
    client = connect(**options)
    with ending() as end:
        plan = make_plan_with_progress(release, client, ())
        check_lease(plan)
        orphans = plan.of(Change.ORPHAN)
        if len(orphans) > max_delete:
            raise ConfigError(
                f"{len(orphans)} orphans are more than --max-delete {max_delete}; "
                "look at them with 'plan'"
            )
        if dry_run:
            for item in orphans:
                click.echo(f"  would {'delete' if delete else 'retire'} {item.place}")
            end.code = ExitCode.ISSUES if orphans else ExitCode.DONE
            return end.code
        found = prune(plan, client, delete=delete)
        for word, places in (("retired", found.retired), ("deleted", found.deleted)):
            for place in places:
                click.echo(f"  {word} {place}")
        for place, reason in found.refused.items():
            click.echo(f"  refused {place}: {reason}")
        click.echo(
            f"{len(orphans)} orphans = {len(found.retired)} retired + {len(found.deleted)} deleted"
            f" + {len(found.refused)} refused"
        )
        end.code = ExitCode.DONE if found.is_complete else ExitCode.ISSUES
    return end.code
