"""Canonical urls and package ids: values that exist only when they are valid."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Self

_PACKAGE = re.compile(
    r"(?P<name>[A-Za-z0-9][A-Za-z0-9._-]*)(?:#(?P<version>[A-Za-z0-9][\w.+$-]*))?"
)

_BUILD = re.compile(r"current(\$.*)?|dev")
_NEWEST = re.compile(r"latest|(\d+\.)*x(\.x)*")


@dataclass(frozen=True, slots=True)
class Canonical:
    """A reference to a definition: ``url|version#fragment`` (R4 references.html#canonical).

    >>> Canonical.parse("http://example.org/vs|1.0#part")
    Canonical(url='http://example.org/vs', version='1.0', fragment='part')
    >>> str(Canonical("http://example.org/vs", "1.0"))
    'http://example.org/vs|1.0'
    """

    url: str
    version: str | None = None
    fragment: str | None = None

    @classmethod
    def parse(cls, text: str) -> Self:
        """The parts of a canonical; an empty version or fragment counts as none."""
        rest, _, fragment = text.partition("#")
        url, _, version = rest.partition("|")
        return cls(url, version or None, fragment or None)

    def __str__(self) -> str:
        version = f"|{self.version}" if self.version else ""
        fragment = f"#{self.fragment}" if self.fragment else ""
        return f"{self.url}{version}{fragment}"


@dataclass(frozen=True, slots=True)
class PackageId:
    """The name and version of a FHIR package; the version may be a wildcard or missing.

    >>> PackageId.parse("hl7.fhir.r4.core#4.0.1")
    PackageId(name='hl7.fhir.r4.core', version='4.0.1')
    """

    name: str
    version: str | None = None

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read ``name`` or ``name#version`` (``name@version`` is taken too).

        Raises ValueError when the text is neither.
        """
        match = _PACKAGE.fullmatch(text.replace("@", "#", 1))
        if match is None:
            raise ValueError(f"{text!r} is not a package id; write name#version")
        return cls(match["name"], match["version"])

    def __str__(self) -> str:
        return f"{self.name}#{self.version}" if self.version else self.name


def is_moving(version: str) -> bool:
    """Whether a version names no release but whichever is newest, or a build that changes.

    >>> [is_moving(text) for text in ("1.2.x", "current$branch", "dev", "1.2.0-dev", "2.x-ray")]
    [True, True, True, False, False]
    """
    return is_build(version) or _NEWEST.fullmatch(version) is not None


def is_build(version: str) -> bool:
    """Whether a version names a build that changes, which no registry has: `current`, `dev`."""
    return _BUILD.fullmatch(version) is not None


def definition_name(url: str) -> str:
    """The name of a StructureDefinition by its url, under any base; empty for another url.

    A package may carry profiles and extensions of ours under its own base.
    """
    _, sign, name = url.partition("|")[0].rpartition("/StructureDefinition/")
    return name if sign else ""


def version_matches(wanted: str | None, found: str | None) -> bool:
    """Whether a version found satisfies the one wanted.

    A wanted ``1.2`` takes ``1.2.3`` (HL7's partial versions), ``1.2.x`` any patch, None anything.

    >>> version_matches("4.0", "4.0.1"), version_matches("4.0.x", "4.0.2")
    (True, True)
    >>> version_matches("4", "40")
    False
    """
    if wanted is None or wanted == found:
        return True
    if found is None:
        return False
    parts = wanted.removesuffix(".x").split(".")
    return found.split("-")[0].split(".")[: len(parts)] == parts and len(parts) < 3


def version_key(version: str) -> tuple[tuple[int, ...], bool, str]:
    """An order for versions: numbers first, a release after its pre-releases (semver.org 11).

    >>> sorted(["1.10.0", "1.9.0", "1.10.0-rc1"], key=version_key)
    ['1.9.0', '1.10.0-rc1', '1.10.0']
    """
    main, _, label = version.partition("-")
    numbers = tuple(int(part) if part.isdigit() else -1 for part in main.split("."))
    return numbers, not label, label
