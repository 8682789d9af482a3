"""A package's canonicals without a version, bound to the versions its own dependencies hold.

Two packages may depend on different versions of a third. What one of them means by an unversioned
canonical is what is in itself or in the packages that its package.json names, whatever else is
loaded beside (https://hl7.org/fhir/packages.html).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from fhirpkg.issues import Json, Resource

_CANONICALS = {
    "baseDefinition", "definition", "derivedFrom", "imports", "library", "profile", "supplements",
    "targetProfile", "valueSet",
}  # fmt: skip
_INCLUDES = {"include", "exclude"}


def pin(resource: Resource, version_of: Callable[[str], str | None]) -> Resource:
    """The resource with ``url`` become ``url|version`` where `version_of` knows one."""
    pinned: Resource = _pin(resource, version_of)
    return pinned


def _pin(value: Json, version_of: Callable[[str], str | None]) -> Json:
    if isinstance(value, list):
        return [_pin(item, version_of) for item in value]
    if not isinstance(value, dict):
        return value
    pinned = {}
    for key, item in value.items():
        if key in _CANONICALS and isinstance(item, list):
            pinned[key] = [_pin_canonical(each, version_of) for each in item]
        elif key in _CANONICALS:
            pinned[key] = _pin_canonical(item, version_of)
        elif key in _INCLUDES and isinstance(item, list):
            pinned[key] = [_pin_include(each, version_of) for each in item]
        else:
            pinned[key] = _pin(item, version_of)
    return pinned


def _pin_include(value: Json, version_of: Callable[[str], str | None]) -> Json:
    """A part of ValueSet.compose, whose code system has its version in a property of its own."""
    pinned = _pin(value, version_of)
    system = value.get("system") if isinstance(value, dict) else None
    version = version_of(system) if isinstance(system, str) else None
    return {"version": version, **pinned} if version else pinned


def _pin_canonical(value: Json, version_of: Callable[[str], str | None]) -> Json:
    if not isinstance(value, str) or "|" in value:
        return _pin(value, version_of)
    version = version_of(value)
    return f"{value}|{version}" if version else value
