"""What the server knows by the definitions that it stores; learned in place when one changes.

A definition that is not a valid one is not used: asking for it is reported as unknown.
"""

from __future__ import annotations

import functools
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from fhirpkg.server.searching.rows import LOCAL
from fhirpkg.validation.validator import Validator

if TYPE_CHECKING:
    from fhirpkg.definitions.definitions import Definitions
    from fhirpkg.issues import Resource
    from fhirpkg.server.storing.store import Store
    from fhirpkg.server.storing.versions import Version

_DEFINING = ("StructureDefinition", "ValueSet", "CodeSystem")
_PLACES = ",".join("?" * len(_DEFINING))


@dataclass(slots=True)
class Learned:
    """The sound definitions that a store holds, and the validator that knows them."""

    store: Store
    definitions: Definitions
    """Those of R4, which stored ones do not replace."""
    _checker: Validator = field(init=False)
    """Knows R4 alone: a stored definition that it refuses is not used."""
    _newest: int = field(default=-1, init=False)
    """The number (`seq`) of the newest version that was read."""
    _sound: dict[tuple[str, str], Resource] = field(default_factory=dict, init=False)
    _validator: Validator | None = field(default=None, init=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, init=False)

    def __post_init__(self) -> None:
        self._checker = Validator(definitions=self.definitions)

    def validator(self) -> Validator:
        """A validator that knows what the store soundly defines; the same until that changes."""
        ((newest,),) = self.store.query(
            f"SELECT coalesce(max(seq), 0) FROM version WHERE type IN ({_PLACES})",  # noqa: S608
            _DEFINING,
        )
        with self._lock:
            if self._validator is None or newest > self._newest:
                self._learn()
                self._newest = newest
                known = self.definitions.with_resources(self._sound.values())
                retrieve = functools.partial(_retrieve, self.store)
                self._validator = Validator(definitions=known, retrieve=retrieve)
            return self._validator

    def forget(self) -> None:
        """Read all definitions anew at the next question."""
        self._newest, self._validator = -1, None
        self._sound.clear()

    def _learn(self) -> None:
        """Read the definitions that were written since the last time."""
        changed: dict[tuple[str, str], Version] = {}
        for version in self.store.versions(
            "current JOIN version ON version.seq = current.seq",
            f"current.type IN ({_PLACES}) AND current.seq > ? ORDER BY current.seq",
            [*_DEFINING, self._newest],
        ):
            changed[version.type, version.id] = version
        for place, version in changed.items():
            self._sound.pop(place, None)
            if version.content is None:
                continue
            resource = version.resource()
            if _is_new(resource, self.definitions) and self._checker.validate(resource):
                self._sound[place] = resource


def _is_new(resource: Resource, definitions: Definitions) -> bool:
    """Whether a stored definition has a url of its own: the types of R4 are not to be replaced."""
    url = resource.get("url")
    return isinstance(url, str) and definitions.find(url) is None


def _retrieve(store: Store, reference: str) -> Resource | None:
    local = LOCAL.fullmatch(reference)
    version = store.present(local["type"], local["id"]) if local else None
    return version.resource() if version else None
