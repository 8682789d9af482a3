"""Discriminators: what tells slices apart, as conditions on an item.

A discriminator's path is walked twice: through the schema of the slice, to find what it demands
there, and through each item, to find what it has
(http://hl7.org/fhir/R4/profiling.html#discriminator).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, NamedTuple

from fhirpkg.validation.elements import values
from fhirpkg.validation.limits import equal, matches
from fhirpkg.validation.references import literal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from fhirpkg.validation.checks import Checks
    from fhirpkg.validation.elements import Item
    from fhirpkg.validation.run import Run
    from fhirpkg.validation.schema import Discriminator, ElementSchema
    from fhirpkg.validation.slicing import Condition

_STEP = re.compile(
    r"\$this|extension\('(?P<url>[^']*)'\)|resolve\(\)|(?:ofType|as)\((?P<type>\w+)\)|(?P<name>\w+)"
)


class UnclearError(Exception):
    """A discriminator that cannot tell items apart, with the reason."""


class Step(NamedTuple):
    """One step of a path: its kind (`name`, `extension`, `resolve`, `type`) and its argument."""

    kind: str
    argument: str


def condition(
    discriminators: tuple[Discriminator, ...], element: ElementSchema, checks: Checks
) -> Condition:
    """The condition that an item is in the slice of `element`.

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
                _forbidden(discriminator, element, checks) or make(discriminator, element, checks)
            )
        except UnclearError as error:
            reason = str(error)
    if not parts:
        raise UnclearError(reason)
    return lambda item, run: all(part(item, run) for part in parts)


def steps(path: str) -> list[Step]:
    """A discriminator's path in steps; raises UnclearError for what FHIR does not allow there."""
    found: list[Step] = []
    at = 0
    while at < len(path):
        match = _STEP.match(path, at)
        if match is None or (match.end() < len(path) and path[match.end()] != "."):
            raise UnclearError(f"the path '{path}' is no simple one")
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
    discriminator: Discriminator, element: ElementSchema, checks: Checks
) -> Condition | None:
    """That nothing is where a discriminator looks, if the slice forbids it there."""
    path = steps(discriminator.path)
    if not path or not any(schema.max == 0 for schema in _schemas(element, path, checks)):
        return None
    return lambda item, run: not any(True for _ in _walk(item, path, run))


def _value(discriminator: Discriminator, element: ElementSchema, checks: Checks) -> Condition:
    """`value` and `pattern`: what the slice fixes, has as its pattern or binds to."""
    path = steps(discriminator.path)
    found = [_demand(schema, checks) for schema in _schemas(element, path, checks)]
    demands = [demand for demand in found if demand is not None]
    if not demands:
        raise UnclearError(
            f"slice '{element.id}' has no fixed value, pattern or required binding at"
            f" '{discriminator.path}'"
        )
    return lambda item, run: any(
        demand(x) for x, _, _ in _walk(item, path, run) for demand in demands
    )


def _demand(schema: ElementSchema, checks: Checks) -> Callable[[Any], bool] | None:
    if schema.fixed is not None:
        fixed = schema.fixed.value
        return lambda value: equal(fixed, value)
    if schema.pattern is not None:
        pattern = schema.pattern.value
        return lambda value: matches(pattern, value)
    if schema.binding is not None and schema.binding.strength == "required":
        value_set = schema.binding.value_set
        return lambda value: checks.in_value_set(value, value_set)
    parts = [(child.name, _demand(child, checks)) for child in schema.children]
    inner = [(name, demand) for name, demand in parts if demand is not None]
    if not inner:
        return None
    return lambda value: (
        isinstance(value, dict)
        and all(any(demand(x) for x, _, _ in values(value, name, ())) for name, demand in inner)
    )


def _exists(discriminator: Discriminator, element: ElementSchema, checks: Checks) -> Condition:
    path = steps(discriminator.path)
    schemas = _schemas(element, path, checks)
    if not any(schema.min > 0 for schema in schemas):
        raise UnclearError(
            f"slice '{element.id}' neither demands nor forbids '{discriminator.path}'"
        )
    return lambda item, run: any(True for _ in _walk(item, path, run))


def _type(discriminator: Discriminator, element: ElementSchema, checks: Checks) -> Condition:
    path = steps(discriminator.path)
    allowed: set[str] = set()
    for schema in _schemas(element, path, checks):
        allowed.update(ref.code for ref in schema.types)
        if not schema.types and schema.content:
            allowed.add(schema.content)
    if not allowed:
        raise UnclearError(f"slice '{element.id}' allows every type at '{discriminator.path}'")
    return lambda item, run: any(
        checks.type_matches(found, allowed) for found in _walk(item, path, run)
    )


def _profile(discriminator: Discriminator, element: ElementSchema, checks: Checks) -> Condition:
    path = steps(discriminator.path)
    resolved = bool(path) and path[-1].kind == "resolve"
    holders = _schemas(element, path[:-1] if resolved else path, checks)
    profiles = [
        profile
        for schema in holders
        for ref in schema.types
        for profile in (ref.target_profiles if resolved else ref.profiles)
    ]
    if not profiles:
        raise UnclearError(f"slice '{element.id}' names no profile at '{discriminator.path}'")
    return lambda item, run: any(
        checks.meets(found, profile, run)
        for found in _walk(item, path, run)
        for profile in profiles
    )


_CONDITIONS = {
    "value": _value,
    "pattern": _value,
    "exists": _exists,
    "type": _type,
    "profile": _profile,
}


def _schemas(element: ElementSchema, path: list[Step], checks: Checks) -> Iterator[ElementSchema]:
    """What the slice says about the place that a path leads to: its own words, then profiles'."""
    if not path:
        yield element
        if not element.children:
            for ref in element.types:
                for profile in ref.profiles:
                    yield from _profile_schema(profile, checks)
        return
    step, rest = path[0], path[1:]
    if step.kind == "type":
        yield from _schemas(element, rest, checks)
    elif step.kind == "resolve":
        for ref in element.types:
            for target in ref.target_profiles:
                for schema in _profile_schema(target, checks):
                    yield from _schemas(schema, rest, checks)
    else:
        for schema in _children(element, step, checks):
            yield from _schemas(schema, rest, checks)


def _profile_schema(profile: str, checks: Checks) -> list[ElementSchema]:
    found = checks.schema(profile)
    return [found] if found else []


def _children(element: ElementSchema, step: Step, checks: Checks) -> list[ElementSchema]:
    name = "extension" if step.kind == "extension" else step.argument
    child = element.child(name)
    if child is not None and step.kind == "extension":
        return [each for each in _slices(child) if step.argument in _urls(each)]
    if child is not None:
        return [child, *(each for each in _slices(child) if each.min > 0)]
    found: list[ElementSchema] = []
    for ref in element.types:
        for profile in ref.profiles:
            for schema in _profile_schema(profile, checks):
                found += _children(schema, step, checks)
    if not found and name == "url":
        found = [s for s in map(checks.url_schema, _urls(element)) if s]
    return found


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
        elif isinstance(reference, str) and (match := literal(reference)):
            yield {"resourceType": match["type"]}, (), None
    elif step.kind == "extension":
        holder = value if isinstance(value, dict) else beside
        for extension in values(holder, "extension", trail):
            if isinstance(extension[0], dict) and extension[0].get("url") == step.argument:
                yield extension
    else:
        yield from _property(value if isinstance(value, dict) else beside, step.argument, trail)


def _property(holder: Any, name: str, trail: Any) -> Iterator[Item]:
    if not isinstance(holder, dict):
        return
    for key in holder:
        bare = key.removeprefix("_")
        if key.startswith("_") and bare in holder:
            continue
        if bare == name or (name not in holder and _is_choice(bare, name)):
            yield from values(holder, bare, trail)


def _is_choice(key: str, name: str) -> bool:
    return key.startswith(name) and key[len(name) :][:1].isupper()
