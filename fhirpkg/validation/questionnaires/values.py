"""Values of answers, options and extensions: what they share, and how messages show them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fhirpkg import fhirjson
from fhirpkg.rules import nearest
from fhirpkg.untrusted import data_of, objects, text_of
from fhirpkg.validation.elements.limits import equal
from fhirpkg.validation.questionnaires.enabling import value_of

if TYPE_CHECKING:
    from fhirpkg.issues import Json, Resource

_SAME_KIND = {"Decimal": {"valueDecimal", "valueInteger"}, "DateTime": {"valueDate"}}
"""The options that an answer of a type is compared with, where R4 has none of its own type."""


def extension_values(definition: Resource, url: str) -> list[Json]:
    """The values of an extension of an item."""
    found = (e for e in objects(definition, "extension") if e.get("url") == url)
    return [value for value in (value_of(e)[1] for e in found) if value is not None]


def describe(value: Json) -> str:
    """A value in few words: a code with its system, a quantity with its unit, a text in quotes."""
    if isinstance(value, dict):
        number = value.get("value")
        unit = value.get("unit") or value.get("display") or ""
        code = "#".join(str(value[key]) for key in ("system", "code") if key in value)
        parts = ("" if number is None else fhirjson.dump(number), unit, f"({code})" if code else "")
        return " ".join(filter(None, map(str, parts))) or "a value"
    if isinstance(value, str):
        return f"'{value[:60]}'"
    return fhirjson.dump(value)


def is_chosen(option: tuple[str, Json], value: Json, kind: str) -> bool:
    """Whether a value of a type (`Coding`) is the option: its key and value."""
    key, wanted = option
    if not is_kind(key, kind):
        return False
    if isinstance(wanted, dict) and isinstance(value, dict):
        keys = ("reference",) if kind == "Reference" else ("system", "code")
        return all(wanted.get(each) == value.get(each) for each in keys)
    return equal(wanted, value)


def is_kind(key: str, kind: str) -> bool:
    """Whether the key of an option (`valueCoding`) fits values of a type."""
    return key in _SAME_KIND.get(kind, {f"value{kind}"})


def is_exclusive(option: Resource) -> bool:
    """Whether an option excludes all others."""
    url = "http://hl7.org/fhir/StructureDefinition/questionnaire-optionExclusive"
    return any(
        e.get("url") == url and e.get("valueBoolean") is True for e in objects(option, "extension")
    )


def nearest_of(value: Json, options: list[Json]) -> str:
    """The nearest option, or all of them when they are few."""
    if len(options) <= 6:
        return f", which are {', '.join(map(describe, options))}"
    return nearest(describe(value), list(map(describe, options)))


def is_unit(quantity: Resource, option: Json) -> bool:
    """Whether a quantity has the unit of an option: by code, or by name where there is none."""
    if not isinstance(option, dict):
        return False
    if "code" in option:
        return all(option[k] == quantity.get(k) for k in ("system", "code") if k in option)
    return "display" in option and option["display"] == quantity.get("unit")


def system_of(quantity: Json) -> str | None:
    """The system of a quantity's unit; None unless the unit is coded."""
    is_coded = isinstance(quantity, dict) and text_of(quantity, "code")
    return text_of(quantity, "system") or None if is_coded else None


def is_mime_type(found: str, wanted: str) -> bool:
    """Whether a MIME type is the one wanted, or of its kind (`image/*`)."""
    found, wanted = (text.partition(";")[0].strip().lower() for text in (found, wanted))
    wanted = wanted.removesuffix("*")
    return found == wanted or (wanted.endswith("/") and found.startswith(wanted))


def size_of(attachment: Resource) -> int | None:
    """The number of bytes in an attachment, else the number it states."""
    if "data" in attachment:
        data = data_of(attachment)
        return None if data is None else len(data)
    size = attachment.get("size")
    return size if isinstance(size, int) else None
