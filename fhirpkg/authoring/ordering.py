"""Resources with their elements in FHIR's order, by the definitions of R4."""

from __future__ import annotations

import functools
from decimal import Decimal
from typing import TYPE_CHECKING

from fhirpkg.definitions.definitions import Definitions
from fhirpkg.fhirxml.shapes import shapes_of

if TYPE_CHECKING:
    from fhirpkg.fhirxml.shapes import Child
    from fhirpkg.issues import Json, Resource


def in_order(resource: Resource) -> Resource:
    """The same resource, each element where its type has it.

    Raises ValueError for an element that the type does not have.
    """
    return _ordered(resource, str(resource["resourceType"]))


def _ordered(value: Resource, type_name: str) -> Resource:
    places, children = _shape(type_name)
    try:
        keys = sorted(value, key=places.__getitem__)
    except KeyError as error:
        raise ValueError(f"{type_name} has no element {error}") from None
    made: Resource = {}
    for key in keys:
        inner = value[key]
        if isinstance(inner, dict):
            type_name = children[key]
            made[key] = _ordered(inner, type_name or str(inner["resourceType"]))
        else:
            made[key] = inner if isinstance(inner, str) else _inner(inner, children[key])
    return made


def _inner(value: Json, type_name: str) -> Json:
    if isinstance(value, list):
        return [_inner(item, type_name) for item in value]
    if not isinstance(value, dict):
        return _as_read(value)
    return _ordered(value, type_name or str(value["resourceType"]))


def _as_read(value: Json) -> Json:
    """A number as reading the file gives it: one without a fraction is whole."""
    is_whole = isinstance(value, Decimal) and value.as_tuple().exponent == 0
    return int(value) if is_whole else value


@functools.cache
def _shape(type_name: str) -> tuple[dict[str, int], dict[str, str]]:
    """The place and the type of each key of a type; no type where any resource is."""
    places, types = {"resourceType": -1}, {"resourceType": ""}
    for name, child in shapes_of(Definitions.core().types).children(type_name).items():
        places[name], types[name] = 2 * child.place, _type(child)
        places[f"_{name}"], types[f"_{name}"] = 2 * child.place + 1, "Element"
    return places, types


def _type(child: Child) -> str:
    return "" if child.kind == "resource" else child.type
