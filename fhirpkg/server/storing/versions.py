"""A version of a resource, and its text as the store keeps it."""

from __future__ import annotations

import hashlib
import json
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from fhirpkg import fhirjson
from fhirpkg.server import values

if TYPE_CHECKING:
    from fhirpkg.issues import Resource

    Rows = dict[str, list[tuple[Any, ...]]]
    """Rows of `searchable` by kind: param, part, then the columns of the kind."""

_LARGE = 2000
"""Characters from which on the body of a resource is kept apart, compressed."""


@dataclass(frozen=True, slots=True)
class Version:
    """One version of a resource; `content` is its JSON text, None for a deletion."""

    type: str
    id: str
    version: int
    updated: int
    method: str
    content: str | None

    @property
    def etag(self) -> str:
        """The weak ETag that FHIR wants: ``W/"3"``."""
        return f'W/"{self.version}"'

    @property
    def url(self) -> str:
        """The relative address of this version."""
        return f"{self.type}/{self.id}/_history/{self.version}"

    def resource(self) -> Resource:
        """The resource, read anew: the caller may change it."""
        assert self.content is not None, f"{self.url} is a deletion"
        resource, _ = fhirjson.read(self.content)
        assert isinstance(resource, dict), f"{self.url} is damaged"
        return resource


@dataclass(slots=True)
class Prepared:
    """A resource made ready to be written: what takes time and needs no lock."""

    resource: Resource
    digest: bytes
    rows: Rows | None = None
    """What it is found by; None until it is known that a new version is due."""
    body: str | None = None

    @property
    def place(self) -> tuple[str, str]:
        """Type and id."""
        return self.resource["resourceType"], self.resource["id"]

    def content(self, version: int, updated: int) -> tuple[str, str]:
        """Head and body of the JSON text, version and time in `meta`, in FHIR's order."""
        resource = self.resource
        if self.body is None:
            rest = {k: v for k, v in resource.items() if k not in {"resourceType", "id", "meta"}}
            self.body = fhirjson.dump(rest)
        meta = _without(resource.get("meta", {}))
        first = {key: meta.pop(key) for key in ("id", "extension") if key in meta}
        stamp = {"versionId": str(version), "lastUpdated": values.instant(updated)}
        head = {"resourceType": resource["resourceType"], "id": resource["id"]}
        return fhirjson.dump(head | {"meta": first | stamp | meta}), self.body


def joined(head: str, body: str) -> str:
    """The JSON text whose first members are in one object and the others in another.

    >>> joined('{"a":1}', '{"b":2}'), joined('{"a":1}', "{}")
    ('{"a":1,"b":2}', '{"a":1}')
    """
    return head if body == "{}" else f"{head[:-1]},{body[1:]}"


def is_large(body: str) -> bool:
    """Whether a body is kept apart."""
    return len(body) >= _LARGE


def packed(body: str) -> bytes:
    """A body as it is kept apart."""
    return zlib.compress(body.encode(), 1)


def unpacked(head: str | None, body: bytes | None) -> str | None:
    """The JSON text of a version from what is kept of it."""
    if body is None or head is None:
        return head
    return joined(head, zlib.decompress(body).decode())


def prepared(resource: Resource) -> Prepared:
    """A resource with its digest: equal whatever the order of keys, the version and the time."""
    content = {key: value for key, value in resource.items() if key != "meta"}
    if meta := _without(resource.get("meta", {})):
        content["meta"] = meta
    # A decimal counts with its digits: 1.0 is not 1.00.
    text = json.dumps(content, sort_keys=True, default=lambda number: {"decimal": str(number)})
    return Prepared(resource, hashlib.sha256(text.encode()).digest())


def _without(meta: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in meta.items() if key not in {"versionId", "lastUpdated"}}
