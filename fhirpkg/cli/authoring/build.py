"""`fhirpkg build`: authored procedures to FHIR resources, in place or in another folder."""

from __future__ import annotations

from pathlib import Path

import click

from fhirpkg.cli import ExitCode
from fhirpkg.cli.shared.content import folder_argument
from fhirpkg.cli.shared.progress import Progress


@click.command("build")
@folder_argument
@click.option(
    "--output",
    type=click.Path(path_type=Path, file_okay=False),
    help="Write below this folder instead of beside the procedures.",
)
@click.option("--canonical", help="Base of all urls, instead of the one in package.yaml.")
@click.option(
    "--jobs", type=click.IntRange(1, 256), default=1, show_default=True, help="Processes."
)
def command(resources: Path, output: Path | None, canonical: str | None, jobs: int) -> ExitCode:
    """Make FHIR resources from the procedures in RESOURCES, a folder with a package.yaml.

    Without it the current folder is built if it is a package, else its ./resources; for the folder
    of one procedure its package is built. Procedures that have not changed since the last build
    are skipped; files built from procedures that no longer exist are removed. If there is any
    error, nothing is written.

    Example: fhirpkg build resources
    """
    return run(resources, output, canonical, jobs=jobs)


def run(
    resources: Path,
    output: Path | None = None,
    canonical: str | None = None,
    *,
    jobs: int = 1,
    is_new: bool = False,
) -> ExitCode:
    """Build a folder; of one that is new, what is left to do is not listed."""
    from fhirpkg.authoring.folder import package_folder
    from fhirpkg.authoring.making import build_folder
    from fhirpkg.issues import Issue, Severity
    from fhirpkg.packages.freshness import PROCEDURE

    home = package_folder(resources) if (resources / PROCEDURE).is_file() else resources
    if home != resources:  # its guide lists all of them
        click.echo(f"{resources} is built with its package {home}", err=True)
        resources = home
    with Progress(0, "built") as progress:

        def tell(issue: Issue) -> None:
            if not is_new or issue.severity.rank < Severity.WARNING.rank:
                progress.clear()
                click.echo(str(issue), err=is_new)

        done = build_folder(
            resources,
            output=output,
            canonical=canonical,
            jobs=jobs,
            tell=tell,
            started=progress.expect,
            done=progress.show,
        )
    if not done.is_usable:
        click.echo(f"{resources}: nothing was built", err=True)
        return ExitCode.ISSUES
    for file in done.removed:
        click.echo(f"removed {file}: its procedure is gone", err=True)
    counts = f"{done.resources} resources below {output or resources}, {done.changed} files changed"
    kept = f"; {done.kept} of the procedures had not changed" if done.kept else ""
    click.echo(counts + kept, err=True)
    return ExitCode.DONE
