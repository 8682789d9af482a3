"""One compact file of definitions: written once by the compiler, read lazily by `Definitions`.

A header line (JSON), an index with a line a resource, a table with a line a type, preset
dictionaries, then each resource compressed alone with its type's dictionary. The file is mapped,
not read: finding one definition reads the index of its type, and unpacks that definition only.
"""

from __future__ import annotations

import json
import mmap
import zlib
from dataclasses import dataclass
from decimal import Decimal
from itertools import groupby
from typing import TYPE_CHECKING

from fhirpkg import fhirjson
from fhirpkg.errors import DefinitionError
from fhirpkg.untrusted import text_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from fhirpkg.issues import Resource

_FORMAT = 1
_WINDOW = 32 * 1024
"""What a preset dictionary of zlib can hold."""
_SAMPLES = 16


@dataclass(frozen=True, slots=True)
class Entry:
    """What identifies a definition, known without reading it.

    `bases` are a StructureDefinition's baseDefinition, or the types a SearchParameter is for;
    `package` is the name#version it came with, empty for a resource given alone. `supplements` is
    the code system that a supplement is for; of the core's only one, an example, it is left out.
    """

    resource_type: str
    url: str
    version: str
    id: str
    name: str
    kind: str
    type: str
    derivation: str
    bases: tuple[str, ...]
    package: str = ""
    position: tuple[int, int] = (0, 0)
    supplements: str = ""


def entry_of(resource: Resource, package: str = "") -> Entry:
    """The entry of a resource that was read."""
    base = resource.get("base") or resource.get("baseDefinition")
    bases = base if isinstance(base, list) else [base]
    return Entry(
        resource_type=text_of(resource, "resourceType"),
        url=text_of(resource, "url"),
        version=text_of(resource, "version"),
        id=text_of(resource, "id"),
        name=text_of(resource, "name"),
        kind=text_of(resource, "kind"),
        type=text_of(resource, "type"),
        derivation=text_of(resource, "derivation"),
        bases=tuple(b for b in bases if isinstance(b, str)),
        package=package,
        supplements=text_of(resource, "supplements"),
    )


class DataFile:
    """A data file, open for reading."""

    def __init__(self, path: Path) -> None:
        with path.open("rb") as stream:
            header = json.loads(stream.readline())
            self._start = stream.tell()
            self._map = mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ)
        if header["format"] != _FORMAT:
            raise DefinitionError(str(path), "the file has a format that this version cannot read")
        self.package: str = header["package"]
        self._index: dict[str, tuple[int, int]] = header["index"]
        self._dictionaries: dict[str, tuple[int, int]] = header["dictionaries"]
        self._types: tuple[int, int] = header["types"]
        self._lines: dict[int, dict[str, str]] = {}
        self._loaded: dict[tuple[int, int], Resource] = {}

    @property
    def resource_types(self) -> Sequence[str]:
        """The types of which the file holds resources."""
        return list(self._index)

    def entries(self, resource_type: str) -> Iterator[Entry]:
        """The entries of one type, by url."""
        if resource_type in self._index:
            for line in self._by_key(self._index[resource_type]).values():
                yield self._entry(resource_type, line)

    def find(self, url: str, resource_type: str) -> Entry | None:
        """The entry of a url among the resources of one type."""
        if resource_type not in self._index:
            return None
        line = self._by_key(self._index[resource_type]).get(url)
        return self._entry(resource_type, line) if line else None

    def load(self, entry: Entry) -> Resource:
        """The resource of an entry, the same object each time."""
        resource = self._loaded.get(entry.position)
        if resource is None:
            dictionary = self._bytes(self._dictionaries[entry.resource_type])
            packed = self._bytes(entry.position)
            text = zlib.decompressobj(zdict=dictionary).decompress(packed)
            resource = self._loaded[entry.position] = json.loads(text, parse_float=Decimal)
        return resource

    def type_line(self, name: str) -> str | None:
        """The line of a type in the table of types."""
        return self._by_key(self._types).get(name)

    def type_lines(self) -> list[str]:
        """The whole table of types."""
        return list(self._by_key(self._types).values())

    def _bytes(self, place: tuple[int, int]) -> bytes:
        offset, length = place
        return self._map[self._start + offset : self._start + offset + length]

    def _by_key(self, section: tuple[int, int]) -> dict[str, str]:
        """The lines of a section by what they begin with; a section begins with a newline."""
        offset = section[0]
        if offset not in self._lines:
            lines = self._bytes(section).decode().split("\n")[1:-1]
            self._lines[offset] = {line.partition("\t")[0]: line for line in lines}
        return self._lines[offset]

    def _entry(self, resource_type: str, line: str) -> Entry:
        url, version, id_, name, kind, type_, derivation, bases, offset, length = line.split("\t")
        return Entry(
            resource_type, url, version, id_, name, kind, type_, derivation,
            tuple(bases.split()), self.package, (int(offset), int(length)),
        )  # fmt: skip


def pack(package: str, resources: Iterable[Resource], type_lines: Iterable[str]) -> bytes:
    """The bytes of a data file; resources of one type are together, by url."""
    sections = _Sections()
    indexes: dict[str, bytes] = {}
    dictionaries: dict[str, tuple[int, int]] = {}
    ordered = sorted(resources, key=lambda r: (r["resourceType"], r["url"]))
    for resource_type, group in groupby(ordered, key=lambda r: str(r["resourceType"])):
        members = list(group)
        texts = [fhirjson.dump(r).encode() for r in members]
        dictionary = _dictionary(texts)
        dictionaries[resource_type] = sections.add(dictionary)
        places = [sections.add(_compress(text, dictionary)) for text in texts]
        lines = map(_index_line, map(entry_of, members), places)
        indexes[resource_type] = b"\n" + "".join(lines).encode()
    header = {
        "format": _FORMAT,
        "package": package,
        "index": {name: sections.add(lines) for name, lines in indexes.items()},
        "types": sections.add(("\n" + "\n".join(type_lines) + "\n").encode()),
        "dictionaries": dictionaries,
    }
    return json.dumps(header).encode() + b"\n" + bytes(sections.data)


class _Sections:
    """Bytes that grow, each piece known by its offset and length."""

    def __init__(self) -> None:
        self.data = bytearray()

    def add(self, piece: bytes) -> tuple[int, int]:
        """Where a piece stands now: its offset and length."""
        self.data += piece
        return len(self.data) - len(piece), len(piece)


def _dictionary(texts: list[bytes]) -> bytes:
    """The starts of texts spread over all of them: what resources of one type have in common."""
    chosen = texts[:: max(1, len(texts) // _SAMPLES)]
    return b"".join(text[: _WINDOW // len(chosen)] for text in chosen)


def _compress(text: bytes, dictionary: bytes) -> bytes:
    packer = zlib.compressobj(9, zdict=dictionary)
    return packer.compress(text) + packer.flush()


def _index_line(entry: Entry, place: tuple[int, int]) -> str:
    words = (entry.url, entry.version, entry.id, entry.name, entry.kind, entry.type)
    rest = (entry.derivation, " ".join(entry.bases), str(place[0]), str(place[1]))
    return "\t".join(" ".join(word.split()) for word in (*words, *rest)) + "\n"
