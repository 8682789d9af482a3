"""Intervals joined, cut and laid out (CQL reference, sections 9.8 and 9.12)."""

from __future__ import annotations

from decimal import ROUND_FLOOR, Decimal
from functools import cmp_to_key
from typing import TYPE_CHECKING

from fhirpkg.cql.evaluating.arithmetic import add, converted, subtract
from fhirpkg.cql.evaluating.comparison import compare
from fhirpkg.cql.evaluating.elements import interval
from fhirpkg.cql.evaluating.intervals.bounds import end, neighbour, start
from fhirpkg.cql.evaluating.intervals.relations import meets, meets_before, overlaps
from fhirpkg.cql.evaluating.moments import fields, of_fields
from fhirpkg.cql.evaluating.values import Interval
from fhirpkg.cql.tree import Value
from fhirpkg.errors import FhirpkgError
from fhirpkg.fhirpath.temporal import Temporal
from fhirpkg.fhirpath.values import CALENDAR_UNITS, Quantity

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_MOST_PARTS = 10_000
_UNITS = ("year", "month", "day", "hour", "minute", "second", "millisecond")


def union(one: Value, two: Value) -> Interval | None:
    """Both as one interval; nothing when there is a gap between them."""
    a, b = interval(one), interval(two)
    if a is None or b is None or not (overlaps(a, b) or meets(a, b)):
        return None
    return _joined(a, b)


def _joined(one: Interval, two: Interval) -> Interval | None:
    """From the first start to the last end, as these are written; unknown ends stay unknown."""
    first, last = _chosen(one, two, start, -1), _chosen(one, two, end, 1)
    if first is None or last is None:
        return None
    return Interval(first.low, last.high, first.low_closed, last.high_closed)


def _chosen(
    one: Interval, two: Interval, edge: Callable[[Value, Value], Value], wanted: int
) -> Interval | None:
    """Which of both has the first or last edge; that whose edge is unknown, if one is."""
    likes = [each.high if each.low is None else each.low for each in (two, one)]
    edges = edge(one, likes[0]), edge(two, likes[1])
    if None in edges:
        return one if edges[0] is None else two
    found = compare(*edges)
    if found is None:
        return None
    return one if found in {wanted, 0} else two


def intersect(one: Value, two: Value) -> Interval | None:
    """What both have in common; nothing when that is nothing or unknown."""
    a, b = interval(one), interval(two)
    if a is None or b is None or not overlaps(a, b):
        return None
    later, earlier = _chosen(a, b, start, 1), _chosen(a, b, end, -1)
    if later is None or earlier is None:
        return None
    return Interval(later.low, earlier.high, later.low_closed, earlier.high_closed)


def difference(one: Value, two: Value) -> Interval | None:
    """The one without the other; nothing when that is not a single interval."""
    a, b = interval(one), interval(two)
    if a is None or b is None:
        return None
    overlapping = overlaps(a, b)
    if overlapping is not True:
        return a if overlapping is False else None
    begins, ends = compare(start(a), start(b)), compare(end(a), end(b))
    if begins is None or ends is None or (begins == -1) == (ends == 1):
        return None
    if begins == -1:
        return Interval(a.low, neighbour(start(b), -1), a.low_closed)
    return Interval(neighbour(end(b), 1), a.high, high_closed=a.high_closed)


def collapse(items: Value, per: Value = None) -> list[Interval] | None:
    """The intervals of a list; those that overlap, meet or are not farther than `per` joined."""
    if items is None:
        return None
    found = [bounds for item in items if (bounds := interval(item)) is not None]
    found.sort(key=cmp_to_key(lambda a, b: compare(start(a), start(b)) or 0))
    joined: list[Interval] = []
    for bounds in found:
        both = _joined(joined[-1], bounds) if joined and _touch(joined[-1], bounds, per) else None
        if both is None:
            joined.append(bounds)
        else:
            joined[-1] = both
    return joined


def _touch(one: Interval, two: Interval, per: Value) -> bool:
    if overlaps(one, two) or meets_before(one, two):
        return True
    if per is None or end(one) is None:
        return False
    return compare(start(two), add(end(one), _as_distance(per, end(one)))) in {-1, 0}


def _as_distance(per: Value, point: Value) -> Value:
    """A step as what can be added to a point: a number, or a quantity with a unit."""
    if isinstance(per, Quantity) and not isinstance(point, Temporal | Quantity):
        return int(per.value) if isinstance(point, int) and per.value % 1 == 0 else per.value
    return per


# -- expand ----------------------------------------------------------------------------------


def expand(items: Value, per: Value = None) -> list[Value] | None:
    """The parts of one step's width in each interval of a list; of one interval its points."""
    if items is None:
        return None
    if not isinstance(items, list):
        return [part.low for part in _laid_out(interval(items), per)]
    parts = (part for item in items if item is not None for part in _laid_out(interval(item), per))
    return list(dict.fromkeys(parts))  # where intervals overlap, once


def _laid_out(bounds: Value, per: Value) -> Iterator[Interval]:
    if _is_open(bounds):
        return
    if bounds.low is None or bounds.high is None:
        raise FhirpkgError("expand needs an interval with both ends")
    low, high = start(bounds), end(bounds)
    cut, step = _grid(low, high, per)
    if cut is None:
        return
    low, high = cut(low), _last_of(high, step, cut)
    for _ in range(_MOST_PARTS):
        following = add(low, step)
        last = _before(following, step, cut)
        if compare(last, high) == 1:
            return
        yield Interval(low, last)
        low = following
    raise FhirpkgError(f"expand gives more than {_MOST_PARTS} parts")


def _is_open(bounds: Value) -> bool:
    """Whether an end is unknown, so that nothing can be laid out."""
    return bounds is None or any(
        end is None and not is_closed
        for end, is_closed in (
            (bounds.low, bounds.low_closed),
            (bounds.high, bounds.high_closed),
        )
    )


def _last_of(high: Value, step: Value, cut: Callable[[Value], Value]) -> Value:
    """The last point of an end cut to the grid: 10 by tenths reaches to 10.9."""
    if isinstance(high, Temporal):
        return cut(high)
    exact, unit = (q.value if isinstance(q, Quantity) else q for q in (high, step))
    finer = Decimal(1).scaleb(-_places(exact)) - Decimal(1).scaleb(-_places(unit))
    if finer <= 0:
        return cut(high)
    return cut(Quantity(exact + finer, high.unit) if isinstance(high, Quantity) else exact + finer)


def _before(following: Value, step: Value, cut: Callable[[Value], Value]) -> Value:
    """The last point of the part before another: one unit of the grid less."""
    if isinstance(following, Temporal | int):
        return neighbour(following, -1)
    exact = following.value if isinstance(following, Quantity) else following
    unit = step.value if isinstance(step, Quantity) else step
    less = Decimal(1).scaleb(min(0, int(Decimal(unit).as_tuple().exponent)))
    found = exact - less
    return cut(Quantity(found, following.unit) if isinstance(following, Quantity) else found)


Grid = tuple["Callable[[Value], Value] | None", Value]


def _grid(low: Value, high: Value, per: Value) -> Grid:
    """How points are cut to the precision of a step, and the step; no cut when it is too fine."""
    if isinstance(low, Temporal):
        return _grid_of_moments(low, high, per)
    if isinstance(low, Quantity):
        step = per or Quantity(_finest(low.value, high.value), low.unit)
        step = converted(step, low.unit) or step
        places = _places(step.value)
        return (lambda q: Quantity(_cut(q.value, places), q.unit)), step
    number = per.value if isinstance(per, Quantity) else per
    if isinstance(low, int) and isinstance(high, int) and (number is None or number % 1 == 0):
        return (lambda value: value), int(number or 1)
    step = Decimal(number) if number is not None else _finest(low, high)
    places = _places(step)
    return (lambda value: _cut(Decimal(value), places)), step


def _grid_of_moments(low: Temporal, high: Temporal, per: Value) -> Grid:
    first = 3 if low.kind == "time" else 0
    known = min(len(fields(low)), len(fields(high)))
    word = CALENDAR_UNITS.get(per.unit, "") if isinstance(per, Quantity) else ""
    unit = {"week": "day"}.get(word, word) or _UNITS[known - 1 + first]
    level = _UNITS.index(unit) + 1 - first
    if level > known or level < 1:
        return None, per
    step = per or Quantity(Decimal(1), unit)
    return (lambda t: of_fields(t.kind, fields(t)[:level], t.zone)), step


def _places(value: Value) -> int:
    return max(0, -int(Decimal(value).as_tuple().exponent))


def _finest(one: Value, two: Value) -> Decimal:
    """One of the last digit that the less precise of both has."""
    return Decimal(1).scaleb(-min(_places(one), _places(two)))


def _cut(value: Decimal, places: int) -> Decimal:
    return value.quantize(Decimal(1).scaleb(-places), rounding=ROUND_FLOOR)


def _width(value: Value) -> Value:
    found = interval(value)
    if found is None:
        return None
    if isinstance(start(found), Temporal):
        raise FhirpkgError("an interval of dates has no width; use a duration")
    return subtract(end(found), start(found))


def _size(value: Value) -> Value:
    width = _width(value)
    if isinstance(width, int):
        return width + 1
    return None if width is None else neighbour(width, 1)


OPERATORS: dict[str, Callable[..., Value]] = {
    "Collapse": collapse,
    "Expand": expand,
    "Size": _size,
    "Width": _width,
}
