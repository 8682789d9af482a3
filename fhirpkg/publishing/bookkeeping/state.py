"""What a publisher keeps on the server itself, so that nothing depends on a local file.

Two resources a package. The *head* is one small List or Basic that says what is published or being
published and by whom; whoever changes it must name the version he read, which makes it the lock.
An *inventory* (Library, else Binary) lists, for one state of the content, the digest of each
resource and where it is; inventories are kept, so that there is a way back.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
import zlib
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from fhirpkg.bundling.reading import RECORDS

if TYPE_CHECKING:
    from collections.abc import Callable

    from fhirpkg.issues import Resource

SYSTEM = RECORDS.rstrip("/")
HEAD_TYPES = ("List", "Basic")
INVENTORY_TYPES = ("Library", "Binary")
LEASE = 60.0
"""Seconds after its last sign of life for which a running push keeps others out."""
_NOT_IN_ID = re.compile(r"[^A-Za-z0-9.-]+")


class Phase(StrEnum):
    """How far a push has come."""

    PUSHING = "pushing"
    INCOMPLETE = "incomplete"
    """It ended in order but without everything written; nobody needs to wait for it."""
    COMPLETE = "complete"


class Versions(StrEnum):
    """Whether a server holds one version of a canonical resource or several."""

    SINGLE = "single"
    """One at a time, under one id: a new version replaces the one before."""
    MULTIPLE = "multiple"
    """Side by side: the version is part of the id."""


@dataclass(frozen=True, slots=True)
class Head:
    """The state of one package on a server.

    `manifest` and `previous` are references; `beat` counts the signs of life; `settled` is the
    server's time of the last write; `versions` is a mode of `Versions`. `id`, `etag` and `age`
    (seconds by the server's clock) belong to the resource as it was read and are empty for one that
    is not there yet.
    """

    package: str
    version: str
    digest: str
    phase: Phase
    owner: str
    manifest: str = ""
    previous: str = ""
    beat: str = "0"
    settled: str = ""
    versions: str = ""
    type: str = HEAD_TYPES[0]
    id: str = ""
    etag: str = ""
    age: float = field(default=0.0, compare=False)

    @property
    def is_held(self) -> bool:
        """Whether somebody is pushing right now, as far as can be known."""
        return self.phase is Phase.PUSHING and self.age < LEASE

    def resource(self) -> Resource:
        """The head as a resource: its facts are identifiers, which every server keeps."""
        facts = {name: getattr(self, name) for name in _FACTS}
        identifiers = [
            {"system": f"{SYSTEM}/{name}", "value": str(value)}
            for name, value in facts.items()
            if value
        ]
        words = f"fhirpkg: {self.package} {self.version}, {self.phase}"
        body: Resource = {"resourceType": self.type, "id": self.id or head_id(self.package)}
        if self.type == "List":
            body |= {"identifier": identifiers, "status": "current", "mode": "working"}
            return body | {"title": words}
        return body | {"identifier": identifiers, "code": {"text": words}}

    def next(self, **changes: Any) -> Head:
        """The head as the next write leaves it, which always differs from the one before."""
        return replace(
            self, **changes, beat=str(int(self.beat) + 1 if self.beat.isdecimal() else 1)
        )


_FACTS = (
    "package", "version", "digest", "phase", "owner", "manifest", "previous", "beat", "settled",
    "versions",
)  # fmt: skip


def head_of(resource: Resource, age: float) -> Head | None:
    """The head that a resource holds, or None when it is something else."""
    given = resource.get("identifier", [])
    facts = {
        str(i.get("system", "")).removeprefix(f"{SYSTEM}/"): str(i.get("value", ""))
        for i in (given if isinstance(given, list) else [given])
    }
    if not {"package", "digest", "phase"} <= facts.keys() or facts["phase"] not in list(Phase):
        return None
    known = {name: facts.get(name, "") for name in _FACTS}
    return Head(
        **known | {"phase": Phase(known["phase"])},  # type: ignore[arg-type] # a StrEnum is a str
        type=resource["resourceType"],
        id=str(resource.get("id", "")),
        etag=str(resource.get("meta", {}).get("versionId", "")),
        age=age,
    )


def head_id(package: str) -> str:
    """The id of a package's head where ids are ours to choose."""
    return fitting_id(f"head-{package}")


@dataclass(frozen=True, slots=True)
class Line:
    """One line of an inventory: what we sent, and the place and version that it got."""

    digest: str
    place: str
    version: str = ""


@dataclass(frozen=True, slots=True)
class Inventory:
    """What one state of the content consists of; `members` by their ``Type/id`` in the content."""

    package: str
    version: str
    digest: str
    members: dict[str, Line]
    previous: str = ""

    @property
    def id(self) -> str:
        """The id where ids are ours to choose: one for each state of the content."""
        return fitting_id(f"manifest-{self.digest[:12]}-{self.package}")

    def resource(self, resource_type: str) -> Resource:
        """The inventory as a Library or Binary; the list is compressed, ten thousand lines fit."""
        lines = {
            local: [line.digest[:32], line.place if line.place != local else "", line.version]
            for local, line in self.members.items()
        }
        facts = {
            "package": self.package,
            "version": self.version,
            "digest": self.digest,
            "previous": self.previous,
            "members": lines,
        }
        text = json.dumps(facts, separators=(",", ":"), sort_keys=True)
        data = base64.b64encode(zlib.compress(text.encode(), 9)).decode()
        return {"resourceType": resource_type, "id": self.id, **_WRAP[resource_type](self, data)}


def inventory_of(resource: Resource) -> Inventory | None:
    """The inventory that a resource holds, or None when it is damaged or something else."""
    try:
        data = _UNWRAP[resource["resourceType"]](resource)
        facts = json.loads(zlib.decompress(base64.b64decode(data)))
        members = {
            local: Line(digest, place or local, version)
            for local, (digest, place, version) in facts["members"].items()
        }
        return Inventory(
            facts["package"], facts["version"], facts["digest"], members, facts["previous"]
        )
    except (KeyError, IndexError, ValueError, TypeError, AttributeError, zlib.error):
        return None


def is_listed(line: Line, digest: str) -> bool:
    """Whether an inventory line names this digest; half of it is kept there, which is plenty."""
    return bool(line.digest) and digest.startswith(line.digest)


def _library(inventory: Inventory, data: str) -> Resource:
    return {
        "identifier": [{"system": f"{SYSTEM}/manifest", "value": inventory.id}],
        "title": f"fhirpkg: inventory of {inventory.package} {inventory.version} on this server",
        "status": "active",
        "type": {"coding": [{"system": SYSTEM, "code": "manifest"}]},
        "content": [{"contentType": "application/json", "data": data}],
    }


_WRAP: dict[str, Callable[[Inventory, str], Resource]] = {
    "Library": _library,
    "Binary": lambda _, data: {"contentType": "application/octet-stream", "data": data},
}
_UNWRAP: dict[str, Callable[[Resource], str]] = {
    "Library": lambda resource: str(resource["content"][0]["data"]),
    "Binary": lambda resource: str(resource["data"]),
}


def fitting_id(text: str) -> str:
    """A valid id (R4 datatypes.html#id): a long one keeps its start and gets a digest."""
    plain = _NOT_IN_ID.sub("-", text)
    if len(plain) <= 64:
        return plain
    return f"{plain[:51]}-{hashlib.sha256(text.encode()).hexdigest()[:12]}"
