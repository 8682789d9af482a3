"""What changed between two versions of a plan, in words for people."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from fhirpkg.languages.words import gettext
from fhirpkg.pages.shelf import standing
from fhirpkg.untrusted import objects, text_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from fhirpkg.issues import Resource

_NOT_TOLD = {"meta", "text", "version", "date", "id", "resourceType", "action", "goal"}

_NEW = {"goal": "new goal: {title}", "action": "new action: {title}"}
_GONE = {"goal": "gone goal: {title}", "action": "gone action: {title}"}


@dataclass(frozen=True, slots=True)
class Version:
    """A version of a plan: where it is, and how it differs from the one before."""

    standing: str
    changes: tuple[str, ...]
    is_first: bool


def versions(plan: Resource, earlier: Sequence[Resource]) -> list[Version]:
    """The versions that are known, the newest first."""
    known = [plan, *earlier]
    found = []
    for newer, older in zip(known, [*earlier, None], strict=True):
        changes = tuple(changed(older, newer)) if older else ()
        found.append(Version(standing(newer), changes, older is None))
    return found


def changed(older: Resource, newer: Resource) -> Iterator[str]:
    """How a plan differs from an earlier one: its elements, then its goals and actions by name."""
    names = [key for key in (newer | older) if key not in _NOT_TOLD]
    differing = [name for name in names if older.get(name) != newer.get(name)]
    if differing:
        yield gettext("of the plan: {elements}", elements=", ".join(differing))
    for kind in ("goal", "action"):
        yield from _parts(kind, dict(_named(older, kind)), dict(_named(newer, kind)))


def _parts(kind: str, older: dict[str, Resource], newer: dict[str, Resource]) -> Iterator[str]:
    for name, part in newer.items():
        if name not in older:
            yield gettext(_NEW[kind], title=_title(part, name))
        elif differing := list(_differing(older[name], part)):
            yield f"{_title(part, name)}: {', '.join(differing)}"
    for name, part in older.items():
        if name not in newer:
            yield gettext(_GONE[kind], title=_title(part, name))


def _named(parent: Resource, kind: str, around: str = "") -> Iterator[tuple[str, Resource]]:
    """The parts of a plan with all below them, by id, else by where they are."""
    for number, part in enumerate(objects(parent, kind)):
        name = text_of(part, "id") or f"{around}{kind}[{number}]"
        yield name, part
        yield from _named(part, kind, f"{name}.")


def _differing(older: Resource, newer: Resource) -> Iterator[str]:
    for key in newer | older:
        if key != "action" and older.get(key) != newer.get(key):
            yield key


def _title(part: Resource, name: str) -> str:
    description = part.get("description")
    words = text_of(description, "text") if isinstance(description, dict) else description
    return text_of(part, "title") or str(words or name)
