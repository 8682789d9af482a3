"""What the server knows by the definitions that it stores; learned in place when one changes.

A definition that is not a valid one is not used: asking for it is reported as unknown.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from fhirpkg.server.searching.indexing import LOCAL
from fhirpkg.validation.validator import Validator

if TYPE_CHECKING:
    from collections.abc import Callable

    from fhirpkg.issues import Resource
    from fhirpkg.server.endpoint import Endpoint
    from fhirpkg.server.storing.versions import Version

_DEFINING = ("StructureDefinition", "ValueSet", "CodeSystem")
_PLACES = ",".join("?" * len(_DEFINING))


@dataclass(slots=True)
class Learned:
    """The definitions that were read so far, and the validator that knows them."""

    newest: int = -1
    """The number (`seq`) of the newest version that was read."""
    sound: dict[tuple[str, str], Resource] = field(default_factory=dict)
    validator: Validator | None = None
    lock: threading.Lock = field(default_factory=threading.Lock)


def validator(endpoint: Endpoint) -> Validator:
    """A validator that knows what the store soundly defines; the same until that changes."""
    learned = endpoint.learned
    ((newest,),) = endpoint.store.query(
        f"SELECT coalesce(max(seq), 0) FROM version WHERE type IN ({_PLACES})",  # noqa: S608
        _DEFINING,
    )
    with learned.lock:
        if learned.validator is None or newest > learned.newest:
            _learn(endpoint, learned)
            learned.newest = newest
            known = endpoint.definitions.with_resources(learned.sound.values())
            learned.validator = Validator(definitions=known, retrieve=_retrieve(endpoint))
        return learned.validator


def _learn(endpoint: Endpoint, learned: Learned) -> None:
    """Read the definitions that were written since the last time."""
    checker = Validator(definitions=endpoint.definitions)
    changed: dict[tuple[str, str], Version] = {}
    for version in endpoint.store.versions(
        "current JOIN version ON version.seq = current.seq",
        f"current.type IN ({_PLACES}) AND current.seq > ? ORDER BY current.seq",
        [*_DEFINING, learned.newest],
    ):
        changed[version.type, version.id] = version
    for place, version in changed.items():
        learned.sound.pop(place, None)
        if version.content is None:
            continue
        resource = version.resource()
        if _is_new(resource, endpoint) and checker.validate(resource):
            learned.sound[place] = resource


def _is_new(resource: Resource, endpoint: Endpoint) -> bool:
    """Whether a stored definition has a url of its own: the types of R4 are not to be replaced."""
    url = resource.get("url")
    return isinstance(url, str) and endpoint.definitions.find(url) is None


def _retrieve(endpoint: Endpoint) -> Callable[[str], Resource | None]:
    def retrieve(reference: str) -> Resource | None:
        local = LOCAL.fullmatch(reference)
        version = endpoint.store.present(local["type"], local["id"]) if local else None
        return version.resource() if version else None

    return retrieve
