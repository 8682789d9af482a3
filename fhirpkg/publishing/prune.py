"""Taking away what a package left behind: retired, or deleted when that is asked for.

Only what the package owns is touched, what refers first; never more than the caller allows.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from fhirpkg.publishing.marks import is_same_tag, is_tagged, tags_of, unmark, with_tags
from fhirpkg.publishing.members import references_in
from fhirpkg.publishing.orphans import RETIRED
from fhirpkg.publishing.reading import standing
from fhirpkg.publishing.survey import Change

if TYPE_CHECKING:
    from fhirpkg.client.client import FhirClient
    from fhirpkg.issues import Resource
    from fhirpkg.publishing.planning import Plan
    from fhirpkg.publishing.survey import Item


_NO_STATUS = "it has no status that says it is out of use; use --delete"


@dataclass
class Pruning:
    """What became of the orphans, by ``Type/id``."""

    retired: list[str] = field(default_factory=list)
    deleted: list[str] = field(default_factory=list)
    released: dict[str, str] = field(default_factory=dict)
    """What another package holds too, and who; only this package's mark was taken from it."""
    refused: dict[str, str] = field(default_factory=dict)

    @property
    def tables(self) -> dict[str, dict[str, str]]:
        """What became of each place, with the reason where there is one."""
        return {
            "retired": dict.fromkeys(self.retired, ""),
            "deleted": dict.fromkeys(self.deleted, ""),
            "released": self.released,
            "refused": self.refused,
        }

    @property
    def places(self) -> list[str]:
        """Every place that was dealt with."""
        return [place for table in self.tables.values() for place in table]

    @property
    def is_complete(self) -> bool:
        """Whether nothing is left to do."""
        return not self.refused


def prune(plan: Plan, client: FhirClient, *, delete: bool = False) -> Pruning:
    """Retire the plan's orphans and take the package's mark from them, or delete them.

    Nothing is touched that changed since the plan or that is not marked as the package's.
    """
    found = Pruning()
    resources: dict[str, Resource] = {}
    for item in plan.of(Change.ORPHAN):
        theirs = standing(client, item.place)
        if theirs is None:
            continue
        problem = _not_ours(item, theirs, plan)
        if problem:
            found.refused[item.place] = problem
        else:
            resources[item.place] = theirs
    holders = {item.place: item.why for item in plan.of(Change.ORPHAN) if item.tags}
    for place in _referring_first(resources):
        theirs, owner = resources[place], plan.release.owner
        if place in holders:
            problem = _take_mark(client, place, theirs, owner)
        elif delete:
            problem = _delete(client, place, theirs)
        else:
            problem = _retire(client, place, theirs, owner)
        if problem:
            found.refused[place] = problem
        elif place in holders:
            found.released[place] = holders[place]
        else:
            (found.deleted if delete else found.retired).append(place)
    return found


def foreseen(plan: Plan, *, delete: bool) -> Pruning:
    """What a prune of the plan would do, if nothing comes in its way."""
    found = Pruning()
    for item in plan.of(Change.ORPHAN):
        if item.tags:
            found.released[item.place] = item.why
        elif not delete and item.place.partition("/")[0] not in RETIRED:
            found.refused[item.place] = _NO_STATUS
        else:
            (found.deleted if delete else found.retired).append(item.place)
    return found


def _not_ours(item: Item, theirs: Resource, plan: Plan) -> str:
    version = str(theirs.get("meta", {}).get("versionId", ""))
    if version != item.version:
        return f"somebody else wrote version {version} meanwhile"
    listed = plan.inventory is not None and item.local in plan.inventory.members
    if not is_tagged(theirs, plan.release.owner) and not listed:
        return "it is not marked as this package's"
    return ""


def _referring_first(resources: dict[str, Resource]) -> list[str]:
    """Places so that what refers comes before what it refers to; rings in any order."""
    needs = {
        place: {
            other
            for other, named in resources.items()
            if other in set(references_in(resource)) or names(resource, str(named.get("url")))
        }
        for place, resource in resources.items()
    }
    ordered: list[str] = []
    left = set(resources)
    while left:
        free = [p for p in left if not any(p in needs[other] for other in left - {p})]
        ordered += sorted(free or left)
        left -= set(ordered)
    return ordered


def _retire(client: FhirClient, place: str, theirs: Resource, owner: Resource) -> str:
    """Take a resource out of use and out of the package; what went wrong, or nothing."""
    status = RETIRED.get(theirs["resourceType"])
    if status is None or "status" not in theirs:
        return _NO_STATUS
    return _take_mark(client, place, theirs | {"status": status}, owner)


def _take_mark(client: FhirClient, place: str, theirs: Resource, owner: Resource) -> str:
    """Write a resource without the package's mark; what went wrong, or nothing."""
    tags = [tag for tag in tags_of(theirs) if not is_same_tag(tag, owner)]
    unmarked = with_tags(theirs, tags)
    response = client.request("PUT", place, body=unmarked, headers=_if_match(theirs))
    if not response.worked:
        return response.problem
    now = standing(client, place)
    return unmark(client, place, [owner]) if now is not None and is_tagged(now, owner) else ""


def _delete(client: FhirClient, place: str, theirs: Resource) -> str:
    dependents = _dependents(client, theirs)
    if dependents:
        return f"still used by {', '.join(dependents)}"
    response = client.request("DELETE", place, headers=_if_match(theirs))
    return "" if response.worked or response.status in {404, 410} else response.problem


def _dependents(client: FhirClient, theirs: Resource) -> list[str]:
    """Definitions elsewhere that name this one by its canonical, as far as servers index that."""
    url = theirs.get("url")
    if not url:
        return []
    own = f"{theirs['resourceType']}/{theirs['id']}"
    found: list[str] = []
    for resource_type in ("PlanDefinition", "ActivityDefinition", "Library"):
        known = client.capabilities().search_parameters(resource_type)
        for parameter in sorted({"depends-on", "composed-of", "definition"} & known):
            hits = client.search(resource_type, [(parameter, str(url)), ("_count", "5")])
            found += [f"{h['resourceType']}/{h['id']}" for h in hits if names(h, str(url))]
    return sorted(set(found) - {own})


def names(value: object, url: str) -> bool:
    """Whether a resource names a canonical anywhere but as its own url."""
    if isinstance(value, dict):
        return any(names(v, url) for k, v in value.items() if k != "url")
    if isinstance(value, list):
        return any(names(item, url) for item in value)
    return isinstance(value, str) and value.partition("|")[0] == url


def _if_match(resource: Resource) -> dict[str, str]:
    version = resource.get("meta", {}).get("versionId")
    return {"If-Match": f'W/"{version}"'} if version else {}
