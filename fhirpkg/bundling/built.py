"""The resources that `fhirpkg build` made in a folder, and the profiles they claim."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fhirpkg import fhirjson
from fhirpkg.bundling.checking import Found
from fhirpkg.definitions.definitions import Definitions
from fhirpkg.errors import PackageError, SourceError
from fhirpkg.packages.freshness import members_of
from fhirpkg.packages.installed import read_profiles
from fhirpkg.render.profiles import published_profile
from fhirpkg.untrusted import objects, text_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from fhirpkg.issues import Resource


def built_resources(folder: Path) -> Iterator[Found]:
    """What was built below a folder with a package.yaml; profiles come with their snapshots.

    Raises PackageError when nothing has been built, SourceError for a file that is not a resource.
    """
    guides: list[Resource] = []
    made = set()
    below = [] if members_of(folder) else folder.glob("*/fhir/*.json")
    for file in sorted([*folder.glob("fhir/*.json"), *below]):
        resource = read_resource(file)
        if resource["resourceType"] == "ImplementationGuide":
            guides.append(resource)
        made.add(f"{resource['resourceType']}/{resource.get('id')}")
        yield Found(str(file), resource)
    if len(guides) != 1:
        problem = f"it holds {len(guides)} ImplementationGuides, not 1"
        raise PackageError(str(folder), problem, "run 'fhirpkg build' on it first")
    for profile in _profiles(folder, guides[0]):
        local = f"{profile['resourceType']}/{profile['id']}"
        if local not in made:  # of a package of others they are built under its base
            yield Found(f"profiles of {folder}: {local}", profile)


def read_resource(file: Path) -> Resource:
    """The resource in a JSON file; SourceError when it holds none."""
    value, issues = fhirjson.read(file.read_bytes())
    if issues or not isinstance(value, dict) or not isinstance(value.get("resourceType"), str):
        raise SourceError(str(file), "it is not a FHIR resource", "run 'fhirpkg validate' on it")
    return value


def _profiles(folder: Path, guide: Resource) -> list[Resource]:
    """The profiles that the guide lists as the package's own, ready to be published."""
    parts = objects(guide.get("definition"), "resource")
    listed = {text_of(part.get("reference"), "reference") for part in parts}
    definitions = Definitions.core()
    return [
        published_profile(profile, guide, definitions)
        for profile in read_profiles(folder)
        if f"{profile['resourceType']}/{profile.get('id')}" in listed
    ]
