"""Is a code in a value set? Answered clause by clause, without listing what the set holds."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fhirpkg.definitions.terminology import codesystems
from fhirpkg.definitions.terminology.codesystems import CodeSystem, Concept
from fhirpkg.definitions.terminology.expansion import DEPTH_LIMIT, Expansion
from fhirpkg.definitions.terminology.grammars import UCUM
from fhirpkg.definitions.terminology.verdicts import (
    YES,
    Membership,
    Verdict,
    every,
    near,
    no,
    some,
    unknown,
)

if TYPE_CHECKING:
    from fhirpkg.definitions.terminology.composition import Clause, Composition, Filter
    from fhirpkg.definitions.terminology.contents import Contents

_IMPLICIT = ("http://snomed.info/sct?fhir_vs", "http://loinc.org/vs")


class Evaluation:
    """One code sought in one value set and those it is made of; each is looked into once."""

    def __init__(self, contents: Contents, code: str) -> None:
        self._contents = contents
        self._code = code
        self._known: dict[tuple[str, str], Membership] = {}
        self._depth = 0

    def of(self, value_set: Composition, system: str | None) -> Membership:
        """Membership in a value set; in any system of the set when none is given."""
        if system is not None:
            return self._in(value_set, system)
        systems = sorted(_systems(self._contents, value_set))
        if not systems:
            return self._in(value_set, "")
        absent = f"'{self._code}' is not in {value_set.name}{self._near(value_set)}"
        return some((self._in(value_set, each) for each in systems), absent)

    def _near(self, value_set: Composition) -> str:
        names = sorted({code for _, code in Expansion(self._contents).of(value_set) or ()})
        if 0 < len(names) <= 8:
            return f", which has {', '.join(names)}"
        return near(self._code, names)

    def _in(self, value_set: Composition, system: str) -> Membership:
        key = (value_set.name, system)
        if key not in self._known:
            if self._depth >= DEPTH_LIMIT:
                return unknown(f"{value_set.name} is nested too deeply")
            self._known[key] = unknown(f"{value_set.name} includes itself")
            self._depth += 1
            self._known[key] = self._compose(value_set, system)
            self._depth -= 1
        return self._known[key]

    def _compose(self, value_set: Composition, system: str) -> Membership:
        name = value_set.name
        if value_set.include is None:
            answer = unknown(f"{name} has neither compose nor expansion")
        else:
            absent = f"'{self._code}' of {system or 'no system'} is not in {name}"
            included = some([self._clause(c, system) for c in value_set.include], absent)
            answer = every([included, self._not_excluded(value_set, system)])
        if answer.verdict is not Verdict.UNKNOWN or not value_set.listed:
            return answer
        if (system, self._code) in value_set.listed:
            return YES
        return (
            no(f"'{self._code}' is not in the expansion of {name}")
            if value_set.is_whole
            else answer
        )

    def _not_excluded(self, value_set: Composition, system: str) -> Membership:
        for part in value_set.exclude:
            found = self._clause(part, system)
            if found.verdict is Verdict.YES:
                return no(f"'{self._code}' is excluded from {value_set.name}")
            if found.verdict is Verdict.UNKNOWN:
                return found
        if value_set.only_active:
            concept = self._contents.local(system, self._code)
            if isinstance(concept, Concept) and concept.is_inactive:
                return no(
                    f"'{self._code}' is inactive, and {value_set.name} excludes inactive codes"
                )
        return YES

    def _clause(self, clause: Clause, system: str) -> Membership:
        """Whether an include (or exclude) takes the code: all of its parts must."""
        if not clause.is_readable:
            return unknown("a part of the value set's definition cannot be read")
        parts: list[Membership] = []
        if clause.system is not None:
            if clause.system != system:
                return no("")
            parts.append(self._by_system(clause, system))
            if parts[0].verdict is Verdict.NO:
                return parts[0]
        parts += [self._nested(canonical, system) for canonical in clause.value_sets]
        return every(parts)

    def _nested(self, canonical: str, system: str) -> Membership:
        found = self._contents.composition(canonical)
        return self._in(found, system) if found else missing(canonical)

    def _by_system(self, clause: Clause, system: str) -> Membership:
        if clause.codes is not None:
            return YES if self._is_listed(clause.codes, system) else no("")
        concept = self._contents.local(system, self._code, clause.version)
        if isinstance(concept, Membership):
            return concept if concept.verdict is Verdict.NO else self._by_code(clause, concept)
        if not clause.filters:
            return YES
        held = self._contents.system(system)
        if held is not None and held.content != "not-present":
            return every(_answer(codesystems.matches(held, concept, f), f) for f in clause.filters)
        if system == UCUM and all(f.property == "canonical" for f in clause.filters):
            from fhirpkg import ucum  # noqa: PLC0415 - costs start-up

            units = [f.value for f in clause.filters]
            return YES if all(ucum.commensurable(self._code, unit) for unit in units) else no("")
        doubt = unknown(
            f"{system} is not loaded with its concepts, so filters on it cannot be evaluated"
        )
        return self._by_code(clause, doubt)

    def _is_listed(self, codes: frozenset[str], system: str) -> bool:
        """Whether a code is among others, ignoring case where the system does."""
        held = None if self._code in codes else self._contents.system(system)
        concept = held.get(self._code) if held else None
        return self._code in codes or (
            held is not None and concept is not None and concept in map(held.get, codes)
        )

    def _by_code(self, clause: Clause, doubt: Membership) -> Membership:
        """Filters that only look at the code can say no without the system's content."""
        bare = CodeSystem({"concept": [{"code": self._code}]})
        for one in clause.filters:
            if codesystems.is_about_code(one, clause.system or ""):
                found = codesystems.matches(bare, Concept(self._code), one)
                if found is False:
                    return no(f"'{self._code}' does not match {one.value}")
        return doubt


def missing(canonical: str) -> Membership:
    """UNKNOWN, because a value set is not loaded."""
    if canonical.startswith(_IMPLICIT):
        return unknown(f"the value set {canonical} can be evaluated only by a terminology server")
    return unknown(f"the value set {canonical} is not loaded")


def _systems(contents: Contents, value_set: Composition) -> set[str]:
    """The code systems that a value set and the value sets in it take codes from."""
    systems: set[str] = set()
    todo, seen = [value_set], set[str]()
    while todo:
        each = todo.pop()
        systems |= {system for system, _ in each.listed}
        for clause in each.include or ():
            systems |= {clause.system} if clause.system else set()
            for canonical in clause.value_sets:
                found = None if canonical in seen else contents.composition(canonical)
                seen.add(canonical)
                todo += [found] if found else []
    return systems


def _answer(answer: bool | None, clause: Filter) -> Membership:
    if answer is None:
        return unknown(f"the filter {clause.op} '{clause.value}' cannot be evaluated")
    return YES if answer else no("")
