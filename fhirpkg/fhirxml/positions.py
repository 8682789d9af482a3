"""Places in XML text: lines and columns, found by a second, quick pass."""

from __future__ import annotations

from typing import TYPE_CHECKING
from xml.parsers import expat

if TYPE_CHECKING:
    from collections.abc import Iterable

    from fhirpkg.issues import Json, Path


def locate(data: bytes, paths: Iterable[Path]) -> dict[Path, tuple[int, int]]:
    """Line and column, from 1, of the element of each path; of its nearest ancestor if absent.

    `data` is XML that could be read. Paths are those of the Resource that was read from it.
    """
    wanted: dict[Json, Json] = {}
    paths = list(paths)
    for path in paths:
        node = wanted
        for step in path:
            step = step.removeprefix("_") if isinstance(step, str) else step  # noqa: PLW2901
            node = node.setdefault(step, {})
    found = _Search(wanted).run(data)
    return {path: _nearest(path, found) for path in paths}


def starts(data: bytes) -> list[tuple[int, int]]:
    """Line and column of every start tag in document order."""
    found: list[tuple[int, int]] = []
    parser = _parser()

    def start(_: str, __: dict[str, str]) -> None:
        found.append(_place(parser))

    parser.StartElementHandler = start
    _parse(parser, data)
    return found


class _Search:
    """Walks the text with the tree of wanted paths beside it.

    A wanted node is keyed by element name, and below that by number if the element repeats.
    Elements that hold a resource have it directly inside in JSON, so its tag is not a step.
    """

    def __init__(self, wanted: dict[Json, Json]) -> None:
        self._parser = _parser()
        self._parser.StartElementHandler = self._start
        self._parser.EndElementHandler = self._end
        self._stack: list[tuple[dict[Json, Json], Path, dict[str, int]]] = []
        self._root = wanted
        self.found: dict[Path, tuple[int, int]] = {}

    def run(self, data: bytes) -> dict[Path, tuple[int, int]]:
        """The line and column of each path that was searched for."""
        _parse(self._parser, data)
        return self.found

    def _start(self, tag: str, _: dict[str, str]) -> None:
        name = tag.rpartition(" ")[2]
        if not self._stack:
            self.found[()] = _place(self._parser)
            self._stack.append((self._root, (), {}))
            return
        node, path, counts = self._stack[-1]
        if name[:1].isupper():
            self._stack.append((node, path, {}))
            return
        number = counts[name] = counts.get(name, -1) + 1
        inner = node.get(name, {})
        path = (*path, name)
        if name in node:
            self.found.setdefault(path, _place(self._parser))
        if number in inner:
            inner, path = inner[number], (*path, number)
            self.found.setdefault(path, _place(self._parser))
        self._stack.append((inner, path, {}))

    def _end(self, _: str) -> None:
        self._stack.pop()


def _nearest(path: Path, found: dict[Path, tuple[int, int]]) -> tuple[int, int]:
    plain = tuple(s.removeprefix("_") if isinstance(s, str) else s for s in path)
    return next((found[plain[:n]] for n in range(len(plain), -1, -1) if plain[:n] in found), (1, 1))


def _parser() -> expat.XMLParserType:
    return expat.ParserCreate("utf-8", " ")


def _place(parser: expat.XMLParserType) -> tuple[int, int]:
    return parser.CurrentLineNumber, parser.CurrentColumnNumber + 1


def _parse(parser: expat.XMLParserType, data: bytes) -> None:
    """Parse as far as possible: the reader has already reported the errors."""
    try:
        parser.Parse(data, True)
    except expat.ExpatError:
        return
