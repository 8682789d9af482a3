"""Elements of values, tests of type, casts."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from fhirpkg.cql import models
from fhirpkg.cql.evaluating.conversions import HELPERS, to_time
from fhirpkg.cql.evaluating.elements import cql_type, element, interval, is_interval, moment
from fhirpkg.cql.evaluating.moments import LEVELS, fields
from fhirpkg.cql.evaluating.values import (
    Code,
    CodeSystem,
    Concept,
    Element,
    Long,
    Ratio,
    TypedText,
    ValueSet,
)
from fhirpkg.errors import FhirpkgError
from fhirpkg.fhirpath.temporal import Temporal
from fhirpkg.fhirpath.values import Quantity

if TYPE_CHECKING:
    from collections.abc import Callable

    from fhirpkg.cql.evaluating.session import Evaluation
    from fhirpkg.cql.tree import Node, Value

SYSTEM = "{urn:hl7-org:elm-types:r1}"


def _property(evaluation: Evaluation, node: Node) -> Value:
    if "source" in node:
        return element(evaluation.of(node["source"]), node["path"])
    scope = node["scope"]
    if scope not in evaluation.names:
        raise FhirpkgError(f"'{scope}' is not known here")
    return element(evaluation.names[scope], node["path"])


# -- types -----------------------------------------------------------------------------------

_COMPLEX = frozenset(
    "Address Age Annotation Attachment CodeableConcept Coding ContactDetail ContactPoint"
    " Contributor Count DataRequirement Distance DomainResource Dosage Duration Element Expression"
    " Extension HumanName Identifier Meta Money MoneyQuantity Narrative ParameterDefinition Period"
    " Quantity Range Ratio Reference RelatedArtifact Resource SampledData Signature SimpleQuantity"
    " Timing TriggerDefinition UsageContext".split()
)
_QUANTITIES = {"SimpleQuantity": "Quantity", "MoneyQuantity": "Quantity"}
"""Profiles that CQL's model has as types."""
_TEXTS = {"string": ("code", "id", "markdown"), "uri": ("url", "canonical", "oid", "uuid")}
_NUMBERS = frozenset({"integer", "positiveInt", "unsignedInt"})
_VALUES: dict[str, type | tuple[type, ...]] = {
    "CodeSystem": CodeSystem, "ValueSet": ValueSet, "Vocabulary": (CodeSystem, ValueSet),
    "Code": Code, "Concept": Concept, "Quantity": Quantity, "Ratio": Ratio, "String": str,
    "Decimal": Decimal, "Boolean": bool, "Long": Long,
}  # fmt: skip
_KINDS = {"Date": "date", "DateTime": "dateTime", "Time": "time"}


def has_type(value: Value, type_name: str) -> bool:
    """Whether a value is of a type of CQL or FHIR, by its qualified name."""
    local = type_name.rpartition("}")[2]
    if type_name.startswith(SYSTEM):
        return _is_of_system(value, local)
    local = models.backbone(local.removeprefix("FHIR.").removeprefix("QICore."))
    local = _QUANTITIES.get(local, local)
    if isinstance(value, Element):
        return _is_of_fhir(value, local)
    if isinstance(value, str):
        return _is_text(value, local)
    if isinstance(value, bool):
        return local == "boolean"
    if isinstance(value, Temporal):
        kind = "dateTime" if local == "instant" else local
        return value.kind == kind
    if isinstance(value, int | Decimal):
        return local in _NUMBERS if isinstance(value, int) else local == "decimal"
    return type(value).__name__ == local


def _is_text(value: str, local: str) -> bool:
    if local[:1].isupper():  # FHIR's enumerations, of codes, are types of their own in CQL
        return getattr(value, "type_name", "code") == "code" and local not in _COMPLEX
    if not isinstance(value, TypedText):
        return local in {"string", "code", "uri", "id"}
    return value.type_name == local or value.type_name in _TEXTS.get(local, ())


def _is_of_system(value: Value, local: str) -> bool:
    if local == "Any":
        return True
    if local in _KINDS:
        return isinstance(value, Temporal) and value.kind == _KINDS[local]
    if local == "Integer":
        return isinstance(value, int) and not isinstance(value, bool | Long)
    if isinstance(value, Element):
        return cql_type(value) == local
    return local in _VALUES and isinstance(value, _VALUES[local])


def _is_of_fhir(value: Element, local: str) -> bool:
    name: str | None = value.type_name
    while name is not None:
        if name == local:
            return True
        name = value.types.base(name)
    return local == "Any"


def specifier_of(node: Node, key: str) -> Node:
    """The type that a node asks for, as a specifier."""
    if name := node.get(f"{key}Type"):
        return {"name": name}
    found: Node = node.get(f"{key}TypeSpecifier", {})
    return found


def fits(value: Value, specifier: Node) -> bool:
    """Whether a value is of the type that a specifier describes."""
    kind = specifier.get("type", "NamedTypeSpecifier")
    if kind == "ChoiceTypeSpecifier":
        return any(fits(value, choice) for choice in specifier.get("choice", ()))
    if kind == "ListTypeSpecifier":
        items = specifier.get("elementType", {})
        return isinstance(value, list) and all(i is None or fits(i, items) for i in value)
    if kind == "IntervalTypeSpecifier":
        return is_interval(value) and _fits_points(value, specifier.get("pointType", {}))
    if kind == "TupleTypeSpecifier":
        return isinstance(value, dict) and not isinstance(value, Element)
    return "name" in specifier and has_type(value, specifier["name"])


def _fits_points(value: Value, specifier: Node) -> bool:
    bounds = interval(value)
    points = [p for p in (bounds.low, bounds.high) if p is not None] if bounds else []
    return all(accepts(specifier, point) for point in points)


_WIDER = {"DateTime": "Date", "Decimal": "Integer", "Concept": "Code", "Long": "Integer"}
_WIDER_FHIR = {"dateTime": "date"}


def accepts(specifier: Node, value: Value) -> bool:
    """Whether a function takes a value for an operand; nothing fits any type.

    A value of a type that CQL converts without being asked (an Integer for a Decimal) is taken.
    """
    if value is None or not specifier or fits(value, specifier):
        return True
    if specifier.get("type") == "ListTypeSpecifier":
        items = specifier.get("elementType", {})
        return isinstance(value, list) and all(accepts(items, item) for item in value)
    if specifier.get("type") == "ChoiceTypeSpecifier":
        return any(accepts(choice, value) for choice in specifier.get("choice", ()))
    name = specifier.get("name", "")
    local = name.rpartition("}")[2]
    if local in _WIDER and name.startswith(SYSTEM):
        return _is_of_system(value, _WIDER[local])
    if local in _WIDER_FHIR:
        return has_type(value, _WIDER_FHIR[local])
    return not name and not specifier.get("type")


def _as(evaluation: Evaluation, node: Node) -> Value:
    """The value if it is of the type; else nothing, or an error when the cast is strict."""
    value = evaluation.of(node["operand"])
    specifier = specifier_of(node, "as")
    if value is None or fits(value, specifier) or accepts_cast(specifier, value):
        return value
    if node.get("strict"):
        raise FhirpkgError(f"the value cannot be cast to {shown(specifier)}")
    return None


def accepts_cast(specifier: Node, value: Value) -> bool:
    """Lists and intervals of what CQL knows no type of are taken for what they are cast to."""
    kind = specifier.get("type")
    return kind == "IntervalTypeSpecifier" and not specifier.get("pointType") and is_interval(value)


def shown(specifier: Node) -> str:
    """A type as CQL writes it, for messages."""
    kind = specifier.get("type", "")
    if kind == "ChoiceTypeSpecifier":
        return f"Choice<{', '.join(shown(choice) for choice in specifier.get('choice', ()))}>"
    inner = specifier.get("elementType") or specifier.get("pointType")
    if kind in {"ListTypeSpecifier", "IntervalTypeSpecifier"}:
        return f"{kind.removesuffix('TypeSpecifier')}<{shown(inner or {})}>"
    return str(specifier.get("name", "this type")).rpartition("}")[2]


def _is(evaluation: Evaluation, node: Node) -> bool:
    value = evaluation.of(node["operand"])
    return value is not None and fits(value, specifier_of(node, "is"))


def _convert(evaluation: Evaluation, node: Node) -> Value:
    value = evaluation.of(node["operand"])
    specifier = specifier_of(node, "to")
    if "name" not in specifier and (value is None or fits(value, specifier)):
        return value  # a list or interval that is of the type already
    local = specifier.get("name", "").rpartition("}")[2]
    conversion = HELPERS.get(f"To{local}")
    if conversion is None:
        raise FhirpkgError(f"conversion to {shown(specifier)} is not supported")
    return None if value is None else conversion(value)


def _can_convert(evaluation: Evaluation, node: Node) -> Value:
    try:
        return _convert(evaluation, node) is not None
    except FhirpkgError:
        return False


def _time_from(evaluation: Evaluation, node: Node) -> Value:
    return to_time(evaluation.of(node["operand"]))


def _component(evaluation: Evaluation, node: Node) -> Value:
    found = moment(evaluation.of(node["operand"]))
    if found is None:
        return None
    index = LEVELS.index(node["precision"]) - (3 if found.kind == "time" else 0)
    parts = fields(found)
    return parts[index] if 0 <= index < len(parts) else None


def _zone_from(evaluation: Evaluation, node: Node) -> Decimal | None:
    """The hours a moment is ahead of UTC; those of the evaluation when it says none."""
    found = moment(evaluation.of(node["operand"]))
    if found is None:
        return None
    zone = found.zone or evaluation.session.zone
    if zone == "Z":
        return Decimal(0)
    hours = Decimal(zone[1:3]) + Decimal(zone[-2:]) / 60
    return -hours if zone[0] == "-" else hours


SPECIAL: dict[str, Callable[[Evaluation, Node], Value]] = {
    "As": _as,
    "CanConvert": _can_convert,
    "Convert": _convert,
    "DateTimeComponentFrom": _component,
    "Is": _is,
    "Property": _property,
    "TimeFrom": _time_from,
    "TimezoneFrom": _zone_from,
    "TimezoneOffsetFrom": _zone_from,
}
