"""The PlanDefinition: counseling, preparation, procedure and recovery as one course."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fhirpkg.authoring.building import phases
from fhirpkg.authoring.building.elements import (
    HL7,
    PATIENT,
    concept_of,
    filled,
    quantity,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from fhirpkg.authoring.building.build_context import BuildContext
    from fhirpkg.authoring.model.sections import Benefit, Risk
    from fhirpkg.issues import Resource


def plan_definition(
    context: BuildContext,
    documents: Mapping[str, Resource],
    readiness: Sequence[Resource] = (),
    states: Sequence[Resource] = (),
    logic: Resource | None = None,
    found: Sequence[Resource] = (),
    further: Sequence[Resource] = (),
) -> Resource:
    """The plan; `documents` are the DocumentReferences by their kind.

    `readiness` are the actions that report what the patient's record leaves open, `states` the
    extensions that compute the state of each criterion, `logic` is the Library that both name,
    `found` are the actions that apply when the record shows a contraindication,
    `further` are the documents in other languages.
    """
    procedure = context.procedure
    title = f"{procedure.name.text}: plan of care"
    phases_made = (
        phases.counseling(context, documents),
        phases.preparation(context, documents),
        phases.procedure(context),
        phases.recovery(context, documents),
    )
    actions = [*readiness, *found, *(phase for phase in phases_made if phase)]
    made = {
        **context.header("PlanDefinition", context.id("plan"), title, context.summary),
        "extension": [*states],
        "type": concept_of(f"{HL7}/plan-definition-type", "clinical-protocol", "Clinical Protocol"),
        "subjectCodeableConcept": PATIENT,
        "useContext": [context.focus, *context.venues()],
        "purpose": f"To describe the whole course of the procedure '{procedure.name.text}' once, "
        "for systems that order, schedule, document and teach: counseling, preparation, "
        "the procedure itself and recovery.",
        "usage": "Load it together with everything that its manifest lists, and apply it to a "
        "patient for whom the procedure is considered. CDS Hooks and the events that it names "
        "also apply it.",
        "effectivePeriod": context.effective,
        "topic": context.topics(),
        "author": context.authors(),
        "relatedArtifact": [
            *context.all_citations(),
            *(context.artifact(document) for document in (*documents.values(), *further)),
            *_composed_of(context, actions),
            *([{"type": "depends-on", "resource": logic["url"]}] if logic else []),
        ],
        **({"library": [logic["url"]]} if logic else {}),
        "goal": [
            *(_benefit_goal(context, benefit) for benefit in procedure.benefits),
            *(_safety_goal(context, risk) for risk in procedure.risks if risk.goal),
        ],
        "action": actions,
    }
    return filled(made)


def _composed_of(context: BuildContext, actions: list[Resource]) -> list[Resource]:
    """Each definition that the plan uses: servers search only the top-level ones by themselves."""
    urls = dict.fromkeys(_definitions(actions))
    made = [{"type": "composed-of", "resource": url} for url in urls]
    if context.diagnoses():
        value_set = context.url("ValueSet", context.id("indications"))
        made.append({"type": "depends-on", "resource": value_set})
    return made


def _definitions(actions: Iterable[Resource]) -> Iterable[str]:
    for action in actions:
        if "definitionCanonical" in action:
            yield action["definitionCanonical"]
        yield from _definitions(action.get("action", ()))


def _benefit_goal(context: BuildContext, benefit: Benefit) -> Resource:
    goal: Resource = {
        "id": f"goal-{benefit.id}",
        "category": {"text": "Benefit"},
        "description": {"text": benefit.goal or benefit.text},
        "addresses": context.concepts(benefit.code),
        "documentation": context.citations(benefit),
    }
    if benefit.target:
        number, unit = benefit.target.within.split(" ")
        goal["target"] = [
            {
                "measure": context.concept(benefit.target.measure),
                "detailCodeableConcept": {"text": benefit.target.change},
                "due": quantity(int(number), unit),
            }
        ]
    return filled(goal)


def _safety_goal(context: BuildContext, risk: Risk) -> Resource:
    return filled(
        {
            "id": f"safety-{risk.id}",
            "category": concept_of(f"{HL7}/goal-category", "safety", "Safety"),
            "description": {"text": risk.goal},
            "addresses": _addressed(context, risk),
            "documentation": context.citations(risk),
        }
    )


def _addressed(context: BuildContext, risk: Risk) -> list[Resource]:
    """The risk in the author's words, with its code; several codes keep their own words."""
    found = context.concepts(risk.code)
    return found if len(found) > 1 else [{**next(iter(found), {}), "text": risk.text}]
