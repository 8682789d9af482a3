"""Whether a resource has the shape of its type: lists, objects, texts where R4 has them.

Enough to work on a resource without falling over it; whether it is valid is another question.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from fhirpkg.definitions.typemodel import TypesOfDefinitions
    from fhirpkg.fhirpath.model import ElementType
    from fhirpkg.issues import Json, Resource

    Elements = Mapping[str, ElementType]

_DEEPEST = 100


def misshapen(resources: Iterable[Resource], types: TypesOfDefinitions) -> str:
    """The first place that has another shape than its type, with what is wrong; else nothing."""
    for resource in resources:
        name = f"{resource.get('resourceType')}/{resource.get('id', '')}"
        problem = _problem(resource, str(resource.get("resourceType")), types, 0)
        if problem:
            return f"{name}: {problem}"
    return ""


def _problem(value: Json, type_name: str, types: TypesOfDefinitions, depth: int) -> str:
    if not isinstance(value, dict):
        return "this must be an object"
    if depth > _DEEPEST:
        return "it is nested too deeply"
    elements = types.elements(str(value.get("resourceType", type_name)))
    for key, inner in value.items():
        element = elements.get(key)
        if element is None:
            if key.startswith("_"):
                problem = _problem_beside_primitive(inner, types, depth)
            else:
                problem = _problem_of_choice(key, inner, elements, types, depth)
            if problem:
                return f"{key}: {problem}"
        elif element.is_choice:
            continue
        elif isinstance(inner, list) != element.is_list:
            return f"{key}: a list {'belongs' if element.is_list else 'does not belong'} here"
        else:
            for item in inner if element.is_list else [inner]:
                if item is None and element.is_list and f"_{key}" in value:
                    continue  # there are only extensions
                if problem := _problem_of_item(item, element.types[0], types, depth):
                    return f"{key}: {problem}"
    return ""


def _problem_beside_primitive(value: Json, types: TypesOfDefinitions, depth: int) -> str:
    """What is wrong with `_title`, which holds the id and extensions of a primitive value."""
    for item in value if isinstance(value, list) else [value]:
        if item is None and isinstance(value, list):
            continue  # there is only a value
        if problem := _problem(item, "Element", types, depth + 1):
            return problem
    return ""


def _problem_of_choice(
    key: str, value: Json, elements: Elements, types: TypesOfDefinitions, depth: int
) -> str:
    """What is wrong with a choice such as `dueDuration`, whose key contains the type."""
    for element in elements.values():
        if element.is_choice and key.startswith(element.name):
            for type_name in element.types:
                if element.key(type_name) == key:
                    return _problem_of_item(value, type_name, types, depth)
    return ""


_NUMBERS = ("decimal", "integer", "positiveInt", "unsignedInt")


def _problem_of_item(item: Json, type_name: str, types: TypesOfDefinitions, depth: int) -> str:
    if types.is_primitive(type_name) or type_name in {"xhtml", "string"}:
        if isinstance(item, dict | list):
            return "this must be a plain value"
        if type_name == "boolean":
            return "" if isinstance(item, bool) else "this must be true or false"
        # A number as text is a common slip, and whoever reads it says so.
        fits = isinstance(item, str) or (type_name in _NUMBERS and item is not None)
        return "" if fits else "this must be text"
    return _problem(item, type_name, types, depth + 1)
