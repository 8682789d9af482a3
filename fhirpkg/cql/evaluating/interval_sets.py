"""Intervals joined, cut and laid out (CQL reference, sections 9.8 and 9.12)."""

from __future__ import annotations

from functools import cmp_to_key
from typing import TYPE_CHECKING, Any

from fhirpkg.cql.evaluating.arithmetic import add, subtract
from fhirpkg.cql.evaluating.comparison import compare
from fhirpkg.cql.evaluating.intervals import end, meets, meets_before, neighbour, overlaps, start
from fhirpkg.cql.evaluating.values import Interval, interval
from fhirpkg.errors import FhirpkgError
from fhirpkg.fhirpath.temporal import Temporal
from fhirpkg.fhirpath.values import Quantity

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_MOST_PARTS = 10_000
_UNITS = ("year", "month", "day", "hour", "minute", "second")


def union(one: Any, two: Any) -> Interval | None:
    """Both as one interval; nothing when there is a gap between them."""
    if not (overlaps(one, two) or meets(one, two)):
        return None
    low = start(one) if compare(start(one), start(two)) == -1 else start(two)
    high = end(one) if compare(end(one), end(two)) == 1 else end(two)
    return Interval(low, high)


def intersect(one: Any, two: Any) -> Interval | None:
    """What both have in common."""
    a, b = interval(one), interval(two)
    assert a, "it was an interval"
    assert b, "it was an interval"
    later = a if compare(a.low, b.low) in {1, 0} else b
    earlier = a if compare(a.high, b.high) in {-1, 0} else b
    if compare(later.low, earlier.high) == 1:
        return None
    return Interval(later.low, earlier.high, later.low_closed, earlier.high_closed)


def difference(one: Any, two: Any) -> Interval | None:
    """The one without the other; nothing when that is no single interval."""
    if overlaps(one, two) is False:
        return interval(one)
    begins_first = compare(start(one), start(two)) == -1
    ends_last = compare(end(one), end(two)) == 1
    if begins_first == ends_last:
        return None
    if begins_first:
        return Interval(start(one), neighbour(start(two), -1))
    return Interval(neighbour(end(two), 1), end(one))


def collapse(items: Any, per: Any = None) -> list[Interval] | None:
    """The intervals of a list; those that overlap, meet or are no farther than `per` joined."""
    if items is None:
        return None
    found = [bounds for item in items if (bounds := interval(item)) is not None]
    found.sort(key=cmp_to_key(lambda a, b: compare(start(a), start(b)) or 0))
    joined: list[Interval] = []
    for bounds in found:
        last = joined[-1] if joined else None
        if last and _touch(last, bounds, per):
            further = compare(end(bounds), end(last)) == 1
            joined[-1] = Interval(start(last), end(bounds) if further else end(last))
        else:
            joined.append(bounds)
    return joined


def _touch(one: Interval, two: Interval, per: Any) -> bool:
    if overlaps(one, two) or meets_before(one, two):
        return True
    return per is not None and compare(start(two), add(end(one), _step(end(one), per))) in {-1, 0}


def expand(items: Any, per: Any = None) -> list[Any] | None:
    """The parts of one step's width in each interval of a list; of one interval its points."""
    if items is None:
        return None
    if isinstance(items, Interval):
        return [part.low for part in _laid_out(items, per)]
    return [part for item in items if item is not None for part in _laid_out(interval(item), per)]


def _laid_out(bounds: Any, per: Any) -> Iterator[Interval]:
    low, high = start(bounds), end(bounds)
    if not isinstance(low, Temporal | int) or bounds.high is None or bounds.low is None:
        raise FhirpkgError("expand is supported for whole numbers and dates with both ends")
    step = _step(low, per)
    for _ in range(_MOST_PARTS):
        following = add(low, step)
        last = neighbour(following, -1)
        if compare(last, high) == 1:
            return
        yield Interval(low, last)
        low = following
    raise FhirpkgError(f"expand gives more than {_MOST_PARTS} parts")


def _step(point: Any, per: Any) -> Any:
    """How far it is from part to part: one of the point's own precision when nothing is said."""
    if isinstance(point, Temporal):
        level = len(point.parts) - 1 + (3 if point.kind == "time" else 0)
        return per or Quantity(1, _UNITS[level])  # type: ignore[arg-type]  # an int will do
    return int(per.value) if isinstance(per, Quantity) else 1


def _width(value: Any) -> Any:
    found = interval(value)
    return None if found is None else subtract(end(found), start(found))


def _size(value: Any) -> Any:
    width = _width(value)
    return width + 1 if isinstance(width, int) else width


OPERATORS: dict[str, Callable[..., Any]] = {
    "Collapse": collapse,
    "Expand": expand,
    "Size": _size,
    "Width": _width,
}
