"""Where each fact of the source went, and what a reader found, beside a procedure's resources."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from fhirpkg.authoring.coverage import coverage
from fhirpkg.authoring.folder import read_folder
from fhirpkg.authoring.reviewing.verdicts import read_review, reviewed
from fhirpkg.packages.freshness import PACKAGE, PROCEDURE
from fhirpkg.render.words import coding

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from fhirpkg.authoring.coverage import Covered, Saying
    from fhirpkg.authoring.model.procedure import Procedure
    from fhirpkg.authoring.reviewing.verdicts import Reviewed
    from fhirpkg.issues import Resource

_SHOWN = 3
_ITEM = re.compile(r"\[\d+\]$")
_CODED = re.compile(r"(?P<system>\S+)\|(?P<code>\S+)")


@dataclass(frozen=True, slots=True)
class Said:
    """Words that stand for a fact, and the first elements that hold them: place, path, anchor."""

    words: str
    elements: tuple[tuple[str, str, str], ...]
    more: int


@dataclass(frozen=True, slots=True)
class Fact:
    """A fact of the source: what is said for it and where, and the verdict of a reader."""

    label: str
    said: tuple[Said, ...]
    left_out: str
    is_lost: bool
    verdict: str
    by: str
    note: str
    digest: str
    is_stale: bool


class Sources:
    """The authored procedures of a folder, by the ids of the plans that are built of them.

    Raises SourceError when the folder cannot be read.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        authored = read_folder(folder)
        self._named = {f"{p.id}Plan": (name, p) for name, p in authored.procedures.items()}

    def facts(self, plan_id: str, resources: Iterable[Resource]) -> list[Fact]:
        """The facts of a procedure, in their order; none for a plan of somebody else."""
        name, procedure = self._named.get(plan_id, ("", None))
        if procedure is None:
            return []
        states = self._reviewed(name, procedure)
        found = coverage(procedure, resources)
        return [_fact(covered, states.get(covered.fact)) for covered in found]

    def _reviewed(self, name: str, procedure: Procedure) -> dict[str, Reviewed]:
        return reviewed(procedure, read_review(self._folder / name, procedure)[0])


def sources_in(folder: Path) -> Sources | None:
    """The authored procedures of a folder; None when it has none."""
    authored = (folder / PACKAGE).is_file() and any(folder.glob(f"**/{PROCEDURE}"))
    return Sources(folder) if authored else None


def _fact(covered: Covered, state: Reviewed | None) -> Fact:
    found = state.verdict if state else None
    return Fact(
        label=covered.fact,
        said=tuple(map(_said, covered.sayings)),
        left_out=covered.left_out,
        is_lost=covered.is_lost,
        verdict=found.verdict if found else "",
        by=state.by if state else "",
        note=found.note if found else "",
        digest=state.digest if state else "",
        is_stale=state.is_stale if state else False,
    )


def _said(saying: Saying) -> Said:
    code = _CODED.fullmatch(saying.words)
    words = coding(code.groupdict()) if code else saying.words
    elements = tuple(_elements(saying.elements[:_SHOWN]))
    return Said(words, elements, len(saying.elements) - len(elements))


def _elements(found: Iterable[tuple[str, str]]) -> Iterator[tuple[str, str, str]]:
    """Place, path, and the nearest path that has a line of its own in the JSON."""
    for place, path in found:
        yield place, path, _ITEM.sub("", path)
