"""`fhirpkg build`: authored procedures to FHIR resources, in place or in another folder."""

from __future__ import annotations

from pathlib import Path

import click

from fhirpkg.cli import ExitCode
from fhirpkg.cli.shared.content import folder_argument


@click.command("build")
@folder_argument
@click.option(
    "--output",
    type=click.Path(path_type=Path, file_okay=False),
    help="Write below this folder instead of beside the procedures.",
)
@click.option("--canonical", help="Base of all urls, instead of the one in package.yaml.")
def command(resources: Path, output: Path | None, canonical: str | None) -> ExitCode:
    """Make FHIR resources of the procedures in RESOURCES, a folder with a package.yaml.

    Without it the current folder is built if it is a package, else its ./resources. What earlier
    builds made of procedures that are gone is removed.

    Example: fhirpkg build resources
    """
    return run(resources, output, canonical)


def run(
    resources: Path,
    output: Path | None = None,
    canonical: str | None = None,
    *,
    is_new: bool = False,
) -> ExitCode:
    """Build a folder; of one that is new, what is left to do is not listed."""
    from fhirpkg.authoring.build import build
    from fhirpkg.authoring.folder import read_folder
    from fhirpkg.authoring.writing import note_sources, rebased, remove_orphans, write
    from fhirpkg.issues import Severity
    from fhirpkg.packages.package import read_profiles

    authored = read_folder(resources)
    for issue in authored.issues:
        if not is_new or issue.severity.rank < Severity.WARNING.rank:
            click.echo(str(issue), err=is_new)
    if not authored.is_usable or not authored.package:
        click.echo(f"{resources}: nothing was built", err=True)
        return ExitCode.ISSUES
    package = rebased(authored.package, canonical) if canonical else authored.package
    made = build(
        package,
        authored.procedures,
        read_profiles(resources),
        listed=authored.listed,
        beside=authored.beside,
        carries_profiles=(resources.absolute().parent / "profiles").is_dir(),
    )
    changed = write(made, output or resources)
    if output is None:
        note_sources(resources, made)
        for file in remove_orphans(resources, package.id):
            click.echo(f"removed {file}: its procedure is gone", err=True)
    count = sum(len(found) for found in made.values())
    click.echo(f"{count} resources below {output or resources}, {changed} files changed", err=True)
    return ExitCode.DONE
