"""Units of products and quotients, and the words that CQL has for UCUM's durations."""

from __future__ import annotations

import re

from fhirpkg.errors import FhirpkgError
from fhirpkg.fhirpath.units import combined
from fhirpkg.fhirpath.values import CALENDAR_UNITS, Quantity

UCUM_DURATIONS = {
    "a": "year", "mo": "month", "wk": "week", "d": "day", "h": "hour", "min": "minute",
    "s": "second", "ms": "millisecond",
}  # fmt: skip
_UCUM_CODES = {word: code for code, word in UCUM_DURATIONS.items()}


def unit_of(operator: str, one: str, two: str) -> str:
    """The unit of a product or quotient: `mg/mL`, `cm2`; what cancels out is left away."""
    if two == "1":
        return one
    if one == "1" and operator == "*":
        return two
    first, second = _powers(one), _powers(two)
    if first is None or second is None:
        found = combined(operator, one, two)
        if found is None:
            raise FhirpkgError(f"there is no unit for '{one}' {operator} '{two}'")
        return found
    for atom, power in second.items():
        first[atom] = first.get(atom, 0) + (power if operator == "*" else -power)
    above = ".".join(
        f"{atom}{power if power > 1 else ''}" for atom, power in first.items() if power > 0
    )
    below = "".join(
        f"/{atom}{-power if power < -1 else ''}" for atom, power in first.items() if power < 0
    )
    return above + below or "1"


_POWER = re.compile(r"(.*?[^\d+-])([+-]?\d+)?")


def _powers(unit: str) -> dict[str, int] | None:
    """The atoms of a unit with their powers; None for one that is not so plain."""
    word = CALENDAR_UNITS.get(unit)
    if word:
        return {_UCUM_CODES[word]: 1}
    if not unit or "(" in unit or "{" in unit:
        return None
    found: dict[str, int] = {}
    for sign, part in re.findall(r"([./]?)([^./]+)", unit):
        match = None if part.startswith("10") else _POWER.fullmatch(part)
        atom, power = (match[1], int(match[2] or 1)) if match else (part, 1)
        if atom != "1":
            found[atom] = found.get(atom, 0) + (-power if sign == "/" else power)
    return found


def as_calendar(value: Quantity) -> Quantity:
    """A quantity with the word that CQL has for one of UCUM's durations."""
    return Quantity(value.value, UCUM_DURATIONS.get(value.unit, value.unit))
