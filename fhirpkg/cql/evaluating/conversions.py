"""Conversions from type to type (CQL reference, section 9.7), and those of FHIRHelpers."""

from __future__ import annotations

import re
from dataclasses import replace
from decimal import ROUND_DOWN, Decimal, InvalidOperation
from typing import TYPE_CHECKING

from fhirpkg.cql.evaluating.arithmetic import in_range
from fhirpkg.cql.evaluating.elements import (
    codes,
    interval,
    known_quantity,
    limit_of_quantity,
    moment,
    quantity,
    system,
)
from fhirpkg.cql.evaluating.units import UCUM_DURATIONS
from fhirpkg.cql.evaluating.values import (
    AssumedZone,
    Code,
    Concept,
    Element,
    Interval,
    Long,
    Ratio,
    Uncertainty,
    ValueSet,
)
from fhirpkg.errors import FhirpkgError
from fhirpkg.fhirpath.temporal import Temporal
from fhirpkg.fhirpath.values import CALENDAR_UNITS, Quantity, text_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from fhirpkg.cql.tree import Value

_QUANTITY = re.compile(r"\s*([-+]?\d+(?:\.\d+)?)\s*(?:'([^']*)'|([a-z]+))?\s*")
_INTEGER = re.compile(r"[-+]?\d+")
_SMALLEST = Decimal("0.00000001")
_DECIMAL = re.compile(r"[-+]?\d+(?:\.\d+)?")
_WORDS = dict.fromkeys(("true", "t", "yes", "y", "1"), True) | dict.fromkeys(
    ("false", "f", "no", "n", "0"), False
)


def to_boolean(value: Value) -> bool | None:
    """ToBoolean by CQL's words; of numbers 1 and 0."""
    return value if isinstance(value, bool) else _WORDS.get(_short(value).lower())


def _short(value: Value) -> str:
    """A value as text; 1.0 as 1."""
    return f"{value.normalize():f}" if isinstance(value, Decimal) else str(value)


def to_integer(value: Value) -> int | None:
    """ToInteger: unknown for other text and for more than 32 bits."""
    found = _whole_number(value)
    return None if found is None else in_range(int(found))


def to_long(value: Value) -> Long | None:
    """ToLong."""
    found = _whole_number(value)
    return None if found is None else in_range(found, Long(0))


def _whole_number(value: Value) -> int | None:
    if isinstance(value, str):
        return int(value) if _INTEGER.fullmatch(value) else None
    return int(value) if isinstance(value, int) else None


def to_decimal(value: Value) -> Decimal | None:
    """ToDecimal: unknown for other text and too large values; digits after the eighth are cut."""
    value = system(value)
    if isinstance(value, str) and not _DECIMAL.fullmatch(value):
        return None
    if not isinstance(value, int | Decimal | str):
        return None
    try:
        found = Decimal(int(value) if isinstance(value, bool) else value)
        if -int(found.as_tuple().exponent) > 8:
            found = found.quantize(_SMALLEST, ROUND_DOWN)
    except InvalidOperation:
        return None
    fitting: Decimal | None = in_range(found)
    return fitting


def to_quantity(value: Value) -> Quantity | None:
    """ToQuantity, also of text like ``5.4 'mg/dL'`` and of FHIR's.

    Raises FhirpkgError for a Quantity with a comparator, whose value is not known.
    """
    if isinstance(value, Ratio):
        from fhirpkg.cql.evaluating.arithmetic import divide  # noqa: PLC0415 - rare

        found: Quantity | None = divide(value.numerator, value.denominator)
        return found
    if isinstance(value, Element):
        return known_quantity(value)
    if not isinstance(value, str):
        return quantity(value)
    match = _QUANTITY.fullmatch(value)
    if match is None or (match[3] and match[3] not in CALENDAR_UNITS):
        return None
    unit = match[2] or match[3] or "1"
    return Quantity(Decimal(match[1]), CALENDAR_UNITS.get(unit, unit))


def to_ratio(value: Value) -> Ratio | None:
    """ToRatio, of text like ``1 'mg':2 'mL'`` and of FHIR's."""
    if isinstance(value, str):
        one, _, two = value.partition(":")
        numerator, denominator = to_quantity(one), to_quantity(two)
        if numerator is None or denominator is None:
            return None
        return Ratio(numerator, denominator)
    found = system(value)
    return found if isinstance(found, Ratio) else None


def to_text(value: Value) -> str | None:
    """ToString; raises FhirpkgError for what has no text."""
    if value is None:
        return None
    value = system(value)
    if isinstance(value, Temporal) and isinstance(value.zone, AssumedZone):
        value = replace(value, zone=None)
    elif isinstance(value, Temporal) and value.zone == "Z":
        value = replace(value, zone="+00:00")
    if isinstance(value, Ratio):
        return f"{to_text(value.numerator)}:{to_text(value.denominator)}"
    found = text_of(value)
    if found is None:
        raise FhirpkgError(f"{type(value).__name__} has no text form")
    return found


def to_date(value: Value) -> Temporal | None:
    """ToDate: the day of a moment; a text must be a date alone."""
    if type(value) is str and "T" in value:
        return None
    found = moment(value)
    return None if found is None or found.kind == "time" else Temporal("date", found.parts[:3])


def to_datetime(value: Value) -> Temporal | None:
    """ToDateTime."""
    found = moment(value)
    if found is None or found.kind == "time":
        return None
    return Temporal("dateTime", found.parts, found.zone)


def to_time(value: Value) -> Temporal | None:
    """ToTime: the time of day of a moment, or that in a text, whose offset is left away."""
    if isinstance(value, str):
        value = "T" + re.sub(r"(Z|[+-]\d\d:\d\d)$", "", value).removeprefix("T")
    found = moment(value)
    if found is None or (found.kind != "time" and len(found.parts) < 4):
        return None
    return found if found.kind == "time" else Temporal("time", found.parts[3:])


def to_concept(value: Value) -> Concept | None:
    """ToConcept, of codes and of FHIR's CodeableConcept."""
    if value is None or isinstance(value, Concept):
        return value
    words = value.get("text", "") if isinstance(value, dict) else ""
    return Concept(tuple(codes(value)), words)


def to_code(value: Value) -> Code | None:
    """ToCode, of FHIR's Coding."""
    return next(iter(codes(value)), None)


def to_interval(value: Value) -> Interval | None:
    """FHIRHelpers.ToInterval of a Period, a Range, or a Quantity with a comparator."""
    if not isinstance(value, Element) or value.type_name in {"Period", "Range"}:
        return interval(value)
    found = limit_of_quantity(value)
    if found is None:
        return None
    comparator = value.get("comparator", "")
    if comparator.startswith("<"):
        return Interval(None, found, low_closed=True, high_closed=comparator == "<=")
    if comparator.startswith(">"):
        return Interval(found, None, low_closed=comparator == ">=", high_closed=True)
    return Interval(found, found)


def _to_value_set(value: Value) -> ValueSet | None:
    return None if value is None else ValueSet(str(value))


CONVERSIONS: dict[str, Callable[[Value], Value]] = {
    "ToBoolean": to_boolean,
    "ToConcept": to_concept,
    "ToDate": to_date,
    "ToDateTime": to_datetime,
    "ToDecimal": to_decimal,
    "ToInteger": to_integer,
    "ToLong": to_long,
    "ToQuantity": to_quantity,
    "ToRatio": to_ratio,
    "ToString": to_text,
    "ToTime": to_time,
}


def _when_needed(conversion: Callable[[Value], Value]) -> Callable[[Value], Value]:
    """A conversion that leaves a Quantity with a comparator to the operator that calculates.

    A translator converts all that a choice may be, also where nobody asks for the value.
    """

    def convert(value: Value) -> Value:
        is_bound = isinstance(value, Element) and "comparator" in value
        return value if is_bound else conversion(value)

    return convert


HELPERS: dict[str, Callable[[Value], Value]] = {
    **CONVERSIONS,
    "ToQuantity": _when_needed(to_quantity),
    "ToCode": to_code,
    "ToCalendarUnit": lambda unit: UCUM_DURATIONS.get(unit, unit),
    "ToInterval": to_interval,
    "ToQuantityIgnoringComparator": limit_of_quantity,
    "ToValue": _when_needed(system),
    "ToValueSet": _to_value_set,
}
"""FHIRHelpers, the library that turns FHIR's types into CQL's: it is the same everywhere."""


def _safely(conversion: Callable[[Value], Value]) -> Callable[[Value], Value]:
    """A conversion that leaves the unknown unknown."""

    def convert(value: Value) -> Value:
        if isinstance(value, Uncertainty):
            raise FhirpkgError("an uncertain number cannot be converted")
        return None if value is None else conversion(value)

    return convert


def _converts(conversion: Callable[[Value], Value]) -> Callable[[Value], Value]:
    """ConvertsTo…: whether the conversion has a result."""

    def converts(value: Value) -> bool | None:
        if value is None:
            return None
        try:
            return conversion(value) is not None
        except FhirpkgError:
            return False

    return converts


OPERATORS: dict[str, Callable[..., Value]] = {
    **{name: _safely(convert) for name, convert in CONVERSIONS.items()},
    **{f"Converts{name}": _converts(convert) for name, convert in CONVERSIONS.items()},
    "ToChars": lambda text: None if text is None else list(text),
    "ToList": lambda value: [] if value is None else [value],
    "DateFrom": to_date,
}
