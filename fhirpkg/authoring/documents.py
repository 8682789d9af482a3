"""DocumentReferences: what patients read, as XHTML documents made from the same source."""

from __future__ import annotations

import base64
import hashlib
from typing import TYPE_CHECKING

from fhirpkg.definitions.terminology.grammars import LOINC
from fhirpkg.render.document import Document, Section, xhtml
from fhirpkg.validation.content.documents import version_id

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from fhirpkg.authoring.edition import Edition
    from fhirpkg.authoring.procedure import Action
    from fhirpkg.issues import Resource

_DRAFT = (
    "Draft for development and review. No clinician has reviewed this text; it does not replace "
    "the advice of your care team."
)


def document_references(edition: Edition) -> dict[str, Resource]:
    """The three documents by their kind: education, preparation and aftercare."""
    return {kind: _document_reference(edition, kind) for kind in _KINDS}


def _document_reference(edition: Edition, kind: str) -> Resource:
    title, loinc, type_text, sections = _KINDS[kind]
    full_title = f"{edition.procedure.name.plain}: {title}"
    coded = {
        "type": _loinc(loinc, type_text),
        "category": [_loinc("47042-7", "Counseling note")],
        "context": _context(edition),
    }
    document = Document(
        full_title,
        tuple(section for section in sections(edition) if section.text or section.items),
        note=_DRAFT if edition.package.experimental else "",
        sources=_sources(edition) if kind == "education" else (),
        notices=(
            *edition.copyright(coded).split("\n\n"),
            f"{edition.package.id} {edition.package.version}, {edition.package.date}",
        ),
    )
    text = xhtml(document).encode()
    head = edition.head("DocumentReference", edition.id(kind))
    return {
        **head,
        **coded,
        "masterIdentifier": {
            "system": "urn:ietf:rfc:3986",
            "value": version_id(head["identifier"][0], text),
        },
        "status": "current",
        "docStatus": "preliminary" if edition.package.status == "draft" else "final",
        "date": f"{edition.package.date}T00:00:00Z",
        "description": full_title,
        "content": [{"attachment": _attachment(edition, full_title, text)}],
    }


def _loinc(code: str, text: str) -> Resource:
    return {"coding": [{"system": LOINC, "code": code}], "text": text}


def _attachment(edition: Edition, title: str, text: bytes) -> Resource:
    """The document itself; FHIR's hash is SHA-1 (R4 datatypes.html#Attachment)."""
    digest = hashlib.sha1(text, usedforsecurity=False).digest()
    return {
        "contentType": "application/xhtml+xml",
        "data": base64.b64encode(text).decode(),
        "size": len(text),
        "hash": base64.b64encode(digest).decode(),
        "title": title,
        "creation": edition.package.date,
    }


def _context(edition: Edition) -> Resource:
    setting = edition.procedure.setting
    context: Resource = {
        "event": [edition.code],
        "facilityType": edition.concept(setting.places[0]),
        "related": [
            {"reference": f"PlanDefinition/{edition.id('plan')}"},
            {"reference": f"ActivityDefinition/{edition.id()}"},
        ],
    }
    if setting.specialty:
        context["practiceSetting"] = edition.concept(setting.specialty)
    return context


def _education(edition: Edition) -> Iterable[Section]:
    procedure = edition.procedure
    yield Section("What it is", procedure.summary.plain)
    yield Section("What it is for", procedure.purpose.plain)
    yield Section(
        "When it is considered", items=tuple(item.plain for item in procedure.indications)
    )
    yield Section("What happens", items=_steps(procedure.steps), numbered=True)
    yield Section("How long it takes", procedure.duration.plain)
    yield Section("Where it is done", procedure.setting.plain)
    yield Section("Who is with you", items=tuple(person.plain for person in procedure.personnel))
    yield Section("What it is like", procedure.experience.plain)
    yield Section("What you can gain", items=tuple(item.plain for item in procedure.benefits))
    yield Section("What can go wrong", items=tuple(item.plain for item in procedure.risks))
    yield Section(
        "What could be done instead", items=tuple(item.plain for item in procedure.alternatives)
    )


def _preparation(edition: Edition) -> Iterable[Section]:
    procedure = edition.procedure
    for action in procedure.preparation:
        yield Section(action.title, action.plain, items=_parts(action))
    yield Section("On the day", f"{procedure.duration.plain} {procedure.setting.plain}")
    yield Section(
        "What we will ask you",  # the other questions are for the staff
        items=tuple(question.patient for question in procedure.checklist if question.patient),
    )


def _aftercare(edition: Edition) -> Iterable[Section]:
    procedure = edition.procedure
    for action in procedure.recovery:
        yield Section(action.title, action.plain, items=_parts(action))
    calls = tuple(risk.call for risk in procedure.risks if risk.call)
    intro = "Ask your care team how you would notice these, and call if you do:" if calls else ""
    yield Section("When to call", intro, items=calls)


def _steps(actions: Iterable[Action]) -> tuple[str, ...]:
    return tuple(action.plain for action in actions)


def _parts(action: Action) -> tuple[str, ...]:
    return tuple(part.plain for part in action.parts)


def _sources(edition: Edition) -> tuple[str, ...]:
    return tuple(
        f"{item.citation} {item.url}".strip() for item in edition.procedure.evidence.values()
    )


_KINDS: dict[str, tuple[str, str, str, Callable[[Edition], Iterable[Section]]]] = {
    "education": ("what you should know", "34895-3", "Education note", _education),
    "preparation": ("how to prepare", "69730-0", "Instructions", _preparation),
    "aftercare": ("what to do afterwards", "74213-0", "Discharge instructions", _aftercare),
}
"""Kind to the end of the title, the LOINC type with its meaning, and the sections."""
