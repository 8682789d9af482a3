"""Elements that an expression makes: ``Coding { system: 'x', code: 'y' }`` (FHIRPath 3.0)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fhirpkg.fhirpath.comparison import EvaluationError
from fhirpkg.fhirpath.types import system_type
from fhirpkg.fhirpath.values import plain
from fhirpkg.rules import nearest

if TYPE_CHECKING:
    from collections.abc import Callable

    from fhirpkg.fhirpath.model import ElementType, TypeModel
    from fhirpkg.fhirpath.values import Element, Item

_OF_SYSTEM = {
    "Boolean": ("boolean",),
    "Integer": ("integer", "positiveInt", "unsignedInt", "decimal"),
    "Long": ("integer64", "integer"),
    "Decimal": ("decimal",),
    "String": ("string", "code", "uri", "url", "canonical", "id", "markdown", "oid", "uuid",
               "base64Binary"),
    "Date": ("date", "dateTime"),
    "DateTime": ("dateTime", "instant"),
    "Time": ("time",),
    "Quantity": ("Quantity", "Age", "Duration", "Count", "Distance", "SimpleQuantity"),
}  # fmt: skip
"""The types of FHIR that a value of FHIRPath's own can be of, the likeliest first."""


def maker(
    model: TypeModel, written: str, names: list[str]
) -> Callable[[dict[str, list[Item]]], Element]:
    """What makes an element of a type of the items for its elements.

    Raises EvaluationError for a type or element that does not exist.
    """
    type_name = written.removeprefix("FHIR.")
    if not model.is_type(type_name):
        raise EvaluationError(f"there is no type {written}")
    elements = model.elements(type_name)
    if type_name[:1].islower() and names in ([], ["value"]):
        return lambda values: (_single(values.get("value", []), "value"), type_name, None)
    for name in names:
        if name not in elements:
            raise EvaluationError(f"{type_name} has no '{name}'{nearest(name, list(elements))}")
    is_resource = "Resource" in model.ancestors(type_name)

    def make(values: dict[str, list[Item]]) -> Element:
        made: dict[str, Any] = {"resourceType": type_name} if is_resource else {}
        for name, items in values.items():
            if items:
                element = elements[name]
                key = element.key(_type_of(items[0], element))
                found = [plain(item) for item in items]
                made[key] = found if element.is_list else _single(found, name)
        return (made, type_name, None)

    return make


def _single(items: list[Item], name: str) -> Any:
    if len(items) > 1:
        raise EvaluationError(f"'{name}' has one value, not {len(items)}")
    return plain(items[0]) if items else None


def _type_of(item: Item, element: ElementType) -> str:
    """Which of its types a choice gets; raises EvaluationError when the item is of none."""
    if not element.is_choice:
        return ""
    types = (item[1],) if type(item) is tuple else _OF_SYSTEM.get(system_type(item), ())
    for type_name in types:
        if type_name in element.types:
            return str(type_name)
    raise EvaluationError(f"'{element.name}' cannot be of type {' or '.join(types) or 'unknown'}")
