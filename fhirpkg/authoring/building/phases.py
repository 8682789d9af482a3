"""The phases of a plan: counseling, preparation, the procedure itself, recovery.

A phase that nothing is said of is left out.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from fhirpkg.authoring.building import answered
from fhirpkg.authoring.building.actions import actions_of
from fhirpkg.authoring.building.carried import reason_and_site
from fhirpkg.authoring.building.elements import (
    CREATE,
    duration_timing,
    filled,
    related,
)
from fhirpkg.authoring.building.telling import told_in_counseling
from fhirpkg.definitions.terminology.grammars import SNOMED_CT

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from fhirpkg.authoring.building.build_context import BuildContext
    from fhirpkg.authoring.model.sections import Equipment
    from fhirpkg.issues import Resource

_PHASE_CODES = {
    "counseling": {"311401005": "Patient education"},
    "recovery": {"133899007": "Postoperative care"},
}
"""What a phase is by SNOMED CT, whatever the procedure."""

_ALL = {"groupingBehavior": "logical-group", "selectionBehavior": "all"}


def counseling(context: BuildContext, documents: Mapping[str, Resource]) -> Resource | None:
    """What is decided and explained before anything else: one message, and the document."""
    if not told_in_counseling(context.procedure):
        return None
    made: Resource = {
        **_phase(context, "counseling", "Counseling"),
        "description": "Decide with the patient whether the procedure is right, and explain it.",
        "documentation": [context.artifact(documents["education"])],
        "input": [],
        "relatedAction": [related("procedure", "before-start")],
        "participant": [{"type": "patient"}, {"type": "practitioner"}],
        "type": CREATE,
        "definitionCanonical": context.url("ActivityDefinition", context.id("counseling")),
    }
    if context.diagnoses():
        value_set = context.url("ValueSet", context.id("indications"))
        wanted = {"path": "code", "valueSet": value_set}
        made["input"] = [{"type": "Condition", "codeFilter": [wanted]}]
    return filled(made)


def preparation(context: BuildContext, documents: Mapping[str, Resource]) -> Resource | None:
    """What is done, explained and asked before the procedure."""
    procedure = context.procedure
    parts = actions_of(context, procedure.preparation)
    parts += [part for part in (_sites(context), _equipment(context)) if part]
    if context.questions():
        parts.append(
            {
                "id": "checklist",
                "title": "Checklist",
                "description": "Go through the checklist before the procedure begins.",
                "type": CREATE,
                "definitionCanonical": context.url("ActivityDefinition", context.id("checklist")),
            }
        )
    if not parts:
        return None
    document = documents.get("preparation")
    phase = {
        **_phase(context, "preparation", "Preparation"),
        "description": "What to do and explain before the procedure.",
        "documentation": [context.artifact(document)] if document else [],
        "relatedAction": [related("procedure", "before-start")],
        **_ALL,
        "action": parts,
    }
    return filled(phase)


def _sites(context: BuildContext) -> Resource | None:
    """The sites to choose from: an order must not name them all."""
    code = context.procedure.code
    if not code.choose:
        return None
    return {
        "id": "site",
        "title": "Side and site",
        "description": "State on the order which of these it is for.",
        "groupingBehavior": "logical-group",
        "selectionBehavior": code.choose,
        "action": [
            {"id": f"site-{number}", "title": name, "code": [context.concept(name)],
             "description": f"The procedure is for: {name}."}
            for number, name in enumerate(code.sites, 1)
        ],
    }  # fmt: skip


def _equipment(context: BuildContext) -> Resource | None:
    items = context.procedure.equipment
    if not items:
        return None
    return {
        "id": "equipment",
        "title": "Equipment",
        "description": "Equipment and material that must be available.",
        **_ALL,
        "action": [_equipped(context, item) for item in items],
    }


def _equipped(context: BuildContext, item: Equipment) -> Resource:
    made: Resource = {
        "id": f"equipment-{item.id}",
        "description": item.text,
        "code": context.concepts(item.code),
        "documentation": context.citations(item),
    }
    if item.kind in ("implant", "material"):
        made["type"] = CREATE
        made["definitionCanonical"] = context.url(
            "ActivityDefinition", context.id(f"equipment-{item.id}")
        )
    return filled(made)


def procedure(context: BuildContext) -> Resource:
    """The action of the procedure itself, at the top, where servers find its definition."""
    authored = context.procedure
    reasons = [
        concept
        for indication in authored.indications
        for concept in context.concepts(indication.code) or [{"text": indication.text}]
    ]
    steps = actions_of(context, authored.steps)
    before = None
    for step in steps:
        if before:
            step.setdefault("relatedAction", [related(before, "after-end")])
        if step.get("requiredBehavior") != "could":  # what may be left out, nothing waits for
            before = step["id"]
    aims = authored.purpose.goals if authored.purpose else ()
    benefits = (benefit.id for benefit in authored.benefits)
    goals = dict.fromkeys((*aims, *benefits, *(risk.id for risk in authored.risks)))
    purpose = authored.purpose or authored.summary or authored.name
    phase = {
        **_phase(context, "procedure", authored.name.text),
        "description": purpose.text,
        "priority": authored.priority,
        "code": [context.code],
        "reason": reasons,
        "goalId": context.goal_ids(goals),
        "timingTiming": duration_timing(context.procedure),
        "participant": context.staff(),
        "type": CREATE,
        **_ALL,
        "cardinalityBehavior": "single",
        "definitionCanonical": context.url("ActivityDefinition", context.id()),
        "dynamicValue": [*reason_and_site(context), *answered.site(context)],
        "action": [*steps, *_family(context)],
    }
    return filled(phase)


def _family(context: BuildContext) -> Iterable[Resource]:
    """What it may become instead, and what is reported in addition."""
    code = context.procedure.code
    for group, members in (("also", code.also), ("add-on", code.add_on)):
        for number, member in enumerate(members, 1):
            yield filled(
                {
                    "id": f"{group}-{number}",
                    "title": member.use + (f", only if {member.only_if}" if member.only_if else ""),
                    "description": f"If {member.only_if}." if member.only_if else member.use,
                    "code": [context.concept(member.use)],
                    "documentation": context.citations(member),
                    "type": CREATE,
                    "requiredBehavior": "could",
                    "cardinalityBehavior": "multiple" if getattr(member, "repeats", 0) else None,
                    "definitionCanonical": context.url(
                        "ActivityDefinition", context.member_id(member)
                    ),
                }
            )


def recovery(context: BuildContext, documents: Mapping[str, Resource]) -> Resource | None:
    """What is done and explained after the procedure."""
    parts = actions_of(context, context.procedure.recovery)
    if not parts:
        return None
    document = documents.get("aftercare")
    phase = {
        **_phase(context, "recovery", "Recovery"),
        "description": "What to do and explain after the procedure.",
        "documentation": [context.artifact(document)] if document else [],
        "relatedAction": [related("procedure", "after-end")],
        **_ALL,
        "action": parts,
    }
    return filled(phase)


def _phase(context: BuildContext, name: str, title: str) -> Resource:
    """What each phase begins with."""
    return filled(
        {
            "id": name,
            "title": title,
            "code": phase_code(name),
            "trigger": _triggers(context, is_talk=name == "counseling"),
        }
    )


def _triggers(context: BuildContext, *, is_talk: bool) -> list[Resource]:
    """An order of the procedure; without a code none is known as one.

    Counseling belongs to the proposal, so that consent comes before the order; what follows belongs
    to the order itself. Applying the plan makes a proposal, which sets off no phase of the order.
    """
    codes = context.keys()
    asked = {
        "intent": ("proposal", "plan") if is_talk else ("order",),
        "status": ("draft", "active") if is_talk else ("active",),
    }
    filters = [{"path": "code", "code": codes}]
    filters += [
        {
            "path": path,
            "code": [{"system": f"{_REQUEST}-{path}", "code": value} for value in values],
        }
        for path, values in asked.items()
    ]
    data = {"type": "ServiceRequest", "codeFilter": filters}
    return [{"type": "data-added", "data": [data]}] if codes else []


_REQUEST = "http://hl7.org/fhir/request"


def phase_code(name: str) -> list[Resource]:
    """The code of a phase, if it has one."""
    return [
        {"coding": [{"system": SNOMED_CT, "code": code}], "text": text}
        for code, text in _PHASE_CODES.get(name, {}).items()
    ]
