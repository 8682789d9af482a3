"""Numbers, quantities, text, and dates that are moved (CQL reference, sections 9.4 to 9.9)."""

from __future__ import annotations

import math
import re
from decimal import Decimal, InvalidOperation
from typing import Any

from fhirpkg.cql.evaluating.values import moment, quantity, scalar
from fhirpkg.errors import FhirpkgError
from fhirpkg.fhirpath import patterns
from fhirpkg.fhirpath.comparison import EvaluationError
from fhirpkg.fhirpath.temporal import Temporal
from fhirpkg.fhirpath.values import CALENDAR_UNITS, Quantity, text_of

_LARGEST_POWER = 1000
_MARK = "\x00"
"""A character that no text of FHIR has."""
_UCUM_DURATIONS = {
    "a": "year", "mo": "month", "wk": "week", "d": "day", "h": "hour", "min": "minute",
    "s": "second", "ms": "millisecond",
}  # fmt: skip


def add(one: Any, two: Any) -> Any:
    """Numbers, quantities of one unit, text, or a moment and a duration."""
    return _combined(one, two, 1)


def subtract(one: Any, two: Any) -> Any:
    """The same the other way."""
    return _combined(one, two, -1)


def _combined(one: Any, two: Any, sign: int) -> Any:
    if one is None or two is None:
        return None
    if isinstance(one, str) and isinstance(two, str) and sign == 1:
        return str(one) + str(two)
    one, two = scalar(one), scalar(two)
    if isinstance(one, Temporal):
        return _moved(one, two, sign)
    if isinstance(one, Quantity) or isinstance(two, Quantity):
        a, b = quantity(one), quantity(two)
        if a is None or b is None or a.unit != b.unit:
            raise FhirpkgError("quantities of different units cannot be added")
        return Quantity(a.value + sign * b.value, a.unit)
    return _number(one) + sign * _number(two)


def _moved(start: Temporal, duration: Any, sign: int) -> Temporal | None:
    amount = quantity(duration)
    unit = "" if amount is None else amount.unit
    word = CALENDAR_UNITS.get(unit) or _UCUM_DURATIONS.get(unit)
    if amount is None or word is None:
        raise FhirpkgError(f"{duration} is no duration to move a date by")
    return start.plus(sign * amount.value, word)


def _number(value: Any) -> Any:
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        raise FhirpkgError(f"{value!r} is not a number")
    return value


def multiply(one: Any, two: Any) -> Any:
    """Numbers, or a quantity by a number."""
    if one is None or two is None:
        return None
    one, two = scalar(one), scalar(two)
    if isinstance(two, Quantity):
        one, two = two, one
    if isinstance(one, Quantity):
        factor = two.value if isinstance(two, Quantity) and two.unit == "1" else two
        return Quantity(one.value * Decimal(_number(factor)), one.unit)
    return _number(one) * _number(two)


def divide(one: Any, two: Any) -> Any:
    """A Decimal; unknown when divided by zero."""
    if one is None or two is None:
        return None
    one, two = scalar(one), scalar(two)
    divisor = two.value if isinstance(two, Quantity) else two
    if _number(divisor) == 0:
        return None
    if isinstance(one, Quantity):
        same_unit = isinstance(two, Quantity) and two.unit == one.unit
        return Quantity(one.value / Decimal(divisor), "1" if same_unit else one.unit)
    return Decimal(_number(one)) / Decimal(divisor)


def _whole(one: Any, two: Any, *, modulo: bool) -> Any:
    if one is None or two is None or two == 0:
        return None
    quotient = int(Decimal(_number(one)) / Decimal(_number(two)))
    return one - quotient * two if modulo else quotient


def negated(value: Any) -> Any:
    """The number or quantity with the other sign."""
    if value is None:
        return None
    return Quantity(-value.value, value.unit) if isinstance(value, Quantity) else -_number(value)


def _rounded(value: Any, digits: Any = 0) -> Any:
    if value is None:
        return None
    scale = Decimal(10) ** (digits or 0)
    return Decimal(math.floor(Decimal(_number(value)) * scale + Decimal("0.5"))) / scale


def _on_number(function: Any) -> Any:
    return lambda value: None if value is None else function(_number(value))


def _power(one: Any, two: Any) -> Any:
    if one is None or two is None:
        return None
    if abs(_number(two)) > _LARGEST_POWER:
        raise FhirpkgError(f"{two} is too large a power")
    return Decimal(_number(one)) ** two if two < 0 else _number(one) ** two


def _logarithm(value: Any, base: Any) -> Any:
    """Unknown for what has none."""
    if value is None or base is None or _number(value) <= 0 or _number(base) <= 0 or base == 1:
        return None
    return round(Decimal(value).ln() / Decimal(base).ln(), 8)


def _natural_logarithm(value: Any) -> Any:
    return None if value is None or _number(value) <= 0 else Decimal(value).ln()


def _exponential(value: Any) -> Any:
    if value is not None and abs(_number(value)) > _LARGEST_POWER:
        raise FhirpkgError(f"{value} is too large a power")
    return None if value is None else Decimal(value).exp()


# -- text ------------------------------------------------------------------------------------


def _text(value: Any) -> str:
    """The value, which must be text: a number or object is not made one by accident."""
    if not isinstance(value, str):
        raise FhirpkgError(f"{type(value).__name__} stands where text belongs")
    return str(value)


def concatenate(*parts: Any) -> str | None:
    """Texts one behind the other; unknown when one is."""
    return None if any(part is None for part in parts) else "".join(map(_text, parts))


def combine(texts: Any, separator: Any = "") -> str | None:
    """The texts of a list with a separator between them."""
    if texts is None:
        return None
    found = [_text(text) for text in texts if text is not None]
    return _text(separator or "").join(found) if found else None


def _on_texts(function: Any) -> Any:
    """A function of texts, unknown when one of them is."""
    return lambda *texts: None if any(text is None for text in texts) else function(*texts)


def _substring(text: Any, start: Any, length: Any = None) -> str | None:
    if text is None or start is None or not 0 <= start < len(text):
        return None
    return str(text[start : None if length is None else start + length])


def _split(text: Any, separator: Any) -> list[str] | None:
    return None if text is None else _text(text).split(separator) if separator else [_text(text)]


def _split_by_pattern(text: Any, pattern: Any) -> list[str] | None:
    if text is None or pattern is None:
        return None
    return _replaced(_text(text), _text(pattern), _MARK).split(_MARK)


def _matches(text: str, pattern: str) -> bool:
    found = patterns.fits(text, pattern)
    if found is None:
        raise FhirpkgError(f"{pattern!r} is no regular expression that ends in bounded time")
    return found


def _replaced(text: str, pattern: str, by: str) -> str:
    try:
        return patterns.replace_matches(text, pattern, by)
    except EvaluationError as error:
        raise FhirpkgError(str(error)) from error


def to_text(value: Any) -> str | None:
    """ToString."""
    if value is None:
        return None
    value = scalar(value) if isinstance(value, dict) else value
    found = text_of(value)
    if found is None:
        raise FhirpkgError(f"{type(value).__name__} has no text form")
    return found


# -- conversions -----------------------------------------------------------------------------


def to_number(kind: type) -> Any:
    """ToInteger, ToDecimal: unknown for what is none."""
    return lambda value: _as_number(value, kind)


def _as_number(value: Any, kind: type) -> Any:
    try:
        return None if value is None else kind(str(int(value) if value is True else value))
    except (ValueError, InvalidOperation):
        return None


def to_boolean(value: Any) -> bool | None:
    """ToBoolean by CQL's words."""
    words = {"true": True, "t": True, "yes": True, "y": True, "1": True}
    words |= {"false": False, "f": False, "no": False, "n": False, "0": False}
    return value if isinstance(value, bool) else words.get(str(value).lower())


def to_quantity(value: Any) -> Quantity | None:
    """ToQuantity, also of text like ``5.4 'mg/dL'``."""
    if not isinstance(value, str):
        return quantity(value)
    match = re.fullmatch(r"\s*([-+]?\d+(?:\.\d+)?)\s*(?:'([^']*)'|(\w+))?\s*", value)
    return Quantity(Decimal(match[1]), match[2] or match[3] or "1") if match else None


def converted(value: Any, unit: Any) -> Quantity | None:
    """A quantity in another unit; unknown when the units are of different kinds."""
    from fhirpkg import ucum  # noqa: PLC0415 - reads UCUM's table

    found = quantity(value)
    if found is None or unit is None:
        return None
    number = ucum.convert(found.value, found.unit, str(unit))
    return None if number is None else Quantity(number, str(unit))


def to_date(value: Any) -> Temporal | None:
    """ToDate: the day of a moment."""
    found = moment(value)
    return None if found is None or found.kind == "time" else Temporal("date", found.parts[:3])


def to_datetime(value: Any) -> Temporal | None:
    """ToDateTime."""
    found = moment(value)
    return None if found is None else Temporal("dateTime", found.parts, found.zone)


_CONVERSIONS: dict[str, Any] = {
    "ToInteger": to_number(int),
    "ToLong": to_number(int),
    "ToDecimal": to_number(Decimal),
    "ToBoolean": to_boolean,
    "ToQuantity": to_quantity,
    "ToString": to_text,
    "ToDate": to_date,
    "ToDateTime": to_datetime,
    "ToTime": moment,
}


def _converts(conversion: Any) -> Any:
    """ConvertsTo…: whether the conversion has a result."""
    return lambda value: None if value is None else conversion(value) is not None


OPERATORS: dict[str, Any] = {
    "Add": add,
    "Subtract": subtract,
    "Multiply": multiply,
    "Divide": divide,
    "TruncatedDivide": lambda one, two: _whole(one, two, modulo=False),
    "Modulo": lambda one, two: _whole(one, two, modulo=True),
    "Power": _power,
    "Negate": negated,
    "Abs": _on_number(abs),
    "Ceiling": _on_number(math.ceil),
    "Floor": _on_number(math.floor),
    "Truncate": _on_number(int),
    "Round": _rounded,
    "Concatenate": concatenate,
    "Combine": combine,
    "Split": _split,
    "Length": _on_texts(len),
    "Upper": _on_texts(str.upper),
    "Lower": _on_texts(str.lower),
    "StartsWith": _on_texts(str.startswith),
    "EndsWith": _on_texts(str.endswith),
    "Matches": _on_texts(_matches),
    "ReplaceMatches": _on_texts(_replaced),
    "PositionOf": _on_texts(lambda pattern, text: text.find(pattern)),
    "Substring": _substring,
    "LastPositionOf": _on_texts(lambda pattern, text: text.rfind(pattern)),
    "SplitOnMatches": _split_by_pattern,
    "Exp": _exponential,
    "Ln": _natural_logarithm,
    "Log": _logarithm,
    "ConvertQuantity": converted,
    "CanConvertQuantity": lambda value, unit: converted(value, unit) is not None,
    **_CONVERSIONS,
    **{f"Converts{name}": _converts(convert) for name, convert in _CONVERSIONS.items()},
}
