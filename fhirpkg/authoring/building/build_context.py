"""One procedure in one version of one package: identity, headers and codes of its resources."""

from __future__ import annotations

import functools
import re
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from fhirpkg.authoring.building.asked import asked
from fhirpkg.authoring.building.elements import HL7, concept_of, filled
from fhirpkg.authoring.codes import codings
from fhirpkg.authoring.model.actions import Alternatives
from fhirpkg.authoring.model.beside import Beside
from fhirpkg.definitions.terminology.grammars import SNOMED_CT
from fhirpkg.definitions.terminology.systems import BY_URL, OF_SNOMED
from fhirpkg.languages.words import UNTRANSLATED, say
from fhirpkg.render.cited import FINDING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from fhirpkg.authoring.model.actions import Action
    from fhirpkg.authoring.model.package_source import PackageSource
    from fhirpkg.authoring.model.parts import Origin
    from fhirpkg.authoring.model.procedure import Procedure
    from fhirpkg.authoring.model.sections import Evidence, Member, Person, Question
    from fhirpkg.issues import Resource

_USAGE_CONTEXT = f"{HL7}/usage-context-type"
_CATEGORIES = {
    "diagnostic": concept_of(f"{HL7}/definition-topic", "assessment", "Assessment"),
    "therapeutic": concept_of(f"{HL7}/definition-topic", "treatment", "Treatment"),
    "preventive": {
        "coding": [{"system": SNOMED_CT, "code": "169443000"}],
        "text": "Preventive procedure",
    },
}
"""What kind of matter a procedure is; HL7's topics have no word for prevention."""


_NAMING = ("ActivityDefinition", "Library", "PlanDefinition")
_DATED = (*_NAMING, "Questionnaire")
"""The types that name reviewers and endorsers, and those that date approval and review."""


def pascal_case(identifier: str) -> str:
    """An id of an author as a part of a name: ``blood-count`` as ``BloodCount``."""
    return "".join(word[:1].upper() + word[1:] for word in identifier.split("-"))


@dataclass(frozen=True)
class BuildContext:
    """What every builder needs."""

    package: PackageSource
    procedure: Procedure
    listed: frozenset[tuple[str, str]] = frozenset()
    """Codes, by system, that the Global Patient Set of SNOMED CT or R4 are known to list."""
    beside: Beside = field(default_factory=Beside)
    """Who signed the procedure as it is, its drawing, its other languages."""
    translation: str = ""
    """The language that this is a translation into; nothing for the author's own."""

    @property
    def language(self) -> str:
        """The language of the texts."""
        return self.translation or self.package.language

    def translations(self) -> Iterator[BuildContext]:
        """The procedure in each of its other languages."""
        for language, procedure in self.beside.translated.items():
            yield replace(self, procedure=procedure, translation=language)

    def say(self, words: str) -> str:
        """Words of ours in the language; a translation without them is marked, not English."""
        said = say(words, self.language)
        return said if self.translation else said.removeprefix(UNTRANSLATED)

    def id(self, part: str = "") -> str:
        """The id of one resource: that of the procedure and what it is of it."""
        return self.procedure.id + pascal_case(part)

    def url(self, resource_type: str, resource_id: str) -> str:
        """The canonical url of a resource of this package."""
        return f"{self.package.canonical}/{resource_type}/{resource_id}"

    def definition(self, action: Action) -> str:
        """The canonical url of the ActivityDefinition that an action has of its own."""
        return self.url("ActivityDefinition", self.id(action.id))

    def artifact(self, document: Resource) -> Resource:
        """A DocumentReference as a related artifact.

        It has no canonical, and is wherever the plan is: R4 reads a relative url of an
        Attachment from the base of the server.
        """
        return {
            "type": "documentation",
            "display": document["description"],
            "document": {"url": f"DocumentReference/{document['id']}"},
        }

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
        return filled(
            {
                **self.head(resource_type, resource_id),
                "url": self.url(resource_type, resource_id),
                "version": package.version,
                "name": resource_id,
                "title": title,
                "status": package.status,
                "experimental": package.experimental,
                "date": package.date,
                "publisher": package.publisher,
                "contact": self._contact(),
                "description": text,
                "useContext": [self.focus],
                "jurisdiction": [
                    {"coding": [{"system": "urn:iso:std:iso:3166", "code": package.jurisdiction}]}
                ],
            }
        )

    def _contact(self) -> list[Resource]:
        """Whom to ask, when the procedure says so."""
        contact = self.procedure.contact
        if contact is None:
            return []
        means = {"email": contact.email, "phone": contact.phone, "url": contact.url}
        telecom = [{"system": name, "value": value} for name, value in means.items() if value]
        return [filled({"name": contact.name, "telecom": telecom})]

    @property
    def effective(self) -> Resource | None:
        """The time in which the content is to be used; not all resources have a place for it."""
        effective = self.procedure.effective
        if effective is None:
            return None
        return filled({"start": effective.from_, "end": effective.until})

    @property
    def summary(self) -> str:
        """What is done in a few sentences; the name where there are none."""
        procedure = self.procedure
        return (procedure.summary or procedure.name).text

    @property
    def code(self) -> Resource:
        """The procedure's own concept."""
        return self.concept(self.procedure.code.use)

    def keys(self) -> list[Resource]:
        """The coding of each order that the plan is about: the key, and those of its family.

        A draft may lack the code of the procedure.
        """
        code = self.procedure.code
        concepts = [self.concept(name) for name in (code.use, *(m.use for m in code.also))]
        return [coding for concept in concepts for coding in concept.get("coding", ())[:1]]

    def member_id(self, member: Member) -> str:
        """The id of the definition of another procedure of the family: by its key."""
        code = codings(self.procedure.codes[member.use][0])[0].code
        return self.id() + re.sub(r"[^A-Za-z0-9]", "", code)

    @property
    def focus(self) -> Resource:
        """The procedure's code as a context of use: the one key that all canonicals have."""
        return self.focus_on(self.procedure.code.use)

    def focus_on(self, name: str) -> Resource:
        """A concept as a context of use."""
        return {
            "code": {"system": _USAGE_CONTEXT, "code": "focus", "display": "Clinical Focus"},
            "valueCodeableConcept": self.concept(name),
        }

    def venues(self) -> list[Resource]:
        """The places of the procedure as contexts of use."""
        code = {"system": _USAGE_CONTEXT, "code": "venue", "display": "Clinical Venue"}
        places = self.procedure.setting.places if self.procedure.setting else ()
        return [{"code": code, "valueCodeableConcept": self.concept(name)} for name in places]

    def topics(self) -> list[Resource]:
        """The procedure's code, those of its family, and what kind of matter it is."""
        code = self.procedure.code
        family = [self.concept(member.use) for member in (*code.also, *code.add_on)]
        return [self.code, *family, *(_CATEGORIES[name] for name in self.procedure.category)]

    def authors(self) -> list[Resource]:
        """Who wrote it."""
        return [{"name": self.package.author}]

    def concept(self, name: str, text: str = "") -> Resource:
        """A concept by our name for it: codes without display, and our words as its text.

        A name that has no code under `codes` is words alone.
        """
        coding = [
            coding.element()
            for line in self.procedure.codes.get(name, ())
            for coding in codings(line)
        ]
        return filled({"coding": coding, "text": text or name})

    def named(self, name: str) -> str:
        """A concept's name in the language."""
        return self.beside.texts.get(self.translation, {}).get(name, name)

    def concepts(self, names: Iterable[str]) -> list[Resource]:
        """Several concepts, one for each name."""
        return [self.concept(name) for name in names]

    def roles(self, person: Person) -> list[Resource]:
        """A person's part in the procedure; a role for each kind of people who may have it.

        Each role has the codes of one kind and what the author says of the person; kinds without
        a code are one role, whose text names them.
        """
        if person.one_of:
            roles = [self.concept(name, person.text) for name in person.one_of]
            return [role for at, role in enumerate(roles) if role not in roles[:at]]
        coding = [coding for name in person.code for coding in self.concept(name).get("coding", ())]
        return [filled({"coding": coding, "text": person.text})]

    def participants(self, who: Iterable[str]) -> list[Resource]:
        """Participants by the ids of personnel; `patient` is the patient."""
        people = {person.id: person for person in self.procedure.personnel}
        made: list[Resource] = []
        for name in who:
            if name == "patient":
                made.append({"type": "patient"})
            else:
                made += [{"type": "practitioner", "role": r} for r in self.roles(people[name])]
        return made

    def one_of(self, action: Action) -> str:
        """Of whom one is needed for an action, in the author's words; nothing for all of them."""
        if not isinstance(action.who, Alternatives):
            return ""
        people = {person.id: person.text for person in self.procedure.personnel}
        return " or ".join(people.get(name, name) for name in action.who.one_of)

    def staff(self) -> list[Resource]:
        """Who takes part in the whole procedure."""
        return self.participants(
            person.id for person in self.procedure.personnel if not person.only
        )

    def uncoded(self, names: Iterable[str]) -> list[str]:
        """The names that are words alone, because `codes` does not have them."""
        return [name for name in names if name not in self.procedure.codes]

    def diagnoses(self) -> list[str]:
        """The names of the diagnoses of all indications that have codes, each once."""
        names = (name for item in self.procedure.indications for name in item.diagnoses)
        return [name for name in dict.fromkeys(names) if name in self.procedure.codes]

    def goal_ids(self, goals: Iterable[str]) -> list[str]:
        """The ids of goals: a benefit's begins with `goal-`, a risk's with `safety-`.

        A risk that nothing is aimed at has none.
        """
        risks = {risk.id: risk for risk in self.procedure.risks}
        return [
            f"safety-{goal}" if goal in risks else f"goal-{goal}"
            for goal in goals
            if goal not in risks or risks[goal].goal
        ]

    def done_only_with(self, step: Action) -> list[Action]:
        """The actions that are done only if a step is chosen; they are below it in the plan."""
        return [action for action in self.procedure.actions() if action.step_needed == step.id]

    def is_below_another(self, action: Action) -> bool:
        """Whether an action is below the step that has to be chosen for it."""
        return bool(action.step_needed)

    def questions(self) -> list[Question]:
        """The questions of the checklist: the author's, and those that other parts ask."""
        return [*self.procedure.checklist, *asked(self.procedure, self.say)]

    def citations(self, origin: Origin) -> list[Resource]:
        """The evidence that an item cites, as related artifacts."""
        return [_citation(self.procedure.evidence[name]) for name in origin.cite]

    def all_citations(self) -> list[Resource]:
        """All evidence of the procedure, as related artifacts."""
        return [_citation(evidence) for evidence in self.procedure.evidence.values()]

    @property
    def review(self) -> str:
        """The state of review that each definition states; nothing once it is in use."""
        if not self.package.experimental:
            return ""
        if self.beside.signed:
            return "For development and review."
        return "For development and review: no clinician has reviewed it."

    def signed_off(self, resource_type: str) -> Resource:
        """Who reviewed and endorsed it and when, as far as the type has elements for it."""
        by = {"reviewer": ("reviewed", "approved"), "endorser": ("endorsed",)}
        made: Resource = {}
        if resource_type in _DATED:
            approved = [each.on for each in self.beside.signed if each.verdict == "approved"]
            read = [each.on for each in self.beside.signed if each.verdict != "endorsed"]
            made = {
                "approvalDate": max(approved, default=""),
                "lastReviewDate": max(read, default=""),
            }
        if resource_type in _NAMING:
            for element, verdicts in by.items():
                names = dict.fromkeys(s.by for s in self.beside.signed if s.verdict in verdicts)
                made[element] = [{"name": name} for name in names]
        return filled(made)

    @functools.cached_property
    def _unlisted(self) -> set[tuple[str, str]]:
        """The author's codes of SNOMED CT that are not known to be free; our own all are."""
        lines = (line for lines in self.procedure.codes.values() for line in lines)
        own = {(coding.system, coding.code) for line in lines for coding in codings(line)}
        return {coding for coding in own - self.listed if coding[0] == SNOMED_CT}

    def copyright(self, resource: Resource) -> str:
        """The licence of our words, and the notice of each code system used in a resource."""
        return copyright_of(self.package, resource, self._unlisted)


def copyright_of(
    package: PackageSource, resource: Resource, unlisted: set[tuple[str, str]] | None = None
) -> str:
    """The licence of a package's words, and the notice of each code system used in a resource.

    `unlisted` are the codes of SNOMED CT that are not known to be free; without it, all of them.
    """
    used = set(_codings(resource))
    found = {url for url, _ in used}
    notices = [system.notice for url, system in BY_URL.items() if url in found]
    if SNOMED_CT in found:
        notices.append(OF_SNOMED[unlisted is not None and not used & unlisted])
    ours = f"Text (c) {package.publisher}, licensed under {package.license}."
    return "\n\n".join(filter(None, [ours, *notices]))


_DEEP = frozenset((dict, list))


def _codings(value: Any) -> Iterator[tuple[str, str]]:
    """System and code of what a resource uses anywhere; a value set's code is below it."""
    waiting = [value]
    for each in waiting:  # which grows
        inner = each
        if isinstance(each, dict):
            if isinstance(each.get("system"), str):
                concepts = each.get("concept", [each])
                yield from ((each["system"], str(code.get("code", ""))) for code in concepts)
            inner = each.values()
        waiting += [item for item in inner if type(item) in _DEEP]


def _citation(evidence: Evidence) -> Resource:
    found = {
        "extension": [{"url": FINDING, "valueMarkdown": evidence.findings}]
        if evidence.findings
        else [],
        "type": "citation",
        "label": evidence.label,
        "display": evidence.label,
        "citation": evidence.citation,
        "url": evidence.url,
    }
    return {key: value for key, value in found.items() if value}
