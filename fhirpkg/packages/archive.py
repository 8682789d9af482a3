"""The .tgz of a package, unpacked in memory within limits."""

from __future__ import annotations

import gzip
import io
import itertools
import re
import tarfile
import zlib
from typing import BinaryIO

from fhirpkg.errors import PackageError

MAX_MEMBERS = 100_000
MAX_BYTES = 512 * 1024 * 1024
"""What an archive may hold when unpacked; the largest official package has 185 MB."""

_MAX_HEADER = 1024 * 1024
_ROOT = "package/"
_MAX_PART = 255
"""Bytes that file systems take as the name of a file or folder."""
_NO_TEXT = re.compile(r"[\0-\x1f\x7f\ud800-\udfff]")
"""Control characters, and what stands for bytes that are not UTF-8."""


def unpack(stream: BinaryIO, source: str) -> dict[str, bytes]:
    """The files under `package/` by their name there; the archive is read once, front to back.

    Raises PackageError, with `source` as the name of the archive, for what is damaged or hostile.
    """
    files: dict[str, bytes] = {}
    total = 0
    try:
        with (
            gzip.GzipFile(fileobj=stream) as unpacked,
            _Limited(unpacked, source) as limited,
            tarfile.open(fileobj=limited, mode="r|") as archive,
        ):
            for count, member in enumerate(archive):
                total += member.size
                if count >= MAX_MEMBERS or total > MAX_BYTES:
                    limits = f"{MAX_MEMBERS} files or {MAX_BYTES >> 20} MB"
                    raise PackageError(source, f"it unpacks to more than {limits}")
                limited.allow(member.size)
                name = _member_name(member, source)
                if name in files:
                    raise PackageError(source, f"it holds {name} twice")
                content = archive.extractfile(member) if name else None
                if content is not None:
                    files[name] = content.read()
    except (OSError, EOFError, tarfile.TarError, zlib.error) as error:
        raise PackageError(source, f"it is not a readable .tgz archive ({error})") from error
    for name in files:
        parents = itertools.accumulate(name.split("/")[:-1], "{}/{}".format)
        inner = next((parent for parent in parents if parent in files), "")
        if inner:
            raise PackageError(source, f"it holds {inner} as a file and as a folder")
    return files


class _Limited(io.RawIOBase):
    """A stream that gives a member's header, then what the header says, and no more.

    A header may be continued without end (pax), which tarfile would gather in memory.
    """

    def __init__(self, stream: gzip.GzipFile, source: str) -> None:
        super().__init__()
        self._stream = stream
        self._source = source
        self.allow(0)

    def allow(self, size: int) -> None:
        """Let so many bytes of a member and one more header through."""
        self._left = size + _MAX_HEADER

    def read(self, size: int = -1) -> bytes:
        """The next bytes; PackageError past what was allowed."""
        self._left -= size
        if self._left < 0:
            raise PackageError(
                self._source, f"one of its headers is larger than {_MAX_HEADER >> 20} MB"
            )
        return self._stream.read(size)


def _member_name(member: tarfile.TarInfo, source: str) -> str:
    """The name inside `package/`, or nothing for folders and what lies beside `package/`."""
    name = member.name.removeprefix("./")
    parts = name.split("/")
    if name.startswith("/") or ".." in parts or "\\" in name:
        raise PackageError(source, f"its member {member.name!r} points outside the archive")
    if _NO_TEXT.search(name):
        raise PackageError(source, f"the name of its member {member.name!r} is not text")
    if any(len(part.encode()) > _MAX_PART for part in parts):
        raise PackageError(source, f"the name of its member {member.name[:80]!r}… is too long")
    if member.isdir():
        return ""
    if not member.isreg():
        raise PackageError(source, f"its member {member.name!r} is a link or a device")
    return name.removeprefix(_ROOT) if name.startswith(_ROOT) else ""
