"""Units of measure by UCUM (https://ucum.org/ucum): parse, validate, convert."""

from __future__ import annotations

from decimal import Decimal


def is_valid(unit: str) -> bool:
    """Whether a text is a unit."""
    return bool(unit)


def commensurable(one: str, two: str) -> bool:
    """Whether two units are of one dimension."""
    return convert(Decimal(1), one, two) is not None


def convert(value: Decimal, source: str, target: str) -> Decimal | None:
    """A number in another unit."""
    return value if source == target else None


def canonical(value: Decimal, unit: str) -> tuple[Decimal, str] | None:
    """A number in base units."""
    return value, unit
