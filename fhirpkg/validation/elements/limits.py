"""What a profile states about a value: fixed, pattern, least and greatest value, length."""

from __future__ import annotations

import datetime as dt
import re
from decimal import Decimal
from typing import TYPE_CHECKING

from fhirpkg import fhirjson
from fhirpkg.fhirpath.patterns import fits
from fhirpkg.validation.elements.narrative_control import check_control
from fhirpkg.validation.elements.primitives import cut, shorten
from fhirpkg.validation.elements.rules import (
    VALUE_FIXED,
    VALUE_FORM,
    VALUE_LENGTH,
    VALUE_MAX,
    VALUE_MIN,
    VALUE_MISSING,
    VALUE_PATTERN,
    VALUE_TOO_SHORT,
    VALUE_UNIT,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from fhirpkg.issues import Json
    from fhirpkg.validation.compiling.schema import Value
    from fhirpkg.validation.places import Trail
    from fhirpkg.validation.run import Run

    Rule = Callable[[Json, Json, Json, Trail, Run, str], None]


def check_fixed(x: Json, s: Json, stated: Value, t: Trail, run: Run, profile: str) -> None:  # noqa: ARG001 - all rules are called alike
    """The value, if there is one, must be exactly the one stated; the difference is reported."""
    if x is not None and not equal(stated.value, x):
        place, part, found = _difference(stated.value, x, t)
        wanted = "absent" if part is None else _shown(part)
        run.report(VALUE_FIXED, place, profile=profile, found=_shown(found), wanted=wanted)


def _difference(stated: Json, value: Json, t: Trail) -> tuple[Trail, Json, Json]:
    """Where the only part of a value is that is not as stated, with what is stated and found there.

    That is the whole value where more than one of its parts differs or one is missing.
    """
    if isinstance(stated, dict) and isinstance(value, dict):
        keys = (stated.keys() | value.keys()) - {"id"}
        other = [k for k in keys if not equal(stated.get(k), value.get(k))]
        if len(other) == 1 and other[0] in value:
            return _difference(stated.get(other[0]), value[other[0]], (t, other[0]))
    elif isinstance(stated, list) and isinstance(value, list) and len(stated) == len(value):
        places = [i for i, part in enumerate(stated) if not equal(part, value[i])]
        if len(places) == 1:
            index = places[0]
            return _difference(stated[index], value[index], (*t, index))
    return t, stated, value


def check_pattern(x: Json, s: Json, stated: Value, t: Trail, run: Run, profile: str) -> None:  # noqa: ARG001 - all rules are called alike
    """The value, if there is one, must hold at least what is stated; what it lacks is reported."""
    if x is not None and not matches(stated.value, x):
        place, part, value = _lack(stated.value, x, t)
        found, wanted = _shown(value), _shown(part)
        run.report(VALUE_PATTERN, place, profile=profile, found=found, wanted=wanted)


def _lack(pattern: Json, value: Json, t: Trail) -> tuple[Trail, Json, Json]:
    """Where the only part of a value is that does not hold its part of a pattern, with both.

    Lists are reported as part of their owner: which of their items is meant is not known.
    """
    if isinstance(pattern, dict) and isinstance(value, dict):
        keys = [k for k, part in pattern.items() if k not in value or not matches(part, value[k])]
        if len(keys) == 1 and keys[0] in value and not isinstance(pattern[keys[0]], list):
            return _lack(pattern[keys[0]], value[keys[0]], (t, keys[0]))
    return t, pattern, value


def check_min(x: Json, s: Json, stated: Value, t: Trail, run: Run, profile: str) -> None:  # noqa: ARG001 - all rules are called alike
    """The value must not be less than the one stated."""
    order = compare(x, _limit(x, stated.value, -1))
    if order == -1:
        run.report(VALUE_MIN, t, profile=profile, found=_shown(x), min=_shown(stated.value))
    elif order is None and _differ_in_kind(x, stated.value):
        run.report(VALUE_UNIT, t, profile=profile, found=x["code"], wanted=stated.value["code"])


def check_max(x: Json, s: Json, stated: Value, t: Trail, run: Run, profile: str) -> None:  # noqa: ARG001 - all rules are called alike
    """The value must not be greater than the one stated."""
    order = compare(x, _limit(x, stated.value, 1))
    if order == 1:
        run.report(VALUE_MAX, t, profile=profile, found=_shown(x), max=_shown(stated.value))
    elif order is None and _differ_in_kind(x, stated.value):
        run.report(VALUE_UNIT, t, profile=profile, found=x["code"], wanted=stated.value["code"])


def check_length(x: Json, s: Json, stated: int, t: Trail, run: Run, profile: str) -> None:  # noqa: ARG001 - all rules are called alike
    """A text must not be longer than stated."""
    if isinstance(x, str) and len(x) > stated:
        run.report(VALUE_LENGTH, t, profile=profile, found=len(x), max=stated)


def check_min_length(x: Json, s: Json, stated: int, t: Trail, run: Run, profile: str) -> None:  # noqa: ARG001 - all rules are called alike
    """A text must not be shorter than stated."""
    if isinstance(x, str) and len(x) < stated:
        run.report(VALUE_TOO_SHORT, t, profile=profile, found=len(x), min=stated)


def check_form(x: Json, s: Json, stated: str, t: Trail, run: Run, profile: str) -> None:  # noqa: ARG001 - all rules are called alike
    """A text must have the form of a regular expression as a whole."""
    if isinstance(x, str) and fits(x, stated) is False:
        run.report(VALUE_FORM, t, profile=profile, found=shorten(x), form=stated)


def check_alternatives(
    x: Json, s: Json, stated: tuple[str, ...], t: Trail, run: Run, profile: str
) -> None:
    """Where there is no value, one of the extensions stated must replace it."""
    extensions = s.get("extension") if isinstance(s, dict) else None
    urls = {e.get("url") for e in extensions or () if isinstance(e, dict)}
    if x is None and not urls.intersection(stated):
        run.report(VALUE_MISSING, t, profile=profile, allowed=", ".join(stated) or "none")


_UCUM = "http://unitsofmeasure.org"
_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT.*(?:Z|[+-]\d\d:\d\d)")

RULES: dict[str, Rule] = {
    "fixed": check_fixed,
    "pattern": check_pattern,
    "min_value": check_min,
    "max_value": check_max,
    "max_length": check_length,
    "min_length": check_min_length,
    "form": check_form,
    "alternatives": check_alternatives,
    "narrative": check_control,
}
"""The function for each of these parts of an ElementSchema."""


def equal(stated: Json, value: Json) -> bool:
    """Whether two JSON values are the same; ids do not count."""
    if isinstance(stated, dict):
        if not isinstance(value, dict):
            return False
        keys = (stated.keys() | value.keys()) - {"id"}
        return all(k in stated and k in value and equal(stated[k], value[k]) for k in keys)
    if isinstance(stated, list):
        return (
            isinstance(value, list) and len(stated) == len(value) and all(map(equal, stated, value))
        )
    return (type(stated) is type(value) and bool(stated == value)) or _same_number(stated, value)


def matches(pattern: Json, value: Json) -> bool:
    """Whether a value holds all of a pattern; a list must hold each item of the pattern's."""
    if isinstance(pattern, dict):
        return isinstance(value, dict) and all(
            key in value and matches(part, value[key]) for key, part in pattern.items()
        )
    if isinstance(pattern, list):
        return isinstance(value, list) and all(
            any(matches(part, item) for item in value) for part in pattern
        )
    return equal(pattern, value)


def _same_number(one: Json, other: Json) -> bool:
    return _is_number(one) and _is_number(other) and bool(one == other)


def _is_number(value: Json) -> bool:
    return isinstance(value, (int, float, Decimal)) and not isinstance(value, bool)


def compare(value: Json, limit: Json) -> int | None:
    """-1, 0 or 1 as a value is less, equal or greater; None when the two cannot be compared.

    Dates are compared to the precision that both have, as moments where both have a zone.
    """
    if isinstance(value, dict) and isinstance(limit, dict):
        return _compare_quantities(value, limit)
    if isinstance(value, str) and isinstance(limit, str):
        value, limit = in_one_zone(value), in_one_zone(limit)
        size = min(len(value), len(limit))
        value, limit = value[:size], limit[:size]
    elif not _is_number(value) or not _is_number(limit):
        return None
    return int(value > limit) - int(value < limit)


def in_one_zone(text: str) -> str:
    """A date with time and zone in UTC; any other text as it is."""
    if not _MOMENT.fullmatch(text):
        return text
    try:
        moment = dt.datetime.fromisoformat(text).astimezone(dt.UTC)
    except (ValueError, OverflowError):
        return text
    return moment.isoformat()


def _limit(value: Json, stated: Json, sign: int) -> Json:
    """The limit of a value; of a date a Duration is a limit that far before or after now."""
    if not isinstance(value, str) or not isinstance(stated, dict):
        return stated
    number, unit = stated.get("value"), stated.get("code") or stated.get("unit")
    if not isinstance(number, (int, Decimal)) or unit not in _DAYS:
        return None
    now = dt.datetime.now(dt.UTC)
    days = float(number) * _DAYS[unit] * sign
    try:
        return (now + dt.timedelta(days=days)).isoformat(timespec="seconds")
    except OverflowError:
        return None


_DAYS = {
    "a": 365.2425,
    "mo": 365.2425 / 12,
    "wk": 7.0,
    "d": 1.0,
    "h": 1 / 24,
    "min": 1 / 1440,
    "s": 1 / 86400,
}
"""How many days a unit of time has, as a mean where it varies."""


def _differ_in_kind(value: Json, limit: Json) -> bool:
    """Whether two quantities both have a unit of UCUM, and none can be converted to the other."""
    if not all(isinstance(x, dict) and x.get("system") == _UCUM for x in (value, limit)):
        return False
    codes = value.get("code"), limit.get("code")
    return all(isinstance(code, str) for code in codes) and _converted(Decimal(1), *codes) is None


def _compare_quantities(value: dict[str, Json], limit: dict[str, Json]) -> int | None:
    number: Json = value.get("value")
    wanted: Json = limit.get("value")
    if not all(isinstance(each, (int, float, Decimal)) for each in (number, wanted)):
        return None
    if _unit(value) != _unit(limit):
        unit, other = value.get("code"), limit.get("code")
        if not isinstance(unit, str) or not isinstance(other, str):
            return None
        if value.get("system") != limit.get("system"):
            return None
        number = _converted(Decimal(number), unit, other)
        if number is None:
            return None
    return int(number > wanted) - int(number < wanted)


def _unit(quantity: dict[str, Json]) -> tuple[Json, Json]:
    """What a quantity counts: a code of a system, else a word."""
    code = quantity.get("code")
    return (quantity.get("system"), code) if code else (None, quantity.get("unit"))


def _converted(number: Decimal, unit: str, other: str) -> Decimal | None:
    from fhirpkg import ucum  # noqa: PLC0415 - only where units differ

    try:
        return ucum.convert(number, unit, other)
    except ValueError:
        return None


def _shown(value: Json) -> str:
    if value is None:
        return "nothing"
    return shorten(value) if isinstance(value, str) else cut(fhirjson.dump(value), 200)
