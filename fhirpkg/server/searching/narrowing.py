# ruff: noqa: S608 - text of a query is only ever an argument
"""Dates, numbers and quantities between two ends, so that an index leads to them.

What ends after a moment is found by where it begins: before that moment by the length of the
longest range at most, which the store knows. What is asked of a value that a resource has once is
asked at once: `date=ge2024-05&date=lt2024-06` fits few resources, though each half fits many.
"""

from __future__ import annotations

import functools
import math
from dataclasses import replace
from typing import TYPE_CHECKING

from fhirpkg.server.searching.conditions import Condition, of_shapes
from fhirpkg.server.storing.layout import param_key
from fhirpkg.server.values import FOREVER

if TYPE_CHECKING:
    from fhirpkg.server.searching.conditions import Criteria
    from fhirpkg.server.searching.predicates import Span
    from fhirpkg.server.storing.store import Store


def narrowed(store: Store, criteria: Criteria) -> Criteria:
    """The criteria with each span between two ends, and all spans of a single value in one.

    What is asked of shapes is asked at once as well.
    """
    groups: dict[object, list[Span]] = {}
    others, shapes = [], []
    for one in criteria.conditions:
        condition = one.again(functools.partial(narrowed, store)) if one.again else one
        if span := condition.span:
            key = (span.name, span.group) if span.group is not None else id(span)
            groups.setdefault(key, []).append(span)
        elif condition.shapes:
            shapes.append(condition.shapes)
        else:
            others.append(condition)
    if shapes:
        others.append(of_shapes(criteria.type, shapes))
    between = [_between(store, spans) for spans in groups.values()]
    return replace(criteria, conditions=[*others, *between])


def _between(store: Store, spans: list[Span]) -> Condition:
    param = param_key(spans[0].name)
    tests = " AND ".join(f"({one.sql})" for one in spans)
    arguments = [argument for one in spans for argument in one.arguments]
    longest = store.longest(param) if any(one.after is not None for one in spans) else 0
    low = max(one.low if one.after is None else _start(one.after, longest) for one in spans)
    high = min(one.high for one in spans)
    there = "SELECT 1 FROM searchable INDEXED BY searchable_key WHERE key = current.key"
    keys = f"SELECT key FROM searchable WHERE param = ? AND value BETWEEN ? AND ? AND {tests}"
    return Condition(
        (f"EXISTS ({there} AND param = ? AND {tests})", [param, *arguments]),
        (keys, [param, low, high, *arguments]),
        span=replace(spans[0], low=low, high=high),
    )


def _start(after: float, longest: float) -> float:
    """From where on begins what ends after a moment; a little before it, numbers being rounded."""
    start = after - longest
    if isinstance(start, float):
        start -= (abs(after) + longest) * 1e-9
    return start if start > -FOREVER else -math.inf
