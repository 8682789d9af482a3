"""Reading content that may be wrong in structure: what is not as it should be is left out.

The structure's own rules tell what is wrong; the rule families only look at what is right.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fhirpkg.issues import Path, Resource


def numbered(parent: Any, key: str, path: Path = ()) -> Iterator[tuple[Path, Resource]]:
    """The objects in a list with their places; `path` is the place of the parent."""
    items = parent.get(key) if isinstance(parent, dict) else None
    for number, item in enumerate(items if isinstance(items, list) else ()):
        if isinstance(item, dict):
            yield (*path, key, number), item


def choice_of(parent: Resource, name: str) -> tuple[str, Any]:
    """The JSON key and value of a choice like ``value[x]``; empty and None when there is none."""
    for key, value in parent.items():
        if key.startswith(name) and key[len(name) : len(name) + 1].isupper():
            return key, value
    return "", None
