"""Where intervals begin and end, and what is next to a value (CQL reference, 9.7 and 9.8)."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from fhirpkg.cql.evaluating.arithmetic import (
    LARGEST_DECIMAL,
    LARGEST_INTEGER,
    LARGEST_LONG,
    in_range,
)
from fhirpkg.cql.evaluating.elements import interval, system
from fhirpkg.cql.evaluating.moments import EARLIEST, LATEST
from fhirpkg.cql.evaluating.moments import neighbour as neighbouring_moment
from fhirpkg.cql.evaluating.values import KindError, Long
from fhirpkg.errors import FhirpkgError
from fhirpkg.fhirpath.temporal import Temporal
from fhirpkg.fhirpath.values import Quantity

if TYPE_CHECKING:
    from fhirpkg.cql.tree import Value

_SMALLEST = Decimal("0.00000001")


def start(value: Value, like: Value = None) -> Value:
    """Where an interval begins; a point begins with itself.

    `like` is a point of the type that both ends have when both are missing.
    """
    found = interval(value)
    if found is None:
        return None
    if found.low is None:
        return (
            limit(like if found.high is None else found.high, high=False)
            if found.low_closed
            else None
        )
    return found.low if found.low_closed else _next(found.low, 1)


def end(value: Value, like: Value = None) -> Value:
    """Where an interval ends; a point ends with itself."""
    found = interval(value)
    if found is None:
        return None
    if found.high is None:
        return (
            limit(like if found.low is None else found.low, high=True)
            if found.high_closed
            else None
        )
    return found.high if found.high_closed else _next(found.high, -1)


def limit(like: Value, *, high: bool) -> Value:
    """The least or greatest value of the type of another."""
    if isinstance(like, Temporal):
        found = LATEST if high else EARLIEST
        if like.kind == "time":
            return Temporal("time", found.parts[3:])
        return found if like.kind == "dateTime" else Temporal("date", found.parts[:3])
    if isinstance(like, Quantity):
        return Quantity(LARGEST_DECIMAL if high else -LARGEST_DECIMAL, like.unit)
    if isinstance(like, Decimal):
        return LARGEST_DECIMAL if high else -LARGEST_DECIMAL
    if isinstance(like, int):
        most = Long(LARGEST_LONG) if isinstance(like, Long) else LARGEST_INTEGER
        return most if high else type(most)(-most - 1)
    return None


def neighbour(value: Value, direction: int) -> Value:
    """The next value up or down; raises FhirpkgError where there is none."""
    value = system(value)
    if value is None:
        return None
    if isinstance(value, Temporal):
        return neighbouring_moment(value, direction)
    if isinstance(value, Quantity):
        return Quantity(neighbour(Decimal(value.value), direction), value.unit)
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        raise KindError(f"{type(value).__name__} has no neighbours")
    if isinstance(value, Decimal):
        found: Value = value + direction * _SMALLEST
        found = found if abs(found) <= LARGEST_DECIMAL or abs(value) > LARGEST_DECIMAL else None
    else:
        found = in_range(value + direction, value)
    if found is None:
        raise FhirpkgError(f"{value} has no {'successor' if direction > 0 else 'predecessor'}")
    return found


def _next(value: Value, direction: int) -> Value:
    """The neighbour of an open end; None beyond the limit of the type."""
    try:
        return neighbour(value, direction)
    except FhirpkgError:
        return None
