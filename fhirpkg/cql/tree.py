"""The two things that CQL code handles: trees of ELM, and the values that they evaluate to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

Value = Any
"""A value of CQL: of a system type, FHIR JSON, a list, an interval, a tuple; None is null."""

Node = dict[str, Value]
"""A node of an ELM tree, as its JSON has it (https://cql.hl7.org/04-logicalspecification.html)."""


def nodes(value: Value) -> Iterator[Node]:
    """Every node of a tree of ELM, the root included."""
    if isinstance(value, list):
        for item in value:
            yield from nodes(item)
    elif isinstance(value, dict):
        yield value
        for item in value.values():
            if isinstance(item, dict | list):
                yield from nodes(item)
