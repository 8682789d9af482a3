"""What generated checks call for the form of elements: objects, lists, primitives, choices.

The good path through a generated check calls as little of this as can be; most of what is here
says what is wrong.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from fhirpkg.issues import Json, Severity
from fhirpkg.rules import nearest
from fhirpkg.validation.elements.primitives import PREDICATES, cut, kind, problem
from fhirpkg.validation.elements.rules import (
    CARDINALITY_MAX,
    CARDINALITY_MIN,
    ELEMENT_ID_REPEATED,
    ELEMENT_ID_SPACE,
    RESOURCE_ID_EXTENSION,
    STRUCTURE_ALIGNMENT,
    STRUCTURE_CHOICE_MANY,
    STRUCTURE_CHOICE_TYPE,
    STRUCTURE_EMPTY,
    STRUCTURE_LIST,
    STRUCTURE_NOT_LIST,
    STRUCTURE_NULL,
    STRUCTURE_OBJECT,
    STRUCTURE_UNKNOWN_ELEMENT,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from fhirpkg.validation.places import Trail
    from fhirpkg.validation.run import Run

    Check = Callable[[Json, Trail, Run], object]


class Member(NamedTuple):
    """One JSON property that a type may have: the element, its type and what checks its value."""

    name: str
    type: str
    is_list: bool
    predicate: Callable[[Json], object] | None
    check: Check | None


class Shape(NamedTuple):
    """The properties of a type, and the check of the objects beside primitives (`_name`)."""

    name: str
    members: Mapping[str, Member]
    element: Check


def bad_object(value: Json, trail: Trail, run: Run) -> None:
    """Say that a value is not an object, or an empty one."""
    if isinstance(value, dict):
        run.report(STRUCTURE_EMPTY, trail, found="object")
    else:
        run.report(STRUCTURE_OBJECT, trail, found=kind(value))


def each(value: Json, check: Check, trail: Trail, key: str, run: Run) -> None:
    """Check every item of a list of objects."""
    if type(value) is list and value:
        for index, item in enumerate(value):
            check(item, (trail, key, index), run)
    else:
        bad_list(value, (trail, key), run)
        if isinstance(value, dict):
            check(value, (trail, key), run)


def bad_list(value: Json, trail: Trail, run: Run) -> None:
    """Say that a value is not a list, or an empty one."""
    if isinstance(value, list):
        run.report(STRUCTURE_EMPTY, trail, found="list")
    else:
        run.report(STRUCTURE_LIST, trail, found=kind(value))


def bad_primitive(value: Json, type_name: str, trail: Trail, run: Run) -> None:
    """Say what is wrong with a primitive value."""
    if isinstance(value, list):
        run.report(STRUCTURE_NOT_LIST, trail)
    else:
        rule, words = problem(type_name, value)
        run.report(rule, trail, **words)


def element_id(value: Json, trail: Trail, run: Run) -> None:
    """Check the id of an element: a text that no other element of the resource has."""
    if not PREDICATES["string"](value):
        bad_primitive(value, "string", trail, run)
    elif value in run.element_ids:
        run.report(ELEMENT_ID_REPEATED, trail, id=cut(value, 80))
    else:
        run.element_ids.add(value)
        if " " in value:
            run.report(ELEMENT_ID_SPACE, trail, id=cut(value, 80))


def primitives(owner: dict[str, Json], key: str, member: Member, trail: Trail, run: Run) -> None:
    """Check a list of primitives; null may stand where the list beside it has an element."""
    values = owner[key]
    if type(values) is not list or not values:
        bad_list(values, (trail, key), run)
        return
    good = member.predicate
    assert good is not None, "a list of primitives has a test for each"
    for index, value in enumerate(values):
        if not good(value) and not (value is None and _beside(owner, key, index)):
            bad_primitive(value, member.type, (trail, key, index), run)


def _beside(owner: dict[str, Json], key: str, index: int) -> bool:
    """Whether a primitive has an id or extensions in the property beside it."""
    beside = owner.get(f"_{key}")
    if isinstance(beside, list):
        return index < len(beside) and isinstance(beside[index], dict)
    return False


def check_other_properties(owner: dict[str, Json], trail: Trail, run: Run, shape: Shape) -> None:
    """Check the properties of an object that are not plain ones of its type."""
    members = shape.members
    for key, value in owner.items():
        if key in members:
            continue
        member = members.get(key[1:]) if key.startswith("_") else None
        if member is not None and member.predicate is not None:
            _check_lone(owner, key[1:], trail, run, shape)
            _sibling(owner, key, value, (trail, key), run, shape, member)
        else:
            unknown(key, (trail, key), run, shape)


def _check_lone(owner: dict[str, Json], key: str, trail: Trail, run: Run, shape: Shape) -> None:
    """A choice is there in one form, also where one of them has nothing but extensions."""
    name = shape.members[key].name
    if key in owner or not name.endswith("[x]"):
        return
    others = [k for k, m in shape.members.items() if m.name == name and k != key]
    keys = list(owner)
    before = [k for k in others if f"_{k}" in keys[: keys.index(f"_{key}")]]
    found = [k for k in others if k in owner] or before
    if found:
        named = ", ".join((*found, f"_{key}"))
        element = f"{shape.name}.{name}"
        run.report(STRUCTURE_CHOICE_MANY, (trail, f"_{key}"), element=element, found=named)


def unknown(key: str, trail: Trail, run: Run, shape: Shape) -> None:
    """Say that a property is not an element of its type, and which one was perhaps meant."""
    choice = next((m for m in shape.members.values() if _is_choice_of(m.name, key)), None)
    if choice is not None:
        allowed = [m.type for m in shape.members.values() if m.name == choice.name]
        run.report(
            STRUCTURE_CHOICE_TYPE,
            trail,
            key=key,
            element=choice.name,
            allowed=", ".join(allowed),
        )
        return
    near = nearest(key, list(shape.members))
    run.report(STRUCTURE_UNKNOWN_ELEMENT, trail, key=key[:60], type=shape.name, nearest=near)


def _is_choice_of(name: str, key: str) -> bool:
    return name.endswith("[x]") and key.startswith(name[:-3]) and key[len(name) - 3 :][:1].isupper()


def _sibling(
    owner: dict[str, Json],
    key: str,
    value: Json,
    trail: Trail,
    run: Run,
    shape: Shape,
    member: Member,
) -> None:
    is_resource_id = key == "_id" and "resourceType" in owner
    if is_resource_id and isinstance(value, dict) and "extension" in value:
        run.report(RESOURCE_ID_EXTENSION, trail)
    if not member.is_list:
        _beside_value(value, owner.get(key[1:]) is not None, trail, run, shape)
        return
    if type(value) is not list or not value:
        bad_list(value, trail, run)
        return
    values = owner.get(key[1:])
    for index, item in enumerate(value):
        has_value = isinstance(values, list) and index < len(values) and values[index] is not None
        if item is not None:
            _beside_value(item, has_value, (trail[0], key, index), run, shape)
        elif not has_value:
            run.report(STRUCTURE_NULL, (trail[0], key, index))
    if isinstance(values, list) and len(values) != len(value):
        severity = Severity.WARNING if len(value) < len(values) else None  # nothing is ambiguous
        found: dict[str, Json] = {"found": len(value), "wanted": len(values), "key": key[1:]}
        run.report(STRUCTURE_ALIGNMENT, trail, severity=severity, **found)


def _beside_value(item: Json, has_value: bool, trail: Trail, run: Run, shape: Shape) -> None:
    """Check the object beside one primitive value, or in its place."""
    if has_value and _is_bare_id(item):
        element_id(item["id"], (trail, "id"), run)
    else:
        shape.element(item, trail, run)


def _is_bare_id(sibling: Json) -> bool:
    """Whether the object beside a primitive has only an id: then the value makes ele-1 true."""
    return (
        isinstance(sibling, dict)
        and sibling.keys() == {"id"}
        and isinstance(sibling["id"], str)
        and bool(sibling["id"])
    )


class Choice(NamedTuple):
    """A choice element (`value[x]`): its JSON properties and what each of them holds."""

    element: str
    members: Mapping[str, Member]


def choice(owner: dict[str, Json], chosen: Choice, trail: Trail, run: Run) -> None:
    """Check a choice element of which at least one property is there."""
    found = [key for key in owner if key in chosen.members]
    if len(found) > 1:
        run.report(
            STRUCTURE_CHOICE_MANY,
            (trail, found[1]),
            element=chosen.element,
            found=", ".join(found),
        )
    for key in found:
        member = chosen.members[key]
        if member.check is not None:
            member.check(owner[key], (trail, key), run)
        elif member.predicate is not None and not member.predicate(owner[key]):
            bad_primitive(owner[key], member.type, (trail, key), run)


def missing(owner: dict[str, Json], element: str, trail: Trail, run: Run) -> None:
    """Report that a mandatory element is missing, unless extensions replace it."""
    name = element.rpartition(".")[2]
    keys = [name]
    if name.endswith("[x]"):
        keys = [k[1:] for k in owner if k.startswith(f"_{name[:-3]}")]
    if not any(f"_{key}" in owner for key in keys):
        run.report(CARDINALITY_MIN, trail, element=element, min=1, found=0)


def too_few(
    found: list[Item], element: str, least: int, trail: Trail, run: Run, profile: str
) -> None:
    """Say that an element is there less often than it must be."""
    run.report(
        CARDINALITY_MIN, trail, profile=profile, element=element, min=least, found=len(found)
    )


def too_many(
    found: list[Item], element: str, most: int, trail: Trail, run: Run, profile: str
) -> None:
    """Say that an element is there more often than it may be."""
    if len(found) > most:
        trail = found[most][1]
    run.report(CARDINALITY_MAX, trail, profile=profile, element=element, max=most, found=len(found))


Item = tuple[Json, "Trail", Json]
"""A value, its place and the object beside it if it is a primitive that has one."""


def values(owner: Json, key: str, trail: Trail) -> list[Item]:
    """The values of a property with their places; one of extensions alone counts, as None."""
    if type(owner) is not dict:
        return []
    value, beside = owner.get(key), owner.get(f"_{key}")
    if type(value) is list or type(beside) is list:
        return list(_listed(value, beside, (trail, key)))
    return [] if value is None and beside is None else [(value, (trail, key), beside)]


def _listed(value: Json, beside: Json, trail: Trail) -> Iterator[Item]:
    plain = value if isinstance(value, list) else []
    extra = beside if isinstance(beside, list) else []
    for index in range(max(len(plain), len(extra))):
        item = plain[index] if index < len(plain) else None
        other = extra[index] if index < len(extra) else None
        yield item, (*trail, index), other


def chosen(owner: Json, keys: Mapping[str, str], trail: Trail) -> list[Item]:
    """The value of a choice element with its place; `keys` are its properties."""
    if type(owner) is not dict:
        return []
    found: dict[str, None] = {}
    for key in owner:
        bare = key.removeprefix("_")
        if bare in keys:
            found[bare] = None
    return [item for key in found for item in values(owner, key, trail)]


def beside_trail(trail: Trail) -> Trail:
    """The place of the object beside a primitive."""
    return (trail[0], f"_{trail[1]}", *trail[2:])
