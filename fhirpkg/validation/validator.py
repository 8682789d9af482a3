"""The public way in: one input of any form to an Outcome."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from fhirpkg import fhirjson, positions, rules
from fhirpkg.definitions.cores import definitions_of
from fhirpkg.definitions.terminology.valuesets import Terminology
from fhirpkg.issues import Json, Outcome, Resource, in_order
from fhirpkg.parsing_rules import (
    PARSE_DEPTH,
    PARSE_DUPLICATE_KEY,
    PARSE_NO_RESOURCE,
)
from fhirpkg.releases import R4, release_of
from fhirpkg.validation.compiling.checks import Checks
from fhirpkg.validation.elements.rules import STRUCTURE_OTHER_VERSION, STRUCTURE_RESOURCE_TYPE
from fhirpkg.validation.findings import issues_of
from fhirpkg.validation.given import read_given
from fhirpkg.validation.loading import with_package
from fhirpkg.validation.resources.bundle_index import named_entries
from fhirpkg.validation.run import Run, Settings
from fhirpkg.validation.versions import other_versions

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping

    from fhirpkg.definitions.definitions import Definitions
    from fhirpkg.issues import Issue
    from fhirpkg.issues import Path as Place
    from fhirpkg.packages.package import Package

    Locate = Callable[[Iterable[Place]], Mapping[Place, tuple[int, int]]]

_XML = re.compile(rb"(?:\xef\xbb\xbf)?\s*<|(?:\xff\xfe)?<\0|(?:\xfe\xff)?\0<")
"""How XML begins, in UTF-16 too, which its reader refuses as such."""


class Validator:
    """Checks resources against FHIR, the packages given and the profiles they claim.

    - `packages`: read packages whose profiles and value sets are used
    - `fhir_version`: `4.0.1` (R4), `4.3.0` or `5.0.0`, also as `R4`, `R4B` or `R5`. The
      definitions of R4B and R5 come from the package cache; PackageError is raised where they are
      missing. `definitions` replaces all of these.
    - `retrieve`: a function that returns the resource of a reference that leads out of the
      input, or None; `knows` says whether there is one, without reading it
    - `bases`: canonical bases (of guides) below which an unknown definition is an error

        outcome = fhirpkg.Validator().validate({"resourceType": "Patient", "gender": "mal"})
        assert [issue.rule for issue in outcome.errors] == ["binding-required"]
    """

    def __init__(
        self,
        packages: Iterable[Package] = (),
        *,
        fhir_version: str = R4.version,
        definitions: Definitions | None = None,
        settings: Settings | None = None,
        terminology: Terminology | None = None,
        retrieve: Callable[[str], Resource | None] | None = None,
        bases: Collection[str] = (),
        knows: Callable[[str], bool] | None = None,
    ) -> None:
        definitions = definitions or definitions_of(release_of(fhir_version))
        for package in packages:
            definitions = with_package(definitions, package)
        self.definitions = definitions
        self.terminology = terminology or Terminology(definitions)
        self.settings = settings or Settings()
        self._retrieve = retrieve
        self._bases = tuple(bases)
        self._knows = knows
        self._checks = Checks(definitions, self.terminology, self.settings)

    def validate(self, data: object, profiles: Iterable[str] = (), *, file: str = "") -> Outcome:
        """Check one resource against its type, the profiles that it claims, and `profiles`.

        `data` is bytes or text (JSON or XML), a dictionary, a path (also as text that begins like
        neither JSON nor XML), or a model such as those of fhir.resources. Issues have a line and
        column where the data are text, and `file` as their file.

        Raises SourceError for a file that cannot be read and TypeError for other kinds of data;
        text that is not FHIR is reported as an issue.
        """
        given, path = read_given(data)
        file = file or path
        if isinstance(given, dict):
            checked = self._check(given, profiles)
            if isinstance(checked, Run):  # now: the caller may change the dictionary
                return Outcome(in_order(issues_of(checked, file)))
            return Outcome((replace(checked, file=file),))
        value, found, locate = self._read(given)
        issues = [replace(issue, file=file) for issue in found]
        if value is None and found:
            return Outcome(in_order(issues))
        checked = self._check(value, profiles)
        if not isinstance(checked, Run):
            return Outcome(in_order([*issues, replace(checked, file=file)]))
        return Outcome(
            later=lambda: in_order([*issues, *issues_of(checked, file, locate)]),
            is_right=not checked.has_errors and bool(Outcome(tuple(issues))),
        )

    def _read(self, data: bytes) -> tuple[Json, list[Issue], Locate]:
        """The value in JSON or XML text, what is wrong with the text, and where paths are."""
        if _XML.match(data):
            from fhirpkg import fhirxml  # noqa: PLC0415 - lxml only where there is XML

            return fhirxml.read(data, self.definitions.types)
        value, issues = fhirjson.read(data)
        repeats = any(issue.rule == PARSE_DUPLICATE_KEY.id for issue in issues)

        def locate(paths: Iterable[Place]) -> Mapping[Place, tuple[int, int]]:
            return positions.locate(data.decode("utf-8-sig"), paths, may_repeat=repeats)

        return value, issues, locate

    def _check(self, value: Json, profiles: Iterable[str]) -> Run | Issue:
        """The run with all its findings, or why the value was not checked."""
        refused = self._refused(value)
        if refused:
            return replace(refused, line=1, column=1)
        run = Run(
            value,
            self.definitions,
            self.terminology,
            self.settings,
            self._checks,
            self._retrieve,
            self._bases,
            self._knows,
        )
        try:
            self._checks.check_resource(value, (), run)
            with run.inside(value, ()):
                for profile in profiles:
                    self._checks.check_profile(profile, value, (), run)
            self._check_entries(value, run)
        except RecursionError:
            return rules.issue(PARSE_DEPTH, line=1, column=1)
        return run

    def _check_entries(self, value: Resource, run: Run) -> None:
        """Check entries by the profiles that the settings give them."""
        for name, profile in self.settings.entry_profiles:
            for resource, trail in named_entries(value, name):
                with run.inside(resource, trail):
                    self._checks.check_profile(profile, resource, trail, run)

    def _refused(self, value: Json) -> Issue | None:
        """Why a value is not a resource that can be checked, or None."""
        if not isinstance(value, dict):
            return rules.issue(PARSE_NO_RESOURCE, problem=f"it is {_kind(value)}")
        name = value.get("resourceType")
        if not isinstance(name, str):
            return rules.issue(PARSE_NO_RESOURCE, problem="there is no 'resourceType'")
        types = self.definitions.types
        if types.is_resource(name):
            return None
        if versions := other_versions(name):
            release = self.definitions.release
            return rules.issue(
                STRUCTURE_OTHER_VERSION, name=name, versions=versions, release=release
            )
        near = rules.nearest(name, list(types.resource_types()))
        return rules.issue(STRUCTURE_RESOURCE_TYPE, name=name[:60], near=near)


def _kind(value: Json) -> str:
    return {list: "a list", str: "a text", bool: "a boolean"}.get(type(value), "no object")
