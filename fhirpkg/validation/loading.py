"""Packages as definitions, whether they are written in JSON or in XML."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from fhirpkg import fhirjson

if TYPE_CHECKING:
    from fhirpkg.definitions.definitions import Definitions
    from fhirpkg.packages.package import Package


def with_package(definitions: Definitions, package: Package) -> Definitions:
    """The definitions and those in the top folder of a package.

    Raises PackageError for the core of another FHIR version.
    """
    return definitions.with_package(_in_json(package, definitions))


def _in_json(package: Package, definitions: Definitions) -> Package:
    """The package with `p.xml.json` beside each `p.xml` that has no `p.json` beside it."""
    written = [
        name
        for name in package.files
        if name.endswith(".xml") and "/" not in name
        if f"{name.removesuffix('.xml')}.json" not in package.files
    ]
    if not written:
        return package
    from fhirpkg import fhirxml  # noqa: PLC0415 - lxml only where there is XML

    read = {name: fhirxml.read(package.files[name], definitions.types)[0] for name in written}
    made = {
        f"{name}.json": fhirjson.dump(value).encode()
        for name, value in read.items()
        if isinstance(value, dict)
    }
    return replace(package, files={**package.files, **made})
