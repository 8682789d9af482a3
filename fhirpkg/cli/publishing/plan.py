"""`fhirpkg plan`: show what a push would change on a server, without changing it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from fhirpkg.cli.publishing.shared import KINDS, content_options, dependency_option, versions_option
from fhirpkg.cli.shared.connection import connect, server_options

if TYPE_CHECKING:
    from fhirpkg.cli import ExitCode


@click.command("plan")
@content_options
@dependency_option
@versions_option
@server_options
@click.option(
    "--out",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Also write the plan to FILE; `push FILE` then does exactly this.",
)
@click.option(
    "--overwrite",
    type=click.Choice(KINDS),
    multiple=True,
    help="Plan to overwrite resources with this kind of conflict; may be repeated.",
)
def command(
    content: str | None,
    *,
    out: Path | None,
    overwrite: tuple[str, ...],
    with_dependencies: bool,
    output_format: str,
    versions: str | None,
    **options: Any,
) -> ExitCode:
    """Show what a push of CONTENT would create, update and leave as it is, and its conflicts.

    CONTENT is a folder (built content, a package, or JSON, XML and NDJSON files), a package
    (.tgz), a Bundle, an NDJSON file, NAME#VERSION or a url; without it, the current folder if it
    is a package, else its ./resources. Exit code 0: nothing to do; 1: changes; 4: conflicts (drift,
    foreign, duplicate, immutable).

    Example: fhirpkg plan resources --server http://127.0.0.1:8080/fhir
    """
    from fhirpkg.cli.publishing.output import Output
    from fhirpkg.cli.publishing.shared import (
        exit_code_of,
        make_plan_with_progress,
        releases_of,
        selection_of,
        worst,
    )
    from fhirpkg.errors import ConfigError
    from fhirpkg.publishing import planfile
    from fhirpkg.publishing.survey import Change

    if out and out.suffix != ".json":
        raise ConfigError(
            f"{out}: the name of a plan must end in .json, so that push recognizes it"
        )
    if out and with_dependencies:
        raise ConfigError(
            "--out writes one release; leave out --with-dependencies, and plan each release"
        )
    selection = selection_of(options)
    releases = releases_of(content, selection, with_dependencies=with_dependencies)
    client = connect(**options)
    kinds = [Change(kind) for kind in overwrite]
    output = Output("plan", output_format)

    def work() -> ExitCode:
        codes = []
        for release in releases:
            plan = make_plan_with_progress(release, client, kinds, versions)
            codes.append(output.plan(plan, client))
            if out:
                planfile.write(out, plan, client.base_url, content, selection, kinds)
        return worst(codes)

    return exit_code_of(work, output)
