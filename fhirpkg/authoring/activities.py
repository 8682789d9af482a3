"""ActivityDefinitions: the procedure that is ordered, and each thing ordered, done or told."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fhirpkg.authoring.plan import document_artifact, filled, timing

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from fhirpkg.authoring.edition import Edition
    from fhirpkg.authoring.procedure import Action
    from fhirpkg.issues import Resource

_KINDS = {"order": "ServiceRequest", "task": "Task", "message": "CommunicationRequest"}
"""How an author calls a thing, and the R4 request that it becomes."""


def activity_definitions(edition: Edition, documents: dict[str, Resource]) -> list[Resource]:
    """That of the procedure first, then one for each action with a `kind`, in their order.

    Each names the document that tells patients of it; `documents` holds them by their kind.
    """
    procedure = edition.procedure
    sections = {
        "preparation": procedure.preparation,
        "education": procedure.steps,
        "aftercare": procedure.recovery,
    }
    return [
        _procedure(edition, documents["education"]),
        *(
            _activity(edition, action, documents[kind])
            for kind, actions in sections.items()
            for action in _with_kind(actions)
        ),
    ]


def _with_kind(actions: Iterable[Action]) -> Iterator[Action]:
    for action in actions:
        if action.kind:
            yield action
        yield from _with_kind(action.parts)


def _procedure(edition: Edition, document: Resource) -> Resource:
    procedure = edition.procedure
    header = edition.header(
        "ActivityDefinition", edition.id(), procedure.name.text, procedure.summary.text
    )
    return filled(
        {
            **header,
            "contained": [_location(edition)],
            "subjectCodeableConcept": _patient(),
            "useContext": [edition.focus, *edition.venues()],
            "purpose": "To order the procedure by its code, with all that belongs to it.",
            "usage": procedure.purpose.text,
            "topic": edition.topics(),
            "author": edition.authors(),
            "relatedArtifact": [
                *edition.citations(procedure.summary),
                document_artifact(edition, document),
            ],
            "kind": "ServiceRequest",
            "code": edition.code,
            "intent": "proposal",
            "timingTiming": timing(edition),
            "location": {"reference": "#setting"},
            "participant": edition.participants(p.id for p in procedure.personnel if not p.only),
            "bodySite": edition.concepts(procedure.code.sites),
        }
    )


def _location(edition: Edition) -> Resource:
    """Where it is done: a kind of place, not one place (Location.mode)."""
    setting = edition.procedure.setting
    return {
        "resourceType": "Location",
        "id": "setting",
        "name": " or ".join(setting.places),
        "description": setting.text,
        "mode": "kind",
        "type": edition.concepts(setting.places),
    }


def _activity(edition: Edition, action: Action, document: Resource) -> Resource:
    assert action.kind, "only an action with a kind has a definition"
    procedure = edition.procedure
    title = f"{procedure.name.text}: {action.title}"
    parts = [part for part in action.parts if not part.kind]
    names = dict.fromkeys((*action.code, *(name for part in parts for name in part.code)))
    code = edition.concepts(action.code) or [{"text": action.title}]
    if action.kind == "message":  # what $apply makes of it is a message of these words
        code[0]["text"] = " ".join(said.plain for said in (action, *parts))
    return filled(
        {
            **edition.header("ActivityDefinition", edition.id(action.id), title, action.text),
            "subjectCodeableConcept": _patient(),
            "purpose": "To have one definition of it, whoever orders, does or tells it.",
            "usage": f"As a part of the plan of care of '{procedure.name.text}', or on its own.",
            "topic": [*edition.topics(), *edition.concepts(names)],
            "author": edition.authors(),
            "relatedArtifact": [
                *edition.citations(action),
                document_artifact(edition, document),
            ],
            "kind": _KINDS[action.kind],
            "code": code[0],
            "intent": "proposal" if action.kind != "message" else None,
            "participant": edition.participants(action.who),
        }
    )


def _patient() -> Resource:
    system = "http://hl7.org/fhir/resource-types"
    return {"coding": [{"system": system, "code": "Patient", "display": "Patient"}]}
