"""Elements of definitions in the words and defaults that an order of an EHR has."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fhirpkg.course.wording import people as people_of
from fhirpkg.course.wording import said, words_of_expression
from fhirpkg.languages.words import gettext
from fhirpkg.render import clinical, times, words
from fhirpkg.render.environment import timing
from fhirpkg.render.told import is_told, told
from fhirpkg.untrusted import choice_of, objects, text_of, texts

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fhirpkg.issues import Json, Resource

KINDS = {
    "CommunicationRequest": "Message", "DeviceRequest": "Device order",
    "ImmunizationRecommendation": "Immunization", "MedicationRequest": "Medication order",
    "NutritionOrder": "Diet order", "ServiceRequest": "Order", "SupplyRequest": "Supply order",
}  # fmt: skip
"""What a kind of request is called where orders are built; others by their own name."""
OF_TYPE = {"Questionnaire": "Form", "PlanDefinition": "Another order set", "Library": "Logic"}


def kind(action: Resource, definition: Resource) -> str:
    """What is to be built for an action: an order, a message, a form, a group, a line of text."""
    resource_type = text_of(definition, "resourceType")
    asked = text_of(definition, "kind")
    if resource_type == "ActivityDefinition":
        never = f"{gettext('Do not')}: " if definition.get("doNotPerform") is True else ""
        return f"{never}{gettext(KINDS.get(asked, asked or 'Order'))}"
    if resource_type:
        return gettext(OF_TYPE.get(resource_type, resource_type))
    if objects(action, "action"):
        return gettext("Group")
    url = text_of(action, "definitionCanonical") or text_of(action, "definitionUri")
    if url:
        return gettext("Not in this content")
    return gettext("Item") if objects(action, "code") else gettext("Text")


def selection(action: Resource) -> str:
    """How many parts of a group are meant, and whether an item is chosen beforehand."""
    chosen = text_of(action, "selectionBehavior") if objects(action, "action") else ""
    before = {"yes": gettext("preselected"), "no": gettext("not preselected")}
    found = (words.behavior(chosen), before.get(text_of(action, "precheckBehavior"), ""))
    return ", ".join(filter(None, found))


def demands(action: Resource) -> str:
    """Whether an item is required, and whether it may be repeated."""
    required, repeated = (
        text_of(action, key) for key in ("requiredBehavior", "cardinalityBehavior")
    )
    document = gettext("must be done, or the reason given")
    found = (
        document if required == "must-unless-documented" else words.behavior(required),
        words.behavior(repeated),
    )
    return ", ".join(filter(None, found))


def concepts(action: Resource, definition: Resource) -> Iterator[Resource]:
    """The concepts that say what is ordered: of the definition, its product, and the action."""
    for key in ("code", "productCodeableConcept"):
        if isinstance(definition.get(key), dict):
            yield definition[key]
    reference = definition.get("productReference")
    for inner in objects(definition, "contained"):
        if f"#{text_of(inner, 'id')}" == text_of(reference, "reference"):
            yield inner.get("code") or {}
    yield from objects(action, "code")


def codes(found: Iterator[Resource]) -> dict[str, list[str]]:
    """The codes of concepts by the name of their system, each with its words: ``58410-2 CBC``.

    A code that occurs twice has the shorter words: the longer ones are what it is used for.
    """
    by_system: dict[str, dict[str, str]] = {}
    for concept in found:
        for coding in objects(concept, "coding"):
            code = text_of(coding, "code")
            system = words.coding({"system": text_of(coding, "system")}) or "Codes without a system"
            display = text_of(coding, "display") or text_of(concept, "text")
            if code:
                known = by_system.setdefault(system, {})
                known[code] = min(filter(None, (known.get(code), display)), key=len, default="")
    return {
        system: [f"{code} {display}".strip() for code, display in each.items()]
        for system, each in by_system.items()
    }


def defaults(action: Resource, definition: Resource) -> Iterator[tuple[str, str]]:
    """What an order begins with, by the heads of the columns; what the action says comes first."""
    doses = [said(clinical.dosage, dose) for dose in objects(definition, "dosage")]
    yield "Dose", "; then: ".join(filter(None, doses))
    yield "Amount", said(times.quantity, definition.get("quantity") or {})
    yield "When", said(timing, action) or said(timing, definition)
    priority = text_of(action, "priority") or text_of(definition, "priority")
    yield "Priority", gettext(priority) if priority else ""
    yield "By", "; ".join(list(people(action)) or list(people(definition)))
    yield "Where", place(definition)
    yield "Body site", _concepts(definition, "bodySite")
    yield "Specimen", "; ".join(_names(definition, "specimenRequirement"))
    yield "Because of", _concepts(action, "reason")
    yield "Computed", "; ".join([*_computed(action), *_computed(definition)])


def place(definition: Resource) -> str:
    """Where it is done: by the display of the reference, or what is contained."""
    reference = text_of(definition.get("location"), "reference")
    shown = text_of(definition.get("location"), "display")
    for inner in objects(definition, "contained"):
        if f"#{text_of(inner, 'id')}" == reference:
            return shown or text_of(inner, "name") or text_of(inner, "description")
    return shown or reference


def _concepts(holder: Resource, key: str) -> str:
    return "; ".join(filter(None, (said(coded, concept) for concept in objects(holder, key))))


def coded(*concepts: Resource) -> str:
    """Concepts of one meaning with all their codes: ``Bone pain (SNOMED CT 12584003)``."""
    codings = [coding for concept in concepts for coding in objects(concept, "coding")]
    texts = [text_of(concept, "text") for concept in concepts]
    shown = texts if any(texts) else [text_of(coding, "display") for coding in codings]
    name = ", ".join(dict.fromkeys(filter(None, shown)))
    known = ", ".join(dict.fromkeys(words.coding(coding) for coding in codings))
    return f"{name} ({known})" if name and known else name or known


def people(holder: Resource) -> Iterator[str]:
    """Who takes part, those of one name together, with the codes of their roles."""
    by_name: dict[str, list[Resource]] = {}
    for participant in objects(holder, "participant"):
        for name in people_of({"participant": [participant]}):
            role = participant.get("role")
            by_name.setdefault(name, []).append(role if isinstance(role, dict) else {})
    for name, roles in by_name.items():
        yield coded({"text": name}, *({"coding": role.get("coding")} for role in roles))


def _names(definition: Resource, key: str) -> Iterator[str]:
    for reference in objects(definition, key):
        yield text_of(reference, "display") or text_of(reference, "reference")


def for_patients(definition: Resource) -> str:
    """What a message says to patients, a line each."""
    return "\n".join(told(definition))


def _computed(holder: Resource) -> Iterator[str]:
    """Elements that logic fills in for a patient."""
    for value in objects(holder, "dynamicValue"):
        if is_told(value):
            continue
        yield f"{text_of(value, 'path')}: {words_of_expression(value)}"


def conditions(action: Resource) -> Iterator[str]:
    """The expressions of conditions as logic, with their languages."""
    for condition in objects(action, "condition"):
        expression = condition.get("expression")
        if text := text_of(expression, "expression"):
            yield f"{text} ({text_of(expression, 'language') or gettext('no language')})"


def data(action: Resource) -> Iterator[str]:
    """The data that an action needs and gives, by their types and profiles."""
    for key in ("input", "output"):
        for needed in objects(action, key):
            profiles = " ".join(texts(needed, "profile"))
            yield " ".join(filter(None, (f"{gettext(key)}:", text_of(needed, "type"), profiles)))


def artifacts(holder: Resource, *types: str) -> str:
    """What is attached to an action, of these types (all if none): title and address."""
    found = []
    for artifact in objects(holder, "documentation"):
        if not types or text_of(artifact, "type") in types:
            document = artifact.get("document")
            titles = (text_of(artifact, key) for key in ("label", "display", "citation"))
            title = next(filter(None, (*titles, text_of(document, "title"))), "")
            address = (text_of(artifact, "url") or text_of(artifact, "resource")
                       or text_of(document, "url"))  # fmt: skip
            found.append(" ".join(filter(None, (title, address))))
    return "\n".join(dict.fromkeys(filter(None, found)))


def answer(question: Resource) -> str:
    """The possible answers, one on each line, or where they are defined."""
    options = []
    for option in objects(question, "answerOption"):
        _, value = choice_of(option, "value")
        options.append(said(_value, value))
    return "\n".join(filter(None, options)) or text_of(question, "answerValueSet")


def _value(value: Json) -> str:
    return coded({"coding": [value]}) if isinstance(value, dict) else str(value)
