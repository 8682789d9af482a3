"""Names of types in expressions, which items are of a type, and new elements of a type."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from fhirpkg.fhirpath.comparison import EvaluationError
from fhirpkg.fhirpath.temporal import Temporal
from fhirpkg.fhirpath.values import Element, Item, Long, Quantity, plain
from fhirpkg.rules import nearest

if TYPE_CHECKING:
    from collections.abc import Callable

    from fhirpkg.fhirpath.model import ElementType, TypeModel
    from fhirpkg.fhirpath.walking import Shapes
    from fhirpkg.issues import Json

SYSTEM_TYPES = (
    "Boolean", "String", "Integer", "Long", "Decimal", "Date", "DateTime", "Time", "Quantity",
    "Any",
)  # fmt: skip
_OF_VALUES = {bool: "Boolean", str: "String", int: "Integer", Long: "Long", Decimal: "Decimal"}
_OF_MOMENTS = {"date": "Date", "dateTime": "DateTime", "time": "Time"}


def system_type(value: Json) -> str:
    """The name of the type of a value of FHIRPath's own, without its namespace."""
    if isinstance(value, Temporal):
        return _OF_MOMENTS[value.kind]
    if isinstance(value, Quantity):
        return "Quantity"
    return _OF_VALUES.get(type(value), "Decimal" if isinstance(value, Decimal) else "Any")


def type_info(item: Item) -> Element:
    """What ``type()`` gives: an element with namespace and name."""
    if type(item) is tuple:
        namespace, name = "FHIR", item[1] or "Element"
        if "." in name:
            name = "BackboneElement"
    else:
        namespace, name = "System", system_type(item)
    return ({"namespace": namespace, "name": name}, "", None)


def exact_type(written: str) -> str | None:
    """The primitive that ``as`` and ``ofType`` take alone: a `code` is not a `string` to them.

    To ``is`` it is one; so R4's engines have it.
    """
    name = written.removeprefix("FHIR.")
    return name if name[:1].islower() else None


def of_type(shapes: Shapes, written: str) -> Callable[[Item], bool]:
    """A test for a type as written: ``Patient``, ``FHIR.Patient``, ``System.String``.

    A bare name is FHIR's type if there is one, else FHIRPath's. Raises EvaluationError when there
    is no such type.
    """
    namespace, _, name = written.rpartition(".")
    is_fhir = namespace != "System" and shapes.model.is_type(
        name if namespace == "FHIR" else written
    )
    if namespace == "System" or (not is_fhir and written in SYSTEM_TYPES):
        return lambda item: type(item) is not tuple and system_type(item) == name
    if not is_fhir:
        raise EvaluationError(f"there is no type {written}{nearest(written, list(SYSTEM_TYPES))}")
    wanted = name if namespace == "FHIR" else written
    if wanted == "Quantity":
        return lambda item: _is(shapes, item, wanted) or type(item) is Quantity
    return lambda item: _is(shapes, item, wanted)


def _is(shapes: Shapes, item: Item, wanted: str) -> bool:
    return type(item) is tuple and (item[1] == wanted or wanted in shapes.ancestors(item[1]))


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


def maker_of(
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
        made: dict[str, Json] = {"resourceType": type_name} if is_resource else {}
        for name, items in values.items():
            if items:
                element = elements[name]
                key = element.key(_type_of(items[0], element))
                found = [plain(item) for item in items]
                made[key] = found if element.is_list else _single(found, name)
        return (made, type_name, None)

    return make


def _single(items: list[Item], name: str) -> Json:
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
