"""Lines of NDJSON checked one by one, wherever they lie: for Spark, Dask, Ray or a plain pool.

It uses no framework. What one line needs to know of the others is in an index, which is
made first and given to every process.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, NamedTuple

from fhirpkg.corpus.index import Index, indexed
from fhirpkg.corpus.loading import Loading, definitions_for
from fhirpkg.corpus.targets import DEFINITIONS
from fhirpkg.definitions.cores import definitions_of
from fhirpkg.errors import ConfigError
from fhirpkg.processes import few_collections
from fhirpkg.releases import R4, release_of
from fhirpkg.validation.validator import Validator

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator

    from fhirpkg.packages.package import Package
    from fhirpkg.validation.run import Settings


class Line(NamedTuple):
    """A line of NDJSON and where it is; numbers count from 1."""

    file: str
    number: int
    text: str | bytes


class Row(NamedTuple):
    """One finding; `line` is that of the file, `expression` a FHIRPath."""

    file: str
    line: int
    severity: str
    rule: str
    expression: str
    text: str


class Checker:
    """Checks lines against FHIR, packages and profiles; made once in a process, it takes a second.

    `packages` are read packages, .tgz files, folders or ``name#version`` from the package cache;
    `index` is of all lines there are, by :func:`index_of`.

    Raises PackageError for a package that cannot be had, ConfigError for a profile that is not
    loaded.
    """

    def __init__(
        self,
        *,
        packages: Iterable[str | Package] = (),
        profiles: Iterable[str] = (),
        index: Index | None = None,
        settings: Settings | None = None,
        fhir_version: str = R4.version,
    ) -> None:
        core = definitions_of(release_of(fhir_version))
        known = index or Index()
        targets = known.targets(core.types)
        definitions = definitions_for(packages, core, [], targets, Loading())
        self._validator = Validator(
            definitions=definitions,
            settings=settings,
            retrieve=targets.retrieve,
            bases=targets.bases,
            knows=known.knows,
        )
        self._profiles = tuple(profiles)
        for profile in self._profiles:
            if definitions.find(profile, "StructureDefinition") is None:
                raise ConfigError(f"the profile {profile} is not loaded; name its package")
        found = {p: definitions.find(p) or {} for p in self._profiles}
        self._on_definitions = tuple(p for p, s in found.items() if s.get("type") in DEFINITIONS)
        self._has_definitions = bool(targets.definitions)

    def findings(self, lines: Iterable[str | bytes | Line], file: str = "") -> Iterator[Row]:
        """What is found in each line, in their order; empty lines are passed over."""
        with few_collections():
            for number, each in enumerate(lines, 1):
                line = each if isinstance(each, Line) else Line(file, number, each)
                if line.text.strip():
                    yield from self._rows(line)

    def _rows(self, line: Line) -> Iterator[Row]:
        data = line.text.encode() if isinstance(line.text, str) else line.text
        outcome = self._validator.validate(data, self._profiles_of(data), file=line.file)
        for issue in outcome.issues:
            yield Row(
                line.file,
                line.number + max(issue.line, 1) - 1,
                str(issue.severity),
                issue.rule,
                issue.expression,
                issue.text,
            )

    def _profiles_of(self, data: bytes) -> tuple[str, ...]:
        """The profiles asked for; a definition meets only those on definitions."""
        if not (self._profiles and self._has_definitions):
            return self._profiles
        try:
            value = json.loads(data)
        except ValueError:
            return self._profiles
        is_definition = isinstance(value, dict) and value.get("resourceType") in DEFINITIONS
        return self._on_definitions if is_definition else self._profiles


def index_of(
    lines: Iterable[str | bytes | Line],
    *,
    keeping: Collection[str] = (),
    fhir_version: str = R4.version,
) -> Index:
    """Index lines of NDJSON that refer to each other, for `findings`.

    Parts of a large export can be indexed separately, in other processes, and `merged`. The index
    keeps definitions, and the resources of the types in `keeping`, whose content profiles may
    need. Of other resources it keeps 8 bytes for each name, two to three names a resource.

    Raises ConfigError for a version of FHIR that is not known, PackageError when its core is not in
    the package cache.

        index = index_of(first).merged([index_of(second)])
    """
    types = definitions_of(release_of(fhir_version)).types
    texts = (each.text if isinstance(each, Line) else each for each in lines)
    given = (text.encode() if isinstance(text, str) else text for text in texts)
    return indexed((line for line in given if line.strip()), types, keeping)


def findings(
    lines: Iterable[str | bytes | Line],
    *,
    packages: Iterable[str | Package] = (),
    profiles: Iterable[str] = (),
    index: Index | None = None,
    settings: Settings | None = None,
    fhir_version: str = R4.version,
    file: str = "",
) -> Iterator[Row]:
    """Validate each line of NDJSON and yield a Row for each finding.

    A Row has `file`, `line`, `severity`, `rule`, `expression` (FHIRPath) and `text`. With an
    `index` of all lines (see `index_of`) references between lines are followed; without one, they
    are reported as not checked. `packages` and `profiles` are those to check against.

    Raises PackageError for a package that cannot be loaded, ConfigError for a profile that is not
    loaded.

        with open("Observation.ndjson", "rb") as lines:
            rows = list(findings(lines, profiles=["http://example.org/StructureDefinition/p"]))
    """
    checker = Checker(
        packages=packages,
        profiles=profiles,
        index=index,
        settings=settings,
        fhir_version=fhir_version,
    )
    return checker.findings(lines, file)
