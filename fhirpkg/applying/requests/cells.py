"""Elements of a request, each made of one element of its ActivityDefinition or of who is involved.

A cell is one such making; the table in :mod:`fhirpkg.applying.requests.kinds` is built of them.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, NamedTuple

from fhirpkg.untrusted import objects

if TYPE_CHECKING:
    from fhirpkg.issues import Json, Resource

_COLLECT_WITH = "http://hl7.org/fhir/uv/cpg/StructureDefinition/cpg-collectWith"
_DO_NOT_PERFORM = "http://hl7.org/fhir/StructureDefinition/request-doNotPerform"
_TARGET_STATUS = "http://hl7.org/fhir/us/ecr/StructureDefinition/targetStatus"
_ACTIVITY_TYPES = "http://hl7.org/fhir/uv/cpg/CodeSystem/cpg-activity-type-cs"
_BESIDE = re.compile(r"DocumentReference/[A-Za-z0-9.-]{1,64}")


@dataclass(frozen=True, slots=True)
class Parties:
    """Who and where: references as they are written into results."""

    subject: str
    encounter: str = ""
    practitioner: str = ""
    organization: str = ""
    language: str = ""


Maker = Callable[["Resource", Parties], "dict[str, Any]"]


class Cell(NamedTuple):
    """Elements of the target made of one element of the definition, which it must have, or of none.

    A `source` is named without the type of a choice.
    """

    source: str
    make: Maker


def fixed(target: str, value: Json) -> Cell:
    """An element with always this value."""
    return Cell("", lambda _definition, _parties: {target: value})


def copied(source: str, target: str = "") -> Cell:
    """An element taken over, under another name if need be."""
    target = target or source
    return Cell(source, lambda d, _: {target: d[source]} if source in d else {})


def listed(source: str, target: str) -> Cell:
    """A single element of the definition as a list in the target."""
    return Cell(source, lambda d, _: {target: [d[source]]} if source in d else {})


def chosen(source: str, target: str, types: tuple[str, ...]) -> Cell:
    """A choice element of the definition into one of the target, for the types both know."""
    return Cell(source, lambda d, _: {target + t: d[source + t] for t in types if source + t in d})


def displayed(source: str, target: str) -> Cell:
    """References as concepts in the words of their displays; those without one are left over."""

    def make(definition: Resource, _: Parties) -> dict[str, Json]:
        shown = [text for each in objects(definition, source) if (text := each.get("display"))]
        return {target: [{"text": text} for text in shown]} if shown else {}

    return Cell(source, make)


def intent(default: str) -> Cell:
    """The intent of the definition, else this one."""
    return Cell("", lambda d, _: {"intent": d.get("intent", default)})


def party(target: str, *names: str) -> Cell:
    """A reference to the first of these parties that was given."""
    return Cell("", lambda _, parties: _referring(target, parties, names))


def _referring(target: str, parties: Parties, names: tuple[str, ...]) -> dict[str, Json]:
    for name in names:
        if given := getattr(parties, name):
            return {target: {"reference": given}}
    return {}


def canonical(as_list: bool) -> Cell:
    """What the request instantiates, a list in most kinds."""
    return Cell("url", lambda definition, _: _instantiating(definition, as_list))


def _instantiating(definition: Resource, as_list: bool) -> dict[str, Json]:
    if "url" not in definition:
        return {}
    canonical = canonical_of(definition)
    return {"instantiatesCanonical": [canonical] if as_list else canonical}


def payload_of_text(definition: Resource, _: Parties) -> dict[str, Json]:
    """The text of the definition's code as a message."""
    text = definition.get("code", {}).get("text")
    return {"payload": [{"contentString": text}]} if text else {}


def _attachments(definition: Resource, *types: str) -> list[dict[str, Json]]:
    """Related artifacts as attachments; of these types, or all."""
    found = []
    for artifact in definition.get("relatedArtifact", ()):
        if types and artifact.get("type") not in types:
            continue
        attachment = dict(artifact.get("document", {}))
        if "url" in artifact:
            attachment["url"] = artifact["url"]
        if attachment and "display" in artifact:
            attachment["title"] = artifact["display"]
        if attachment:
            found.append(attachment)
    return found


def _links(definition: Resource) -> list[dict[str, Json]]:
    """Related artifacts as the reference engine sees them: url and name."""
    names = (("url", "url"), ("display", "title"))
    artifacts = definition.get("relatedArtifact", ())
    return [{target: a[key] for key, target in names if key in a} for a in artifacts]


def last_link(definition: Resource, _: Parties) -> dict[str, Json]:
    """The last related artifact with a url as the only payload."""
    found = [link for link in _links(definition) if "url" in link]
    return {"payload": [{"contentAttachment": found[-1]}]} if found else {}


def presented_links(definition: Resource, _: Parties) -> dict[str, Json]:
    """The related artifacts by their links as the forms of a report."""
    found = [link for link in _links(definition) if link]
    return {"presentedForm": found} if found else {}


def all_artifacts(definition: Resource, parties: Parties) -> dict[str, Json]:
    """The text of the code and the documents as payload; citations are not for the receiver."""
    documents = _attachments(definition, "documentation")
    payload = [_sent(document) for document in documents]
    texts = payload_of_text(definition, parties).get("payload", [])
    return {"payload": texts + payload} if payload else {}


def _sent(document: dict[str, Json]) -> dict[str, Json]:
    """A document as payload: one that accompanies the definition is referred to."""
    if not _BESIDE.fullmatch(str(document.get("url", ""))):
        return {"contentAttachment": document}
    title = {"display": document["title"]} if "title" in document else {}
    return {"contentReference": {"reference": document["url"], **title}}


def presented(definition: Resource, _: Parties) -> dict[str, Json]:
    """Related artifacts as the forms of a report."""
    attachments = _attachments(definition)
    return {"presentedForm": attachments} if attachments else {}


def task_status(definition: Resource, _: Parties) -> dict[str, Json]:
    """The status a definition asks for by extension, else ready."""
    wanted = extension_value(definition, _TARGET_STATUS)
    return {"status": wanted if isinstance(wanted, str) else "ready"}


def do_not_perform_extension(definition: Resource, _: Parties) -> dict[str, Json]:
    """R4 has no Task.doNotPerform: a modifier extension says it."""
    if "doNotPerform" not in definition:
        return {}
    return {"modifierExtension": [forbidding(flag=definition["doNotPerform"])]}


def forbidding(*, flag: Json) -> dict[str, Json]:
    """The modifier extension that says whether a request is one not to do something."""
    return {"url": _DO_NOT_PERFORM, "valueBoolean": flag}


def collected_with(definition: Resource, _: Parties) -> dict[str, Json]:
    """The questionnaire that a task collects information with, as its input."""
    questionnaire = extension_value(definition, _COLLECT_WITH)
    if not questionnaire:
        return {}
    code = {"system": _ACTIVITY_TYPES, "code": "collect-information"}
    return {"input": [{"type": {"coding": [code]}, "valueCanonical": questionnaire}]}


def now(target: str) -> Cell:
    """The moment of applying."""
    return Cell("", lambda *_: {target: datetime.now(UTC).isoformat(timespec="seconds")})


def patient_takes_part(_: Resource, parties: Parties) -> dict[str, Json]:
    """The patient as a participant who has yet to answer."""
    actor = {"reference": parties.subject}
    return {"participant": [{"actor": actor, "status": "needs-action"}]}


def taking_part(definition: Resource, parties: Parties) -> dict[str, Json]:
    """The patient again, and the others by their roles; nobody has answered yet."""
    roles = [{"type": [role], "status": "needs-action"} for role in _roles(definition)]
    takes_part = bool(definition.get("participant"))
    patient = patient_takes_part(definition, parties)["participant"]
    return {"participant": [*patient, *roles]} if takes_part else {}


def _roles(definition: Resource) -> list[dict[str, Json]]:
    """The participants other than the patient; each as its role, its type where there is none."""
    others = (p for p in definition.get("participant", ()) if p.get("type") != "patient")
    return [p.get("role") or {"text": p["type"]} for p in others if "role" in p or "type" in p]


def role_text(role: dict[str, Json]) -> str:
    """A role in words: its text, else a display or code."""
    codings = objects(role, "coding")
    return role.get("text") or next(
        (coding.get("display") or coding.get("code", "") for coding in codings), ""
    )


def one_performer_type(definition: Resource, _: Parties) -> dict[str, Json]:
    """The first role; the target holds only one, so the others go into a note."""
    roles = _roles(definition)
    if not roles:
        return {}
    texts = dict.fromkeys(map(role_text, roles))  # alternatives have one text with a code each
    others = "; ".join(list(texts)[1:])
    note = {"note": [{"text": f"Also takes part: {others}"}]} if others else {}
    return {"performerType": roles[0]} | note


def all_performer_types(definition: Resource, _: Parties) -> dict[str, Json]:
    """The roles of those who take part, but the patient."""
    roles = _roles(definition)
    return {"performerType": roles} if roles else {}


def noted_roles(definition: Resource, parties: Parties) -> dict[str, Json]:
    """The patient as recipient; the other roles, which have no element, in a note."""
    types = {participant.get("type") for participant in definition.get("participant", ())}
    made: dict[str, Json] = {}
    if "patient" in types:
        made["recipient"] = [{"reference": parties.subject}]
    if roles := _roles(definition):
        made["note"] = [{"text": "Takes part: " + "; ".join(role_text(role) for role in roles)}]
    return made


def dispensed(definition: Resource, _: Parties) -> dict[str, Json]:
    """How much to dispense."""
    return (
        {"dispenseRequest": {"quantity": definition["quantity"]}}
        if "quantity" in definition
        else {}
    )


def canonical_of(definition: Resource) -> str:
    """The canonical of a definition, with its version when it has one."""
    version = definition.get("version")
    return f"{definition['url']}|{version}" if version else str(definition["url"])


def extension_value(element: Resource, url: str) -> Json:
    """The value of the first extension with this url, None when there is none."""
    for extension in element.get("extension", ()):
        if extension.get("url") == url:
            return next((v for k, v in extension.items() if k.startswith("value")), None)
    return None
