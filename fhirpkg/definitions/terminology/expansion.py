"""All codes of a value set, where the loaded packages hold enough to list them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fhirpkg.definitions.terminology import codesystems
from fhirpkg.definitions.terminology.codesystems import Concept

if TYPE_CHECKING:
    from collections.abc import Iterable

    from fhirpkg.definitions.terminology.composition import Clause, Codes, Composition
    from fhirpkg.definitions.terminology.contents import Contents

DEPTH_LIMIT = 50
"""How many value sets may lie inside one another."""


class Expansion:
    """All codes of a value set and those it is made of; None when they cannot all be listed."""

    def __init__(self, contents: Contents) -> None:
        self._contents = contents
        self._known: dict[str, Codes | None] = {}
        self._depth = 0

    def of(self, value_set: Composition | None) -> Codes | None:
        """The codes of a value set; one that is absent or includes itself has no list."""
        if value_set is None:
            return None
        key = value_set.name
        if key not in self._known:
            if self._depth >= DEPTH_LIMIT:
                return None
            self._known[key] = None
            self._depth += 1
            self._known[key] = self._codes(value_set)
            self._depth -= 1
        return self._known[key]

    def _codes(self, value_set: Composition) -> Codes | None:
        codes = None if value_set.include is None else self._compose(value_set, value_set.include)
        return value_set.listed if codes is None and value_set.is_whole else codes

    def _compose(self, value_set: Composition, include: tuple[Clause, ...]) -> Codes | None:
        included, excluded = self._union(include), self._union(value_set.exclude)
        if included is None or excluded is None:
            return None
        codes = included - excluded
        if value_set.only_active:
            return frozenset(pair for pair in codes if not self._is_inactive(*pair))
        return codes

    def _is_inactive(self, system: str, code: str) -> bool:
        concept = self._contents.local(system, code)
        return isinstance(concept, Concept) and concept.is_inactive

    def _union(self, clauses: Iterable[Clause]) -> Codes | None:
        codes: set[tuple[str, str]] = set()
        for clause in clauses:
            part = self._clause(clause)
            if part is None:
                return None
            codes |= part
        return frozenset(codes)

    def _clause(self, clause: Clause) -> Codes | None:
        if not clause.is_readable:
            return None
        parts = [self.of(self._contents.composition(v)) for v in clause.value_sets]
        if clause.system is not None:
            parts.append(self._of_system(clause, clause.system))
        codes = parts[0]
        for part in parts[1:]:
            codes = None if codes is None or part is None else codes & part
        return codes

    def _of_system(self, clause: Clause, system: str) -> Codes | None:
        if clause.codes is not None:
            return frozenset((system, code) for code in clause.codes)
        held = self._contents.system(system, clause.version)
        if held is None or not held.is_complete:
            return None
        codes: list[tuple[str, str]] = []
        for concept in held.concepts.values():
            answers = [codesystems.matches(held, concept, each) for each in clause.filters]
            if None in answers:
                return None
            if all(answers):
                codes.append((system, concept.code))
        return frozenset(codes)
