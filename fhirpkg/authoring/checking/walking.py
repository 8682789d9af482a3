"""The plain data of procedure.yaml, walked: parts, items, actions and texts with their places.

Nothing here trusts the data: what has another form than expected is passed over.
"""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING, Any

from fhirpkg.issues import Path

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


Data = dict[str, Any]
Parts = list[tuple[Path, Data]]
"""Mappings with their places, as :func:`parts` gives them."""

ACTIONS = ("preparation", "steps", "recovery")
_ELSEWHERE = ("source", "codes", "evidence", "contact", "effective")


def parts(data: Data) -> Iterator[tuple[Path, Data]]:
    """Every mapping of what is said, with its place; not those of source, codes and evidence."""
    for key, value in data.items():
        if key not in _ELSEWHERE:
            yield from _inner(value, (key,))


def _inner(value: object, path: Path) -> list[tuple[Path, Data]]:
    """The mappings in a value, itself included, from front to back."""
    found: list[tuple[Path, Data]] = []
    waiting: list[tuple[Path, object]] = [(path, value)]
    while waiting:
        place, each = waiting.pop()
        if isinstance(each, dict):
            found.append((place, each))
            inner: Iterable[tuple[str | int, object]] = each.items()
        elif isinstance(each, list):
            inner = enumerate(each)
        else:
            continue
        deeper = [((*place, key), item) for key, item in inner if isinstance(item, (dict, list))]
        waiting += reversed(deeper)
    return found


def actions(data: Data) -> list[tuple[Path, Data]]:
    """The actions of all phases with their parts."""
    return [
        (place, part)
        for section in ACTIONS
        for place, part in _inner(data.get(section), (section,))
        if "id" in part
    ]


def items(data: Data, section: str) -> Iterator[tuple[Path, Data]]:
    """The items of a section that are mappings."""
    value = data.get(section)
    for at, item in enumerate(value if isinstance(value, list) else ()):
        if isinstance(item, dict):
            yield (section, at), item


def ids(found: Iterable[tuple[Path, Data]]) -> list[str]:
    """The ids of items."""
    return [item["id"] for _, item in found if isinstance(item.get("id"), str)]


def named(part: Data, path: Path, key: str) -> Iterator[tuple[Path, str]]:
    """The texts that a key holds, one or a list of them, each with its place."""
    value = part.get(key)
    if isinstance(value, str):
        yield (*path, key), value
    elif isinstance(value, list):
        for at, item in enumerate(value):
            if isinstance(item, str):
                yield (*path, key, at), item


def texts(value: object) -> list[str]:
    """One text or a list of them, as a list."""
    if isinstance(value, str):
        return [value]
    return [item for item in value if isinstance(item, str)] if isinstance(value, list) else []


def mapping(value: object) -> Data:
    """The mapping, or an empty one for anything else."""
    return value if isinstance(value, dict) else {}


def closest(name: str, names: Iterable[str], cutoff: float = 0.6) -> str:
    """The name that was meant: the name itself, or the one most like it."""
    known = list(names)
    if name in known:
        return name
    close = difflib.get_close_matches(name, known, n=1, cutoff=cutoff)
    return close[0] if close else name
