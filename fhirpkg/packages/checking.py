"""Whether a package says what readers rely on; its resources are checked one by one elsewhere."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from fhirpkg import fhirjson
from fhirpkg.packages.packing import index
from fhirpkg.packages.rules import (
    PACKAGE_FHIR_VERSION,
    PACKAGE_INDEX,
    PACKAGE_NAME,
    PACKAGE_NO_RESOURCE,
    PACKAGE_OTHER_VERSION,
    PACKAGE_PROPERTY_MISSING,
    PACKAGE_SAME_CANONICAL,
    PACKAGE_VERSION,
)
from fhirpkg.releases import R4
from fhirpkg.rules import issue

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fhirpkg.issues import Issue
    from fhirpkg.packages.package import Package
    from fhirpkg.releases import Release

_NAME = re.compile(r"[a-z][a-z0-9-]*(\.[a-z0-9][a-z0-9-]*)+")
_VERSION = re.compile(r"\d+\.\d+\.\d+(-[0-9A-Za-z.-]+)?(\+[0-9A-Za-z.-]+)?")
_EXPECTED = ("author", "dependencies", "description")


def check_package(package: Package, inside: str, release: Release = R4) -> Iterator[Issue]:
    """What is wrong with package.json, .index.json and the set of files.

    `inside` is what comes before the names of its files, such as ``a.tgz:package/``.
    """
    yield from _check_manifest(package, f"{inside}package.json", release)
    yield from _check_index(package, f"{inside}.index.json")
    yield from _check_files(package, inside)


def _check_manifest(package: Package, file: str, release: Release) -> Iterator[Issue]:
    manifest = package.manifest
    if not _NAME.fullmatch(manifest.id.name):
        yield issue(PACKAGE_NAME, file=file, name=manifest.id.name)
    if not _VERSION.fullmatch(manifest.id.version or ""):
        yield issue(PACKAGE_VERSION, file=file, version=manifest.id.version or "")
    for name in _EXPECTED:
        if name not in manifest.data:
            yield issue(PACKAGE_PROPERTY_MISSING, file=file, name=name)
    if not manifest.may_be_of(release):
        versions = ", ".join(manifest.fhir_versions) or "another version"
        yield issue(PACKAGE_OTHER_VERSION, file=file, versions=versions, release=release)
    elif not manifest.fhir_versions and release.package not in manifest.dependencies:
        yield issue(PACKAGE_FHIR_VERSION, file=file, release=release)


def _check_index(package: Package, file: str) -> Iterator[Issue]:
    """Compare the index, if there is one, with what the files say."""
    text = package.files.get(".index.json")
    if text is None:
        return
    written, _ = fhirjson.read(text)
    listed = _by_file(written)
    actual = _by_file(index(package.files))
    for name in sorted(listed.keys() | actual.keys()):
        if name not in actual:
            problem = f"it lists {name}, which is not a resource of the package"
        elif name not in listed:
            problem = f"it does not list {name}"
        else:
            wrong = [k for k, v in actual[name].items() if listed[name].get(k, v) != v]
            if not wrong:
                continue
            problem = f"its {' and '.join(wrong)} of {name} differs from the file's"
        yield issue(PACKAGE_INDEX, file=file, problem=problem)


def _by_file(content: Any) -> dict[str, Any]:
    files = content.get("files") if isinstance(content, dict) else None
    entries = files if isinstance(files, list) else []
    return {e["filename"]: e for e in entries if isinstance(e, dict) and "filename" in e}


def _check_files(package: Package, inside: str) -> Iterator[Issue]:
    resources = dict(package.resources())
    for name in sorted(package.files):
        is_json = name.endswith(".json") and "/" not in name
        if is_json and name not in {"package.json", ".index.json", *resources}:
            yield issue(PACKAGE_NO_RESOURCE, file=inside + name)
    seen: dict[tuple[str, Any, Any], str] = {}
    for name, resource in resources.items():
        if isinstance(resource.get("url"), str):
            identity = resource["resourceType"], resource["url"], str(resource.get("version"))
            other = seen.setdefault(identity, name)
            if other != name:
                canonical = resource["url"]
                place = inside + name
                yield issue(PACKAGE_SAME_CANONICAL, file=place, canonical=canonical, other=other)
