"""ConceptMaps: the codes mapped are those of the systems that the groups name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fhirpkg.definitions.terminology.verdicts import Membership, Verdict
from fhirpkg.validation.items import numbered, text_of

if TYPE_CHECKING:
    from fhirpkg.issues import Path, Resource
    from fhirpkg.validation.run import Run


def check_concept_map(concept_map: Resource, path: Path, run: Run) -> None:
    """Report source and target codes that a loaded code system does not have."""
    for group_place, group in numbered(concept_map, "group", path):
        source = text_of(group, "source"), text_of(group, "sourceVersion")
        target = text_of(group, "target"), text_of(group, "targetVersion")
        for place, element in numbered(group, "element", group_place):
            _check_code(element, source, place, run)
            for at, mapped in numbered(element, "target", place):
                _check_code(mapped, target, at, run)


def _check_code(holder: Resource, system: tuple[str, str], place: Path, run: Run) -> None:
    url, version = system
    code = text_of(holder, "code")
    if not url or not code:
        return
    found = run.terminology.local(url, code, version or None)
    if isinstance(found, Membership) and found.verdict is Verdict.NO:
        run.report("concept-map-code", (*place, "code"), reason=found.reason)
