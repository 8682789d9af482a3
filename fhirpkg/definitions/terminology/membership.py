"""Is a code in a value set? Answered clause by clause, without listing what the set holds."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fhirpkg.definitions.terminology import codesystems
from fhirpkg.definitions.terminology.codesystems import CodeSystem, Concept
from fhirpkg.definitions.terminology.expansion import DEPTH_LIMIT, is_whole, listed
from fhirpkg.definitions.terminology.verdicts import (
    YES,
    Membership,
    Verdict,
    every,
    no,
    some,
    unknown,
)
from fhirpkg.rules import nearest

if TYPE_CHECKING:
    from fhirpkg.definitions.terminology.valuesets import Terminology
    from fhirpkg.issues import Resource

_IMPLICIT = ("http://snomed.info/sct?fhir_vs", "http://loinc.org/vs")


class Evaluation:
    """One code sought in one value set and those it is made of; each is looked into once."""

    def __init__(self, terminology: Terminology, code: str) -> None:
        self._terminology = terminology
        self._code = code
        self._known: dict[tuple[str, str], Membership] = {}
        self._depth = 0

    def of_value_set(self, value_set: str | Resource, system: str | None) -> Membership:
        """Membership by canonical or resource; in any system of the set when none is given."""
        if isinstance(value_set, str):
            found = self._terminology.value_set(value_set)
            if found is None:
                return _missing(value_set)
            value_set = found
        if system is not None:
            return self._in(value_set, system)
        systems = sorted(_systems(self._terminology, value_set))
        if not systems:
            return self._in(value_set, "")
        absent = f"'{self._code}' is not in {_name(value_set)}{self._near(value_set)}"
        return some((self._in(value_set, each) for each in systems), absent)

    def _near(self, value_set: Resource) -> str:
        names = sorted(self._terminology.codes(value_set.get("url", "")) or ())
        if 0 < len(names) <= 8:
            return f", which has {', '.join(names)}"
        return nearest(self._code, names)

    def _in(self, value_set: Resource, system: str) -> Membership:
        key = (str(value_set.get("url") or id(value_set)), system)
        if key not in self._known:
            if self._depth >= DEPTH_LIMIT:
                return unknown(f"{_name(value_set)} is nested too deeply")
            self._known[key] = unknown(f"{_name(value_set)} includes itself")
            self._depth += 1
            self._known[key] = self._compose(value_set, system)
            self._depth -= 1
        return self._known[key]

    def _compose(self, value_set: Resource, system: str) -> Membership:
        compose = value_set.get("compose")
        answer = unknown(f"{_name(value_set)} has neither compose nor expansion")
        if isinstance(compose, dict):
            absent = f"'{self._code}' of {system or 'no system'} is not in {_name(value_set)}"
            included = some(
                [self._clause(part, system) for part in compose.get("include", [])], absent
            )
            if included.verdict is Verdict.NO:
                included = no(included.reason or absent)
            answer = every([included, self._not_excluded(value_set, compose, system)])
        if answer.verdict is Verdict.UNKNOWN and "expansion" in value_set:
            return self._by_expansion(value_set, system, answer)
        return answer

    def _not_excluded(self, value_set: Resource, compose: Resource, system: str) -> Membership:
        for part in compose.get("exclude", []):
            found = self._clause(part, system)
            if found.verdict is Verdict.YES:
                return no(f"'{self._code}' is excluded from {_name(value_set)}")
            if found.verdict is Verdict.UNKNOWN:
                return found
        if compose.get("inactive") is False:
            concept = self._terminology.local(system, self._code)
            if isinstance(concept, Concept) and concept.is_inactive:
                return no(f"'{self._code}' is inactive, and {_name(value_set)} wants none such")
        return YES

    def _clause(self, clause: Resource, system: str) -> Membership:
        """Whether an include (or exclude) takes the code: all of its parts must."""
        parts: list[Membership] = []
        wanted = clause.get("system")
        if wanted is not None:
            if wanted != system:
                return no("")
            parts.append(self._by_system(clause, wanted))
            if parts[0].verdict is Verdict.NO:
                return parts[0]
        parts += [self._nested(canonical, system) for canonical in clause.get("valueSet", [])]
        return every(parts) if parts else no("")

    def _nested(self, canonical: str, system: str) -> Membership:
        found = self._terminology.value_set(canonical)
        return self._in(found, system) if found else _missing(canonical)

    def _by_system(self, clause: Resource, system: str) -> Membership:
        if "concept" in clause:
            if any(concept.get("code") == self._code for concept in clause["concept"]):
                return YES
            return no("")
        concept = self._terminology.local(system, self._code, clause.get("version"))
        filters = clause.get("filter", [])
        if isinstance(concept, Concept) and not filters:
            return YES
        if isinstance(concept, Membership):
            return concept if concept.verdict is Verdict.NO else self._by_code(clause, concept)
        held = self._terminology.system(system)
        if held is None or held.content == "not-present":
            doubt = unknown(f"{system} has no content here to evaluate filters with")
            return self._by_code(clause, doubt)
        return every(_verdict(codesystems.matches(held, concept, one), one) for one in filters)

    def _by_code(self, clause: Resource, doubt: Membership) -> Membership:
        """Filters that only look at the code can say no without the system's content."""
        bare = CodeSystem({"concept": [{"code": self._code}]})
        for one in clause.get("filter", []):
            looks_at_code = one.get("property") in {"code", "concept"}
            if looks_at_code and one.get("op") in {"regex", "=", "in", "not-in"}:
                found = codesystems.matches(bare, bare.concepts[self._code], one)
                if found is False:
                    return no(f"'{self._code}' does not match {one.get('value')}")
        return doubt

    def _by_expansion(self, value_set: Resource, system: str, doubt: Membership) -> Membership:
        codes = listed(value_set["expansion"])
        if (system, self._code) in codes:
            return YES
        if is_whole(value_set["expansion"]):
            return no(f"'{self._code}' is not in the expansion of {_name(value_set)}")
        return doubt


def _systems(terminology: Terminology, value_set: Resource) -> set[str]:
    """The code systems that a value set and the value sets in it take codes from."""
    systems: set[str] = set()
    todo, seen = [value_set], set[str]()
    while todo:
        each = todo.pop()
        systems |= {system for system, _ in listed(each.get("expansion", {}))}
        for clause in each.get("compose", {}).get("include", []):
            if "system" in clause:
                systems.add(clause["system"])
            for canonical in clause.get("valueSet", []):
                found = None if canonical in seen else terminology.value_set(canonical)
                seen.add(canonical)
                todo += [found] if found else []
    return systems


def _missing(canonical: str) -> Membership:
    if canonical.startswith(_IMPLICIT):
        return unknown(f"the value set {canonical} can only be known by a terminology server")
    return unknown(f"the value set {canonical} is not loaded")


def _name(value_set: Resource) -> str:
    return str(value_set.get("url") or f"#{value_set.get('id', '')}")


def _verdict(answer: bool | None, clause: Resource) -> Membership:
    if answer is None:
        return unknown(f"the filter {clause.get('op')} '{clause.get('value')}' cannot be evaluated")
    return YES if answer else no("")
