"""The public way in: one input of any form to an Outcome."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from fhirpkg import fhirjson, rules
from fhirpkg.definitions.definitions import Definitions
from fhirpkg.definitions.terminology.valuesets import Terminology
from fhirpkg.errors import SourceError
from fhirpkg.issues import Outcome, Resource, in_order
from fhirpkg.validation.checks import Checks
from fhirpkg.validation.findings import issues_of
from fhirpkg.validation.run import Run, Settings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from fhirpkg.issues import Issue
    from fhirpkg.packages.package import Package


class Validator:
    """Checks resources against FHIR R4, the packages given and the profiles they claim.

    `retrieve` gives the resource of a reference that leads out of the input, or None.
    """

    def __init__(
        self,
        packages: Iterable[Package] = (),
        *,
        definitions: Definitions | None = None,
        settings: Settings | None = None,
        terminology: Terminology | None = None,
        retrieve: Callable[[str], Resource | None] | None = None,
    ) -> None:
        definitions = definitions or Definitions.core()
        for package in packages:
            definitions = definitions.with_package(package)
        self.definitions = definitions
        self.terminology = terminology or Terminology(definitions)
        self.settings = settings or Settings()
        self._retrieve = retrieve
        self._checks = Checks(definitions, self.terminology, self.settings)

    def validate(
        self, data: bytes | Resource | Path, profiles: Iterable[str] = (), *, file: str = ""
    ) -> Outcome:
        """What is wrong with a resource; `profiles` are canonicals it shall meet besides its own.

        Raises SourceError when a file cannot be read; text that is no FHIR is an issue.
        """
        if isinstance(data, Path):
            file = file or str(data)
            data = _bytes_of(data)
        if isinstance(data, dict):
            return Outcome(in_order(self._check(data, profiles, file, "")))
        return Outcome(in_order(self._check_text(data, profiles, file)))

    def _check_text(self, data: bytes, profiles: Iterable[str], file: str) -> list[Issue]:
        value, issues = fhirjson.read(data)
        if value is None and issues:
            return issues
        text = data.decode().removeprefix("\ufeff")
        return issues + self._check(value, profiles, file, text)

    def _check(self, value: Any, profiles: Iterable[str], file: str, text: str) -> list[Issue]:
        problem = self._no_resource(value)
        if problem:
            return [rules.issue("parse-no-resource", problem=problem, file=file, line=1, column=1)]
        run = Run(value, self.definitions, self.terminology, self.settings, self._retrieve)
        try:
            self._checks.check_resource(value, (), run)
            with run.inside(value, ()):
                for profile in profiles:
                    self._checks.check_profile(profile, value, (), run)
        except RecursionError:
            return [rules.issue("parse-depth", file=file, line=1, column=1)]
        return issues_of(run, file, text)

    def _no_resource(self, value: Any) -> str:
        if not isinstance(value, dict):
            return f"it is {_kind(value)}"
        name = value.get("resourceType")
        if not isinstance(name, str):
            return "there is no 'resourceType'"
        types = self.definitions.types
        if not types.is_resource(name):
            near = rules.nearest(name, list(types.resource_types()))
            return f"R4 has no resource type '{name[:60]}'{near}"
        return ""


def _kind(value: Any) -> str:
    return {list: "a list", str: "a text", bool: "a boolean"}.get(type(value), "no object")


def _bytes_of(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise SourceError(str(path), error.strerror or str(error)) from error
