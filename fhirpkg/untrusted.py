"""Reading JSON that may be wrong in structure: malformed parts are skipped.

The rules on structure report them; other checks only look at what is well-formed.
"""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from fhirpkg.issues import Path, Resource


def objects(parent: Any, key: str) -> list[dict[str, Any]]:
    """The objects in a list property; the validator reports anything else in it.

    >>> objects({"item": [{"a": 1}, 5]}, "item"), objects({"item": "x"}, "item"), objects(5, "a")
    ([{'a': 1}], [], [])
    """
    items = parent.get(key) if isinstance(parent, dict) else None
    return [item for item in items if isinstance(item, dict)] if isinstance(items, list) else []


def text_of(parent: Any, key: str) -> str:
    """The text of a property; empty when it is absent or no text."""
    value = parent.get(key) if isinstance(parent, dict) else None
    return value if isinstance(value, str) else ""


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


def mappings(value: Any, path: Path) -> Iterator[tuple[Path, Resource]]:
    """Every object inside a value, the outer before the inner, with its place."""
    waiting: list[tuple[Path, Any]] = [(path, value)]
    while waiting:
        place, node = waiting.pop()
        if isinstance(node, dict):
            yield place, node
            inner: Iterable[tuple[Any, Any]] = node.items()
        elif isinstance(node, list):
            inner = enumerate(node)
        else:
            continue
        deeper = [((*place, step), item) for step, item in inner if isinstance(item, (dict, list))]
        deeper.reverse()
        waiting += deeper


def codings(value: Any, path: Path) -> Iterator[tuple[Path, Resource]]:
    """Every coding inside a value, with its place."""
    return (each for each in mappings(value, path) if is_coding(each[1]))


def is_coding(value: Resource) -> bool:
    """Whether an object has a code and its system."""
    return isinstance(value.get("system"), str) and "code" in value


def texts(value: Resource, key: str) -> list[str]:
    """The texts in a list, or none where there is no such list."""
    found = value.get(key)
    return [item for item in found if isinstance(item, str)] if isinstance(found, list) else []


def child(node: object, step: str | int) -> Any:
    """What an object or a list holds under a key or index, or None."""
    try:
        return node[step]  # type: ignore[index]
    except (KeyError, IndexError, TypeError):
        return None


def address_of(artifact: Any) -> str:
    """Where a RelatedArtifact is: its url, else that of its document; empty without both."""
    return text_of(artifact, "url") or text_of(child(artifact, "document"), "url")


def data_of(attachment: Any) -> bytes | None:
    """The bytes of an Attachment or a Binary; None when it holds none or they are not base64.

    >>> data_of({"data": "YWI= "}), data_of({"data": "YW"}), data_of({})
    (b'ab', None, None)
    """
    data = child(attachment, "data")
    try:  # FHIR allows white space in base64
        return base64.b64decode("".join(data.split()), validate=True) if data else None
    except (AttributeError, ValueError):
        return None


def text_in(attachment: Any) -> str:
    """The text of an Attachment in UTF-8; empty when it holds none that can be read."""
    try:
        return (data_of(attachment) or b"").decode("utf-8-sig")
    except UnicodeDecodeError:
        return ""


def value_at(value: Any, place: Path) -> Any:
    """The value at a place, or None."""
    for step in place:
        value = child(value, step)
    return value
