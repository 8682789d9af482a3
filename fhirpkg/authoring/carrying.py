"""The profiles that content claims: fhirpkg's own, or the same under the base of its package."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fhirpkg.definitions.definitions import Definitions
from fhirpkg.packages.installed import OUR_BASE, read_profiles
from fhirpkg.render.profiles import published_profile

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from fhirpkg.authoring.model.package_source import PackageSource
    from fhirpkg.issues import Json, Resource

_MOVED = tuple(f"{OUR_BASE}/{kind}" for kind in ("StructureDefinition/", "ValueSet/", "identifier"))


def claimed_profiles(folder: Path, package: PackageSource) -> list[Resource]:
    """The profiles that the content of a folder claims, each under the base it is published at.

    Raises PackageError for a file of profiles that is not a resource.
    """
    return [moved(profile, package) for profile in read_profiles(folder)]


def moved(resource: Resource, package: PackageSource) -> Resource:
    """A resource in which a package that carries our profiles names them under its base."""
    if package.profiles != "carry":
        return resource
    found = _under(resource, package.canonical)
    assert isinstance(found, dict), "an object stays one"
    return found


def _under(value: Json, base: str) -> Json:
    if isinstance(value, dict):
        return {key: _under(item, base) for key, item in value.items()}
    if isinstance(value, list):
        return [_under(item, base) for item in value]
    if isinstance(value, str) and value.startswith(_MOVED):
        return base + value.removeprefix(OUR_BASE)
    return value


def carried(
    profiles: Iterable[Resource], package: PackageSource, guide: Resource
) -> list[Resource]:
    """The profiles as resources of the package, in its name; none if it does not carry ours."""
    if package.profiles != "carry":
        return []
    definitions = Definitions.core()
    ours = {"publisher": package.publisher, "status": package.status}
    return [published_profile(profile | ours, guide, definitions) for profile in profiles]
