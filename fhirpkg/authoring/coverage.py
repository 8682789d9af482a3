"""Each fact of the source, and the elements of the resources that hold it.

Nothing is noted while building: the resources themselves are searched for what the author says,
so a fact that gets lost on the way is found lost. Narrative and attachments do not count.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel

from fhirpkg.authoring.codes import codings
from fhirpkg.authoring.model.parts import Origin, Said
from fhirpkg.authoring.model.sections import Member, ProcedureCode

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from fhirpkg.authoring.drafting.lock import Lock
    from fhirpkg.authoring.model.procedure import Procedure
    from fhirpkg.issues import Resource


@dataclass(frozen=True, slots=True)
class Saying:
    """One thing that an author says for a fact; each element (resource, path) of it, top first."""

    words: str
    elements: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Covered:
    """A fact with all that is said for it; lost when nothing is said, or an element lacks it."""

    fact: str
    sayings: tuple[Saying, ...]
    left_out: str = ""
    """Why the author leaves it out."""

    @property
    def is_lost(self) -> bool:
        """Whether the resources lack a part of it, and nobody has said why."""
        if self.left_out and not self.sayings:
            return False
        return not self.sayings or any(not saying.elements for saying in self.sayings)


def coverage(
    procedure: Procedure, resources: Iterable[Resource], locked: Lock | None = None
) -> list[Covered]:
    """The facts of the procedure's source in their order, each with the elements that hold it.

    With the source.lock of its monograph the facts are those that the monograph has, whatever
    procedure.yaml counts; one that is below no section is called by its line.
    """
    held = held_by(resources)
    said = list(_said(procedure, origins(procedure)))
    left_out = procedure.source.left_out if procedure.source else {}
    counted = procedure.source.labels() if procedure.source else ()
    numbered = {label.partition("-")[0] for label in counted}
    placed = [fact.fact for fact in locked.placed] if locked else []
    placed = [label for label in placed if "-" in label or label not in numbered]
    told = [fact for fact in locked.facts if not fact.fact] if locked else []
    return [
        Covered(
            label,
            tuple(
                Saying(words, tuple(sorted(held.get(words, ()), key=lambda found: len(found[1]))))
                for words in dict.fromkeys(words for facts, words in said if label in facts)
            ),
            left_out.get(label, ""),
        )
        for label in dict.fromkeys((*counted, *placed))
    ] + [Covered(f"line {fact.line}", (), fact.why or "not placed") for fact in told]


def held_by(resources: Iterable[Resource]) -> dict[str, list[tuple[str, str]]]:
    """Each text, and each coding as ``system|code``, with the (resource, path) that hold it."""
    held: dict[str, list[tuple[str, str]]] = {}
    for resource in resources:
        name = f"{resource['resourceType']}/{resource['id']}"
        for path, words in _words(resource, ""):
            held.setdefault(words, []).append((name, path))
    return held


def sayings(procedure: Procedure) -> list[str]:
    """Everything that the procedure says for facts of its source."""
    return list(
        dict.fromkeys(words for facts, words in _said(procedure, origins(procedure)) if facts)
    )


def words_by_fact(procedure: Procedure) -> dict[str, list[str]]:
    """All that is said for each fact, to clinicians and to patients: what a reader reads."""
    said: dict[str, list[str]] = {}
    plain: dict[str, list[str]] = {}
    items = origins(procedure)
    for facts, words in _said(procedure, items):
        for fact in dict.fromkeys(facts):
            said.setdefault(fact, []).append(words)
    for item in items:
        found = [getattr(item, name, "") for name in ("patient", "goal", "call")]
        for fact in dict.fromkeys(item.from_):
            plain.setdefault(fact, []).extend(filter(None, found))
    return {fact: said.get(fact, []) + plain.get(fact, []) for fact in {**said, **plain}}


def _said(procedure: Procedure, items: Iterable[Origin]) -> Iterator[tuple[tuple[str, ...], str]]:
    """The facts and the words of each item: what it says, or the codes that it stands for."""
    for item in items:
        if isinstance(item, Said):
            yield item.from_, item.text
        elif isinstance(item, (ProcedureCode, Member)):
            lines = procedure.codes.get(item.use, ())
            for coding in (coding for line in lines for coding in codings(line)):
                yield item.from_, f"{coding.system}|{coding.code}"
            if not lines:
                yield item.from_, item.use


def origins(value: Any) -> list[Origin]:
    """Everything below a part that says where it comes from, the outer before the inner."""
    found: list[Origin] = []
    waiting = [value]
    while waiting:
        each = waiting.pop()
        if isinstance(each, tuple):
            waiting += each[::-1]
        elif isinstance(each, BaseModel):
            if isinstance(each, Origin):
                found.append(each)
            held = each.__dict__
            fields = [held[name] for name in _fields(type(each))]
            waiting += [field for field in fields if isinstance(field, (tuple, BaseModel))][::-1]
    return found


@functools.cache
def _fields(model: type[BaseModel]) -> tuple[str, ...]:
    return tuple(model.model_fields)


def _words(value: Any, path: str) -> Iterator[tuple[str, str]]:
    """Every text of a resource with its place, and every coding as ``system|code``."""
    if isinstance(value, dict):
        if "code" in value and isinstance(value.get("system"), str):
            yield path, f"{value['system']}|{value['code']}"
        for key, item in value.items():
            is_narrative = key == "text" and isinstance(item, dict)
            if not is_narrative and key != "data":
                yield from _words(item, f"{path}.{key}" if path else key)
    elif isinstance(value, list):
        for at, item in enumerate(value):
            yield from _words(item, f"{path}[{at}]")
    elif isinstance(value, str):
        yield path, value
