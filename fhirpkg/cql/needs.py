"""What logic may retrieve: the types of resources, found in its trees without evaluating them."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, NamedTuple

from fhirpkg.cql.evaluating.library import qualified
from fhirpkg.cql.tree import nodes
from fhirpkg.errors import FhirpkgError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from fhirpkg.cql.evaluating.library import Library, Statement
    from fhirpkg.cql.tree import Node

_BUILT_IN = "FHIRHelpers"


class _Uses(NamedTuple):
    """What one tree retrieves itself, and what it names: (library or "", name, fluent)."""

    types: frozenset[str]
    names: frozenset[tuple[str, str, bool]]


def retrieved(tree: Node, library: Library, named: Callable[[str, str], Library]) -> set[str]:
    """The types that an expression of a library, and all that it leads to, may retrieve.

    `named` gives a library that another includes; what cannot be read leads nowhere.
    """
    found: set[str] = set()
    seen: set[Statement] = set()
    waiting = [(library, _uses(tree))]
    while waiting:
        place, uses = waiting.pop()
        found |= uses.types
        for statement, where in _led_to(place, uses, named):
            if statement not in seen:
                seen.add(statement)
                waiting.append((where, _uses_of(statement)))
    return found


def _led_to(
    library: Library, uses: _Uses, named: Callable[[str, str], Library]
) -> Iterator[tuple[Statement, Library]]:
    for alias, name, is_fluent in uses.names:
        places = [library] if not alias else []
        aliases = list(library.includes) if is_fluent else [alias] if alias else []
        for each in aliases:
            asked = library.includes.get(each, (each, ""))
            if qualified(asked[0])[1] == _BUILT_IN:
                continue
            try:
                places.append(named(*asked))
            except FhirpkgError:
                continue
        for place in places:
            for statement in place.statements.get(name, ()):
                yield statement, place


@functools.lru_cache(maxsize=10_000)
def _uses_of(statement: Statement) -> _Uses:
    try:
        return _uses(statement.tree)
    except FhirpkgError:
        return _Uses(frozenset(), frozenset())


def _uses(tree: Node) -> _Uses:
    types: set[str] = set()
    names: set[tuple[str, str, bool]] = set()
    for node in nodes(tree):
        kind = node.get("type")
        if kind == "Retrieve":
            types.add(node["dataType"].rpartition("}")[2])
        elif kind in {"ExpressionRef", "FunctionRef"}:
            names.add((node.get("libraryName", ""), node["name"], bool(node.get("fluent"))))
    return _Uses(frozenset(types), frozenset(names))
