"""The definitions of FHIR's releases: R4's come with this program, others from the package cache.

A core of another release is compiled when it is first used, and kept beside the packages.
"""

from __future__ import annotations

import contextlib
import functools
import os
from pathlib import Path
from typing import TYPE_CHECKING

from fhirpkg.definitions.datafile import DataFile
from fhirpkg.definitions.definitions import Definitions
from fhirpkg.errors import DefinitionError, PackageError
from fhirpkg.releases import R4

if TYPE_CHECKING:
    from fhirpkg.canonical import PackageId
    from fhirpkg.packages.cache import PackageCache
    from fhirpkg.releases import Release

_COMPILED = ".fhirpkg"
"""The folder of the package cache that holds no packages."""
_EDITION = 2
"""Counts the changes to what is compiled; what an older edition made is not read."""


@functools.cache
def definitions_of(release: Release) -> Definitions:
    """The definitions of a release; one object in a process.

    Raises PackageError when its package is not in the cache, or damaged.
    """
    if release == R4:
        return Definitions.core()
    from fhirpkg.canonical import PackageId  # noqa: PLC0415 - R4 needs no package
    from fhirpkg.packages.cache import PackageCache  # noqa: PLC0415 - as above

    cache = PackageCache()
    id_ = PackageId(release.package, release.version)
    if cache.find(id_) is None:
        problem = f"the definitions of {release} are not in the package cache {cache.folder}"
        raise PackageError(str(id_), problem, f"fetch them once, online: fhirpkg install {id_}")
    compiled = cache.folder / _COMPILED / f"{id_}.{_EDITION}.bin"
    with contextlib.suppress(OSError, ValueError, KeyError, DefinitionError):
        return Definitions(DataFile(compiled))
    return Definitions(_compile(id_, cache, compiled))


def _compile(id_: PackageId, cache: PackageCache, target: Path) -> DataFile:
    """Compile a core and keep it; where the cache cannot be written to, for this process only."""
    from fhirpkg.definitions.compiler import compile_package  # noqa: PLC0415 - seldom needed

    package = cache.read(id_)
    assert package is not None, "it was found in the cache"
    try:
        data = compile_package(package)
    except (KeyError, TypeError, AttributeError, IndexError) as error:
        raise PackageError(
            str(id_), f"it is damaged: {error!r}", "delete and reinstall it"
        ) from error
    try:
        target.parent.mkdir(exist_ok=True)
        return DataFile(_written(data, target))
    except OSError:
        import tempfile  # noqa: PLC0415 - seldom needed

        with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
            return DataFile(_written(data, Path(folder) / target.name))


def _written(data: bytes, target: Path) -> Path:
    """Write a file whole or not at all: another process may read it meanwhile."""
    import tempfile  # noqa: PLC0415 - seldom needed

    handle, name = tempfile.mkstemp(dir=target.parent, prefix=".new-")
    with os.fdopen(handle, "wb") as stream:
        stream.write(data)
    Path(name).chmod(0o644)
    return Path(name).replace(target)
