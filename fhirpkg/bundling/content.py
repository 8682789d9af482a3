"""Content: the resources of one release, kept compressed, and what names them."""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, overload

from fhirpkg import fhirjson
from fhirpkg.issues import Resource

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

    Ten thousand of them need 40 MB here and 400 MB as dictionaries.
    """

    def __init__(self, resources: Iterable[Resource]) -> None:
        self._order: list[tuple[tuple[int, str, str], bytes]] = []
        digests = []
        for resource in resources:
            text = fhirjson.dump(resource).encode()
            digests.append(hashlib.sha256(text).digest())
            self._order.append((rank(resource), zlib.compress(text, 1)))
        self._order.sort(key=lambda ranked: ranked[0])
        self.digest = hashlib.sha256(b"".join(sorted(digests))).hexdigest()
        """SHA-256 over the resources, whatever order they came in."""

    def __len__(self) -> int:
        return len(self._order)

    def __eq__(self, other: object) -> bool:
        if isinstance(other, CompressedResources):
            return self.digest == other.digest
        return NotImplemented

    def __hash__(self) -> int:
        return hash(self.digest)

    def of_type(self, resource_type: str) -> list[Resource]:
        """The resources of one type."""
        places = [n for n, (rank, _) in enumerate(self._order) if rank[1] == resource_type]
        return [self[place] for place in places]

    @overload
    def __getitem__(self, index: int) -> Resource: ...
    @overload
    def __getitem__(self, index: slice) -> list[Resource]: ...
    def __getitem__(self, index: int | slice) -> Resource | list[Resource]:
        if isinstance(index, slice):
            return [self[each] for each in range(*index.indices(len(self)))]
        resource: Resource = fhirjson.read(zlib.decompress(self._order[index][1]))[0]
        return resource


def rank(resource: Resource) -> tuple[int, str, str]:
    """Where a resource stands: after those that it refers to, then by type and id."""
    name = resource["resourceType"]
    # A type that is not listed refers to terms, and is referred to.
    return _PLACE.get(name, _PLACE["Questionnaire"]), name, resource["id"]
