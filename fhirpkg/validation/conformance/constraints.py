"""The constraints that a definition states: their keys, sources and expressions.

See http://hl7.org/fhir/R4/elementdefinition-definitions.html#ElementDefinition.constraint.
"""

from __future__ import annotations

import functools
import re
from typing import TYPE_CHECKING

from fhirpkg.definitions.cores import definitions_of
from fhirpkg.errors import DefinitionError
from fhirpkg.untrusted import numbered, text_of
from fhirpkg.validation.conformance.rules import (
    STRUCTURE_DEFINITION_CONSTRAINT_KEY,
    STRUCTURE_DEFINITION_CONSTRAINT_SOURCE,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from fhirpkg.issues import Path, Resource
    from fhirpkg.releases import Release
    from fhirpkg.validation.run import Run

_HL7_KEY = re.compile(r"[a-z]{2,4}-\d+[a-z]?")
"""How FHIR names the constraints of its types: only for such a key they are all read."""
_ON_EVERYTHING = "ele-1"  # its expression differs between the editions that snapshots come from


def check_constraint_keys(structure: Resource, path: Path, run: Run) -> None:
    """Report constraints with the key of another one, or said to be another profile's."""
    base = _base(structure, run)
    for part in ("differential", "snapshot"):
        here: dict[str, str] = {}
        for place, constraint in _constraints(structure.get(part), (*path, part)):
            key, expression = text_of(constraint, "key"), text_of(constraint, "expression")
            if not key or not expression or key == _ON_EVERYTHING:
                continue
            other = here.setdefault(key, expression)
            if other == expression and part == "differential":
                other = _known(key, expression, base, run.definitions.release)
            if other != expression:
                run.report(STRUCTURE_DEFINITION_CONSTRAINT_KEY, place, key=key, other=other)
            if part == "differential":
                _check_source(constraint, structure, place, run)


def _check_source(constraint: Resource, structure: Resource, place: Path, run: Run) -> None:
    source, url = text_of(constraint, "source"), text_of(structure, "url")
    if source and url and source not in {url, f"{url}|{structure.get('version')}"}:
        run.report(STRUCTURE_DEFINITION_CONSTRAINT_SOURCE, place, source=source, url=url)


def _constraints(holder: object, path: Path) -> Iterator[tuple[Path, Resource]]:
    for place, element in numbered(holder, "element", path):
        yield from numbered(element, "constraint", place)


def _known(key: str, expression: str, base: Mapping[str, set[str]], release: Release) -> str:
    """An expression that FHIR or the base has under a key; the same one if that is among them."""
    is_hl7s = _HL7_KEY.fullmatch(key)
    known = base.get(key) or (_core_constraints(release).get(key) if is_hl7s else None)
    return expression if not known or expression in known else min(known)


def _base(structure: Resource, run: Run) -> Mapping[str, set[str]]:
    try:
        base = run.definitions.structure(text_of(structure, "baseDefinition"))
    except DefinitionError:
        return {}
    return _expressions([base] if base else [])


@functools.cache
def _core_constraints(release: Release) -> Mapping[str, set[str]]:
    """The expressions of all constraints of FHIR's types by their keys."""
    core = definitions_of(release)
    entries = [e for e in core.entries("StructureDefinition") if e.derivation != "constraint"]
    found = (core.find(entry.url, "StructureDefinition") for entry in entries)
    return _expressions([structure for structure in found if structure])


def _expressions(structures: list[Resource]) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for structure in structures:
        for _, constraint in _constraints(structure.get("snapshot"), ()):
            found.setdefault(text_of(constraint, "key"), set()).add(
                text_of(constraint, "expression")
            )
    return found
