"""What a ValueSet says, read once: its clauses and the codes that it lists.

http://hl7.org/fhir/R4/valueset.html#compositions
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from fhirpkg.untrusted import objects, text_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fhirpkg.issues import Resource

Codes = frozenset[tuple[str, str]]
"""(system, code) of each member."""


class Filter(NamedTuple):
    """A condition on the concepts of a code system."""

    property: str
    op: str
    value: str


@dataclass(frozen=True, slots=True)
class Clause:
    """One include or exclude: what all of its parts select.

    `codes` is None where codes are not listed; `is_readable` is false for what is not a clause.
    """

    system: str | None
    version: str | None
    codes: frozenset[str] | None
    filters: tuple[Filter, ...]
    value_sets: tuple[str, ...]
    is_readable: bool = True


@dataclass(frozen=True, slots=True)
class Composition:
    """A ValueSet: its clauses, and the codes of its expansion if it has one.

    `include` is None without `compose`. `is_whole` says whether the expansion lists everything.
    """

    name: str
    include: tuple[Clause, ...] | None
    exclude: tuple[Clause, ...] = ()
    only_active: bool = False
    listed: Codes = frozenset()
    is_whole: bool = False


def read(value_set: Resource) -> Composition:
    """The composition of a ValueSet resource; what has the wrong shape selects nothing."""
    name = text_of(value_set, "url") or f"#{text_of(value_set, 'id')}"
    compose, expansion = value_set.get("compose"), value_set.get("expansion")
    listed = (
        frozenset(_contains(expansion))
        if isinstance(expansion, dict)
        else frozenset[tuple[str, str]]()
    )
    is_whole = isinstance(expansion, dict) and _is_whole(expansion)
    if not isinstance(compose, dict):
        return Composition(name, None, (), False, listed, is_whole)
    include, exclude = (
        tuple(map(_clause, objects(compose, key))) for key in ("include", "exclude")
    )
    return Composition(name, include, exclude, compose.get("inactive") is False, listed, is_whole)


def _clause(clause: Resource) -> Clause:
    codes = frozenset(filter(None, (text_of(c, "code") for c in objects(clause, "concept"))))
    filters = objects(clause, "filter")
    value_sets = clause.get("valueSet", [])
    value_sets = value_sets if isinstance(value_sets, list) else []
    value_sets = tuple(each for each in value_sets if isinstance(each, str))
    system = text_of(clause, "system") or None
    return Clause(
        system,
        text_of(clause, "version") or None,
        codes if "concept" in clause else None,
        tuple(Filter(*(text_of(f, key) for key in ("property", "op", "value"))) for f in filters),
        value_sets,
        is_readable=bool(system or value_sets) and bool(filters) == ("filter" in clause),
    )


def _contains(expansion: Resource) -> Iterator[tuple[str, str]]:
    """The codes, nested ones included; which are only to group others the system says."""
    todo = objects(expansion, "contains")
    while todo:
        entry = todo.pop()
        code = text_of(entry, "code")
        if code:
            yield text_of(entry, "system"), code
        todo += objects(entry, "contains")


def _is_whole(expansion: Resource) -> bool:
    """Whether an expansion lists everything: not one page of several, not cut off."""
    if not objects(expansion, "contains") or expansion.get("offset"):
        return False
    urls = [text_of(extension, "url") for extension in objects(expansion, "extension")]
    is_cut = any("limited" in url or "toocostly" in url for url in urls)
    total = expansion.get("total")
    count = sum(1 for _ in _contains(expansion))
    return not is_cut and (not isinstance(total, int) or total <= count)
