"""What a statement of a library depends on, as a key: its text and that of all that it names.

Two statements of one key become the same tree, in whatever libraries they are; a mistake in one
is a mistake in the other. Of a function only the head counts: no type is inferred from its body.
"""

from __future__ import annotations

import functools
import re
from typing import TYPE_CHECKING

from fhirpkg.cql.reading.lexer import name_in

if TYPE_CHECKING:
    from collections.abc import Hashable, Mapping

    from fhirpkg.cql.evaluating.library import Library
    from fhirpkg.cql.reading.library import Stretch

_NAME = re.compile(
    r"//[^\n]*|/\*.*?\*/|'(?:\\.|[^'\\])*'"
    r"|(\"(?:\\.|[^\"\\])*\"|`(?:\\.|[^`\\])*`|[A-Za-z_$][\w$]*)",
    re.DOTALL,
)
"""A comment or string, which names nothing, or a name."""
_TABLES = ("parameters", "code_systems", "value_sets", "codes", "concepts", "includes", "models")


def keys_of(library: Library, stretches: list[Stretch]) -> list[Hashable]:
    """The key of each statement of a library of which the header has been read."""
    texts: dict[str, list[tuple[str, str]]] = {}
    names = [stretch.name for stretch in stretches]
    if not all(names):
        return [object() for _ in names]  # nothing is known of them
    for name, stretch in zip(names, stretches, strict=True):
        texts.setdefault(name, []).append((stretch.seen, stretch.context))
    kinds: dict[str, list[str]] = {}
    for kind in _TABLES:
        for name in getattr(library, kind):
            kinds.setdefault(name, []).append(kind)
    declared = texts.keys() | kinds.keys()
    uses = {name: _named(found) & declared for name, found in texts.items()}
    whole = {name: tuple(found) for name, found in texts.items()}
    header = (*library.models.items(), *library.includes.items())
    keys: list[Hashable] = []
    for name, stretch in zip(names, stretches, strict=True):
        reached = _reached({name} | (_names_in(stretch.text) & declared), uses)
        others = frozenset(map(whole.get, reached))
        kept = frozenset((each, *kinds[each]) for each in kinds.keys() & reached)
        keys.append((stretch.text, stretch.context, others, kept, header))
    return keys


def _named(texts: list[tuple[str, str]]) -> frozenset[str]:
    return frozenset().union(*(_names_in(text) for text, _ in texts))


@functools.lru_cache(maxsize=5000)
def _names_in(text: str) -> frozenset[str]:
    return frozenset(name_in(name) for name in _NAME.findall(text) if name)


def _reached(names: set[str], uses: Mapping[str, frozenset[str]]) -> set[str]:
    """The names that these lead to, themselves included."""
    reached = names
    waiting = [*names]
    while waiting:
        new = uses.get(waiting.pop(), frozenset()) - reached
        reached |= new
        waiting += new
    return reached
