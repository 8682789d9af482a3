"""ActivityDefinitions: the procedure itself, and each thing ordered, given or explained."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fhirpkg.authoring.building import checklist
from fhirpkg.authoring.building.carried import carried
from fhirpkg.authoring.building.elements import (
    PATIENT,
    action_timing,
    duration_timing,
    filled,
)
from fhirpkg.authoring.building.medicines import dosage
from fhirpkg.authoring.building.phases import phase_code
from fhirpkg.authoring.building.telling import (
    Told,
    explained,
    said_one_by_one,
    told_in_counseling,
    topics,
)
from fhirpkg.authoring.model.sections import AddOn
from fhirpkg.render.told import literal

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from fhirpkg.authoring.building.build_context import BuildContext
    from fhirpkg.authoring.model.actions import Action
    from fhirpkg.authoring.model.sections import Equipment, Member
    from fhirpkg.issues import Resource

_KINDS = {
    "order": "ServiceRequest",
    "task": "Task",
    "message": "CommunicationRequest",
    "medicine": "MedicationRequest",
    "device": "DeviceRequest",
    "material": "SupplyRequest",
    "implant": "DeviceRequest",
}
"""How an author calls a thing, and the R4 request that it becomes."""

_WITHOUT_INTENT = ("message", "material")
_PART = "To define this part of the care once, for all who order, perform or explain it."


def activity_definitions(
    context: BuildContext, documents: Mapping[str, Resource]
) -> list[Resource]:
    """That of the procedure first, its family, then one for each action with a kind, in order.

    Each names the document that explains it to patients; `documents` holds them by their kind.
    """
    procedure = context.procedure
    sections = {
        "preparation": procedure.preparation,
        "education": procedure.steps,
        "aftercare": procedure.recovery,
    }
    education = documents["education"]
    made = [
        _procedure(context, education),
        *_counseling(context, education),
        *checklist.task(context),
        *(_member(context, member) for member in (*procedure.code.also, *procedure.code.add_on)),
        *(
            _activity(context, action, documents.get(kind, education))
            for kind, actions in sections.items()
            for action in _with_kind(actions)
        ),
        *(
            _equipment(context, item)
            for item in procedure.equipment
            if item.kind in ("implant", "material")
        ),
    ]
    return [_portable(definition) for definition in made]


def _portable(definition: Resource) -> Resource:
    """A definition with dynamic values for what other engines drop of it."""
    if not (added := carried(definition)):
        return definition
    return {**definition, "dynamicValue": [*definition.get("dynamicValue", ()), *added]}


def _with_kind(actions: Iterable[Action]) -> Iterator[Action]:
    for action in actions:
        if action.makes:
            yield action
        yield from _with_kind(action.parts)


def _procedure(context: BuildContext, document: Resource) -> Resource:
    procedure = context.procedure
    header = context.header(
        "ActivityDefinition", context.id(), procedure.name.text, context.summary
    )
    # with a choice of sites an order that names all of them would be wrong: the plan lists them
    sites = () if procedure.code.choose else procedure.code.sites
    location = _location(context)
    summary = procedure.summary
    return filled(
        {
            **header,
            "contained": [location] if location else [],
            "subjectCodeableConcept": PATIENT,
            "useContext": [context.focus, *context.venues()],
            "purpose": "To order the procedure by its code, together with all that it needs.",
            "usage": f"As part of the plan of care for '{procedure.name.text}', or by itself.",
            "effectivePeriod": context.effective,
            "topic": context.topics(),
            "author": context.authors(),
            "relatedArtifact": [
                *(context.citations(summary) if summary else ()),
                context.artifact(document),
            ],
            "kind": "ServiceRequest",
            "code": context.code,
            "intent": "proposal",
            "priority": procedure.priority,
            "timingTiming": duration_timing(context.procedure),
            "location": {"reference": "#setting"} if location else None,
            "participant": context.staff(),
            "bodySite": context.concepts(sites),
        }
    )


def _counseling(context: BuildContext, document: Resource) -> Iterator[Resource]:
    """The message that explains the procedure: for whom, what it can do, what else there is."""
    told = told_in_counseling(context.procedure)
    if not told:
        return
    items = [each.item for each in told]
    cited = {
        citation["citation"]: citation for item in items for citation in context.citations(item)
    }
    text = (
        "Explain for whom it is considered, its risks and benefits, and what could be done instead."
    )
    yield filled(
        {
            **_head(context, "counseling", "Counseling", text),
            "topic": [*context.topics(), *topics(context, told)],
            "relatedArtifact": [*cited.values(), context.artifact(document)],
            "kind": _KINDS["message"],
            "code": phase_code("counseling")[0],
            "participant": [{"type": "patient"}],
            "dynamicValue": explained(context),
        }
    )


def _location(context: BuildContext) -> Resource | None:
    """Where it is done: a kind of place, not one place (Location.mode)."""
    setting = context.procedure.setting
    if setting is None:
        return None
    made = {
        "resourceType": "Location",
        "id": "setting",
        "name": " or ".join(setting.places),
        "description": setting.text,
        "mode": "kind",
        "type": context.concepts(setting.places),
    }
    return filled(made)


def _member(context: BuildContext, member: Member) -> Resource:
    """Another procedure of the family, or what is reported in addition to this one."""
    name = context.procedure.name.text
    adds = isinstance(member, AddOn)
    how = f"In addition to '{name}'" if adds else f"Instead of '{name}'"
    return filled(
        {
            **context.header(
                "ActivityDefinition",
                context.member_id(member),
                member.use,
                f"{how}, if {member.only_if}." if member.only_if else f"{how}.",
            ),
            "subjectCodeableConcept": PATIENT,
            "useContext": [context.focus, context.focus_on(member.use)],
            "purpose": "To order and report it by its own code.",
            "usage": f"As part of the plan of care for '{name}', or by itself.",
            "topic": context.topics(),
            "author": context.authors(),
            "relatedArtifact": context.citations(member),
            "kind": "ServiceRequest",
            "code": context.concept(member.use),
            "intent": "proposal",
        }
    )


def _activity(context: BuildContext, action: Action, document: Resource) -> Resource:
    kind = action.makes
    assert kind, "only an action with a kind has a definition"
    parts = [part for part in action.parts if not part.makes]
    names = dict.fromkeys((*action.code, *(name for part in parts for name in part.code)))
    code = context.concepts(action.code)
    if kind != "medicine" and not code:  # a medicine is what it is by its product
        code = [{"text": action.heading}]
    made = {
        **_head(context, action.id, action.heading, action.text),
        "topic": _topics(context, names),
        "relatedArtifact": [*context.citations(action), context.artifact(document)],
        "kind": _KINDS[kind],
        "code": code[0] if code else None,
        "intent": "proposal" if kind not in _WITHOUT_INTENT else None,
        "priority": action.priority,
        "participant": context.participants(context.procedure.people_of(action)),
        "specimenRequirement": _specimen(context, action),
    }
    if kind == "message":
        made["dynamicValue"] = said_one_by_one(Told(said.id, said) for said in (action, *parts))
    elif kind == "medicine":
        made |= _medicine(context, action)
    else:
        made["timingTiming"] = action_timing(action)
        made["dynamicValue"] = _ordered_with(action)
    return filled(made)


def _topics(context: BuildContext, names: Iterable[str]) -> list[Resource]:
    """The topics of the procedure, and the concepts of one part of it."""
    topics = context.topics()
    return [*topics, *(concept for concept in context.concepts(names) if concept not in topics)]


def _head(context: BuildContext, part: str, title: str, text: str) -> Resource:
    name = context.procedure.name.text
    return {
        **context.header("ActivityDefinition", context.id(part), f"{name}: {title}", text),
        "subjectCodeableConcept": PATIENT,
        "purpose": _PART,
        "usage": f"As part of the plan of care for '{name}', or by itself.",
        "effectivePeriod": context.effective,
        "author": context.authors(),
    }


def _medicine(context: BuildContext, action: Action) -> Resource:
    """The product and its dosage; a medicine to be stopped is one that is not to be given."""
    product = action.medicine or action.stop
    made: Resource = {
        "productCodeableConcept": context.concept(product) if product else {"text": action.heading}
    }
    if action.stop:
        made["doNotPerform"] = True
    else:
        made["dosage"] = [dosage(context, action)]
    return made


def _specimen(context: BuildContext, action: Action) -> list[Resource]:
    if not action.specimen:
        return []
    reference = f"SpecimenDefinition/{context.id(f'{action.id}-specimen')}"
    return [{"reference": reference, "display": action.specimen.words}]


def _ordered_with(action: Action) -> list[Resource]:
    """The dynamic value that says on an order what is taken: Specimen is what has been taken."""
    if action.makes != "order" or not action.specimen:
        return []
    expression = {
        "language": "text/fhirpath",
        "expression": literal(f"Specimen: {action.specimen.words}"),
    }
    return [{"path": "orderDetail[0].text", "expression": expression}]


def specimen_definitions(context: BuildContext) -> list[Resource]:
    """What is taken to be examined: one for each action that takes something."""
    return [
        _specimen_definition(context, action)
        for action in context.procedure.actions()
        if action.specimen
    ]


def _specimen_definition(context: BuildContext, action: Action) -> Resource:
    specimen = action.specimen
    assert specimen, "the caller has looked"
    head = context.head("SpecimenDefinition", context.id(f"{action.id}-specimen"))
    handled = {"preference": "preferred", "isDerived": False}
    container = {"description": specimen.in_} if specimen.in_ else None
    return filled(
        {
            **head,
            "identifier": head["identifier"][0],  # R4 has one here
            "typeCollected": context.concepts(specimen.of)[0],
            "collection": context.concepts(action.code),
            "typeTested": [filled({**handled, "container": container})],
        }
    )


def _equipment(context: BuildContext, item: Equipment) -> Resource:
    """An implant or material as a request of its own."""
    assert item.kind, "only what is ordered has a definition"
    part = f"equipment-{item.id}"
    amount = {"value": item.amount} if item.amount else None
    return filled(
        {
            **_head(context, part, item.text.rstrip("."), item.text),
            "topic": _topics(context, item.code),
            "relatedArtifact": context.citations(item),
            "kind": _KINDS[item.kind],
            "code": (context.concepts(item.code) or [{"text": item.text}])[0],
            "intent": "proposal" if item.kind not in _WITHOUT_INTENT else None,
            "quantity": amount,
        }
    )
