"""A procedure against the source.lock of its monograph: its facts, and words that are not ours."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fhirpkg.authoring.checking.walking import mapping, parts
from fhirpkg.authoring.drafting import lock
from fhirpkg.authoring.rules import SOURCE_COPIED, SOURCE_FACTS_DIFFER

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from fhirpkg.authoring.checking.walking import Data
    from fhirpkg.authoring.drafting.lock import Lock
    from fhirpkg.authoring.source import Source
    from fhirpkg.issues import Path as Place


def read_lock(folder: Path) -> Lock | None:
    """The source.lock beside a procedure.yaml, if there is one.

    Raises SourceError when it is none.
    """
    file = folder / lock.LOCK
    return lock.read(file) if file.is_file() else None


def check_edition(read: Source, locked: Lock) -> None:
    """Report facts that are counted otherwise than the source has them, and copied words."""
    counted = mapping(mapping(read.data.get("source")).get("facts"))
    for section in dict.fromkeys((*locked.counts, *counted)):
        has, counts = locked.counts.get(section, 0), counted.get(section, 0)
        if has != counts:
            place: Place = ("source", "facts", *([section] if section in counted else []))
            read.report(
                SOURCE_FACTS_DIFFER, place, section=section, has=has, counted=counts, key=True
            )
    for place, text in _texts(read.data):
        if lock.copied(locked, text):
            read.report(SOURCE_COPIED, place, most=lock.LONGEST_RUN)


def _texts(data: Data) -> Iterator[tuple[Place, str]]:
    """What is said in words, with its place."""
    for place, part in parts(data):
        yield from (((*place, key), text) for key, text in part.items() if isinstance(text, str))
