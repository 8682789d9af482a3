"""What a package left behind on a server: marked as its own, but no longer in its content."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from fhirpkg.publishing.marks import Holders, is_tagged, marks_of_others

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from fhirpkg.issues import Resource
    from fhirpkg.publishing.bookkeeping.record import Record
    from fhirpkg.publishing.members import Release
    from fhirpkg.publishing.reading import Reader


_SUPERSEDED = dict.fromkeys(("DocumentManifest", "DocumentReference"), "superseded")
RETIRED = _SUPERSEDED | dict.fromkeys(
    (
        "ActivityDefinition CapabilityStatement CatalogEntry ChargeItemDefinition CodeSystem"
        " CompartmentDefinition ConceptMap EffectEvidenceSynthesis EventDefinition Evidence"
        " EvidenceVariable ExampleScenario GraphDefinition ImplementationGuide InsurancePlan"
        " Library List Measure MessageDefinition NamingSystem OperationDefinition PlanDefinition"
        " Questionnaire ResearchDefinition ResearchElementDefinition RiskEvidenceSynthesis"
        " SearchParameter StructureDefinition StructureMap TerminologyCapabilities TestScript"
        " ValueSet"
    ).split(),
    "retired",
)
"""The status that takes a resource of a type out of use; other types have none that says it."""
_IN_USE = ("draft", "active", "unknown", "current")
"""The statuses that a resource may have had before."""


@dataclass(frozen=True, slots=True)
class Orphan:
    """One resource left behind: its ``Type/id`` in the content that had it, its place now."""

    local: str
    place: str
    version: str
    holders: tuple[Resource, ...]
    """The marks of other packages that hold it too."""
    canonical_version: str = ""
    """The version of a resource that has a url."""

    def is_of_another_version(self, release: Release) -> bool:
        """Whether it belongs to a version that is beside this one."""
        present = {member.version for member in release.members}
        return bool(self.canonical_version) and self.canonical_version not in present


def orphans(
    release: Release,
    reader: Reader,
    record: Record,
    in_use: Collection[str],
    holders: Holders,
) -> list[Orphan]:
    """What the inventories list or the tag marks, exists, and is at no place `in_use`."""
    found = {orphan.place: orphan for orphan in _listed(release, reader, record, in_use, holders)}
    for orphan in _tagged(release, reader, in_use, holders):
        found.setdefault(orphan.place, orphan)
    return sorted(found.values(), key=lambda orphan: orphan.place)


def _listed(
    release: Release,
    reader: Reader,
    record: Record,
    in_use: Collection[str],
    holders: Holders,
) -> Iterator[Orphan]:
    gone: dict[str, str] = {}
    for inventory in record.inventories:
        for local, line in inventory.members.items():
            if line.place not in in_use:
                gone[line.place] = local
    by_type: dict[str, list[str]] = {}
    for place in gone:
        resource_type, _, resource_id = place.partition("/")
        by_type.setdefault(resource_type, []).append(resource_id)
    for resource_type, ids in by_type.items():
        for resource_id, resource in reader.by_ids(resource_type, ids).items():
            place = f"{resource_type}/{resource_id}"
            if is_let_go(resource, release.owner) or _is_taken(resource, release.owner):
                continue
            yield _orphan(gone[place], resource, holders)


def _orphan(local: str, resource: Resource, holders: Holders) -> Orphan:
    place = f"{resource['resourceType']}/{resource['id']}"
    version = str(resource.get("meta", {}).get("versionId", ""))
    told = str(resource.get("version", "")) if resource.get("url") else ""
    return Orphan(local, place, version, tuple(holders.of(resource)), told)


def _is_taken(resource: Resource, owner: Resource) -> bool:
    """Whether another package took it over: it has a mark, and not this one's."""
    return not is_tagged(resource, owner) and bool(marks_of_others(resource, owner))


def is_let_go(resource: Resource, owner: Resource) -> bool:
    """Whether it was retired and unmarked: no longer ours, though an old inventory lists it."""
    retired = RETIRED.get(resource["resourceType"])
    return not is_tagged(resource, owner) and resource.get("status", "") == retired


def before_let_go(resource: Resource, owner: Resource) -> Iterator[Resource]:
    """What a resource may have been before a prune retired it; nothing when none did."""
    if is_let_go(resource, owner):
        for status in _IN_USE:
            yield resource | {"status": status}


def _tagged(
    release: Release, reader: Reader, in_use: Collection[str], holders: Holders
) -> Iterator[Orphan]:
    """By the tag, in case that no inventory lists it; only searched where more are counted."""
    owner = release.owner
    used = Counter(place.partition("/")[0] for place in in_use)
    for resource_type in sorted({member.type for member in release.members}):
        counted = reader.client.count(resource_type, [release.mark])
        if counted is None or counted <= used[resource_type]:
            continue
        for hit in reader.client.search(resource_type, [release.mark]):
            place = f"{resource_type}/{hit.get('id')}"
            if hit.get("resourceType") != resource_type or not is_tagged(hit, owner):
                break  # the server ignores the parameter
            if place not in in_use:
                yield _orphan(place, hit, holders)
