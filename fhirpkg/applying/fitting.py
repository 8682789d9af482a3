"""Values of expressions as elements of FHIR: in JSON, in the type of the element they are for."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import TYPE_CHECKING

from fhirpkg.fhirpath.values import text_of

if TYPE_CHECKING:
    from fhirpkg.definitions.typemodel import TypesOfDefinitions
    from fhirpkg.issues import Json


def as_json(value: Json) -> Json:
    """A result of FHIRPath or CQL as FHIR JSON writes it."""
    if isinstance(value, list | tuple):
        return [as_json(item) for item in value]
    if isinstance(value, bool | int | Decimal | str | dict) or value is None:
        return value
    return value.as_json() if hasattr(value, "as_json") else str(value)


def fit(value: Json, type_name: str, types: TypesOfDefinitions) -> Json:
    """A value as an element of a type takes it: a code as a concept, a concept as a code."""
    value = as_json(value)
    maker = _CONVERSIONS.get(type_name)
    if maker is not None:
        return maker(value)
    if types.is_primitive(type_name) and isinstance(value, dict):
        return _in_words(value)
    if types.is_primitive(type_name) and type_name not in _NUMBERS:
        return value if isinstance(value, str) else text_of(value)
    return value


_NUMBERS = ("boolean", "integer", "decimal", "positiveInt", "unsignedInt")


_OBJECTS = (
    "CodeableConcept", "Coding", "Reference", "Period", "Range", "Quantity", "Duration", "Age",
    "Timing", "Ratio", "Money", "Attachment", "Annotation", "Dosage", "Identifier", "ContactPoint",
    "HumanName", "Address", "Expression", "Meta",
)  # fmt: skip
"""Types of objects, of those with the same elements the likeliest first."""
_PLAIN = {
    bool: ("boolean",),
    int: ("integer", "positiveInt", "unsignedInt", "decimal"),
    Decimal: ("decimal",),
    str: ("string", "code", "markdown", "uri"),
}
_DATE = re.compile(r"\d{4}(-\d\d(-\d\d)?)?")
_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d.*")


def type_of(value: Json, allowed: tuple[str, ...], types: TypesOfDefinitions) -> str:
    """The type of a choice that a value has, as far as it shows."""
    value = as_json(value)
    if isinstance(value, dict):
        guesses = [type_ for type_ in _OBJECTS if _looks_like(value, type_, types)]
    elif isinstance(value, str) and _MOMENT.fullmatch(value):
        guesses = ["dateTime", "instant", "string"]
    elif isinstance(value, str) and _DATE.fullmatch(value):
        guesses = ["date" if "date" in allowed and len(value) == _DAY else "dateTime", "string"]
    else:
        guesses = list(_PLAIN.get(type(value), ()))
    return next((guess for guess in guesses if guess in allowed), allowed[0])


_DAY = len("2026-01-01")


def _looks_like(value: dict[str, Json], type_name: str, types: TypesOfDefinitions) -> bool:
    """Whether a type has all elements of an object; an identifier's value is text."""
    if isinstance(value.get("value"), str) != (type_name in {"Identifier", "ContactPoint"}):
        return "value" not in value and value.keys() <= types.elements(type_name).keys()
    return value.keys() <= types.elements(type_name).keys()


def _concept(value: Json) -> Json:
    if isinstance(value, str):
        return {"coding": [{"code": value}]}
    if isinstance(value, dict) and "code" in value and "coding" not in value:
        return {"coding": [value]}
    return value


def _coding(value: Json) -> Json:
    if isinstance(value, str):
        return {"code": value}
    if isinstance(value, dict) and value.get("coding"):
        return value["coding"][0]
    return value


def _code(value: Json) -> Json:
    coding = _coding(value)
    return coding.get("code") if isinstance(coding, dict) else coding


def _reference(value: Json) -> Json:
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


def _in_words(value: dict[str, Json]) -> str:
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
