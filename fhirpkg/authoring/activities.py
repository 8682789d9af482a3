"""ActivityDefinitions: the procedure that is ordered, and each thing ordered, done or told."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fhirpkg.authoring.plan import filled, timing

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from fhirpkg.authoring.edition import Edition
    from fhirpkg.authoring.procedure import Action
    from fhirpkg.issues import Resource

_KINDS = {"order": "ServiceRequest", "task": "Task", "message": "CommunicationRequest"}
"""How an author calls a thing, and the R4 request that it becomes."""


def activity_definitions(edition: Edition) -> list[Resource]:
    """That of the procedure first, then one for each action with a `kind`, in their order."""
    procedure = edition.procedure
    actions = _with_kind((*procedure.preparation, *procedure.steps, *procedure.recovery))
    return [_procedure(edition), *(_activity(edition, action) for action in actions)]


def _with_kind(actions: Iterable[Action]) -> Iterator[Action]:
    for action in actions:
        if action.kind:
            yield action
        yield from _with_kind(action.parts)


def _procedure(edition: Edition) -> Resource:
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
            "relatedArtifact": edition.citations(procedure.summary),
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


def _activity(edition: Edition, action: Action) -> Resource:
    assert action.kind, "only an action with a kind has a definition"
    procedure = edition.procedure
    title = f"{procedure.name.text}: {action.title}"
    code = edition.concepts(action.code)
    return filled(
        {
            **edition.header("ActivityDefinition", edition.id(action.id), title, action.text),
            "subjectCodeableConcept": _patient(),
            "purpose": f"To apply '{action.title}' as a part of the plan, or on its own.",
            "usage": action.plain,
            "topic": [*edition.topics(), *code],
            "author": edition.authors(),
            "relatedArtifact": edition.citations(action),
            "kind": _KINDS[action.kind],
            "code": code[0] if code else {"text": action.title},
            "intent": "proposal" if action.kind != "message" else None,
            "participant": edition.participants(action.who),
        }
    )


def _patient() -> Resource:
    system = "http://hl7.org/fhir/resource-types"
    return {"coding": [{"system": system, "code": "Patient", "display": "Patient"}]}
