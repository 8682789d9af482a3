"""Value sets and code systems as far as the loaded packages tell: membership, codes, displays.

Every answer is yes, no or unknown with its reason; nothing is guessed and nothing fails
(http://hl7.org/fhir/R4/valueset.html#compositions). A server, when there is one, is asked only
what is unknown here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from fhirpkg.canonical import Canonical
from fhirpkg.definitions.terminology import composition, grammars
from fhirpkg.definitions.terminology.codesystems import CodeSystem, Concept
from fhirpkg.definitions.terminology.expansion import Expansion
from fhirpkg.definitions.terminology.membership import Evaluation, missing
from fhirpkg.definitions.terminology.verdicts import Membership, Verdict, near, no, unknown
from fhirpkg.fhirjson import objects, text_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from fhirpkg.definitions.definitions import Definitions
    from fhirpkg.definitions.terminology.composition import Codes, Composition
    from fhirpkg.issues import Resource


_PUBLISHED_AS = {
    "http://www.rfc-editor.org/bcp/bcp13.txt": "http://hl7.org/fhir/ValueSet/mimetypes",
}
"""Names that 4.0.1 binds to (Expression.language) of value sets it publishes under another."""


class Terminology:
    """What the definitions say of codes; `server` is asked about what they do not say.

    A server is a function of (value set or None, code, system or None, version or None).
    """

    def __init__(
        self,
        definitions: Definitions,
        server: Callable[[str | None, str, str | None, str | None], Membership] | None = None,
    ) -> None:
        self._definitions = definitions
        self._server = server
        self._systems: dict[str, CodeSystem | None] = {}
        self._compositions: dict[str, Composition | None] = {}
        self._members: dict[str, frozenset[str] | None] = {}
        self._supplements: dict[str, list[CodeSystem]] | None = None
        self._identified: dict[str, str] | None = None

    def membership(
        self,
        value_set: str | Resource,
        code: str,
        system: str | None = None,
        version: str | None = None,
    ) -> Membership:
        """Whether a code is in a value set, given by its canonical or, if contained, itself.

        Without a system (an element of type `code`) a code of any system in the set will do.
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
        """All codes of a value set whatever their system; None when not all can be listed."""
        if value_set not in self._members:
            pairs = self.expansion(value_set)
            self._members[value_set] = None if pairs is None else frozenset(c for _, c in pairs)
        return self._members[value_set]

    def expansion(self, value_set: str | Resource) -> Codes | None:
        """All (system, code) of a value set; None when not all can be listed."""
        return Expansion(self).of(self._composition_of(value_set))

    def composition(self, canonical: str) -> Composition | None:
        """What a value set says, read once; None when it is not loaded."""
        if canonical not in self._compositions:
            found = self.value_set(canonical)
            self._compositions[canonical] = composition.read(found) if found else None
        return self._compositions[canonical]

    def _composition_of(self, value_set: str | Resource) -> Composition | None:
        if isinstance(value_set, str):
            return self.composition(value_set)
        return composition.read(value_set)

    def lookup(self, system: str, code: str, version: str | None = None) -> Concept | Membership:
        """The concept of a code; else a NO (there is no such code) or UNKNOWN with the reason.

        A code of a system that is a grammar (units, languages) is a concept without display.
        """
        found = self.local(system, code, version)
        if isinstance(found, Membership) and found.verdict is Verdict.UNKNOWN and self._server:
            answer = self._server(None, code, system, version)
            return Concept(code) if answer.verdict is Verdict.YES else answer
        return found

    def displays(self, system: str, code: str, language: str = "") -> tuple[str, ...]:
        """Every display known for a code, those of loaded supplements included; may be none.

        Of designations only those that fit the language, if one is asked for.
        """
        concept = self.local(system, code)
        known = concept.displays_in(language) if isinstance(concept, Concept) else ()
        for supplement in self._supplements_of(system):
            added = supplement.get(code)
            known += added.displays_in(language) if added else ()
        return tuple(dict.fromkeys(known))

    def listed_displays(self, value_set: str, system: str, code: str) -> set[str]:
        """The displays that a value set itself gives to a code that it lists."""
        compose = (self.value_set(value_set) or {}).get("compose")
        return {
            text_of(each, key)
            for clause in objects(compose if isinstance(compose, dict) else {}, "include")
            if clause.get("system") == system
            for concept in objects(clause, "concept")
            if concept.get("code") == code
            for each, key in ((concept, "display"), *_designations(concept))
        }

    def system(self, url: str, version: str | None = None) -> CodeSystem | None:
        """A code system of the packages, indexed once; None when there is none of that version."""
        key = f"{url}|{version}" if version else url
        if key not in self._systems:
            resource = self._definitions.find(Canonical(url, version), "CodeSystem")
            self._systems[key] = CodeSystem(resource) if resource else None
        return self._systems[key]

    def identified(self, identifier: str) -> str:
        """The url of the code system that goes by an identifier, too; empty when none does."""
        if self._identified is None:
            self._identified = {}
            for entry in self._definitions.entries("CodeSystem"):
                resource = self._definitions.find(entry.url, "CodeSystem") or {}
                for each in objects(resource, "identifier"):
                    self._identified.setdefault(text_of(each, "value"), entry.url)
        return self._identified.get(identifier, "")

    def value_set(self, canonical: str) -> Resource | None:
        """The ValueSet resource of a canonical; a version asked for must be there."""
        return self._definitions.find(_PUBLISHED_AS.get(canonical, canonical), "ValueSet")

    def local(self, system: str, code: str, version: str | None = None) -> Concept | Membership:
        """What :meth:`lookup` gives without asking a server."""
        held = self.system(system, version)
        other = held or self.system(system)
        if other is None or other.content == "not-present":
            answer = self._without_content(system, code)
            return Concept(code) if answer.verdict is Verdict.YES else answer
        concept = other.get(code)
        if concept:
            return concept
        if held is None:
            return unknown(f"version {version} of {system} is not loaded")
        if not held.is_complete:
            return unknown(f"only a part of {system} is loaded ({held.content})")
        return no(f"'{code}' is no code of {system}{near(code, held.concepts)}")

    def _without_content(self, system: str, code: str) -> Membership:
        if self.value_set(system):
            return unknown(f"{system} is a value set, not a code system")
        return grammars.check(system, code)

    def _supplements_of(self, system: str) -> list[CodeSystem]:
        if self._supplements is None:
            self._supplements = {}
            for entry in self._definitions.entries("CodeSystem"):
                if not entry.supplements:
                    continue
                resource = self._definitions.find(entry.url, "CodeSystem") or {}
                if resource.get("content") == "supplement":
                    base = Canonical.parse(str(resource.get("supplements"))).url
                    self._supplements.setdefault(base, []).append(CodeSystem(resource))
        return self._supplements.get(system, [])


def _designations(concept: Resource) -> list[tuple[Resource, str]]:
    return [(each, "value") for each in objects(concept, "designation")]
