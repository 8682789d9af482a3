"""Values put at a path below an object, as the path of a dynamicValue says.

A path is element names with indexes, `ofType()` and `extension('url')`, the simple subset that R4
allows (http://hl7.org/fhir/R4/plandefinition-definitions.html#PlanDefinition.action.dynamicValue.path).
Definitions are shared, so a list or object on the way is copied before it is changed.
"""

from __future__ import annotations

import functools
import re
from typing import TYPE_CHECKING

from fhirpkg.applying.fitting import fit, type_of
from fhirpkg.errors import DefinitionError
from fhirpkg.rules import nearest

if TYPE_CHECKING:
    from fhirpkg.definitions.typemodel import TypesOfDefinitions
    from fhirpkg.fhirpath.model import ElementType
    from fhirpkg.issues import Json, Resource

_STEP = re.compile(r"(?P<name>\w+)(?:\[x\])?(?:\[(?P<index>\d+)\])?")
_EXTENSION = re.compile(r"""extension\(['"]([^'"]+)['"]\)(?:\[(\d+)\])?""")
_OF_TYPE = re.compile(r"\.ofType\((?:FHIR\.)?(\w+)\)")
_MOST_ITEMS = 1000


def set_path(
    target: Resource, type_name: str, path: str, values: list[Json], types: TypesOfDefinitions
) -> None:
    """Put values at a path below an object of a type, making what is not there.

    Raises DefinitionError for a path that the type does not have.
    """
    if named := _EXTENSION.search(path):
        before, after = path[: named.start()].rstrip("."), path[named.end() :].lstrip(".")
        way, _ = _way(type_name, _steps(before) if before else (), types)
        target = _descended(target, way)
        extension = _extension(target, named[1], int(named[2] or 0))
        set_path(extension, "Extension", after or "value", values, types)
        return
    steps = _steps(path)
    way, type_name = _way(type_name, steps[:-1], types)
    name, index, of_type = steps[-1]
    key, element, element_type = element_of(type_name, name, of_type, types)
    if len(values) > 1 and (index is not None or not element.is_list):
        raise DefinitionError(path, f"there are {len(values)} values where one is needed")
    target = _descended(target, way)
    if not element_type:
        element_type = type_of(values[0], element.types, types)
        key = element.key(element_type)
    if element.is_choice:
        _drop_others(target, element, key)
    _set(target, key, element, index, [fit(value, element_type, types) for value in values])


def _way(
    type_name: str, steps: tuple[tuple[str, int | None, str], ...], types: TypesOfDefinitions
) -> tuple[list[tuple[str, int | None]], str]:
    """Key and index (for a list) of each step, and the type of what they lead to.

    Beside a primitive value stands its object: `description` leads to `_description`.
    """
    way: list[tuple[str, int | None]] = []
    for name, index, of_type in steps:
        key, element, element_type = element_of(type_name, name, of_type, types)
        type_name = element_type or element.types[0]
        key = f"_{key}" if types.is_primitive(type_name) else key
        way.append((key, (index or 0) if element.is_list else None))
    return way, type_name


def _descended(target: Resource, way: list[tuple[str, int | None]]) -> Resource:
    """The object that a way leads to, made where it is not there."""
    for key, index in way:
        target = _descend(target, key, index)
    return target


def _extension(target: Resource, url: str, index: int) -> Resource:
    """The extension of an object with a url, the index counting those of that url."""
    items = [dict(item) for item in target.get("extension", ())]
    same = [item for item in items if item.get("url") == url]
    added = [{"url": url} for _ in range(min(index, _MOST_ITEMS) + 1 - len(same))]
    target["extension"] = items + added
    return (same + added)[index]


@functools.lru_cache(maxsize=1024)
def _steps(path: str) -> tuple[tuple[str, int | None, str], ...]:
    """Names with index and wanted type; raises DefinitionError for what is not a simple path."""
    marked = _OF_TYPE.sub(r"!\1", path)
    steps = []
    for part in marked.split("."):
        text, _, of_type = part.partition("!")
        match = _STEP.fullmatch(text)
        if match is None:
            raise DefinitionError(path, "this is not a simple path of names and indexes")
        index = match["index"]
        if index and int(index) > _MOST_ITEMS:
            raise DefinitionError(path, f"an index is at most {_MOST_ITEMS}")
        steps.append((match["name"], int(index) if index else None, of_type))
    return tuple(steps)


def element_of(
    type_name: str, name: str, of_type: str, types: TypesOfDefinitions
) -> tuple[str, ElementType, str]:
    """JSON key, element and type of a name; no type when it is a choice still to be made."""
    elements = types.elements(type_name)
    element = elements.get(name)
    if element is not None and not element.is_choice:
        return name, element, element.types[0]
    if element is not None:
        chosen = next((t for t in element.types if t.lower() == of_type.lower()), "")
        return element.key(chosen), element, chosen
    for choice in elements.values():
        suffix = name.removeprefix(choice.name)
        if choice.is_choice and suffix != name:
            for type_ in choice.types:
                if suffix.lower() == type_.lower():
                    return name, choice, type_
    hint = nearest(name, list(elements))
    raise DefinitionError(type_name, f"has no element '{name}'{hint}")


def _descend(target: Resource, key: str, index: int | None) -> Resource:
    """The object below a key, a copy that belongs to the target alone."""
    if index is None:
        target[key] = dict(target.get(key, {}))
        inner: Resource = target[key]
        return inner
    items = list(target.get(key, ()))
    filler: Json = None if key.startswith("_") else {}
    items += [filler for _ in range(index + 1 - len(items))]
    items[index] = dict(items[index] or {})
    target[key] = items
    return items[index]  # type: ignore[no-any-return]  # items of FHIR JSON


def _set(
    target: Resource, key: str, element: ElementType, index: int | None, values: list[Json]
) -> None:
    if not element.is_list:
        target[key] = values[0]
    elif index is None:
        target[key] = values
    else:
        items = list(target.get(key, ()))
        items += [{} for _ in range(index + 1 - len(items))]
        items[index] = values[0]
        target[key] = items


def _drop_others(target: Resource, element: ElementType, key: str) -> None:
    """A choice has one value: the one of another type goes."""
    for type_ in element.types:
        other = element.name + type_[0].upper() + type_[1:]
        if other != key:
            target.pop(other, None)
