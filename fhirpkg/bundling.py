"""Content as it travels: a folder or archive to resources, and these to Bundles and NDJSON."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from fhirpkg import fhirjson
from fhirpkg.canonical import PackageId
from fhirpkg.definitions.definitions import Definitions
from fhirpkg.definitions.snapshot import snapshot
from fhirpkg.errors import PackageError, SourceError
from fhirpkg.packages.package import content_root, read_package
from fhirpkg.render.narrative import narrative

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from fhirpkg.issues import Resource


@dataclass(frozen=True, slots=True)
class Content:
    """A package's resources, in the order in which each comes after what it refers to."""

    id: PackageId
    canonical: str
    resources: tuple[Resource, ...]
    source: str
    digest: str


def read_content(path: Path | None) -> Content:
    """The content of a folder with a package.yaml, of a .tgz, or (None) the one at hand.

    At hand is ./resources if it holds a package.yaml, else what is installed with fhirpkg. The
    package's identity is that of its ImplementationGuide. Profiles come with their snapshots.
    Raises SourceError or PackageError for what is no content.
    """
    if path is None:
        here = Path("resources")
        path = here if (here / "package.yaml").is_file() else content_root() / "resources"
    if not path.exists():
        raise SourceError(str(path), "there is no such file or folder")
    resources = _of_folder(path) if path.is_dir() else _of_package(path)
    guides = [r for r in resources if r["resourceType"] == "ImplementationGuide"]
    if len(guides) != 1:
        advice = "run 'fhirpkg build' on it first"
        raise PackageError(str(path), f"it holds {len(guides)} ImplementationGuides, not 1", advice)
    guide = guides[0]
    return Content(
        id=PackageId(guide["packageId"], guide.get("version")),
        canonical=guide["url"].rpartition("/ImplementationGuide/")[0],
        resources=tuple(in_order(resources)),
        source=str(path),
        digest=_digest(resources),
    )


def _of_folder(folder: Path) -> list[Resource]:
    resources = [_read(file) for file in sorted(folder.glob("*/fhir/*.json"))]
    guide = next((r for r in resources if r["resourceType"] == "ImplementationGuide"), None)
    return resources + (_profiles(folder, guide) if guide else [])


def _read(file: Path) -> Resource:
    value, issues = fhirjson.read(file.read_bytes())
    if issues or not isinstance(value, dict) or "resourceType" not in value:
        raise SourceError(str(file), "it is no FHIR resource", "run 'fhirpkg validate' on it")
    return value


def read_profiles(folder: Path) -> list[Resource]:
    """The profiles beside a folder of resources, else those installed with fhirpkg."""
    beside = folder.resolve().parent / "profiles"
    where = beside if beside.is_dir() else content_root() / "profiles"
    return [_read(file) for file in sorted(where.glob("*.json"))]


def _profiles(folder: Path, guide: Resource) -> list[Resource]:
    """The profiles that the guide lists as the package's own, ready to be published."""
    listed = {part["reference"]["reference"] for part in guide["definition"]["resource"]}
    definitions = Definitions.core()
    return [
        _published(profile, guide, definitions)
        for profile in read_profiles(folder)
        if f"{profile['resourceType']}/{profile['id']}" in listed
    ]


def _published(profile: Resource, guide: Resource, definitions: Definitions) -> Resource:
    """A profile with the package's version and tag, its snapshot and a narrative."""
    complete = {**profile, "version": guide["version"], "date": guide["date"]}
    if profile["resourceType"] == "StructureDefinition" and "snapshot" not in profile:
        complete = _defined(snapshot(complete, definitions))
    head = {"resourceType": complete["resourceType"], "id": complete["id"], "meta": guide["meta"]}
    return {**head, "text": narrative(complete), **complete, "meta": guide["meta"]}


def _defined(profile: Resource) -> Resource:
    """The profile, each element of its snapshot with a definition (sdf-3).

    The definitions shipped here leave the prose of the specification out; its summary stands in.
    """
    elements = [
        {**element, "definition": element.get("definition", element.get("short", element["path"]))}
        for element in profile["snapshot"]["element"]
    ]
    return {**profile, "snapshot": {"element": elements}}


def _of_package(file: Path) -> list[Resource]:
    return [resource for _, resource in read_package(file).resources()]


_ORDER = (
    "CodeSystem", "ValueSet", "StructureDefinition", "Questionnaire", "ActivityDefinition",
    "PlanDefinition", "Library", "DocumentReference", "ImplementationGuide",
)  # fmt: skip
"""Types in the order of their dependence: what is referred to comes first."""


def in_order(resources: Iterable[Resource]) -> list[Resource]:
    """The resources so that each comes after those that it refers to, then by id."""
    known = {name: place for place, name in enumerate(_ORDER)}
    return sorted(
        resources, key=lambda r: (known.get(r["resourceType"], 4), r["resourceType"], r["id"])
    )


def _digest(resources: Sequence[Resource]) -> str:
    """SHA-256 over the resources, whatever order they came in."""
    texts = sorted(fhirjson.dump(resource) for resource in resources)
    return hashlib.sha256("\n".join(texts).encode()).hexdigest()
