"""The PlanDefinition: counseling, preparation, procedure and recovery as one course."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

from fhirpkg.definitions.terminology.grammars import SNOMED_CT

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from fhirpkg.authoring.edition import Edition
    from fhirpkg.authoring.procedure import Action, Benefit, Risk, Said
    from fhirpkg.issues import Resource

_HL7 = "http://terminology.hl7.org/CodeSystem"
_PHASE_CODES = {
    "counseling": {
        "311401005": "Patient education",
        "370861006": "Verification of consent for the procedure",
    },
    "recovery": {"133899007": "Postoperative care"},
}
"""What a phase is by SNOMED CT, whatever the procedure."""


def plan_definition(
    edition: Edition,
    documents: dict[str, Resource],
    readiness: Resource | None = None,
    logic: Resource | None = None,
) -> Resource:
    """The plan; `documents` are the DocumentReferences by their kind.

    `readiness` is the action of what is still open, `logic` the Library that its conditions name.
    """
    procedure = edition.procedure
    title = f"{procedure.name.text}: plan of care"
    actions = [
        _counseling(edition, documents["education"]),
        _preparation(edition, documents["preparation"], readiness),
        _procedure(edition),
        _recovery(edition, documents["aftercare"]),
    ]
    return {
        **edition.header("PlanDefinition", edition.id("plan"), title, procedure.summary.text),
        "type": _concept(f"{_HL7}/plan-definition-type", "clinical-protocol", "Clinical Protocol"),
        "subjectCodeableConcept": _concept(
            "http://hl7.org/fhir/resource-types", "Patient", "Patient"
        ),
        "useContext": [edition.focus, *edition.venues()],
        "purpose": "To give systems that order, schedule, document and teach one description of "
        f"the whole course of the procedure '{procedure.name.text}': counseling, preparation, "
        "the procedure itself and recovery.",
        "usage": procedure.purpose.text,
        "topic": edition.topics(),
        "author": edition.authors(),
        "relatedArtifact": [
            *edition.all_citations(),
            *(document_artifact(edition, document) for document in documents.values()),
            *_composed_of(edition, actions),
            *([{"type": "depends-on", "resource": logic["url"]}] if logic else []),
        ],
        **({"library": [logic["url"]]} if logic else {}),
        "goal": [
            *(_benefit_goal(edition, benefit) for benefit in procedure.benefits),
            *(_safety_goal(edition, risk) for risk in procedure.risks),
        ],
        "action": actions,
    }


def document_artifact(edition: Edition, document: Resource) -> Resource:
    """A DocumentReference as a related artifact: it has no canonical, so its url stands."""
    return {
        "type": "documentation",
        "display": document["description"],
        "url": edition.url("DocumentReference", document["id"]),
    }


def _composed_of(edition: Edition, actions: list[Resource]) -> list[Resource]:
    """Each definition that the plan uses: servers search only the top-level ones by themselves."""
    urls = dict.fromkeys(_definitions(actions))
    value_set = edition.url("ValueSet", edition.id("indications"))
    return [{"type": "composed-of", "resource": url} for url in urls] + [
        {"type": "depends-on", "resource": value_set}
    ]


def _definitions(actions: Iterable[Resource]) -> Iterable[str]:
    for action in actions:
        if "definitionCanonical" in action:
            yield action["definitionCanonical"]
        yield from _definitions(action.get("action", ()))


def _benefit_goal(edition: Edition, benefit: Benefit) -> Resource:
    goal: Resource = {
        "id": f"goal-{benefit.id}",
        "category": {"text": "Benefit"},
        "description": {"text": benefit.goal},
        "addresses": edition.concepts(benefit.code),
        "documentation": edition.citations(benefit),
    }
    if benefit.target:
        number, unit = benefit.target.within.split(" ")
        goal["target"] = [
            {
                "measure": edition.concept(benefit.target.measure),
                "detailCodeableConcept": {"text": benefit.target.change},
                "due": {
                    "value": int(number),
                    "unit": unit,
                    "system": "http://unitsofmeasure.org",
                    "code": unit,
                },
            }
        ]
    return filled(goal)


def _safety_goal(edition: Edition, risk: Risk) -> Resource:
    return filled(
        {
            "id": f"safety-{risk.id}",
            "category": _concept(f"{_HL7}/goal-category", "safety", "Safety"),
            "description": {"text": risk.goal},
            "addresses": edition.concepts(risk.code),
            "documentation": edition.citations(risk),
        }
    )


def _counseling(edition: Edition, education: Resource) -> Resource:
    procedure = edition.procedure
    parts = [
        _eligibility(edition),
        _told(edition, "risks", "Risks", "Explain what can go wrong.", procedure.risks),
        _told(edition, "benefits", "Benefits", "Explain what can be gained.", procedure.benefits),
        _told(
            edition,
            "alternatives",
            "Alternatives",
            "Explain what could be done instead.",
            procedure.alternatives,
        ),
        {
            "id": "experience",
            "title": "What it is like",
            "description": procedure.experience.text,
            "textEquivalent": procedure.experience.plain,
        },
    ]
    return {
        **_phase(edition, "counseling", "Counseling and consent"),
        "description": "Decide with the patient whether the procedure is right, and explain it.",
        "documentation": [document_artifact(edition, education)],
        "relatedAction": [related("procedure", "before-start")],
        "participant": [{"type": "patient"}, {"type": "practitioner"}],
        "groupingBehavior": "logical-group",
        "selectionBehavior": "all",
        "action": [part for part in parts if part.get("action") or part["id"] == "experience"],
    }


def _eligibility(edition: Edition) -> Resource:
    procedure = edition.procedure
    value_set = edition.url("ValueSet", edition.id("indications"))
    return {
        "id": "eligibility",
        "title": "Indications",
        "description": "See whether there is a reason for the procedure.",
        "input": [{"type": "Condition", "codeFilter": [{"path": "code", "valueSet": value_set}]}],
        "groupingBehavior": "logical-group",
        "selectionBehavior": "one-or-more",
        "action": [
            filled(
                {
                    "id": f"indication-{indication.id}",
                    "description": indication.text,
                    "textEquivalent": indication.plain,
                    "reason": edition.concepts(indication.code),
                    "documentation": edition.citations(indication),
                }
            )
            for indication in procedure.indications
        ],
    }


def _told(
    edition: Edition, name: str, title: str, description: str, items: Sequence[Any]
) -> Resource:
    """A part of counseling: one action for each thing that the patient is told."""
    return filled(
        {
            "id": name,
            "title": title,
            "description": description,
            "groupingBehavior": "logical-group",
            "selectionBehavior": "all",
            "action": [_thing_told(edition, name, item) for item in items],
        }
    )


def _thing_told(edition: Edition, name: str, item: Any) -> Resource:
    said: Said = item
    return filled(
        {
            "id": f"{name.removesuffix('s')}-{item.id}",
            "title": getattr(item, "title", ""),
            "description": said.text,
            "textEquivalent": said.plain,
            "code" if name == "alternatives" else "reason": edition.concepts(item.code),
            "documentation": edition.citations(said),
        }
    )


def _preparation(edition: Edition, document: Resource, readiness: Resource | None) -> Resource:
    procedure = edition.procedure
    parts = [readiness] if readiness else []
    parts += [_action(edition, action) for action in procedure.preparation]
    if procedure.checklist:
        parts.append(
            {
                "id": "checklist",
                "title": "Checklist",
                "description": "Go through the checklist before the procedure begins.",
                "type": _concept(f"{_HL7}/action-type", "create", "Create"),
                "definitionCanonical": edition.url("Questionnaire", edition.id("checklist")),
            }
        )
    phase = {
        **_phase(edition, "preparation", "Preparation"),
        "description": "What has to be done and told before the procedure.",
        "documentation": [document_artifact(edition, document)],
        "relatedAction": [related("procedure", "before-start")],
        "groupingBehavior": "logical-group",
        "selectionBehavior": "all",
        "action": parts,
    }
    return filled(phase)


def _procedure(edition: Edition) -> Resource:
    """The action of the procedure itself, at the top, where servers find its definition."""
    procedure = edition.procedure
    reasons = [
        concept
        for indication in procedure.indications
        for concept in edition.concepts(indication.code) or [{"text": indication.text}]
    ]
    steps = [_action(edition, action) for action in procedure.steps]
    for before, step in pairwise(steps):
        step["relatedAction"] = [related(before["id"], "after-end")]
    goals = (*procedure.purpose.goals, *(risk.id for risk in procedure.risks))
    phase = {
        **_phase(edition, "procedure", procedure.name.text),
        "description": procedure.purpose.text,
        "textEquivalent": procedure.purpose.plain,
        "code": [edition.code],
        "reason": reasons,
        "goalId": goal_ids(edition, goals),
        "timingTiming": timing(edition),
        "participant": edition.participants(p.id for p in procedure.personnel if not p.only),
        "type": _concept(f"{_HL7}/action-type", "create", "Create"),
        "groupingBehavior": "logical-group",
        "selectionBehavior": "all",
        "cardinalityBehavior": "single",
        "definitionCanonical": edition.url("ActivityDefinition", edition.id()),
        "action": steps,
    }
    return filled(phase)


def _recovery(edition: Edition, document: Resource) -> Resource:
    phase = {
        **_phase(edition, "recovery", "Recovery"),
        "description": "What has to be done and told after the procedure.",
        "documentation": [document_artifact(edition, document)],
        "relatedAction": [related("procedure", "after-end")],
        "groupingBehavior": "logical-group",
        "selectionBehavior": "all",
        "action": [_action(edition, action) for action in edition.procedure.recovery],
    }
    return filled(phase)


def _phase(edition: Edition, name: str, title: str) -> Resource:
    """What each phase begins with; an order of the procedure is what sets it off."""
    return filled(
        {
            "id": name,
            "title": title,
            "code": _phase_code(name),
            "trigger": [
                {
                    "type": "data-added",
                    "data": [
                        {
                            "type": "ServiceRequest",
                            "codeFilter": [{"path": "code", "code": [edition.key]}],
                        }
                    ],
                }
            ],
        }
    )


def _action(edition: Edition, action: Action) -> Resource:
    """An action that an author wrote, with its parts."""
    made: Resource = {
        "id": action.id,
        "title": action.title,
        "description": action.text,
        "textEquivalent": action.plain,
        "code": edition.concepts(action.code),
        "documentation": edition.citations(action),
        "goalId": goal_ids(edition, action.goals),
        "participant": edition.participants(action.who),
        "groupingBehavior": "logical-group" if action.parts else None,
        "selectionBehavior": action.choose,
        "requiredBehavior": action.needed,
        "cardinalityBehavior": "multiple" if action.repeats else None,
        "action": [_action(edition, part) for part in action.parts],
    }
    if action.kind:
        made["type"] = _concept(f"{_HL7}/action-type", "create", "Create")
        made["definitionCanonical"] = edition.definition(action)
    return filled(made)


def timing(edition: Edition) -> Resource:
    """How long the procedure takes; the author's words are the text of the timing's code."""
    duration = edition.procedure.duration
    least, most, unit = duration.span
    repeat = {"duration": least, "durationMax": most, "durationUnit": unit}
    return {"repeat": filled(repeat), "code": {"text": duration.text}}


def goal_ids(edition: Edition, goals: Iterable[str]) -> list[str]:
    """The ids of goals: a benefit's begins with `goal-`, a risk's with `safety-`."""
    risks = {risk.id for risk in edition.procedure.risks}
    return [f"safety-{goal}" if goal in risks else f"goal-{goal}" for goal in goals]


def related(action: str, relationship: str) -> Resource:
    """A relation to another action of the plan."""
    return {"actionId": action, "relationship": relationship}


def filled(element: Resource) -> Resource:
    """An element without the properties that have no value."""
    return {key: value for key, value in element.items() if value not in (None, "", [], {})}


def _concept(system: str, code: str, display: str) -> Resource:
    return {"coding": [{"system": system, "code": code, "display": display}]}


def _phase_code(name: str) -> list[Resource]:
    return [
        {"coding": [{"system": SNOMED_CT, "code": code}], "text": text}
        for code, text in _PHASE_CODES.get(name, {}).items()
    ]
