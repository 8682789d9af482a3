"""ConceptMaps: the codes mapped are those of the systems and value sets that the map names.

See http://hl7.org/fhir/R4/conceptmap.html.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from fhirpkg.canonical import Canonical
from fhirpkg.definitions.terminology.verdicts import Membership, Verdict
from fhirpkg.untrusted import choice_of, numbered, text_of
from fhirpkg.validation.terminology.rules import (
    CONCEPT_MAP_CODE,
    CONCEPT_MAP_SCOPE,
    CONCEPT_MAP_VALUE_SET,
)

if TYPE_CHECKING:
    from fhirpkg.issues import Path, Resource
    from fhirpkg.validation.run import Run


def check_concept_map(concept_map: Resource, path: Path, run: Run) -> None:
    """Report source and target codes that are not of their code system or value set."""
    source_set, target_set = (_value_set(concept_map, s, path, run) for s in ("source", "target"))
    for group_place, group in numbered(concept_map, "group", path):
        source, target = (_system(group, side) for side in ("source", "target"))
        for place, element in numbered(group, "element", group_place):
            _check_code(element, source, source_set, place, run)
            for at, mapped in numbered(element, "target", place):
                _check_code(mapped, target, target_set, at, run)


def _value_set(concept_map: Resource, side: str, path: Path, run: Run) -> str:
    """The canonical of the value set of one side; empty when it is not loaded or something else."""
    key, url = choice_of(concept_map, side)
    if not isinstance(url, str) or not url:
        return ""
    if run.terminology.value_set(url):
        return url
    other = run.definitions.find(url)
    if other and key.endswith("Uri"):  # of a canonical the type is checked where it is
        found = other["resourceType"]
        run.report(CONCEPT_MAP_VALUE_SET, (*path, key), url=url, found=found)
    return ""


def _system(group: Resource, side: str) -> Canonical:
    stated = text_of(group, f"{side}Version") or None
    named = Canonical.parse(text_of(group, side))
    return Canonical(named.url, stated or named.version)


def _is_held(system: Canonical, run: Run) -> bool:
    """Whether all codes of a system are here; of others a server may know more of the set."""
    held = run.terminology.system(system.url, system.version)
    return held is not None and held.is_complete


def _check_code(holder: Resource, system: Canonical, value_set: str, place: Path, run: Run) -> None:
    code = text_of(holder, "code")
    if not system.url or not code:
        return
    found = run.terminology.local(system.url, code, system.version)
    if isinstance(found, Membership) and found.verdict is Verdict.NO:
        run.report(CONCEPT_MAP_CODE, (*place, "code"), reason=found.reason)
    elif value_set and _is_held(system, run):
        member = run.terminology.membership(value_set, code, system.url)
        if member.verdict is Verdict.NO:
            run.report(CONCEPT_MAP_SCOPE, (*place, "code"), reason=member.reason)
