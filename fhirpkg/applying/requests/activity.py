"""ActivityDefinition/$apply: the request that a definition stands for, by the table of its kinds.

See http://hl7.org/fhir/R4/activitydefinition-operation-apply.html.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from fhirpkg.applying import dynamic
from fhirpkg.applying.requests.cells import (
    Parties,
    extension_value,
    forbidding,
)
from fhirpkg.applying.requests.kinds import KINDS, Kind
from fhirpkg.errors import DefinitionError
from fhirpkg.rules import nearest

if TYPE_CHECKING:
    from fhirpkg.applying.dialects import Dialect
    from fhirpkg.applying.expressions import Evaluator
    from fhirpkg.applying.outcomes import Messages
    from fhirpkg.issues import Json, Resource

_ACTIVITY_KIND = "http://hl7.org/fhir/uv/cpg/StructureDefinition/cpg-activity-kind"

_KNOWLEDGE_EXTENSIONS = (
    "knowledgeCapability",
    "knowledgeRepresentationLevel",
    "softwaresystem",
    "logicDefinition",
    "effectiveDataRequirements",
    "effective-data-requirements",
    "directReferenceCode",
    "questionnaire-generate",
    "questionnaireAdaptive",
)
"""Tails of the extensions that describe the definition, not what it defines."""


_REASON_LISTS = ("ServiceRequest", "MedicationRequest", "CommunicationRequest", "DeviceRequest",
                 "SupplyRequest", "Communication", "Procedure", "Appointment",
                 "RequestGroup")  # fmt: skip
_ELEMENTS = {
    "bodySite": "bodySite",
    "code": "code",
    "doNotPerform": "doNotPerform",
    "dosage": "dosage",
    "location": "location",
    "observationRequirement": "observationRequirement",
    "observationResultRequirement": "observationResultRequirement",
    "participant": "participant",
    "priority": "priority",
    "productCodeableConcept": "product",
    "productReference": "product",
    "quantity": "quantity",
    "specimenRequirement": "specimenRequirement",
    "timingAge": "timing",
    "timingDateTime": "timing",
    "timingDuration": "timing",
    "timingPeriod": "timing",
    "timingRange": "timing",
    "timingTiming": "timing",
    "transform": "transform",
}
"""JSON keys of what a definition says about the request, to the elements they belong to."""


_OF_ONE_THING = ("DeviceRequest", "SupplyRequest")
"""Kinds in which the product, as a concept, takes the place of the code."""


def build(definition: Resource, parties: Parties, dialect: Dialect) -> tuple[Resource, list[str]]:
    """The request an ActivityDefinition makes, and the keys of what the request has no place for.

    Dynamic values are not yet in it. Raises DefinitionError for an unknown kind.
    """
    kind_name, kind = _kind_of(definition)
    if kind.needs and "dynamicValue" not in definition and not _any_of(kind.needs, definition):
        wanted = " or ".join(kind.needs)
        raise DefinitionError(
            _named(definition), f"a {kind_name} cannot be made without {wanted}", wanted
        )
    made: Resource = {"resourceType": kind_name, "id": definition.get("id", "").lstrip("#")}
    if profile := definition.get("profile"):
        made["meta"] = {"profile": [profile]}
    if parties.language:
        made["language"] = parties.language
    if extensions := kept_extensions(definition):
        made["extension"] = extensions
    given = {_ELEMENTS.get(key, key) for key in definition}
    used = set()
    for cell in kind.reference + (kind.complete if dialect.carries else ()):
        if cell.source and cell.source not in given:
            continue
        if elements := cell.make(definition, parties):
            used.add(cell.source)
            made.update(elements)
    if not dialect.carries:
        return made, []
    if kind_name in _OF_ONE_THING and "productCodeableConcept" in definition:
        used.discard("code")
    used |= _forbid(definition, made)
    _keep_contained(definition, made)
    left_over = [k for k in definition if k in _ELEMENTS and _ELEMENTS[k] not in used]
    return made, sorted(left_over)


def _forbid(definition: Resource, made: Resource) -> set[str]:
    """Modifier extensions come along; "do not" becomes one where the request has no element for it.

    Who does not know a modifier extension must not act on the request.
    """
    modifiers = [*definition.get("modifierExtension", ()), *made.get("modifierExtension", ())]
    has_place = "doNotPerform" in made or "modifierExtension" in made
    if definition.get("doNotPerform") is True and not has_place:
        modifiers.append(forbidding(flag=True))
    if modifiers:
        made["modifierExtension"] = modifiers
    return {"doNotPerform"}


def compute(
    definition: Resource, resource: Resource, evaluator: Evaluator, messages: Messages
) -> None:
    """Put in what a definition computes: values of its extensions, then its dynamic values."""
    if "extension" in resource:
        kept = dynamic.computed_extensions(resource["extension"], definition, evaluator, messages)
        resource["extension"] = kept
        if not kept:
            del resource["extension"]
    payload = resource.get("payload", [])
    attached = [part for part in payload if "contentString" not in part]
    if attached and "dynamicValue" in definition:  # what is computed comes first, then documents
        resource["payload"] = [part for part in payload if part not in attached]
    dynamic.set_values(definition, definition, resource, None, evaluator, messages)
    if attached and "dynamicValue" in definition:
        resource["payload"] += attached


def add_reasons(resource: Resource, reasons: list[Json]) -> bool:
    """Put the reasons of an action onto its request; False when it has no place for them."""
    kind = resource["resourceType"]
    if kind in _REASON_LISTS:
        resource["reasonCode"] = [*resource.get("reasonCode", ()), *reasons]
    elif kind == "Task" and len(reasons) == 1:
        resource["reasonCode"] = reasons[0]
    else:
        return False
    return True


def without_place(resource: Resource, key: str) -> str:
    """The message about an element of a definition that its request cannot hold."""
    kind = resource["resourceType"]
    article = "an" if kind[0] in "AEIO" else "a"
    return f"{article} {kind} has no element for '{key}' of the definition"


def kept_extensions(definition: Resource) -> list[Json]:
    """The extensions of a definition that its result takes over."""
    return [
        extension
        for extension in definition.get("extension", ())
        if not extension.get("url", "").endswith(_KNOWLEDGE_EXTENSIONS)
    ]


def _kind_of(definition: Resource) -> tuple[str, Kind]:
    name = extension_value(definition, _ACTIVITY_KIND) or definition.get("kind")
    if not isinstance(name, str):
        raise DefinitionError(_named(definition), "it has no kind", "ActivityDefinition.kind")
    if name not in KINDS:
        hint = nearest(name, list(KINDS))
        problem = f"'{name}' is not a kind of request that can be made{hint}"
        raise DefinitionError(_named(definition), problem, "ActivityDefinition.kind")
    return name, KINDS[name]


def _named(definition: Resource) -> str:
    return str(definition.get("url") or f"ActivityDefinition/{definition.get('id')}")


def _any_of(names: tuple[str, ...], definition: Resource) -> bool:
    return any(name in definition for name in names)


def _keep_contained(definition: Resource, made: Resource) -> None:
    """Contained resources that the request refers to come along."""
    wanted = [
        contained
        for contained in definition.get("contained", ())
        if _refers(made, f"#{contained.get('id', '').lstrip('#')}")
    ]
    if wanted:
        made["contained"] = wanted


def _refers(value: Json, reference: str) -> bool:
    if isinstance(value, dict):
        return value.get("reference") == reference or any(
            _refers(inner, reference) for inner in value.values()
        )
    return isinstance(value, list) and any(_refers(inner, reference) for inner in value)
