"""What stands in the JSON of a resource, with its place; nothing is assumed to be well-formed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fhirpkg.issues import Path, Resource


def mappings(value: Any, path: Path) -> Iterator[tuple[Path, Resource]]:
    """Every object inside a value, the outer before the inner, with its place."""
    if isinstance(value, dict):
        yield path, value
        for key, item in value.items():
            yield from mappings(item, (*path, key))
    elif isinstance(value, list):
        for at, item in enumerate(value):
            yield from mappings(item, (*path, at))


def codings(value: Any, path: Path) -> Iterator[tuple[Path, Resource]]:
    """Every coding inside a value, with its place."""
    for place, found in mappings(value, path):
        if isinstance(found.get("system"), str) and "code" in found:
            yield place, found


def texts(value: Resource, key: str) -> list[str]:
    """The texts in a list, or none where there is no such list."""
    found = value.get(key)
    return [item for item in found if isinstance(item, str)] if isinstance(found, list) else []


def value_at(value: Any, place: Path) -> Any:
    """What stands at a place, or None."""
    for step in place:
        try:
            value = value[step]
        except (KeyError, IndexError, TypeError):
            return None
    return value
