"""Content: the resources of one release, kept compressed, and what names them."""

from __future__ import annotations

import hashlib
import tempfile
import threading
import weakref
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, overload

from fhirpkg import fhirjson
from fhirpkg.issues import Resource
from fhirpkg.packages.packing import identity

if TYPE_CHECKING:
    from collections.abc import Iterable

    from fhirpkg.canonical import PackageId
    from fhirpkg.packages.package import Manifest

_ORDER = (
    "CodeSystem", "ValueSet", "StructureDefinition", "Questionnaire", "ActivityDefinition",
    "PlanDefinition", "Library", "DocumentReference", "ImplementationGuide",
)  # fmt: skip
"""Types in the order of their dependence: what is referred to comes first."""
_PLACE = {name: number for number, name in enumerate(_ORDER)}
_IN_MEMORY = 16_000_000
"""Bytes of compressed texts that are kept in memory; more of them are kept in a file."""


@dataclass(frozen=True, slots=True)
class Content:
    """A package's resources, in the order in which each comes after what it refers to."""

    id: PackageId
    canonical: str
    resources: Sequence[Resource]
    source: str
    digest: str
    manifest: Manifest | None = None
    """package.json, where the content came with one."""
    notes: tuple[str, ...] = ()
    """What was skipped or unpacked while reading."""


class CompressedResources(Sequence[Resource]):
    """Resources that are kept compressed and read anew at each access.

    Large content is kept in a temporary file without a name: ten thousand resources are 40 MB
    compressed, and would be 400 MB as dictionaries.
    """

    def __init__(self, resources: Iterable[Resource]) -> None:
        self._texts = tempfile.SpooledTemporaryFile(_IN_MEMORY)  # noqa: SIM115 - it is kept open
        weakref.finalize(self, self._texts.close)
        self._reading = threading.Lock()
        kept: list[tuple[tuple[int, str, str], Resource, tuple[int, int]]] = []
        digests = []
        start = 0
        for resource in resources:
            text = fhirjson.dump(resource).encode()
            digests.append(hashlib.sha256(text).digest())
            size = self._texts.write(zlib.compress(text, 1))
            kept.append((rank(resource), identity(resource), (start, size)))
            start += size
        kept.sort(key=lambda each: each[0])
        self.identities = [found for _, found, _ in kept]
        """What identifies each resource, to look for one without reading all."""
        self._places = [place for *_, place in kept]
        self.digest = hashlib.sha256(b"".join(sorted(digests))).hexdigest()
        """SHA-256 over the resources, whatever order they came in."""

    def __len__(self) -> int:
        return len(self._places)

    def __eq__(self, other: object) -> bool:
        if isinstance(other, CompressedResources):
            return self.digest == other.digest
        return NotImplemented

    def __hash__(self) -> int:
        return hash(self.digest)

    def of_type(self, resource_type: str) -> list[Resource]:
        """The resources of one type."""
        return [
            self[place]
            for place, found in enumerate(self.identities)
            if found["resourceType"] == resource_type
        ]

    @overload
    def __getitem__(self, index: int) -> Resource: ...
    @overload
    def __getitem__(self, index: slice) -> list[Resource]: ...
    def __getitem__(self, index: int | slice) -> Resource | list[Resource]:
        if isinstance(index, slice):
            return [self[each] for each in range(*index.indices(len(self)))]
        start, size = self._places[index]
        with self._reading:
            self._texts.seek(start)
            text = self._texts.read(size)
        resource: Resource = fhirjson.reread(zlib.decompress(text))
        return resource


def identities(resources: Sequence[Resource]) -> Sequence[Resource]:
    """What identifies each of some resources."""
    if isinstance(resources, CompressedResources):
        return resources.identities
    return [identity(resource) for resource in resources]


def rank(resource: Resource) -> tuple[int, str, str]:
    """Where a resource is: after those that it refers to, then by type and id."""
    name = resource["resourceType"]
    # A type that is not listed refers to terms, and is referred to.
    return _PLACE.get(name, _PLACE["Questionnaire"]), name, resource["id"]
