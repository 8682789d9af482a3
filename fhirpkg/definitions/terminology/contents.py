"""What definitions hold of terminology: code systems, value sets and their compositions, read once.

http://hl7.org/fhir/R4/terminology-module.html
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from fhirpkg.canonical import Canonical
from fhirpkg.definitions.terminology import composition, grammars
from fhirpkg.definitions.terminology.codesystems import CodeSystem, Concept
from fhirpkg.definitions.terminology.verdicts import Membership, Verdict, near, no, unknown
from fhirpkg.identity import Bounded
from fhirpkg.untrusted import objects, text_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from fhirpkg.definitions.datafile import Entry
    from fhirpkg.definitions.terminology.composition import Composition
    from fhirpkg.issues import Resource

MOST_KEPT = 500
"""Value sets and code systems remembered as they are looked up in: inputs may bring thousands."""
_PUBLISHED_AS = {
    "http://www.rfc-editor.org/bcp/bcp13.txt": "http://hl7.org/fhir/ValueSet/mimetypes",
}
"""Names that 4.0.1 binds to (Expression.language) of value sets it publishes under another."""


class Source(Protocol):
    """Where value sets and code systems are found."""

    def find(
        self, canonical: str | Canonical, resource_type: str | None = ..., /
    ) -> Resource | None:
        """The resource of a canonical; of the version asked for, else the newest."""

    def entries(self, resource_type: str, /) -> Iterable[Entry]:
        """The definitions of a type, without their content."""


@dataclass(frozen=True, slots=True)
class Resolved:
    """A source that looks up canonicals with a function, then in other definitions."""

    resolve: Callable[[str, str | None], Resource | None]
    beside: Source

    def find(
        self, canonical: str | Canonical, resource_type: str | None = None, /
    ) -> Resource | None:
        """What the function gives for a canonical, else the other definitions."""
        found = self.resolve(str(canonical), resource_type)
        return self.beside.find(canonical, resource_type) if found is None else found

    def entries(self, resource_type: str, /) -> Iterable[Entry]:
        """The other definitions: what a function can resolve cannot be listed."""
        return self.beside.entries(resource_type)


class Contents:
    """The terminology resources of a source, each read when it is first asked for."""

    def __init__(self, source: Source) -> None:
        self._definitions = source
        self._systems: Bounded[str, CodeSystem | None] = Bounded(MOST_KEPT)
        self._compositions: Bounded[str, Composition | None] = Bounded(MOST_KEPT)
        self._supplements: dict[str, list[CodeSystem]] | None = None
        self._identified: dict[str, str] | None = None

    def composition(self, canonical: str) -> Composition | None:
        """What a value set says, read once; None when it is not loaded."""
        if canonical not in self._compositions:
            found = self.value_set(canonical)
            self._compositions[canonical] = composition.read(found) if found else None
        return self._compositions[canonical]

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
        """The ValueSet resource of a canonical; a version asked for must be there.

        With a fragment, what the resource of the canonical contains.
        """
        url, mark, name = canonical.partition("#")
        if mark:
            around = (self._definitions.find(url) if url else None) or {}
            same = (each for each in objects(around, "contained") if each.get("id") == name)
            return next((each for each in same if each.get("resourceType") == "ValueSet"), None)
        return self._definitions.find(_PUBLISHED_AS.get(canonical, canonical), "ValueSet")

    def local(self, system: str, code: str, version: str | None = None) -> Concept | Membership:
        """The concept of a code; else a NO or UNKNOWN with the reason.

        A code of a system that is a grammar (units, languages) is a concept without display.
        """
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
        return no(f"'{code}' is not a code of {system}{near(code, held.concepts)}")

    def _without_content(self, system: str, code: str) -> Membership:
        if self.value_set(system):
            return unknown(f"{system} is a value set, not a code system")
        return grammars.check(system, code)

    def supplements_of(self, system: str) -> list[CodeSystem]:
        """The loaded supplements of a code system."""
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
