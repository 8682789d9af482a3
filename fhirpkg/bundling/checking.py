"""What no server could keep apart or store is refused before anything is written."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from fhirpkg.errors import SourceError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fhirpkg.issues import Resource

_ID = re.compile(r"[A-Za-z0-9.-]{1,64}")
_TYPE = re.compile(r"[A-Z][A-Za-z]+")
_SHOWN = 20

_Shape = dict[str, object] | list[object] | tuple[object, ...] | str
_CODING: _Shape = {"system": "", "code": ""}
_CONCEPT: _Shape = {"coding": [_CODING]}
_IDENTIFIER: _Shape = {"system": "", "value": ""}
_RESOURCE: dict[str, _Shape] = {
    "id": "",
    "meta": {"tag": [_CODING], "security": [_CODING], "profile": [""], "versionId": ""},
    "text": {"div": ""},
    "extension": [{}],
    "contained": [{}],
    "url": "",
    "version": "",
    "status": "",
    "identifier": ([_IDENTIFIER], _IDENTIFIER),
    "packageId": "",
}
_BY_TYPE: dict[str, _Shape] = {
    "ImplementationGuide": {
        "definition": {"resource": [{"reference": {"reference": ""}}]},
        "dependsOn": [{"packageId": "", "version": ""}],
    },
    "DocumentReference": {"context": {"event": [_CONCEPT]}},
}
"""The members that publishing reads: an object, a list of one shape, one of several, or a string.

A member with another shape is refused by name; no server takes it, and none is guessed at.
"""
_OTHERWISE = {
    "Device": {"version"},
    "DeviceDefinition": {"version"},
    "MedicinalProductAuthorization": {"status"},
    "SubstanceSpecification": {"status"},
}
"""R4's types in which a member of that name is not a string."""


@dataclass(frozen=True, slots=True)
class Found:
    """One resource and the file it is in (with its line or entry)."""

    file: str
    resource: Resource


@dataclass
class Checker:
    """Looks at resources one by one; `finish` raises for all that cannot be published."""

    source: str
    problems: list[str] = field(default_factory=list)
    _places: dict[str, str] = field(default_factory=dict)
    _canonicals: dict[tuple[str, str, str], str] = field(default_factory=dict)

    def accept(self, found: Found) -> bool:
        """Whether a resource may be published, judged by it and those before it."""
        problem = _misshapen(found.resource) or self._repeated(found)
        if problem:
            self.problems.append(f"{found.file}: {problem}")
        return not problem

    def finish(self) -> None:
        """Raise SourceError when anything was not accepted, with every file named."""
        if not self.problems:
            return
        more = len(self.problems) - _SHOWN
        shown = [*self.problems[:_SHOWN], *([f"and {more} more"] if more > 0 else [])]
        counted = f"{len(self.problems)} resource{'s' * (len(self.problems) > 1)}"
        lines = "".join(f"\n  {line}" for line in shown)
        problem = f"nothing was written, because {counted} cannot be published:{lines}"
        advice = "\n--exclude leaves out a file or folder below it, a Type/id, a type or a url"
        raise SourceError(self.source, f"{problem}{advice}")

    def _repeated(self, found: Found) -> str:
        """What of the resource's identity an earlier one has already."""
        resource = found.resource
        local = f"{resource['resourceType']}/{resource['id']}"
        other = self._places.setdefault(local, found.file)
        if other != found.file:
            return f"{local} is in {other} too; keep one of the two"
        if "url" in resource:
            version = resource.get("version", "")
            identity = (resource["resourceType"], resource["url"], version)
            other = self._canonicals.setdefault(identity, found.file)
            if other != found.file:
                canonical = f"{resource['url']}|{version}".rstrip("|")
                return f"{canonical} is in {other} too; two resources cannot share it"
        return ""


def _misshapen(resource: Resource) -> str:
    """What keeps a resource from being read; nothing when it has the members it must have."""
    resource_type = resource["resourceType"]
    if not _TYPE.fullmatch(resource_type):
        return f"resourceType is {resource_type!r}, not the name of a resource type"
    if "id" not in resource:
        return f"this {resource_type} has no id; give it one"
    members = {k: v for k, v in _RESOURCE.items() if k not in _OTHERWISE.get(resource_type, ())}
    for path, wanted in _wrong(resource, members, ()):
        return f"{'.'.join(path)} is not {wanted}"
    for path, wanted in _wrong(resource, _BY_TYPE.get(resource_type, {}), ()):
        return f"{'.'.join(path)} is not {wanted}"
    if not _ID.fullmatch(resource["id"]):
        allowed = "an id has 1 to 64 letters, digits, '-' and '.'"
        return f"the id {resource['id']!r} is not valid; {allowed}"
    return ""


def _wrong(
    value: object, shape: object, path: tuple[str, ...]
) -> Iterator[tuple[tuple[str, ...], str]]:
    """Where a value has another shape than it must, and what was wanted there."""
    if isinstance(shape, tuple):
        kinds = [list(_wrong(value, each, path)) for each in shape]
        if all(kinds):
            yield path, " or ".join(_named(each) for each in shape)
    elif isinstance(shape, list):
        if not isinstance(value, list):
            yield path, _named(shape)
            return
        for number, item in enumerate(value):
            yield from _wrong(item, shape[0], (*path[:-1], f"{path[-1]}[{number}]"))
    elif isinstance(shape, dict):
        if not isinstance(value, dict):
            yield path, _named(shape)
            return
        for key in shape.keys() & value.keys():
            yield from _wrong(value[key], shape[key], (*path, key))
    elif not isinstance(value, str) or not value:
        yield path, "a string with text"


def _named(shape: object) -> str:
    if isinstance(shape, list):
        return f"a list of {'strings' if shape[0] == '' else 'objects'}"
    return "an object"
