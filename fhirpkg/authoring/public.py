"""Building a folder in one call."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from fhirpkg.authoring.build import build as build_resources
from fhirpkg.authoring.carrying import claimed_profiles
from fhirpkg.authoring.folder import read_folder
from fhirpkg.errors import AuthoringError

if TYPE_CHECKING:
    from fhirpkg.issues import Resource


def build(folder: Path | str, *, typed: bool = False) -> dict[str, list[Resource | Any]]:
    """Build the FHIR resources of the procedures in a folder with a package.yaml.

    Returns a dictionary from the name of each procedure's folder to its resources, as dictionaries
    of FHIR JSON or, with `typed`, as models of fhir.resources (R4B). Nothing is written.

    Raises SourceError when the folder cannot be read and AuthoringError, with all issues, when
    its files have errors.

        resources = fhirpkg.build("resources")["cpt-20983"]
    """
    folder = Path(folder)
    authored = read_folder(folder)
    if not authored.is_usable or not authored.package:
        raise AuthoringError(str(folder), authored.issues)
    made = build_resources(
        authored.package,
        authored.procedures,
        claimed_profiles(folder, authored.package),
        listed=authored.listed,
        beside=authored.beside,
        carries_profiles=(folder.absolute().parent / "profiles").is_dir(),
    )
    if not typed:
        return dict(made)
    from fhir.resources.R4B import get_fhir_model_class  # noqa: PLC0415 - takes half a second

    return {
        name: [get_fhir_model_class(r["resourceType"]).model_validate(r) for r in resources]
        for name, resources in made.items()
    }
