"""The codes of value sets for evaluation; one that cannot be told is an error, never empty."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fhirpkg.errors import FhirpkgError, ResolutionError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from fhirpkg.cql.evaluating.values import Code
    from fhirpkg.issues import Resource


class ValueSets:
    """Value sets by canonical, each turned into a set of (system, code) once."""

    def __init__(self, resolve: Callable[[str, str], Resource | None]) -> None:
        self._resolve = resolve
        self._known: dict[str, frozenset[tuple[str, str]]] = {}

    def contains(self, canonical: str, codes: Iterable[Code]) -> bool:
        """Whether one of the codes is in the value set.

        Raises ResolutionError when it is missing, FhirpkgError when its codes cannot be told.
        """
        members = self.members(canonical)
        plain = None
        for code in codes:
            if (code.system, code.code) in members:
                return True
            if not code.system:  # the value of a `code` element: its system is implied
                plain = plain or {member for _, member in members}
                if code.code in plain:
                    return True
        return False

    def members(self, canonical: str) -> frozenset[tuple[str, str]]:
        """All (system, code) of a value set."""
        if canonical not in self._known:
            self._known[canonical] = frozenset(self._members(canonical, ()))
        return self._known[canonical]

    def _members(self, canonical: str, above: tuple[str, ...]) -> set[tuple[str, str]]:
        if canonical in above:
            raise FhirpkgError(f"the value set {canonical} includes itself")
        value_set = self._resolve(canonical, "ValueSet")
        if value_set is None:
            raise ResolutionError(canonical, "the value set is not in the package or the data")
        if contains := value_set.get("expansion", {}).get("contains"):
            return set(_expanded(contains))
        compose = value_set.get("compose", {})
        if "include" not in compose:
            raise FhirpkgError(f"the value set {canonical} has neither an expansion nor a compose")
        members: set[tuple[str, str]] = set()
        for include in compose["include"]:
            members |= self._included(include, canonical, (*above, canonical))
        for exclude in compose.get("exclude", ()):
            members -= self._included(exclude, canonical, (*above, canonical))
        return members

    def _included(
        self, include: Resource, canonical: str, above: tuple[str, ...]
    ) -> set[tuple[str, str]]:
        found: set[tuple[str, str]] | None = None
        if "system" in include:
            found = set(self._of_system(include, canonical))
        for other in include.get("valueSet", ()):
            members = self._members(other, above)
            found = members if found is None else found & members
        return found or set()

    def _of_system(self, include: Resource, canonical: str) -> Iterator[tuple[str, str]]:
        system = include["system"]
        if "concept" in include:
            yield from ((system, concept["code"]) for concept in include["concept"])
            return
        code_system = self._resolve(system, "CodeSystem")
        complete = code_system is not None and code_system.get("content") == "complete"
        if "filter" in include or not complete:
            what = "a filter on" if "filter" in include else "all of"
            problem = f"the value set {canonical} is {what} {system} and has no expansion"
            raise FhirpkgError(f"{problem}; expand it before it is used")
        assert code_system, "it is complete"
        yield from ((system, code) for code in _concepts(code_system.get("concept", ())))


def _expanded(contains: Iterable[Any]) -> Iterator[tuple[str, str]]:
    for item in contains:
        if "code" in item and not item.get("abstract"):
            yield item.get("system", ""), item["code"]
        yield from _expanded(item.get("contains", ()))


def _concepts(concepts: Iterable[Any]) -> Iterator[str]:
    for concept in concepts:
        yield concept["code"]
        yield from _concepts(concept.get("concept", ()))
