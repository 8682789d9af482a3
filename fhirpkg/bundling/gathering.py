"""Resources out of files: JSON, XML, NDJSON and Bundles, each with the place it was found at.

Nothing is judged here but what cannot be read. Files that hold no FHIR resource are skipped
and named in the notes; a file that says `resourceType` and cannot be read is an error.
"""

from __future__ import annotations

import fnmatch
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from fhirpkg import fhirjson, fhirxml
from fhirpkg.bundling.checking import Found
from fhirpkg.definitions.definitions import Definitions
from fhirpkg.errors import SourceError
from fhirpkg.untrusted import objects, text_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from fhirpkg.issues import Resource

SUFFIXES = (".json", ".xml", ".ndjson", ".jsonl")
_PASSED_OVER = {"node_modules", "__pycache__", "input-cache", "template", "temp", "txcache"}
"""Folders in which tools keep what is not content."""
_OF_TOOLS = {"package.json", "package-lock.json"}
_CARRIERS = frozenset({"transaction", "batch", "searchset", "history"})
"""Bundles that only carry resources; the others are resources of their own when in a folder."""
_EVERY = _CARRIERS | {"collection", "document", "message", "transaction-response", "batch-response"}
_METHODS = {"PUT", "POST", "GET"}
"""Of a history, an entry's method is what made the version; DELETE and PATCH bring no content."""
_COMMENT = re.compile(rb"<!--.*?-->", re.DOTALL)
_ROOT = re.compile(rb"<[A-Za-z][^>]*>")
_FHIR = re.compile(rb"[\"']http://hl7\.org/fhir[\"']")
_SHOWN = 5


@dataclass
class Gathering:
    """The files read so far: `passed_over` held no resource, `unpacked` were Bundles."""

    exclude: tuple[str, ...] = ()
    """Patterns of files and folders below a folder that are not read."""
    passed_over: list[str] = field(default_factory=list)
    unpacked: list[str] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)
    """Bundle entries that are not content, each with the reason."""

    def notes(self) -> Iterator[str]:
        """What the reader should know, one line a kind."""
        if self.unpacked:
            yield f"unpacked the Bundle{'s' * (len(self.unpacked) > 1)} {few(self.unpacked)}"
        if self.passed_over:
            count = len(self.passed_over)
            files = f"{count} file{'s' * (count > 1)}"
            yield f"skipped {files} without a FHIR resource: {few(self.passed_over)}"
        yield from self.left_out

    def folder(self, folder: Path, project: Path | None = None) -> Iterator[Found]:
        """The resources of every file below a folder, in a stable order.

        Patterns leave out files by their path from the folder, and from the project it is part of;
        a project's Bundles are resources of their own, as the tools that publish it take them.
        """
        for path in _files(folder):
            places = [path.relative_to(root) for root in {folder, project or folder}]
            names = [one.as_posix() for here in places for one in (here, *here.parents[:-1])]
            if not any(fnmatch.filter(names, pattern.rstrip("/")) for pattern in self.exclude):
                yield from self._file(path, frozenset() if project else _CARRIERS)

    def file(self, path: Path) -> Iterator[Found]:
        """The resources of one file that was named; those in a Bundle of any type.

        Raises SourceError for a file that cannot be read or holds none.
        """
        yield from self._file(path, _EVERY, named=True)

    def _file(self, path: Path, unpack: frozenset[str], *, named: bool = False) -> Iterator[Found]:
        try:
            data = path.read_bytes()
        except OSError as error:
            raise SourceError(str(path), f"it cannot be read ({error.strerror})") from error
        if path.suffix in {".ndjson", ".jsonl"}:
            for number, line in enumerate(data.split(b"\n"), 1):
                if line.strip():
                    yield from self.text(line, f"{path}:{number}", named=True)
        else:
            yield from self.text(data, str(path), named=named, unpack=unpack)

    def text(
        self, data: bytes, name: str, *, named: bool = False, unpack: frozenset[str] = frozenset()
    ) -> Iterator[Found]:
        """The resources of a text that is at `name`; Bundles of the types in `unpack` open."""
        resource = _resource(data, name)
        if resource is None:
            if named:
                raise SourceError(name, "it holds no FHIR resource")
            self.passed_over.append(name)
        elif _carries(resource, name, unpack):
            self.unpacked.append(name)
            yield from self._entries(resource, name)
        else:
            yield Found(name, resource)

    def _entries(self, bundle: Resource, name: str) -> Iterator[Found]:
        """The resources of a Bundle, their links by `fullUrl` as relative references."""
        links: dict[str, str] = {}
        taken: list[Found] = []
        for number, entry in enumerate(objects(bundle, "entry")):
            place = f"{name}:entry[{number}]"
            resource = entry.get("resource")
            method = text_of(entry.get("request"), "method") or "PUT"
            if method not in _METHODS:
                self.left_out.append(f"{place}: left out: a {method} request carries no content")
            elif isinstance(resource, dict) and isinstance(resource.get("resourceType"), str):
                _named_by_full_url(resource, text_of(entry, "fullUrl"), links)
                taken.append(Found(place, resource))
            else:
                self.left_out.append(f"{place}: left out: it has no resource")
        for found in taken:
            yield Found(found.file, _linked(found.resource, links))


def _carries(resource: Resource, name: str, unpack: frozenset[str]) -> bool:
    """Whether a resource is a Bundle to be opened, not an example in a file of its own name."""
    if resource["resourceType"] != "Bundle" or str(resource.get("type")) not in unpack:
        return False
    return unpack is _EVERY or f"Bundle-{resource.get('id')}" != Path(name).stem


def _named_by_full_url(resource: Resource, full_url: str, links: dict[str, str]) -> None:
    """Note what a full url stands for; a resource without id takes the one in a urn:uuid."""
    if not full_url:
        return
    if "id" not in resource and full_url.startswith("urn:uuid:"):
        resource["id"] = full_url.removeprefix("urn:uuid:")
    if isinstance(resource.get("id"), str):
        links[full_url] = f"{resource['resourceType']}/{resource['id']}"


def _linked(value: object, links: dict[str, str]) -> Resource:
    """The resource with references by full url made relative."""
    waiting = [value]
    while waiting:
        each = waiting.pop()
        if isinstance(each, dict):
            reference = each.get("reference")
            if isinstance(reference, str) and reference in links:
                each["reference"] = links[reference]
            waiting += each.values()
        elif isinstance(each, list):
            waiting += each
    assert isinstance(value, dict), "an entry's resource is an object"
    return value


def _resource(data: bytes, name: str) -> Resource | None:
    """The resource in a text, None when there is none; SourceError for one that is broken."""
    start = data.lstrip(b"\xef\xbb\xbf \t\r\n")[:1]
    if start == b"<":
        root = _ROOT.search(_COMMENT.sub(b"", data))
        if root is None or not _FHIR.search(root[0]):
            return None
        found, issues, _ = fhirxml.read(data, Definitions.core().types)
        broken = found is None
    else:
        found, issues = fhirjson.read(data)
        wrong = not isinstance(found, dict) or any(issue.severity.is_error for issue in issues)
        broken = b'"resourceType"' in data and wrong
    if broken:
        problem = issues[0].text if issues else "it is not an object"
        raise SourceError(name, f"it cannot be read ({problem})", "run 'fhirpkg validate' on it")
    is_resource = isinstance(found, dict) and isinstance(found.get("resourceType"), str)
    return found if is_resource else None


def _files(folder: Path) -> Iterator[Path]:
    try:
        members = sorted(folder.iterdir())
    except OSError as error:
        raise SourceError(str(folder), f"it cannot be read ({error.strerror})") from error
    for path in members:
        if path.name.startswith(".") or path.is_symlink():
            continue
        if path.is_dir():
            if path.name not in _PASSED_OVER:
                yield from _files(path)
        elif path.is_file() and path.suffix in SUFFIXES and path.name not in _OF_TOOLS:
            yield path


def few(names: Iterable[str]) -> str:
    """The first few names and how many more there are."""
    listed = list(names)
    more = f" and {len(listed) - _SHOWN} more" if len(listed) > _SHOWN else ""
    return ", ".join(listed[:_SHOWN]) + more
