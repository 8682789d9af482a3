"""`fhirpkg package`: content as files to hand on: .tgz, Bundles, NDJSON, XML, a document."""

from __future__ import annotations

import hashlib
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

import click

from fhirpkg.cli.shared.content import content_argument

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fhirpkg.bundling.content import Content


@click.command("package")
@content_argument
@click.option(
    "--output",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("dist"),
    show_default=True,
    help="The folder to write to.",
)
def command(content: str | None, output: Path) -> None:
    """Make the FHIR NPM package, Bundles, NDJSON and XML of CONTENT.

    CONTENT is a folder with a package.yaml that has been built, or a .tgz; without it the current
    folder if it is a package, else its ./resources. The profiles that it claims and does not carry
    are written as a package of their own, fhirpkg.profiles.

    Example: fhirpkg package resources --output dist
    """
    from fhirpkg.authoring.writing import replace
    from fhirpkg.bundling.reading import read_content
    from fhirpkg.packages.package import digest

    read = read_content(content)
    for note in read.notes:
        click.echo(f"note: {note}", err=True)
    output.mkdir(parents=True, exist_ok=True)
    stale = set((output / "xml").glob("*.xml"))
    sums: list[str] = []
    for name, data in chain(_files(read), _profiles(read)):
        file = output / name
        stale.discard(file)
        file.parent.mkdir(exist_ok=True)
        replace(file, data)
        sums.append(f"{hashlib.sha256(data).hexdigest()}  {name}\n")
        if "/" not in name:
            click.echo(f"{file} ({len(data)} bytes)")
        if name.endswith(".tgz"):
            click.echo(f"  sha256 of its tar: {digest(data)}")
    for file in stale:  # of an earlier content
        file.unlink()
    replace(output / "SHA256SUMS", "".join(sorted(sums, key=lambda line: line[66:])).encode())
    click.echo(f"{output / 'SHA256SUMS'} (for sha256sum --check, and push --sha256)")
    click.echo(f"{output / 'xml'} ({len(read.resources)} resources)")


def _profiles(read: Content) -> Iterator[tuple[str, bytes]]:
    """The package of the profiles that the content claims and does not carry."""
    from fhirpkg.bundling.profiles import profiles_content
    from fhirpkg.bundling.writing import archive, manifest
    from fhirpkg.packages.package import PROFILES_PACKAGE

    if PROFILES_PACKAGE in manifest(read).get("dependencies", {}):
        profiles = profiles_content()
        yield f"{profiles.id.name}-{profiles.id.version}.tgz", archive(profiles)


def _files(read: Content) -> Iterator[tuple[str, bytes]]:
    """What is written, by its name below the output folder."""
    from fhirpkg import fhirjson, fhirxml
    from fhirpkg.bundling.writing import (
        archive,
        collection_bundle,
        examples,
        ndjson,
        transaction_bundle,
    )
    from fhirpkg.definitions.definitions import Definitions
    from fhirpkg.render.document import xhtml
    from fhirpkg.render.procedure import procedure_document

    name = f"{read.id.name}-{read.id.version}"
    yield f"{name}.tgz", archive(read, examples(Path(read.source)))
    for bundle in (transaction_bundle(read), collection_bundle(read)):
        text = fhirjson.dump(bundle, indent=2) + "\n"
        yield f"{name}-{bundle['type']}.json", text.encode()
    yield f"{name}.ndjson", ndjson(read).encode()
    types = Definitions.core().types
    for resource in read.resources:
        file = f"xml/{resource['resourceType']}-{resource['id']}.xml"
        yield file, fhirxml.dump(resource, types)
        if resource["resourceType"] == "PlanDefinition":
            document = procedure_document(resource, read.resources)
            yield f"{resource['id']}.xhtml", xhtml(document).encode()
