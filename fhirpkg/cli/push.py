"""`fhirpkg push`: publish content to a FHIR server and read it back."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from fhirpkg.cli.connection import connect, server_options
from fhirpkg.cli.publishing import KINDS

if TYPE_CHECKING:
    from fhirpkg.cli import ExitCode


@click.command("push")
@click.argument("content", type=click.Path(path_type=Path), required=False)
@server_options
@click.option("--dry-run", is_flag=True, help="Show what would be done; write nothing.")
@click.option(
    "--overwrite",
    type=click.Choice(KINDS),
    multiple=True,
    help="Write over this kind of conflict, after `plan` has shown it.",
)
def command(
    content: Path | None, *, dry_run: bool, overwrite: tuple[str, ...], **options: Any
) -> ExitCode:
    """Publish CONTENT to a FHIR server, read it back and search for it as a consumer would.

    CONTENT is a folder with a package.yaml, a package (.tgz), or a plan file that `plan --out`
    wrote; without it ./resources if that holds a package.yaml, else the content installed with
    fhirpkg. A second push of the same content writes nothing.

    Example: fhirpkg push resources --server http://127.0.0.1:8080/fhir
    """
    from fhirpkg.cli.publishing import (
        ending,
        make_plan_with_progress,
        publish,
        release_at,
        saved_plan,
        show_plan,
    )
    from fhirpkg.publishing import planfile
    from fhirpkg.publishing.survey import Change

    saved = saved_plan(content)
    release = release_at(saved.source if saved else content)
    client = connect(**options)
    with ending() as end:
        kinds = saved.overwrite if saved else [Change(kind) for kind in overwrite]
        plan = make_plan_with_progress(release, client, kinds)
        if saved:
            planfile.check(saved, plan, client.base_url)
        end.code = show_plan(plan, client) if dry_run else publish(plan, client)
    return end.code
