"""Value sets and code systems of the loaded packages: membership, codes, displays.

Every answer is yes, no or unknown with its reason; nothing is guessed and nothing fails
(http://hl7.org/fhir/R4/valueset.html#compositions). A server, when there is one, is asked only
what is unknown here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from fhirpkg.definitions.terminology import composition
from fhirpkg.definitions.terminology.codesystems import Concept
from fhirpkg.definitions.terminology.contents import MOST_KEPT, Contents
from fhirpkg.definitions.terminology.expansion import Expansion
from fhirpkg.definitions.terminology.membership import Evaluation, missing
from fhirpkg.definitions.terminology.verdicts import YES, Membership, Verdict
from fhirpkg.identity import Bounded
from fhirpkg.untrusted import objects, text_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from fhirpkg.definitions.terminology.composition import Codes, Composition
    from fhirpkg.definitions.terminology.contents import Source
    from fhirpkg.issues import Resource


_MOST_ANSWERS = 5000
"""Codes whose membership of a value set is remembered."""
_TELLING = {"complete", "fragment"}
"""The contents of a code system whose displays are its own: an example's only give an idea
(http://hl7.org/fhir/R4/valueset-codesystem-content-mode.html)."""


class Terminology(Contents):
    """Answers questions about codes, code systems and value sets from Definitions.

    `server`, if given, is called for what the definitions cannot answer, as a function of (value
    set or None, code, system or None, version or None) that returns a Membership. An answer has a
    `verdict` (yes, no or unknown) and the reason for it.

        terminology = fhirpkg.Terminology(fhirpkg.Definitions.core())
        genders = "http://hl7.org/fhir/ValueSet/administrative-gender"
        assert terminology.membership(genders, "female").verdict == "yes"
    """

    def __init__(
        self,
        definitions: Source,
        server: Callable[[str | None, str, str | None, str | None], Membership] | None = None,
    ) -> None:
        super().__init__(definitions)
        self._server = server
        self._expansions: Bounded[str, Codes | None] = Bounded(MOST_KEPT)
        self._members: Bounded[str, frozenset[str] | None] = Bounded(MOST_KEPT)
        self._found: Bounded[tuple[str, str, str], Membership] = Bounded(_MOST_ANSWERS)

    def membership(
        self,
        value_set: str | Resource,
        code: str,
        system: str | None = None,
        version: str | None = None,
    ) -> Membership:
        """Whether a code is in a value set, given by its canonical or as the resource.

        Without a system (an element of type `code`) the code may be of any system in the set.
        """
        held = self._composition_of(value_set)
        if held is None:
            found = missing(str(value_set))
        else:
            found = Evaluation(self, code).of(held, system)
        if found.verdict is Verdict.UNKNOWN and self._server:
            url = value_set if isinstance(value_set, str) else value_set.get("url")
            return self._server(url, code, system, version)
        return found

    def codes(self, value_set: str) -> frozenset[str] | None:
        """All codes of a value set, of any system; None when not all of them can be listed."""
        if value_set not in self._members:
            pairs = self.expansion(value_set)
            self._members[value_set] = None if pairs is None else frozenset(c for _, c in pairs)
        return self._members[value_set]

    def expansion(self, value_set: str | Resource) -> Codes | None:
        """All (system, code) of a value set; None when not all of them can be listed."""
        if not isinstance(value_set, str):
            return Expansion(self).of(self._composition_of(value_set))
        if value_set not in self._expansions:
            self._expansions[value_set] = Expansion(self).of(self.composition(value_set))
        return self._expansions[value_set]

    def any_in(self, value_set: str, codes: Iterable[tuple[str, str]]) -> Membership:
        """Whether at least one of several (system or empty, code) is in a value set."""
        expansion = self.expansion(value_set) or frozenset()
        doubt = Membership(Verdict.NO)
        for pair in codes:
            if pair in expansion:
                return YES
            found = self._any_in(value_set, *pair)
            if found.verdict is Verdict.YES:
                return found
            doubt = found if found.verdict is Verdict.UNKNOWN else doubt
        return doubt

    def _any_in(self, value_set: str, system: str, code: str) -> Membership:
        key = (value_set, system, code)
        if key not in self._found:
            self._found[key] = self.membership(value_set, code, system or None)
        return self._found[key]

    def _composition_of(self, value_set: str | Resource) -> Composition | None:
        if isinstance(value_set, str):
            return self.composition(value_set)
        return composition.read(value_set)

    def lookup(self, system: str, code: str, version: str | None = None) -> Concept | Membership:
        """The concept of a code; otherwise NO (it does not exist) or UNKNOWN, with the reason.

        A code of a system that is a grammar (units, languages) is a concept without display.
        """
        found = self.local(system, code, version)
        if isinstance(found, Membership) and found.verdict is Verdict.UNKNOWN and self._server:
            answer = self._server(None, code, system, version)
            return Concept(code) if answer.verdict is Verdict.YES else answer
        return found

    def displays(self, system: str, code: str, language: str = "") -> tuple[str, ...]:
        """All displays of a code, including those of loaded supplements; possibly none.

        With a language, only the designations in it. Where the code system's displays are not
        loaded the result is empty, because supplements and examples only add to them
        (http://hl7.org/fhir/R4/codesystem.html#supplements).
        """
        held = self.system(system)
        concept = held.get(code) if held and held.content in _TELLING else None
        if concept is None:
            return ()
        known = concept.displays_in(language)
        for supplement in self.supplements_of(system):
            added = supplement.get(code)
            known += added.displays_in(language) if added else ()
        return tuple(dict.fromkeys(known))

    def listed_displays(self, value_set: str | Resource, system: str, code: str) -> set[str]:
        """The displays that a value set, or one that it includes, has for a code.

        They are in the definition or in the expansion
        (http://hl7.org/fhir/R4/valueset-definitions.html#ValueSet.compose.include.concept.display).
        """
        found: set[str] = set()
        for own, concept in self._listed(value_set):
            if own == system and concept.get("code") == code:
                given = ((concept, "display"), *_designations(concept))
                found |= {text_of(each, key) for each, key in given}
        return found - {""}

    def own_displays(self, value_set: str | Resource) -> dict[tuple[str, str], str]:
        """The display that a value set has for a (system, code) that it lists."""
        found: dict[tuple[str, str], str] = {}
        for system, concept in self._listed(value_set):
            if display := text_of(concept, "display"):
                found.setdefault((system, text_of(concept, "code")), display)
        return found

    def _listed(self, value_set: str | Resource) -> Iterator[tuple[str, Resource]]:
        """What a value set, and those that it is made of, list: system and concept."""
        todo: list[str | Resource] = [value_set]
        seen: set[str] = set()
        while todo:
            one = todo.pop()
            resource = (self.value_set(one) or {}) if isinstance(one, str) else one
            yield from _concepts_of(resource)
            named = set(_value_sets_in(resource)) - seen
            seen |= named
            todo += named


def _concepts_of(value_set: Resource) -> Iterator[tuple[str, Resource]]:
    """What a value set says of codes, where it lists them and in its expansion."""
    compose, expansion = value_set.get("compose"), value_set.get("expansion")
    for clause in objects(compose, "include"):
        for concept in objects(clause, "concept"):
            yield text_of(clause, "system"), concept
    todo = objects(expansion, "contains")
    while todo:
        entry = todo.pop()
        todo += objects(entry, "contains")
        yield text_of(entry, "system"), entry


def _value_sets_in(value_set: Resource) -> Iterator[str]:
    """The value sets that a value set includes."""
    for clause in objects(value_set.get("compose"), "include"):
        named = clause.get("valueSet")
        yield from (
            (each for each in named if isinstance(each, str)) if isinstance(named, list) else ()
        )


def _designations(concept: Resource) -> list[tuple[Resource, str]]:
    return [(each, "value") for each in objects(concept, "designation")]
