"""The rows of the index that a value gives, for each kind of search parameter.

How values of a kind are compared is in http://hl7.org/fhir/R4/search.html#ptypes.
"""

from __future__ import annotations

import re
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from fhirpkg.canonical import Canonical
from fhirpkg.server import values

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from fhirpkg.issues import Resource

LOCAL = re.compile(r"(?P<type>[A-Z][A-Za-z]+)/(?P<id>[A-Za-z0-9.-]{1,64})(?:/_history/.+)?")
"""A relative reference to a resource of the same server."""

_SYSTEMS_OF_CONTACT = {"phone", "fax", "email", "pager", "url", "sms", "other"}


def _token_rows(value: Any) -> Iterator[tuple[Any, ...]]:
    """Value, whatever its case, and system; the system None is one that the element implies."""
    if isinstance(value, bool):
        yield str(value).lower(), None
    elif isinstance(value, str):
        yield value.casefold(), None
    elif "coding" in value:
        for coding in value["coding"]:
            yield from _token_rows(coding)
    elif "value" in value:
        system = value.get("system", "")
        yield (
            _text(value["value"]).casefold(),
            None if system in _SYSTEMS_OF_CONTACT else _text(system),
        )
    elif "code" in value:
        yield _text(value["code"]).casefold(), _text(value.get("system", ""))


def _string_rows(value: Any) -> Iterator[tuple[str, str]]:
    for text in _texts(value):
        yield values.plain(text), text


def _texts(value: Any) -> Iterator[str]:
    """A string, or the words of a HumanName or Address."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        for item in value:
            if item is not None:  # in its place there is an extension only
                yield from _texts(item)
    else:
        for key, item in value.items():
            if key not in {"id", "use", "type", "period", "extension"} and key[0] != "_":
                yield from _texts(item)


def _uri_rows(value: Any) -> Iterator[tuple[str]]:
    yield (_text(value),)


def _date_rows(value: Any) -> Iterator[tuple[int, int]]:
    if isinstance(value, str):
        yield values.date_range(value)
    elif "start" in value or "end" in value:
        low = values.date_range(value["start"])[0] if "start" in value else -values.FOREVER
        high = values.date_range(value["end"])[1] if "end" in value else values.FOREVER
        yield low, high
    elif "event" in value or "repeat" in value:  # Timing: from the first to the last moment known
        events = [event for event in value.get("event", []) if event is not None]
        ranges = [values.date_range(event) for event in events]
        ranges += _date_rows(value.get("repeat", {}).get("boundsPeriod", {}))
        if ranges:
            yield min(low for low, _ in ranges), max(high for _, high in ranges)


def _number_rows(value: Any) -> Iterator[tuple[float, float]]:
    if isinstance(value, (int, Decimal)):
        yield float(value), float(value)
    else:
        yield from ((low, high) for low, high, *_ in _amounts(value))


def _quantity_rows(value: Any) -> Iterator[tuple[Any, ...]]:
    """An amount as it is written, and in base units if its unit is one of UCUM."""
    for low, high, system, code, unit in _amounts(value):
        yield low, high, system, code, unit
        if system == values.UCUM and (base := values.in_base_units(low, high, code)):
            first, last, dimension = base
            yield first, last, values.BASE_UNITS, dimension, ""


def _amounts(value: Any) -> Iterator[tuple[float, float, str, str, str]]:
    """Lowest and highest value, system, code and unit of a Range, Money or Quantity."""
    if "low" in value or "high" in value:
        low, high = value.get("low", {}), value.get("high", {})
        ends = float(low.get("value", "-inf")), float(high.get("value", "inf"))
        yield *ends, *_unit(low or high)
    elif "currency" in value and "value" in value:
        amount, currency = float(value["value"]), _text(value["currency"])
        yield amount, amount, "urn:iso:std:iso:4217", currency, currency
    elif "value" in value:
        yield float(value["value"]), float(value["value"]), *_unit(value)


def _unit(quantity: Resource) -> tuple[str, str, str]:
    system, code, unit = (_text(quantity.get(key, "")) for key in ("system", "code", "unit"))
    return system, code, unit


def _reference_rows(value: Any) -> Iterator[tuple[Any, ...]]:
    """Id and type of a local reference; url and version of any other and of a canonical."""
    if isinstance(value, dict):
        if "resourceType" in value:  # Bundle.entry.resource
            yield value.get("id", ""), value["resourceType"], None
            return
        value = value.get("reference", "")
    match = LOCAL.fullmatch(_text(value))
    if match:
        yield match["id"], match["type"], None
    elif not value or value.startswith("#"):  # there, but leading to no resource of a server
        yield None, None, None
    else:
        canonical = Canonical.parse(value)
        yield canonical.url, None, canonical.version


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError
    return value


ROWS: dict[str, Callable[[Any], Iterator[tuple[Any, ...]]]] = {
    "token": _token_rows,
    "string": _string_rows,
    "uri": _uri_rows,
    "date": _date_rows,
    "number": _number_rows,
    "quantity": _quantity_rows,
    "reference": _reference_rows,
}
"""By the type of a parameter (`token`, `date`): the columns after its name and part."""
