"""All codes of a value set, where the loaded packages hold enough to list them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fhirpkg.definitions.terminology import codesystems
from fhirpkg.definitions.terminology.codesystems import Concept

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from fhirpkg.definitions.terminology.valuesets import Terminology
    from fhirpkg.issues import Resource

Codes = frozenset[tuple[str, str]]
"""(system, code) of each member."""

DEPTH_LIMIT = 50
"""How many value sets may lie inside one another."""


class Expansion:
    """All codes of a value set and those it is made of; None when they cannot all be listed."""

    def __init__(self, terminology: Terminology) -> None:
        self._terminology = terminology
        self._known: dict[str, Codes | None] = {}
        self._depth = 0

    def of_value_set(self, value_set: str | Resource) -> Codes | None:
        """The codes by canonical or resource; a value set that includes itself has no list."""
        if isinstance(value_set, str):
            found = self._terminology.value_set(value_set)
            if found is None:
                return None
            value_set = found
        key = str(value_set.get("url") or id(value_set))
        if key not in self._known:
            if self._depth >= DEPTH_LIMIT:
                return None
            self._known[key] = None
            self._depth += 1
            self._known[key] = self._of(value_set)
            self._depth -= 1
        return self._known[key]

    def _of(self, value_set: Resource) -> Codes | None:
        compose = value_set.get("compose")
        codes = self._compose(compose) if isinstance(compose, dict) else None
        if codes is None and is_whole(value_set.get("expansion", {})):
            return listed(value_set["expansion"])
        return codes

    def _compose(self, compose: Resource) -> Codes | None:
        included = self._union(compose.get("include", []))
        excluded = self._union(compose.get("exclude", []))
        if included is None or excluded is None:
            return None
        codes = included - excluded
        if compose.get("inactive") is False:
            return frozenset(pair for pair in codes if not self._is_inactive(*pair))
        return codes

    def _is_inactive(self, system: str, code: str) -> bool:
        concept = self._terminology.local(system, code)
        return isinstance(concept, Concept) and concept.is_inactive

    def _union(self, clauses: Iterable[Resource]) -> Codes | None:
        codes: set[tuple[str, str]] = set()
        for clause in clauses:
            part = self._clause(clause)
            if part is None:
                return None
            codes |= part
        return frozenset(codes)

    def _clause(self, clause: Resource) -> Codes | None:
        parts: list[Codes | None] = [self.of_value_set(v) for v in clause.get("valueSet", [])]
        if "system" in clause:
            parts.append(self._of_system(clause, clause["system"]))
        if not parts:
            return None
        codes = parts[0]
        for part in parts[1:]:
            codes = None if codes is None or part is None else codes & part
        return codes

    def _of_system(self, clause: Resource, system: str) -> Codes | None:
        if "concept" in clause:
            return frozenset((system, c["code"]) for c in clause["concept"] if "code" in c)
        held = self._terminology.system(system, clause.get("version"))
        if held is None or not held.is_complete:
            return None
        codes: list[tuple[str, str]] = []
        for concept in held.concepts.values():
            answers = [codesystems.matches(held, concept, f) for f in clause.get("filter", [])]
            if None in answers:
                return None
            if all(answers):
                codes.append((system, concept.code))
        return frozenset(codes)


def listed(expansion: Resource) -> Codes:
    """The codes of an `expansion` element that may be used, nested ones included."""
    return frozenset(_contains(expansion))


def _contains(expansion: Resource) -> Iterator[tuple[str, str]]:
    todo: list[Any] = list(expansion.get("contains", []))
    while todo:
        entry = todo.pop()
        if "code" in entry and entry.get("abstract") is not True:
            yield entry.get("system", ""), entry["code"]
        todo += entry.get("contains", [])


def is_whole(expansion: Resource) -> bool:
    """Whether an expansion lists everything: not one page of several, not cut off."""
    if "contains" not in expansion or expansion.get("offset"):
        return False
    is_cut = any(
        "limited" in e.get("url", "") or "toocostly" in e.get("url", "")
        for e in expansion.get("extension", [])
    )
    count = sum(1 for _ in _contains(expansion))
    return not is_cut and expansion.get("total", count) <= count
