"""One procedure in one version of one package: identity, headers and codes of its resources."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from fhirpkg.authoring.codes import SYSTEMS, codings
from fhirpkg.definitions.terminology.grammars import CPT, LOINC, SNOMED_CT

if TYPE_CHECKING:
    from collections.abc import Iterable

    from fhirpkg.authoring.package_source import PackageSource
    from fhirpkg.authoring.procedure import Action, Evidence, Origin, Person, Procedure
    from fhirpkg.issues import Resource

_USAGE_CONTEXT = "http://terminology.hl7.org/CodeSystem/usage-context-type"
_TOPIC = "http://terminology.hl7.org/CodeSystem/definition-topic"
_NOTICES = {
    CPT: "CPT (c) Copyright 2026 American Medical Association. All rights reserved. AMA and CPT "
    "are registered trademarks of the American Medical Association. Using CPT needs a licence of "
    "the American Medical Association; no CPT description is contained here.",
    LOINC: "This material contains content from LOINC (http://loinc.org). LOINC is copyright (c) "
    "Regenstrief Institute, Inc. and the Logical Observation Identifiers Names and Codes (LOINC) "
    "Committee and is available at no cost under the license at http://loinc.org/license. "
    "LOINC(R) is a registered United States trademark of Regenstrief Institute, Inc.",
    SNOMED_CT: "Codes of SNOMED CT (c) SNOMED International are taken from its Global Patient Set, "
    "which is licensed under CC BY 4.0, or from value sets of FHIR R4; SNOMED International does "
    "not endorse this content.",
}
"""What the owners of code systems ask to be said where their codes are used."""


def pascal_case(identifier: str) -> str:
    """An id of an author as a part of a name: ``blood-count`` as ``BloodCount``."""
    return "".join(word[:1].upper() + word[1:] for word in identifier.split("-"))


@dataclass(frozen=True, slots=True)
class Edition:
    """What every builder needs."""

    package: PackageSource
    procedure: Procedure

    def id(self, part: str = "") -> str:
        """The id of one resource: that of the procedure and what it is of it."""
        return self.procedure.id + pascal_case(part)

    def url(self, resource_type: str, resource_id: str) -> str:
        """The canonical url of a resource of this package."""
        return f"{self.package.canonical}/{resource_type}/{resource_id}"

    def definition(self, action: Action) -> str:
        """The canonical url of the ActivityDefinition that an action has of its own."""
        return self.url("ActivityDefinition", self.id(action.id))

    def head(self, resource_type: str, resource_id: str) -> Resource:
        """What any resource begins with: id, package tag and identifier."""
        package = self.package
        return {
            "resourceType": resource_type,
            "id": resource_id,
            "meta": {"tag": [{"system": self.tag_system, "code": package.id}]},
            "identifier": [
                {
                    "system": f"{package.canonical}/identifier",
                    "value": f"{resource_type}/{resource_id}",
                }
            ],
        }

    @property
    def tag_system(self) -> str:
        """The system of the tag by which everything of a package is found again."""
        return f"{self.package.canonical}/package"

    def header(self, resource_type: str, resource_id: str, title: str, text: str) -> Resource:
        """The header of a canonical resource (CRMI and CPG ask for no more than this)."""
        package = self.package
        return {
            **self.head(resource_type, resource_id),
            "url": self.url(resource_type, resource_id),
            "version": package.version,
            "name": resource_id,
            "title": title,
            "status": package.status,
            "experimental": package.experimental,
            "date": package.date,
            "publisher": package.publisher,
            "description": text,
            "useContext": [self.focus],
            "jurisdiction": [
                {"coding": [{"system": "urn:iso:std:iso:3166", "code": package.jurisdiction}]}
            ],
        }

    @property
    def code(self) -> Resource:
        """The procedure's own concept."""
        return self.concept(self.procedure.code.use)

    @property
    def key(self) -> Resource:
        """The coding that everything of the procedure is found by."""
        coding: Resource = self.code["coding"][0]
        return coding

    @property
    def focus(self) -> Resource:
        """The procedure's code as a context of use: the one key that all canonicals have."""
        return {
            "code": {"system": _USAGE_CONTEXT, "code": "focus", "display": "Clinical Focus"},
            "valueCodeableConcept": self.code,
        }

    def venues(self) -> list[Resource]:
        """The places of the procedure as contexts of use."""
        code = {"system": _USAGE_CONTEXT, "code": "venue", "display": "Clinical Venue"}
        places = self.procedure.setting.places
        return [{"code": code, "valueCodeableConcept": self.concept(name)} for name in places]

    def topics(self) -> list[Resource]:
        """The procedure's code and what kind of matter it is."""
        treatment = {"system": _TOPIC, "code": "treatment", "display": "Treatment"}
        return [self.code, {"coding": [treatment]}]

    def authors(self) -> list[Resource]:
        """Who wrote it."""
        return [{"name": self.package.author}]

    def concept(self, name: str, text: str = "") -> Resource:
        """A concept by our name for it: codes without display, and our words as its text."""
        coding = [
            {"system": SYSTEMS[system], "code": code}
            for line in self.procedure.codes[name]
            for system, code in codings(line)
        ]
        return {"coding": coding, "text": text or name}

    def concepts(self, names: Iterable[str]) -> list[Resource]:
        """Several concepts, one for each name."""
        return [self.concept(name) for name in names]

    def role(self, person: Person) -> Resource:
        """A person's part in the procedure: their codes, and what the author says of them."""
        coding = [coding for name in person.code for coding in self.concept(name)["coding"]]
        return {"coding": coding, "text": person.text} if coding else {"text": person.text}

    def participants(self, who: Iterable[str]) -> list[Resource]:
        """Participants by the ids of personnel; `patient` is the patient."""
        people = {person.id: person for person in self.procedure.personnel}
        return [
            {"type": "patient"}
            if name == "patient"
            else {"type": "practitioner", "role": self.role(people[name])}
            for name in who
        ]

    def citations(self, origin: Origin) -> list[Resource]:
        """The evidence that an item cites, as related artifacts."""
        return [_citation(self.procedure.evidence[name]) for name in origin.cite]

    def all_citations(self) -> list[Resource]:
        """All evidence of the procedure, as related artifacts."""
        return [_citation(evidence) for evidence in self.procedure.evidence.values()]

    @property
    def review(self) -> str:
        """The state of review that each definition tells of itself; nothing once it is in use."""
        if not self.package.experimental:
            return ""
        return "For development and review: no clinician has reviewed it."

    def copyright(self, resource: Resource) -> str:
        """The licence of our words, and the notice of each code system used in a resource."""
        used = set(systems(resource))
        notices = [notice for system, notice in _NOTICES.items() if system in used]
        ours = f"Words (c) {self.package.publisher}, licensed under {self.package.license}."
        return "\n\n".join([ours, *notices])


def systems(value: Any) -> Iterable[str]:
    """The code systems that a resource uses anywhere."""
    if isinstance(value, dict):
        if isinstance(value.get("system"), str):
            yield value["system"]
        for item in value.values():
            yield from systems(item)
    elif isinstance(value, list):
        for item in value:
            yield from systems(item)


def _citation(evidence: Evidence) -> Resource:
    found = {
        "type": "citation",
        "label": evidence.label,
        "display": evidence.findings,
        "citation": evidence.citation,
        "url": evidence.url,
    }
    return {key: value for key, value in found.items() if value}
