"""dynamicValue: computed values put into the request or its action, by path.

A path is element names with indexes and `ofType()`, the simple subset that R4 allows
(http://hl7.org/fhir/R4/plandefinition-definitions.html#PlanDefinition.action.dynamicValue.path).
Definitions are shared, so a list or object on the way is copied before it is changed.
"""

from __future__ import annotations

import re
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from fhirpkg.errors import DefinitionError, FhirpkgError
from fhirpkg.rules import nearest

if TYPE_CHECKING:
    from fhirpkg.applying.expressions import Evaluator
    from fhirpkg.definitions.typemodel import TypesOfDefinitions
    from fhirpkg.fhirpath.model import ElementType
    from fhirpkg.issues import Resource

_STEP = re.compile(r"(?P<name>\w+)(?:\[x\])?(?:\[(?P<index>\d+)\])?")
_OF_TYPE = re.compile(r"\.ofType\((?:FHIR\.)?(\w+)\)")
_MOST_ITEMS = 1000
_ACTION_EXTENSION = ("action.extension", "activity.extension")
_INDICATOR_ADVICE = (
    "Please use the priority path when setting indicator values when using FHIR R4 or higher "
    "for CDS Hooks evaluation"
)
"""What the reference engine answers to the DSTU2 way of setting an indicator, word for word,
so that results can be compared."""


def set_values(
    holder: Resource,
    context: Resource,
    resource: Resource | None,
    action: Resource | None,
    evaluator: Evaluator,
) -> list[str]:
    """Compute and set each dynamicValue of a definition or action; gives what went wrong.

    A value goes to the resource, or to the action when its path says so or there is no resource.
    A value that is empty sets nothing.
    """
    problems = []
    for dynamic_value in holder.get("dynamicValue", ()):
        path = dynamic_value.get("path", "").replace("%", "")
        if not path or "expression" not in dynamic_value:
            continue
        try:
            values = evaluator.evaluate(dynamic_value["expression"], context, resource)
            if values:
                _place(path, values, resource, action, evaluator.types)
        except FhirpkgError as error:
            problem = f"DynamicValue resolution for path {path} encountered exception: {error}"
            problems.append(problem)
    return problems


def _place(
    path: str,
    values: list[Any],
    resource: Resource | None,
    action: Resource | None,
    types: TypesOfDefinitions,
) -> None:
    if path.startswith(_ACTION_EXTENSION):
        raise FhirpkgError(_INDICATOR_ADVICE)
    if path.startswith("action.") or resource is None:
        if action is None:
            raise FhirpkgError("there is no action here whose element this could be")
        set_path(action, "RequestGroup.action", path.replace("action.", ""), values, types)
        return
    resource_type = resource["resourceType"]
    set_path(resource, resource_type, path.removeprefix(f"{resource_type}."), values, types)


def set_path(
    target: Resource, type_name: str, path: str, values: list[Any], types: TypesOfDefinitions
) -> None:
    """Put values at a path below an object of a type, making what is not there.

    Raises DefinitionError for a path that the type does not have.
    """
    steps = _steps(path)
    for number, (name, index, of_type) in enumerate(steps):
        key, element, element_type = _element(type_name, name, of_type, types)
        if number < len(steps) - 1:
            target = _descend(target, key, element.is_list, index or 0)
            type_name = element_type or element.types[0]
            continue
        if not element_type:
            element_type = _type_of(values[0], element.types)
            key = name + element_type[0].upper() + element_type[1:]
        if element.is_choice:
            _drop_others(target, element, key)
        _set(target, key, element, index, [fit(value, element_type, types) for value in values])


def as_json(value: Any) -> Any:
    """A result of FHIRPath or CQL as FHIR JSON writes it."""
    if isinstance(value, list | tuple):
        return [as_json(item) for item in value]
    if isinstance(value, bool | int | Decimal | str | dict) or value is None:
        return value
    return value.as_json() if hasattr(value, "as_json") else str(value)


def fit(value: Any, type_name: str, types: TypesOfDefinitions) -> Any:
    """A value as an element of a type takes it: a code as a concept, a concept as a code."""
    value = as_json(value)
    maker = _CONVERSIONS.get(type_name)
    if maker is not None:
        return maker(value)
    if types.is_primitive(type_name) and isinstance(value, dict):
        return _in_words(value)
    return value


def _steps(path: str) -> list[tuple[str, int | None, str]]:
    """Names with index and wanted type; raises DefinitionError for what is no simple path."""
    marked = _OF_TYPE.sub(r"!\1", path)
    steps = []
    for part in marked.split("."):
        text, _, of_type = part.partition("!")
        match = _STEP.fullmatch(text)
        if match is None:
            raise DefinitionError(path, "this is not a simple path of names and indexes")
        index = match["index"]
        if index and int(index) > _MOST_ITEMS:
            raise DefinitionError(path, f"an index is at most {_MOST_ITEMS}")
        steps.append((match["name"], int(index) if index else None, of_type))
    return steps


def _element(
    type_name: str, name: str, of_type: str, types: TypesOfDefinitions
) -> tuple[str, ElementType, str]:
    """JSON key, element and type of a name; no type when it is a choice still to be made."""
    elements = types.elements(type_name)
    element = elements.get(name)
    if element is not None and not element.is_choice:
        return name, element, element.types[0]
    if element is not None:
        chosen = next((t for t in element.types if t.lower() == of_type.lower()), "")
        return element.key(chosen), element, chosen
    for choice in elements.values():
        suffix = name.removeprefix(choice.name)
        if choice.is_choice and suffix != name:
            for type_ in choice.types:
                if suffix.lower() == type_.lower():
                    return name, choice, type_
    hint = nearest(name, list(elements))
    raise DefinitionError(type_name, f"has no element '{name}'{hint}")


def _descend(target: Resource, key: str, is_list: bool, index: int) -> Resource:
    """The object below a key, a copy that belongs to the target alone."""
    if not is_list:
        target[key] = dict(target.get(key, {}))
        inner: Resource = target[key]
        return inner
    items = list(target.get(key, ()))
    items += [{} for _ in range(index + 1 - len(items))]
    items[index] = dict(items[index])
    target[key] = items
    return items[index]  # type: ignore[no-any-return]  # items of FHIR JSON


def _set(
    target: Resource, key: str, element: ElementType, index: int | None, values: list[Any]
) -> None:
    if not element.is_list:
        target[key] = values[0]
    elif index is None:
        target[key] = values
    else:
        items = list(target.get(key, ()))
        items += [{} for _ in range(index + 1 - len(items))]
        items[index] = values[0]
        target[key] = items


def _drop_others(target: Resource, element: ElementType, key: str) -> None:
    """A choice has one value: the one of another type goes."""
    for type_ in element.types:
        other = element.name + type_[0].upper() + type_[1:]
        if other != key:
            target.pop(other, None)


_GUESSES = (
    ("coding", "CodeableConcept"),
    ("reference", "Reference"),
    ("repeat", "Timing"),
    ("start", "Period"),
    ("low", "Range"),
    ("value", "Quantity"),
)
_PLAIN = {bool: ("boolean",), int: ("integer",), Decimal: ("decimal",), str: ("string", "code")}


def _type_of(value: Any, allowed: tuple[str, ...]) -> str:
    """The type of a choice that a value has, as far as it shows."""
    value = as_json(value)
    if isinstance(value, dict):
        guesses = [type_ for key, type_ in _GUESSES if key in value]
    elif isinstance(value, str) and re.match(r"\d{4}(-\d\d)?", value):
        guesses = ["dateTime", "date", "string"]
    else:
        guesses = list(_PLAIN.get(type(value), ()))
    for guess in guesses:
        if guess in allowed:
            return guess
    return allowed[0]


def _concept(value: Any) -> Any:
    if isinstance(value, str):
        return {"coding": [{"code": value}]}
    if isinstance(value, dict) and "code" in value and "coding" not in value:
        return {"coding": [value]}
    return value


def _coding(value: Any) -> Any:
    if isinstance(value, str):
        return {"code": value}
    if isinstance(value, dict) and value.get("coding"):
        return value["coding"][0]
    return value


def _code(value: Any) -> Any:
    coding = _coding(value)
    return coding.get("code") if isinstance(coding, dict) else coding


def _reference(value: Any) -> Any:
    if isinstance(value, str):
        return {"reference": value}
    if isinstance(value, dict) and "resourceType" in value:
        return {"reference": f"{value['resourceType']}/{value.get('id', '')}"}
    return value


_CONVERSIONS = {
    "CodeableConcept": _concept,
    "Coding": _coding,
    "code": _code,
    "Reference": _reference,
}


def _in_words(value: dict[str, Any]) -> str:
    """An object where text is wanted: its words, with code and system so that nothing is lost."""
    codings = value.get("coding", [value] if "code" in value else [])
    words = [value["text"]] if value.get("text") else []
    for coding in codings:
        code = " ".join(str(coding[k]) for k in ("system", "code") if coding.get(k))
        display = coding.get("display", "")
        words.append(f"{display} ({code})" if display else code)
    if "value" in value:
        words.append(f"{value['value']} {value.get('unit') or value.get('code', '')}".strip())
    return "; ".join(words) or str(value.get("reference") or value.get("display") or value)
