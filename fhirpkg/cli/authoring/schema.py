"""`fhirpkg schema`: the JSON Schema of procedure.yaml, for editors."""

from __future__ import annotations

import json

import click


@click.command("schema")
@click.option("--package", is_flag=True, help="Print the one of package.yaml instead.")
def command(package: bool) -> None:
    """Print the JSON Schema of procedure.yaml: editors complete and check the file by it.

    Example: fhirpkg schema
    """
    from fhirpkg.authoring.model.package_source import PackageSource
    from fhirpkg.authoring.model.procedure import Procedure
    from fhirpkg.authoring.schema import schema_of

    model = PackageSource if package else Procedure
    click.echo(json.dumps(schema_of(model), indent=2))
