"""Elements of a profile as items of a Questionnaire, with what data already answer.

By SDC's StructureDefinition/$questionnaire: an item for each element that must be there, must be
supported or that the profile speaks of; what a profile fixes is answered by it and hidden. See
http://hl7.org/fhir/uv/sdc/OperationDefinition-StructureDefinition-questionnaire.html.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from fhirpkg.applying.paths import element_of
from fhirpkg.definitions.definitions import Definitions
from fhirpkg.errors import DefinitionError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fhirpkg.definitions.typemodel import TypesOfDefinitions
    from fhirpkg.issues import Json, Resource

_HIDDEN = "http://hl7.org/fhir/StructureDefinition/questionnaire-hidden"
_ITEM_TYPES = {
    "boolean": ("boolean", "Boolean"),
    "integer": ("integer", "Integer"),
    "positiveInt": ("integer", "Integer"),
    "unsignedInt": ("integer", "Integer"),
    "decimal": ("decimal", "Decimal"),
    "date": ("date", "Date"),
    "dateTime": ("dateTime", "DateTime"),
    "instant": ("dateTime", "DateTime"),
    "time": ("time", "Time"),
    "string": ("string", "String"),
    "id": ("string", "String"),
    "markdown": ("text", "String"),
    "uri": ("url", "Uri"),
    "url": ("url", "Uri"),
    "canonical": ("url", "Uri"),
    "code": ("choice", "Coding"),
    "Coding": ("choice", "Coding"),
    "CodeableConcept": ("choice", "Coding"),
    "Quantity": ("quantity", "Quantity"),
    "Age": ("quantity", "Quantity"),
    "Duration": ("quantity", "Quantity"),
    "Reference": ("reference", "Reference"),
    "Attachment": ("attachment", "Attachment"),
}
"""Type of an element to type of its item, and type of its answers."""
_NOT_ASKED = ("id", "meta", "implicitRules", "language", "text", "contained", "extension",
              "modifierExtension", "subject", "patient")  # fmt: skip
"""Elements that no person fills in; the patient is known."""


@dataclass(frozen=True, slots=True)
class Asked:
    """One element that a person is asked for."""

    path: str
    """Below the resource: ``code``, ``value[x]``."""
    type_name: str
    item: Resource
    fixed: Json = None
    """The value that the profile fixes."""

    def answers(self, resource: Resource, types: TypesOfDefinitions) -> list[Resource]:
        """What a resource answers, as answers of a QuestionnaireResponse."""
        values = _values(resource, self.path, self.type_name, types)
        return [answer(value, self.type_name) for value in values or _listed(self.fixed)]


def items_of(profile: Resource, link_id: str) -> Iterator[Asked]:
    """The items for the elements of a profile, right below its root."""
    root = str(profile.get("type", ""))
    spoken_of = {e.get("path") for e in profile.get("differential", {}).get("element", ())}
    number = 0
    for element in _elements(profile, root):
        path = str(element.get("path", "")).removeprefix(f"{root}.")
        if "." in path or path == root or path in _NOT_ASKED or "sliceName" in element:
            continue
        if not _is_asked(element, spoken_of):
            continue
        types = [t.get("code", "") for t in element.get("type", ())]
        for type_name in types or ["string"]:
            if type_name not in _ITEM_TYPES:
                continue
            number += 1
            yield _asked(profile, element, path, type_name, f"{link_id}.{number}", len(types) > 1)


def _elements(profile: Resource, root: str) -> list[Resource]:
    """The elements of a profile; without a snapshot those of its type, with what it changes."""
    if "snapshot" in profile:
        return list(profile["snapshot"].get("element", ()))
    base = Definitions.core().find(f"http://hl7.org/fhir/StructureDefinition/{root}") or {}
    changes: dict[Json, Resource] = {}
    for element in profile.get("differential", {}).get("element", ()):
        if "sliceName" not in element:
            changes.setdefault(element.get("path"), element)
    elements = base.get("snapshot", {}).get("element", ())
    return [{**element, **changes.get(element.get("path"), {})} for element in elements]


def _is_asked(element: Resource, spoken_of: set[Json]) -> bool:
    if element.get("max") == "0":
        return False
    return bool(
        element.get("min") or element.get("mustSupport") or element.get("path") in spoken_of
    )


def _asked(
    profile: Resource, element: Resource, path: str, type_name: str, link_id: str, of_several: bool
) -> Asked:
    label = element.get("label") or element.get("short") or path
    kind, _ = _ITEM_TYPES[type_name]
    item: Resource = {
        "linkId": link_id,
        "definition": f"{profile.get('url', '')}#{element.get('id') or element.get('path')}",
        "text": f"{label} ({type_name})" if of_several else str(label),
        "type": kind,
    }
    if element.get("min") and not of_several:
        item["required"] = True
    if element.get("max", "1") not in {"0", "1"}:
        item["repeats"] = True
    binding = element.get("binding", {})
    if kind == "choice":
        item["type"] = "choice" if binding.get("strength") == "required" else "open-choice"
        if "valueSet" in binding:
            item["answerValueSet"] = binding["valueSet"]
    fixed = next((v for k, v in element.items() if k.startswith(("fixed", "pattern"))), None)
    if fixed is not None:
        item["initial"] = [answer(value, type_name) for value in _listed(fixed)]
        item["extension"] = [{"url": _HIDDEN, "valueBoolean": True}]
        item.pop("answerValueSet", None)
    return Asked(path, type_name, item, fixed)


def answer(value: Json, type_name: str) -> Resource:
    """A value of an element as an answer: a concept by its first coding, else as text."""
    _, name = _ITEM_TYPES[type_name]
    if type_name == "CodeableConcept":
        codings = value.get("coding") or []
        return {"valueCoding": codings[0]} if codings else {"valueString": value.get("text", "")}
    if type_name == "code":
        return {"valueCoding": {"code": value}}
    return {f"value{name}": value}


def _values(resource: Resource, path: str, type_name: str, types: TypesOfDefinitions) -> list[Json]:
    name = path.removesuffix("[x]")
    try:
        key = element_of(str(resource.get("resourceType")), name, type_name, types)[0]
    except DefinitionError:
        return []
    return _listed(resource.get(key))


def _listed(value: Json) -> list[Json]:
    return value if isinstance(value, list) else [] if value is None else [value]
