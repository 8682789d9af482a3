"""`fhirpkg new`: a folder with a procedure.yaml that teaches, which builds at once."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from fhirpkg.cli import ExitCode


@click.command("new")
@click.argument("name")
@click.option(
    "--output",
    type=click.Path(path_type=Path, file_okay=False),
    help="The folder to create, instead of one named after NAME.",
)
def command(name: str, output: Path | None) -> ExitCode:
    """Start a procedure called NAME: a folder with procedure.yaml, and package.yaml if needed.

    The folder builds as it is. The one above it may hold the package.yaml of several procedures.

    Example: fhirpkg new "Upper endoscopy"
    """
    from datetime import UTC, datetime

    from fhirpkg.authoring.drafting.writing import pascal_case
    from fhirpkg.authoring.scaffold import begin, package_folder, slug, template, yaml_text
    from fhirpkg.cli.authoring.build import run as build
    from fhirpkg.errors import ConfigError

    text = " ".join(name.split())
    if not text:
        raise ConfigError("the procedure has no name; write one, such as 'Upper endoscopy'")
    folder = output or Path(slug(name))
    words = {"id": yaml_text(pascal_case(text)), "text": yaml_text(text)}
    today = datetime.now(UTC).date().isoformat()
    for file in begin(folder, template("procedure.yaml", words), {}, today):
        click.echo(str(file))
    return build(package_folder(folder), is_new=True)
