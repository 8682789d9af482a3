"""What lines that are checked apart from each other need to know of each other.

Lines of NDJSON may lie on many machines. The index holds the names of all resources, eight bytes
each, and whole only those that others are checked by, such as profiles and questionnaires.
"""

from __future__ import annotations

import zlib
from array import array
from bisect import bisect_left
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import TYPE_CHECKING

from fhirpkg.corpus.inputs import Input
from fhirpkg.corpus.targets import DEFINITIONS, Guide, Targets, identify

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from fhirpkg.definitions.typemodel import TypesOfDefinitions


@dataclass(slots=True)
class Index:
    """The resources of many lines, for references from one line to another; made by `index_of`."""

    names: array[int] = field(default_factory=lambda: array("Q"))
    """Digests of ``Type/id``, urls and ``url|version``, sorted."""
    kept: dict[str, bytes] = field(default_factory=dict)
    """The resources that are kept whole, compressed, by their first name."""
    guides: set[Guide] = field(default_factory=set)
    """The guides that own a canonical base."""
    defines: dict[str, str] = field(default_factory=dict)
    """Canonicals, with versions, of what may be used to check others, to their first names."""

    def knows(self, reference: str) -> bool:
        """Whether a reference leads to one of the resources."""
        wanted = _digest(reference.partition("#")[0].partition("/_history/")[0])
        at = bisect_left(self.names, wanted)
        return at < len(self.names) and self.names[at] == wanted

    def merged(self, others: Iterable[Index]) -> Index:
        """This index and others as one; of two resources with one name the first counts."""
        every = [self, *others]
        found = Index(array("Q", sorted({name for each in every for name in each.names})))
        for each in every:
            found.guides |= each.guides
            found.kept |= {n: t for n, t in each.kept.items() if n not in found.kept}
            found.defines |= {c: n for c, n in each.defines.items() if c not in found.defines}
        return found

    def targets(self, types: TypesOfDefinitions) -> Targets:
        """What is kept whole, as the validator looks for it."""
        inputs = {name: Input(name, None, zlib.decompress(t)) for name, t in self.kept.items()}
        targets = Targets(types)
        for given in inputs.values():
            targets.add(given, identify(given, types))
        targets.guides = {guide for guide in self.guides if guide.is_whole(self.knows)}
        targets.definitions = {url: inputs[name] for url, name in self.defines.items()}
        targets.entries = {url: targets.entries[url] for url in self.defines}
        return targets


def indexed(
    lines: Iterable[bytes], types: TypesOfDefinitions, keeping: Collection[str] = ()
) -> Index:
    """The index of lines of NDJSON; `keeping` are types that are kept whole besides definitions."""
    found = Index()
    names: set[int] = set()
    whole = DEFINITIONS | frozenset(keeping)
    for line in lines:
        identity = identify(Input("", None, line), types)
        every = (*identity.names, *identity.inner)
        names.update(map(_digest, every))
        found.guides.update(identity.guides)
        if identity.defines or any(name.partition("/")[0] in whole for name in every):
            found.kept.setdefault(every[0], zlib.compress(line, 1))
        for canonical, _ in identity.defines:
            found.defines.setdefault(canonical, every[0])
    found.names = array("Q", sorted(names))
    return found


def _digest(name: str) -> int:
    return int.from_bytes(blake2b(name.encode(), digest_size=8).digest(), "big")
