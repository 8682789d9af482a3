"""All codes of a value set, where the loaded packages hold enough to list them."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from fhirpkg.definitions.terminology import codesystems
from fhirpkg.definitions.terminology.codesystems import Concept

if TYPE_CHECKING:
    from collections.abc import Iterable

    from fhirpkg.definitions.terminology.composition import Clause, Codes, Composition
    from fhirpkg.definitions.terminology.contents import Contents

DEPTH_LIMIT = 50
"""How many value sets may lie inside one another."""


class _Part(NamedTuple):
    """The codes that are surely in a part of a value set, and whether there are no others."""

    codes: Codes
    is_all: bool


_NOTHING_KNOWN = _Part(frozenset(), is_all=False)


class Expansion:
    """All codes of a value set and those it is made of; None when they cannot all be listed."""

    def __init__(self, contents: Contents) -> None:
        self._contents = contents
        self._known: dict[str, _Part] = {}
        self._depth = 0

    def of(self, value_set: Composition | None) -> Codes | None:
        """The codes of a value set; one that is absent or includes itself has no list."""
        found = self._of(value_set)
        return found.codes if found.is_all else None

    def _of(self, value_set: Composition | None) -> _Part:
        if value_set is None:
            return _NOTHING_KNOWN
        key = value_set.name
        if key not in self._known:
            if self._depth >= DEPTH_LIMIT:
                return _NOTHING_KNOWN
            self._known[key] = _NOTHING_KNOWN
            self._depth += 1
            self._known[key] = self._codes(value_set)
            self._depth -= 1
        return self._known[key]

    def _codes(self, value_set: Composition) -> _Part:
        """What the definition says; else its own expansion, if that does not contradict it."""
        include = value_set.include
        part = _NOTHING_KNOWN if include is None else self._compose(value_set, include)
        if not part.is_all and value_set.is_whole and part.codes <= value_set.listed:
            return _Part(value_set.listed, is_all=True)
        return part

    def _compose(self, value_set: Composition, include: tuple[Clause, ...]) -> _Part:
        included, excluded = self._union(include), self._union(value_set.exclude)
        if not excluded.is_all:
            return _NOTHING_KNOWN
        codes = included.codes - excluded.codes
        if value_set.only_active:
            codes = frozenset(pair for pair in codes if not self._is_inactive(*pair))
        return _Part(codes, included.is_all)

    def _is_inactive(self, system: str, code: str) -> bool:
        concept = self._contents.local(system, code)
        return isinstance(concept, Concept) and concept.is_inactive

    def _union(self, clauses: Iterable[Clause]) -> _Part:
        parts = [self._clause(clause) for clause in clauses]
        codes = frozenset[tuple[str, str]]().union(*(part.codes for part in parts))
        return _Part(codes, all(part.is_all for part in parts))

    def _clause(self, clause: Clause) -> _Part:
        if not clause.is_readable:
            return _NOTHING_KNOWN
        parts = [self._of(self._contents.composition(v)) for v in clause.value_sets]
        if clause.system is not None:
            parts.append(self._of_system(clause, clause.system))
        codes = frozenset.intersection(*(part.codes for part in parts))
        return _Part(codes, all(part.is_all for part in parts))

    def _of_system(self, clause: Clause, system: str) -> _Part:
        if clause.codes is not None:
            return _Part(frozenset((system, code) for code in clause.codes), is_all=True)
        held = self._contents.system(system, clause.version)
        if held is None or not held.is_complete:
            return _NOTHING_KNOWN
        codes: list[tuple[str, str]] = []
        is_all = True
        for concept in held.concepts.values():
            answers = [codesystems.matches(held, concept, each) for each in clause.filters]
            is_all = is_all and None not in answers
            if all(answers):
                codes.append((system, concept.code))
        return _Part(frozenset(codes), is_all)
