"""What a slice demands at a place, or above it: fixed values, patterns and required bindings.

A pattern on an element holds for the parts of it, too
(http://hl7.org/fhir/R4/profiling.html#discriminator).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from fhirpkg.definitions.terminology.coded import is_member
from fhirpkg.untrusted import objects
from fhirpkg.validation.elements.forms import values
from fhirpkg.validation.elements.limits import equal, matches

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from fhirpkg.issues import Json
    from fhirpkg.validation.compiling.schema import ElementSchema
    from fhirpkg.validation.run import Run

    Demand = Callable[[Json, Run], bool | None]


class Step(NamedTuple):
    """One step of a path: its kind (`name`, `extension`, `resolve`, `type`) and its argument."""

    kind: str
    argument: str


def every(verdicts: Iterable[bool | None]) -> bool | None:
    """False when one is, else None when one is unknown."""
    doubt: bool | None = True
    for verdict in verdicts:
        if verdict is False:
            return False
        doubt = doubt and verdict
    return doubt


def some(verdicts: Iterable[bool | None]) -> bool | None:
    """True when one is, else None when one is unknown."""
    doubt: bool | None = False
    for verdict in verdicts:
        if verdict:
            return True
        doubt = None if verdict is None else doubt
    return doubt


def demand_of(schema: ElementSchema, below: list[Step]) -> Demand | None:
    """What an element's schema demands of a value, as far as it is about a path below it."""
    stated = schema.fixed or schema.pattern
    if below and stated is not None:
        part = _part(stated.value, below)
        return None if part is None else lambda value, _run: matches(part, value)
    if schema.fixed is not None:
        fixed = schema.fixed.value
        return lambda value, _run: equal(fixed, value)
    if schema.pattern is not None:
        pattern = schema.pattern.value
        return lambda value, _run: matches(pattern, value)
    if below and not _is_of_code(schema, below):
        return None
    if schema.binding is not None and schema.binding.strength == "required":
        value_set = schema.binding.value_set
        return lambda value, run: is_member(value, value_set, run.terminology)
    if below:
        return None
    parts = [(child.name, demand_of(child, [])) for child in schema.children]
    inner = [(name, demand) for name, demand in parts if demand is not None]
    if not inner:
        return None
    return lambda value, run: (
        isinstance(value, dict)
        and every(some(demand(x, run) for x, _, _ in values(value, n, ())) for n, demand in inner)
    )


def _part(stated: Json, path: list[Step]) -> Json:
    """What a stated value says of a path below it, with nothing beside; None if it says nothing."""
    if not path:
        return stated
    if isinstance(stated, list):
        parts = [_part(each, path) for each in stated]
        return [part for part in parts if part is not None] or None
    if not isinstance(stated, dict):
        return None
    step, rest = path[0], path[1:]
    if step.kind == "extension":
        same = [e for e in objects(stated, "extension") if e.get("url") == step.argument]
        parts = [{"url": step.argument, **part} for e in same if (part := _part(e, rest))]
        return {"extension": parts} if parts else None
    if step.kind != "name":
        return None
    for key, value in stated.items():
        part = _part(value, rest) if names_key(key, step.argument, stated) else None
        if part is not None:
            return {key: part}
    return None


def _is_of_code(schema: ElementSchema, path: list[Step]) -> bool:
    """Whether a path leads from a concept to its codes, which the concept's binding is about."""
    names = [step.argument for step in path]
    return schema.content == "CodeableConcept" and names in (["coding"], ["coding", "code"])


def names_key(key: str, name: str, holder: dict[str, Json]) -> bool:
    """Whether a JSON key is of the element of a name; of a choice the key ends in the type."""
    is_choice = key.startswith(name) and key[len(name) :][:1].isupper()
    return key == name or (name not in holder and is_choice)
