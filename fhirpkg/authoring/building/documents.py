"""DocumentReferences: what patients read, as XHTML documents made from the same source."""

from __future__ import annotations

import base64
import hashlib
from typing import TYPE_CHECKING

from fhirpkg.authoring.building.build_context import pascal_case
from fhirpkg.authoring.building.calendar import (
    calendar,
    condition_line,
    medicine_line,
    sentence,
    specimen_line,
    step_line,
)
from fhirpkg.authoring.building.elements import filled
from fhirpkg.authoring.drawing import with_alternative
from fhirpkg.definitions.terminology.grammars import LOINC
from fhirpkg.languages.words import UNTRANSLATED
from fhirpkg.render.document import Document, Drawing, Section, xhtml
from fhirpkg.render.pdf import pdf
from fhirpkg.validation.content.documents import version_id

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from fhirpkg.authoring.building.build_context import BuildContext
    from fhirpkg.authoring.model.actions import Action
    from fhirpkg.authoring.model.parts import Said
    from fhirpkg.authoring.model.sections import Risk
    from fhirpkg.issues import Resource

_DRAFT = (
    "Draft for development and review. No clinician has reviewed this text; it does not replace "
    "the advice of your care team."
)
_SIGNED = (
    "Draft for development and review. This text does not replace the advice of your care team."
)


_BLANK = "_" * 24
_TO_FILL_IN = (
    "Date and time", "Place", "Phone", "Last food", "Last clear drink", "Medicines to stop",
)  # fmt: skip
"""What a care team writes in by hand: only they know it of a patient."""


def document_references(context: BuildContext) -> dict[str, Resource]:
    """The documents by their kind: education, and preparation and aftercare where they are said."""
    procedure = context.procedure
    said = {
        "education": True,
        "preparation": bool(procedure.preparation or context.questions()),
        "aftercare": bool(procedure.recovery or any(risk.call for risk in procedure.risks)),
    }
    return {kind: _document_reference(context, kind) for kind in _KINDS if said[kind]}


def translated_documents(context: BuildContext) -> list[Resource]:
    """The documents in the other languages, but those that lack a translation of a text."""
    made = [d for each in context.translations() for d in document_references(each).values()]
    return [document for document in made if UNTRANSLATED not in _page_of(document)]


def _page_of(document: Resource) -> str:
    return base64.b64decode(document["content"][0]["attachment"]["data"]).decode()


def _document_reference(context: BuildContext, kind: str) -> Resource:
    title, loinc, type_text, sections = _KINDS[kind]
    full_title = f"{context.procedure.name.plain}: {context.say(title)}"
    coded = {
        "type": _loinc(loinc, type_text),
        "category": [_loinc("47042-7", "Counseling note")],
        "context": _context(context),
    }
    document = Document(
        full_title,
        tuple(section for section in sections(context) if not section.is_empty),
        note=_note(context),
        sources=_sources(context) if kind == "education" else (),
        notices=(f"{context.package.id} {context.package.version}, {context.package.date}",),
        rights=context.copyright(coded).replace("\n\n", " "),
        language=context.language,
    )
    text = xhtml(document).encode()
    suffix = pascal_case(context.translation.lower())
    head = context.head("DocumentReference", context.id(kind) + suffix)
    return filled(
        {
            **head,
            "language": context.translation,
            "contained": [_publisher(context)],
            **coded,
            "masterIdentifier": {
                "system": "urn:ietf:rfc:3986",
                "value": version_id(head["identifier"][0], text),
            },
            "status": "current",
            "docStatus": "preliminary" if context.package.status == "draft" else "final",
            "date": f"{context.package.date}T00:00:00Z",
            "author": [_OUR],
            "custodian": _OUR,
            "relatesTo": _translated_from(context, kind),
            "description": full_title,
            "content": [
                {"attachment": _attachment(context, full_title, "application/xhtml+xml", text)},
                *_printed(context, full_title, text),
            ],
        }
    )


_OUR = {"reference": "#publisher"}


def _publisher(context: BuildContext) -> Resource:
    """Who made the documents and keeps them: the publisher of the package."""
    return {
        "resourceType": "Organization",
        "id": "publisher",
        "active": True,
        "name": context.package.publisher,
    }


def _note(context: BuildContext) -> str:
    """The state of review, and of a translation who made it."""
    draft = context.say(_SIGNED if context.beside.signed else _DRAFT)
    state = draft if context.package.experimental else ""
    return " ".join(filter(None, (state, context.package.languages.get(context.translation, ""))))


def _translated_from(context: BuildContext, kind: str) -> list[Resource]:
    """The document that a translation is of (R4 documentreference.html, relatesTo)."""
    if not context.translation:
        return []
    return [
        {"code": "transforms", "target": {"reference": f"DocumentReference/{context.id(kind)}"}}
    ]


def _loinc(code: str, text: str) -> Resource:
    return {"coding": [{"system": LOINC, "code": code}], "text": text}


def _printed(context: BuildContext, title: str, text: bytes) -> Iterator[Resource]:
    """The document as PDF too, when the package asks for it."""
    if context.package.pdf and UNTRANSLATED not in text.decode():
        made = pdf(text.decode(), paper=context.package.pdf, created=context.package.date)
        yield {"attachment": _attachment(context, title, "application/pdf", made)}


def _attachment(context: BuildContext, title: str, kind: str, text: bytes) -> Resource:
    """The document itself; FHIR's hash is SHA-1 (R4 datatypes.html#Attachment)."""
    digest = hashlib.sha1(text, usedforsecurity=False).digest()
    attachment = {
        "contentType": kind,
        "language": context.language if context.package.languages else "",
        "data": base64.b64encode(text).decode(),
        "size": len(text),
        "hash": base64.b64encode(digest).decode(),
        "title": title,
        "creation": context.package.date,
    }
    return filled(attachment)


def _context(context: BuildContext) -> Resource:
    setting = context.procedure.setting
    around: Resource = {
        "event": [context.code],
        "related": [
            {"reference": f"PlanDefinition/{context.id('plan')}"},
            {"reference": f"ActivityDefinition/{context.id()}"},
        ],
    }
    if setting and setting.places:
        one = len(setting.places) == 1  # a code of one of several would deny the others
        around["facilityType"] = (
            context.concept(setting.places[0]) if one else {"text": ", or ".join(setting.places)}
        )
    if setting and setting.specialty:
        around["practiceSetting"] = context.concept(setting.specialty)
    return around


def _education(context: BuildContext) -> Iterable[Section]:
    procedure, say = context.procedure, context.say
    yield Section(say("What it is"), _plain(procedure.summary))
    yield Section(say("What it is for"), _plain(procedure.purpose))
    if procedure.drawing and context.beside.drawing:
        markup = with_alternative(context.beside.drawing, procedure.drawing.shows)
        yield Section(say("How it works"), drawing=Drawing(markup, procedure.drawing.labels))
    yield Section(say("When it is considered"), items=_items(procedure.indications))
    yield Section(
        say("When it is not done, or only with care"),
        items=_items(procedure.contraindications),
    )
    yield Section(say("What happens"), items=_steps(context, procedure.steps), numbered=True)
    yield Section(say("How long it takes"), _plain(procedure.duration))
    yield Section(say("Where it is done"), _plain(procedure.setting))
    yield Section(say("Who is with you"), items=_people(context))
    yield Section(say("What is needed"), items=_items(procedure.equipment))
    yield Section(say("What it is like"), _plain(procedure.experience))
    yield Section(say("What you can gain"), items=_items(procedure.benefits))
    yield Section(say("What can go wrong"), items=tuple(_risk(risk) for risk in procedure.risks))
    yield Section(say("What could be done instead"), items=_items(procedure.alternatives))


def _preparation(context: BuildContext) -> Iterable[Section]:
    procedure, say = context.procedure, context.say
    yield Section(say("When to do what"), items=calendar(context, procedure.preparation, "before"))
    for action in procedure.preparation:
        yield Section(action.heading, action.plain, items=_parts(context, action))
    yield Section(
        say("Tell us if you have any of these"), items=_items(procedure.contraindications)
    )
    day = (sentence(_plain(said)) for said in (procedure.duration, procedure.setting))
    yield Section(say("On the day"), " ".join(filter(None, day)))
    yield Section(
        say("To fill in"),
        items=tuple(f"{say(label)}: {_BLANK}" for label in _TO_FILL_IN),
    )
    yield Section(
        say("What we will ask you"),  # the other questions are for the staff
        items=tuple(question.patient for question in context.questions() if question.patient),
    )


def _aftercare(context: BuildContext) -> Iterable[Section]:
    procedure, say = context.procedure, context.say
    yield Section(say("When to do what"), items=calendar(context, procedure.recovery, "after"))
    for action in procedure.recovery:
        yield Section(action.heading, action.plain, items=_parts(context, action))
    calls = tuple(risk.call for risk in procedure.risks if risk.call)
    call = say("Call your care team if you notice any of these.")
    intro = f"{call} {say('Phone')}: {_BLANK}" if calls else ""
    yield Section(say("When to call"), intro, items=calls)


def _plain(said: Said | None) -> str:
    return said.plain if said else ""


def _items(items: Iterable[Said]) -> tuple[str, ...]:
    return tuple(item.plain for item in items)


def _people(context: BuildContext) -> tuple[str, ...]:
    return tuple(
        _sentences(person.plain, step_line(context, person.only))
        for person in context.procedure.personnel
    )


def _risk(risk: Risk) -> str:
    """A risk, and how often it happens in the words and numbers of the source."""
    return f"{risk.plain.rstrip('.')} ({risk.how_often})" if risk.how_often else risk.plain


def _sentences(*texts: str) -> str:
    """Texts one after the other; one alone stays as it is."""
    said = [text for text in texts if text]
    return " ".join(map(sentence, said)) if len(said) > 1 else "".join(said)


def _steps(context: BuildContext, actions: Iterable[Action]) -> tuple[str, ...]:
    """Each step with its terms, and how the medicines that are parts of it are given."""
    return tuple(
        _sentences(
            a.plain,
            *_terms(context, a),
            *(line for part in a.parts for line in _taken(context, part)),
        )
        for a in actions
    )


def _taken(context: BuildContext, action: Action) -> tuple[str, ...]:
    """How a medicine is taken, and what is taken to be examined."""
    medicine = medicine_line(context, action) if action.makes == "medicine" else ""
    return tuple(filter(None, (medicine, specimen_line(context, action))))


def _parts(context: BuildContext, action: Action) -> tuple[str, ...]:
    """How an action is done and on which condition, then the same of each of its parts."""
    return (*_terms(context, action), *_below(context, action.parts))


def _below(context: BuildContext, parts: Iterable[Action]) -> Iterator[str]:
    for part in parts:
        yield _sentences(part.plain, *_terms(context, part))
        yield from _below(context, part.parts)


def _terms(context: BuildContext, action: Action) -> tuple[str, ...]:
    """What is taken, and on which condition something is done."""
    return tuple(filter(None, (*_taken(context, action), condition_line(context, action))))


def _sources(context: BuildContext) -> tuple[str, ...]:
    return tuple(
        f"{item.label}: {item.url or item.citation}" for item in context.procedure.evidence.values()
    )


_KINDS: dict[str, tuple[str, str, str, Callable[[BuildContext], Iterable[Section]]]] = {
    "education": ("what you should know", "34895-3", "Education note", _education),
    "preparation": ("how to prepare", "69730-0", "Instructions", _preparation),
    "aftercare": ("what to do afterwards", "74213-0", "Discharge instructions", _aftercare),
}
"""Kind to the end of the title, the LOINC type with its meaning, and the sections."""
