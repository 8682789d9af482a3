"""Discriminators: what distinguishes slices, as conditions on an item.

A discriminator's path is walked twice: through the schema of the slice, to find what it demands
there, and through each item, to find what it has
(http://hl7.org/fhir/R4/profiling.html#discriminator).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from fhirpkg.validation.compiling.demands import Step, demand_of, every, names_key, some
from fhirpkg.validation.compiling.schema import ElementSchema, Value
from fhirpkg.validation.elements.forms import values
from fhirpkg.validation.elements.references import literal

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fhirpkg.issues import Json
    from fhirpkg.validation.compiling.compiler import Schemas
    from fhirpkg.validation.compiling.demands import Demand
    from fhirpkg.validation.compiling.schema import Discriminator, TypeRef
    from fhirpkg.validation.compiling.slicing import Condition
    from fhirpkg.validation.elements.forms import Item
    from fhirpkg.validation.run import Run

_STEP = re.compile(
    r"\$this|extension\('(?P<url>[^']*)'\)|resolve\(\)|(?:ofType|as)\((?P<type>\w+)\)|(?P<name>\w+)"
)
_CAST = re.compile(r"\(?(?P<what>[\w.]+)\s+as\s+(?P<type>\w+)\)?")
"""A cast as an operator, which some publish: ``(value as boolean)``."""
UNRESOLVED = object()
"""Marks a target that could not be read; its type may be known."""


class UnclearError(Exception):
    """A discriminator that cannot distinguish items, with the reason."""


def condition(
    discriminators: tuple[Discriminator, ...], element: ElementSchema, schemas: Schemas
) -> Condition:
    """The condition that an item is in the slice of `element`; None when that is unknown.

    A slice need not say something at every discriminator. Raises UnclearError when it says nothing
    at any of them.
    """
    parts: list[Condition] = []
    reason = "it has no discriminator"
    for discriminator in discriminators:
        make = _CONDITIONS.get(discriminator.type)
        if make is None:
            raise UnclearError(f"discriminators of type '{discriminator.type}' are not known")
        try:
            parts.append(
                _forbidden(discriminator, element, schemas) or make(discriminator, element, schemas)
            )
        except UnclearError as error:
            reason = str(error)
            if _leans_on_more(element, schemas):
                parts.append(_untold)
    if not parts:
        raise UnclearError(reason)
    return parts[0] if len(parts) == 1 else lambda i, run: every(part(i, run) for part in parts)


def _untold(_item: Item, _run: Run) -> None:
    """The condition of a slice that depends on profiles that are not loaded."""


def _leans_on_more(element: ElementSchema, schemas: Schemas) -> bool:
    """Whether what is loaded does not say all of an element."""
    named = [p for ref in element.types for p in (*ref.profiles, *ref.target_profiles)]
    return any(schemas.profile_if_usable(profile) is None for profile in named) or any(
        _leans_on_more(child, schemas) for child in element.children
    )


def steps(path: str) -> list[Step]:
    """A discriminator's path in steps; raises UnclearError for what FHIR does not allow there."""
    found: list[Step] = []
    path = _CAST.sub(r"\g<what>.ofType(\g<type>)", path)
    at = 0
    while at < len(path):
        match = _STEP.match(path, at)
        if match is None or (match.end() < len(path) and path[match.end()] != "."):
            raise UnclearError(f"the path '{path}' is not a simple one")
        if match["url"] is not None:
            found.append(Step("extension", match["url"]))
        elif match["type"]:
            found.append(Step("type", match["type"]))
        elif match["name"]:
            found.append(Step("name", match["name"]))
        elif match.group() == "resolve()":
            found.append(Step("resolve", ""))
        at = match.end() + 1
    return found


def _forbidden(
    discriminator: Discriminator, element: ElementSchema, schemas: Schemas
) -> Condition | None:
    """That nothing is where a discriminator looks, if the slice forbids it there."""
    path = steps(discriminator.path)
    if not path or not any(schema.max == 0 for schema in _schemas(element, path, schemas)):
        return None
    return lambda item, run: every(
        None if beside is UNRESOLVED else False for _, _, beside in _walk(item, path, run)
    )


def _value(discriminator: Discriminator, element: ElementSchema, schemas: Schemas) -> Condition:
    """`value` and `pattern`: what the slice fixes, has as its pattern or binds to."""
    path = steps(discriminator.path)
    for size in range(len(path), -1, -1):  # what an ancestor states holds for what is below
        above, below = path[:size], path[size:]
        stating = list(_schemas(element, above, schemas))
        found = [demand_of(schema, below) for schema in stating]
        demands = [demand for demand in found if demand is not None]
        if demands:
            is_met = _is_met(above, demands)
            return is_met if below or len(above) != 1 else _by_text(above[0], stating, is_met)
    raise UnclearError(
        f"slice '{element.id}' has no fixed value, pattern or required binding at"
        f" '{discriminator.path}'"
    )


def _is_met(path: list[Step], demands: list[Demand]) -> Condition:
    """That one of the values a path leads to is what one of some demands wants."""
    return lambda item, run: some(
        None if beside is UNRESOLVED else demand(x, run)
        for x, _, beside in _walk(item, path, run)
        for demand in demands
    )


def _by_text(step: Step, stating: list[ElementSchema], is_met: Condition) -> Condition:
    """The same condition, sooner for a property whose text is fixed, as the url of extensions."""
    stated = [schema.fixed.value for schema in stating if schema.fixed is not None]
    if step.kind != "name" or len(stated) < len(stating) or {str} != set(map(type, stated)):
        return is_met
    texts = frozenset(stated)
    name = step.argument

    def is_one(item: Item, run: Run) -> bool | None:
        value = item[0]
        found = value.get(name) if type(value) is dict and item[2] is None else None
        return found in texts if type(found) is str else is_met(item, run)

    return is_one


def _exists(discriminator: Discriminator, element: ElementSchema, schemas: Schemas) -> Condition:
    path = steps(discriminator.path)
    if not any(schema.min > 0 for schema in _schemas(element, path, schemas)):
        raise UnclearError(
            f"slice '{element.id}' neither requires nor prohibits '{discriminator.path}'"
        )
    return lambda item, run: some(
        None if found[2] is UNRESOLVED else True for found in _walk(item, path, run)
    )


def _type(discriminator: Discriminator, element: ElementSchema, schemas: Schemas) -> Condition:
    path = steps(discriminator.path)
    allowed: set[str] = set()
    names: set[str] = set()
    for schema in _schemas(element, path, schemas):
        names.add(schema.path.rpartition(".")[2])
        allowed.update(ref.code for ref in schema.types)
        if not schema.types and schema.content:
            allowed.add(schema.content)
    if not allowed:
        raise UnclearError(f"slice '{element.id}' allows every type at '{discriminator.path}'")
    return lambda item, run: some(
        None if found == ({}, (), UNRESOLVED) else _matches_type(found, allowed, names, run)
        for found in _walk(item, path, run)
    )


def _profile(discriminator: Discriminator, element: ElementSchema, schemas: Schemas) -> Condition:
    path = steps(discriminator.path)
    resolved = bool(path) and path[-1].kind == "resolve"
    holders = _schemas(element, path[:-1] if resolved else path, schemas)
    profiles = [
        profile
        for schema in holders
        for ref in _types(schema, schemas)
        for profile in (ref.target_profiles if resolved else ref.profiles)
    ]
    if not profiles:
        raise UnclearError(f"slice '{element.id}' names no profile at '{discriminator.path}'")
    return lambda item, run: some(
        _meets(found, profile, schemas, run)
        for found in _walk(item, path, run)
        for profile in profiles
    )


def _meets(item: Item, profile: str, schemas: Schemas, run: Run) -> bool | None:
    """Whether a value meets a profile; of one that is not available, the type may decide."""
    value, trail, beside = item
    if beside is not UNRESOLVED:
        return run.conforms(value, profile, trail)
    kind = value.get("resourceType")
    if kind and not schemas.profile_is_on(profile, kind):
        return False
    return True if kind and schemas.is_core_type(profile) else None


def _matches_type(item: Item, allowed: set[str], names: set[str], run: Run) -> bool:
    """Whether a value is of one of some types: a resource, or a choice by its property.

    An element other than a choice, such as a Reference, has its one type.
    """
    value, trail, _ = item
    if isinstance(value, dict) and isinstance(value.get("resourceType"), str):
        return any(run.definitions.types.is_a(value["resourceType"], code) for code in allowed)
    key = next((step for step in reversed(trail[1:]) if isinstance(step, str)), "")
    bare = key.removeprefix("_")
    return bare in names or any(bare.endswith(code[:1].upper() + code[1:]) for code in allowed)


_CONDITIONS = {
    "value": _value,
    "pattern": _value,
    "exists": _exists,
    "type": _type,
    "profile": _profile,
}


def _schemas(element: ElementSchema, path: list[Step], schemas: Schemas) -> Iterator[ElementSchema]:
    """What the slice says about the place that a path leads to: its own words, then profiles'."""
    if not path:
        yield element
        if not element.children:
            for ref in element.types:
                for profile in ref.profiles:
                    yield from _profile_schema(profile, schemas)
        return
    step, rest = path[0], path[1:]
    if step.kind == "type":
        yield from _schemas(element, rest, schemas)
    elif step.kind == "resolve":
        for ref in _types(element, schemas):
            for target in ref.target_profiles:
                for schema in _profile_schema(target, schemas):
                    yield from _schemas(schema, rest, schemas)
    else:
        for schema in _children(element, step, schemas):
            yield from _schemas(schema, rest, schemas)


def _types(element: ElementSchema, schemas: Schemas) -> tuple[TypeRef, ...]:
    """The types of an element of a profile, which are left out where they are those of its type."""
    base = None if element.types else schemas.type(element.path)
    return base.types if base else element.types


def _profile_schema(profile: str, schemas: Schemas) -> list[ElementSchema]:
    found = schemas.profile_if_usable(profile)
    return [found] if found else []


def _children(element: ElementSchema, step: Step, schemas: Schemas) -> list[ElementSchema]:
    name = "extension" if step.kind == "extension" else step.argument
    child = element.child(name)
    if child is not None and step.kind == "extension":
        return [each for each in _slices(child) if step.argument in _urls(each)]
    if child is not None:
        return [child, *(each for each in _slices(child) if each.min > 0)]
    found: list[ElementSchema] = []
    for ref in element.types:
        for profile in ref.profiles:
            for schema in _profile_schema(profile, schemas):
                found += _children(schema, step, schemas)
    if not found and name == "url":
        found = [s for s in map(_url_schema, _urls(element)) if s]
    return found


def _url_schema(canonical: str) -> ElementSchema:
    """What the url of an extension must be where its definition is not loaded."""
    return ElementSchema("Extension.url", "Extension.url", "url", fixed=Value("uri", canonical))


def _slices(element: ElementSchema) -> Iterator[ElementSchema]:
    """The slices of an element, and those that they are sliced into again."""
    for each in element.slicing.slices if element.slicing else ():
        yield each.element
        yield from _slices(each.element)


def _urls(element: ElementSchema) -> list[str]:
    """The canonicals of the extensions that a slice stands for."""
    return [p.partition("|")[0] for ref in element.types for p in ref.profiles]


def _walk(item: Item, path: list[Step], run: Run) -> Iterator[Item]:
    """The values in an item that a path leads to."""
    if path and item[2] is UNRESOLVED:
        yield {}, (), UNRESOLVED
        return
    if not path:
        if item[0] is not None or item[2] is not None:
            yield item
        return
    step, rest = path[0], path[1:]
    for found in _step(item, step, run):
        yield from _walk(found, rest, run)


def _step(item: Item, step: Step, run: Run) -> Iterator[Item]:
    value, trail, beside = item
    if step.kind == "type":
        key = trail[1] if trail else ""
        if isinstance(key, str) and key.lower().endswith(step.argument.lower()):
            yield item
    elif step.kind == "resolve":
        reference = value.get("reference") if isinstance(value, dict) else value
        target = run.resolve(reference, trail) if isinstance(reference, str) else None
        if target is not None:
            yield target, (), None
        elif isinstance(reference, str):
            match = literal(reference)
            yield {"resourceType": match["type"]} if match else {}, (), UNRESOLVED
    elif step.kind == "extension":
        holder = value if isinstance(value, dict) else beside
        for extension in values(holder, "extension", trail):
            if isinstance(extension[0], dict) and extension[0].get("url") == step.argument:
                yield extension
    else:
        yield from _property(value if isinstance(value, dict) else beside, step.argument, trail)


def _property(holder: Json, name: str, trail: Json) -> Iterator[Item]:
    if not isinstance(holder, dict):
        return
    if name in holder:  # else it may be a choice, or have no value
        yield from values(holder, name, trail)
        return
    for key in holder:
        bare = key.removeprefix("_")
        if key.startswith("_") and bare in holder:
            continue
        if names_key(bare, name, holder):
            yield from values(holder, bare, trail)
