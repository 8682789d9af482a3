"""Finds the definition of a canonical or reference in a file, in the workspace or a package."""

from __future__ import annotations

import functools
import json
import re
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from fhirpkg.canonical import Canonical, PackageId, version_matches
from fhirpkg.errors import SourceError
from fhirpkg.packages.cache import PackageCache
from fhirpkg.untrusted import text_of

if TYPE_CHECKING:
    from fhirpkg.corpus.checking import Corpus
    from fhirpkg.definitions.definitions import Definitions
    from fhirpkg.issues import Resource

_WORD = re.compile(r"(?<![^\s\[])[^\s\[\]{},:#'\"-][^\[\]{},:#'\"]*(?=\s*(?:[,\]#]|$))")
"""A text without quotes that YAML has as an item of a list or behind a key."""
_STRING = re.compile(r"\"((?:[^\"\\\n]|\\.)*)\"|'([^'\n]*)'")


class Place(NamedTuple):
    """A file and a line in it, counted from 0."""

    path: Path
    line: int


def name_at(line: str, column: int) -> str:
    """The text in quotes around a column, counted from 0, or nothing."""
    for match in _STRING.finditer(line):
        if match.start() <= column <= match.end():
            return match[1] if match[1] is not None else match[2]
    return ""


def place_of(name: str, file: Path, text: str, corpus: Corpus) -> Place | None:
    """Where a canonical, a reference or ``#id`` in the text of a file leads to, or None."""
    if not name:
        return None
    if name.startswith("#"):
        return Place(file, _line_of(text, name[1:])) if len(name) > 1 else None
    if name.startswith(("urn:uuid:", "urn:oid:")) and _is_named(text, name):
        return Place(file, _line_of(text, name))
    return _in_workspace(name, corpus) or _in_package(name, corpus.validator.definitions)


def authored_place(line: str, column: int, file: Path, text: str) -> Place | None:
    """Where a word of an authored file is explained: an item with that id, or that key.

    Words of ``from``, ``cite``, ``goals`` and ``code`` name facts, evidence, goals and codes; what
    does not occur in the file may be in another file of the folder.
    """
    words = (m[0].strip() for m in _WORD.finditer(line) if m.start() <= column <= m.end())
    word = name_at(line, column) or next(words, "")
    if not word:
        return None
    quoted = rf"['\"]?{re.escape(word)}['\"]?"
    naming = re.compile(
        rf"^[ \t]*(?:- )?(?:id:[ \t]*{quoted}[ \t]*(?:#.*)?$|{quoted}:)", re.MULTILINE
    )
    for path in (file, *sorted(each for each in file.parent.glob("*.yaml") if each != file)):
        content = text if path == file else path.read_text("utf-8", "replace")
        if found := naming.search(content):
            return Place(path, content.count("\n", 0, found.end()))
    return None


def _in_workspace(name: str, corpus: Corpus) -> Place | None:
    wanted = name.partition("#")[0].partition("/_history/")[0]
    given = corpus.targets.by_name.get(wanted) or corpus.targets.by_inner.get(wanted)
    given = given or corpus.targets.definitions.get(wanted)
    if given is None or given.path is None:
        return None
    if given.first_line > 1:
        return Place(given.path, given.first_line - 1)
    try:
        text = given.data().decode("utf-8", "replace")
    except SourceError:
        return None
    url = wanted.partition("|")[0]
    return Place(given.path, _line_of(text, url if ":" in url else url.rpartition("/")[2]))


def _in_package(name: str, definitions: Definitions) -> Place | None:
    """The file of a definition in the package cache, or one made of what this program brings."""
    wanted = Canonical.parse(name.partition("#")[0])
    found = definitions.find(wanted)
    if found is None:
        return None
    kind = text_of(found, "resourceType")
    for entry in definitions.entries(kind):
        if entry.url == wanted.url and version_matches(wanted.version, entry.version or None):
            path = _file_of(entry.package, kind, found)
            return Place(path or _shown(kind, found), 0)
    return None


@functools.cache
def _shelf() -> tempfile.TemporaryDirectory[str]:
    """Where definitions without a file are shown, as long as the server runs."""
    return tempfile.TemporaryDirectory(prefix="fhirpkg-")


def _shown(kind: str, resource: Resource) -> Path:
    path = (
        Path(_shelf().name)
        / f"{kind}-{re.sub(r'[^A-Za-z0-9.-]', '-', text_of(resource, 'id'))}.json"
    )
    path.write_text(json.dumps(resource, indent=2, ensure_ascii=False, default=str), "utf-8")
    return path


def _file_of(package: str, kind: str, resource: Resource) -> Path | None:
    cache = PackageCache()
    id_ = cache.find(PackageId.parse(package)) if package else None
    if id_ is None:
        return None
    folder = cache.folder / str(id_) / "package"
    named = folder / f"{kind}-{text_of(resource, 'id')}.json"
    return named if named.is_file() else _listed(folder, text_of(resource, "url"))


def _listed(folder: Path, url: str) -> Path | None:
    """The file of a url by the index of a package."""
    try:
        files = json.loads((folder / ".index.json").read_text("utf-8"))["files"]
        found = next(each["filename"] for each in files if each.get("url") == url)
    except (OSError, ValueError, KeyError, TypeError, AttributeError, StopIteration):
        return None
    path = folder / str(found)
    return path if path.is_file() else None


def _is_named(text: str, name: str) -> bool:
    return re.search(_naming(name), text) is not None


def _line_of(text: str, name: str) -> int:
    """The line on which a resource says that it has an id, url or fullUrl; else the first."""
    match = re.search(_naming(name), text)
    return text.count("\n", 0, match.start()) if match else 0


def _naming(name: str) -> str:
    """A pattern of how JSON and XML say that."""
    value = re.escape(name)
    in_xml = rf"<(?:id|url|fullUrl)\s+value\s*=\s*[\"']{value}[\"']"
    return rf"\"(?:id|url|fullUrl)\"\s*:\s*\"{value}\"|{in_xml}"
