"""FHIR NPM packages written: a .tgz that depends on nothing but what goes in, its index and digest.

The format: https://hl7.org/fhir/packages.html.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import os
import tarfile
from typing import TYPE_CHECKING, Any, Protocol

from fhirpkg import fhirjson
from fhirpkg.canonical import PackageId
from fhirpkg.errors import ConfigError, PackageError
from fhirpkg.packages.archive import MAX_BYTES, MAX_MEMBERS
from fhirpkg.packages.package import Manifest, Package

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from fhirpkg.issues import Resource

_ROOT = "package/"
_EPOCH = 315532800  # 1980-01-01, the first time that every archive format can hold
_INDEXED = ("resourceType", "id", "url", "version", "kind", "type", "supplements", "content")


def write_package(manifest: Mapping[str, Any], files: Mapping[str, bytes]) -> bytes:
    """The bytes of a .tgz that depend on nothing but what goes in.

    `files` are named from inside `package/`; package.json and .index.json are made here. Member
    times are SOURCE_DATE_EPOCH, or a fixed one when it is not set.
    """
    packed = io.BytesIO()
    pack(packed, manifest, files)
    return packed.getvalue()


class SupportsWrite(Protocol):
    """A stream to write bytes to."""

    def write(self, data: bytes, /) -> int:
        """Write bytes; how many."""

    def flush(self) -> object:
        """Hand on what was written."""


def pack(
    stream: SupportsWrite,
    manifest: Mapping[str, Any],
    files: Mapping[str, bytes],
    listed: Resource | None = None,
) -> str:
    """Write a .tgz as :func:`write_package` makes it, file by file; the SHA-256 of its tar.

    `listed` is :func:`index` of the files, where that is known without reading them. Raises
    PackageError when it would hold more than may be read.
    """
    ours = {"package.json": _json(manifest), ".index.json": _json(listed or index(files))}
    total = 0
    with (
        gzip.GzipFile(
            filename="", mode="wb", fileobj=stream, compresslevel=6, mtime=0
        ) as compressed,
        _Hashed(compressed) as hashed,
        tarfile.open(fileobj=hashed, mode="w", format=tarfile.USTAR_FORMAT) as archive,
    ):
        for count, name in enumerate(sorted({*files, *ours})):
            content = ours.get(name) or files[name]
            total += len(content)
            if count >= MAX_MEMBERS or total > MAX_BYTES:
                limits = f"{MAX_MEMBERS} files or {MAX_BYTES >> 20} MB"
                advice = "make several packages, such as one for each specialty"
                raise PackageError(manifest["name"], f"it would hold more than {limits}", advice)
            member = tarfile.TarInfo(_ROOT + name)
            member.size = len(content)
            member.mtime = _archive_time()
            archive.addfile(member, io.BytesIO(content))
    return hashed.digest


class _Hashed(io.RawIOBase):
    """A stream that goes on to another one and knows the SHA-256 of what went through."""

    def __init__(self, stream: gzip.GzipFile) -> None:
        super().__init__()
        self._stream = stream
        self._hash = hashlib.sha256()

    @property
    def digest(self) -> str:
        """The SHA-256 of what was written so far."""
        return self._hash.hexdigest()

    def tell(self) -> int:
        """How much was written so far, as a tar needs to know."""
        return self._stream.tell()

    def write(self, data: Any) -> int:
        """Write bytes."""
        self._hash.update(data)
        return self._stream.write(data)


def index(files: Mapping[str, bytes]) -> Resource:
    """.index.json, version 2: of each resource in the top folder what identifies it."""
    found = Package(Manifest(PackageId("index")), files).resources()
    return index_of((name, identity(resource)) for name, resource in found)


def index_of(identities: Iterable[tuple[str, Resource]]) -> Resource:
    """The same of the files' names, sorted, and :func:`identity` of each resource."""
    entries = [{"filename": name, **found} for name, found in identities]
    return {"index-version": 2, "files": entries}


def identity(resource: Resource) -> Resource:
    """What identifies a resource, as .index.json has it.

    Only top-level strings are taken: `type` of a PlanDefinition is an object, and tools that take
    its first character for a type lose the resource.
    """
    return {key: resource[key] for key in _INDEXED if isinstance(resource.get(key), str)}


def index_file(files: Mapping[str, bytes]) -> bytes:
    """The bytes of .index.json."""
    return _json(index(files))


def _archive_time() -> int:
    text = os.environ.get("SOURCE_DATE_EPOCH", str(_EPOCH))
    if not text.isdigit():
        raise ConfigError(f"SOURCE_DATE_EPOCH is {text!r}; it must be seconds since 1970")
    return int(text)


def _json(value: Any) -> bytes:
    # Half a surrogate in somebody's resource is not a character; in the index it becomes `?`.
    return fhirjson.dump(value, indent=2).encode(errors="replace") + b"\n"
