"""`fhirpkg plan`: show what a push would change on a server, without changing it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from fhirpkg.cli.connection import connect, server_options
from fhirpkg.cli.publishing import KINDS

if TYPE_CHECKING:
    from fhirpkg.cli import ExitCode


@click.command("plan")
@click.argument("content", type=click.Path(path_type=Path), required=False)
@server_options
@click.option(
    "--out",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Also write the plan, for `push FILE` to carry out exactly this.",
)
@click.option(
    "--overwrite",
    type=click.Choice(KINDS),
    multiple=True,
    help="Plan to write over this kind of conflict.",
)
def command(
    content: Path | None, *, out: Path | None, overwrite: tuple[str, ...], **options: Any
) -> ExitCode:
    """Show what a push of CONTENT would create, update and leave, and what is in its way.

    CONTENT is a folder with a package.yaml or a package (.tgz); without it ./resources if that
    holds a package.yaml, else the content installed with fhirpkg. Exit code 0: nothing to do;
    1: changes; 4: conflicts (drift, foreign, duplicate, immutable).

    Example: fhirpkg plan resources --server http://127.0.0.1:8080/fhir
    """
    from fhirpkg.cli.publishing import ending, make_plan_with_progress, release_at, show_plan
    from fhirpkg.errors import ConfigError
    from fhirpkg.publishing import planfile
    from fhirpkg.publishing.survey import Change

    if out and out.suffix != ".json":
        raise ConfigError(f"{out}: a plan is a .json file, by which push knows it")
    release = release_at(content)
    client = connect(**options)
    kinds = [Change(kind) for kind in overwrite]
    with ending() as end:
        plan = make_plan_with_progress(release, client, kinds)
        end.code = show_plan(plan, client)
        if out:
            planfile.write(out, plan, client.base_url, content, kinds)
    return end.code
