"""What is raised when the tool cannot do its job.

::

    FhirpkgError
    ├── SourceError        a file that cannot be opened or decoded
    ├── AuthoringError     authored files that cannot be built, with their issues
    ├── DefinitionError    a definition that cannot be used
    ├── FhirPathError      an expression that cannot be parsed or evaluated
    ├── PackageError       a package that is missing or damaged
    ├── ResolutionError    a canonical or reference that leads nowhere
    ├── ConfigError        settings, options or environment that make no sense
    └── ServerError        a server that refused or made no sense

Problems in the user's *content* are never raised: they are :class:`fhirpkg.issues.Issue`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence


class FhirpkgError(Exception):
    """The base class of all errors of fhirpkg; its text says what happened and what to do."""

    def __reduce__(self) -> tuple[object, ...]:
        """As it is, whatever its class is made from: it may come from another process."""
        return _made_again, (type(self), self.args, self.__dict__)


def _made_again(
    kind: type[FhirpkgError], args: tuple[object, ...], values: dict[str, object]
) -> FhirpkgError:
    error = kind.__new__(kind, *args)
    error.args = args
    error.__dict__.update(values)
    return error


class SourceError(FhirpkgError):
    """A file that cannot be opened or decoded."""

    def __init__(self, source: str, problem: str, advice: str = "") -> None:
        self.source = source
        self.problem = problem
        self.advice = advice
        super().__init__(_sentence(f"{source}: {problem}", advice))


class DefinitionError(FhirpkgError):
    """A StructureDefinition, ValueSet or other definition that cannot be used.

    `missing` is the canonical of another that it needs and that is not loaded, if that is why.
    """

    def __init__(
        self, canonical: str, problem: str, element: str = "", *, missing: str = ""
    ) -> None:
        self.canonical = canonical
        self.problem = problem
        self.element = element
        self.missing = missing
        where = f"{canonical} ({element})" if element else canonical
        super().__init__(f"{where}: {problem}")


class AuthoringError(FhirpkgError):
    """Authored files that cannot be built; `issues` says what is wrong and where."""

    def __init__(self, folder: str, issues: Sequence[object]) -> None:
        self.folder = folder
        self.issues = tuple(issues)
        lines = "".join(f"\n  {issue}" for issue in self.issues)
        super().__init__(f"{folder} cannot be built:{lines}")


class FhirPathError(FhirpkgError):
    """An expression that cannot be parsed, is wrongly typed or fails; `column` counts from 1.

    `needs_missing_definition` marks a valid one that needs a definition which is not loaded.
    """

    def __init__(
        self,
        expression: str,
        problem: str,
        column: int = 0,
        *,
        needs_missing_definition: bool = False,
    ) -> None:
        self.expression = expression
        self.problem = problem
        self.column = column
        self.needs_missing_definition = needs_missing_definition
        where = f" at column {column}" if column else ""
        super().__init__(f"FHIRPath {expression!r}: {problem}{where}")


class PackageError(FhirpkgError):
    """A FHIR package that is missing or damaged."""

    def __init__(self, package: str, problem: str, advice: str = "") -> None:
        self.package = package
        self.problem = problem
        self.advice = advice
        super().__init__(_sentence(f"{package}: {problem}", advice))


class ResolutionError(FhirpkgError):
    """A canonical or reference that leads nowhere."""

    def __init__(self, reference: str, problem: str = "not found") -> None:
        self.reference = reference
        self.problem = problem
        super().__init__(f"{reference}: {problem}")


class ConfigError(FhirpkgError):
    """Settings, options or environment that make no sense."""


class ServerError(FhirpkgError):
    """A server that refused, or answered what is not FHIR; `status` is 0 when it did not answer."""

    def __init__(
        self, url: str, problem: str, *, status: int = 0, outcome: dict[str, Any] | None = None
    ) -> None:
        self.url = url
        self.problem = problem
        self.status = status
        self.outcome = outcome
        super().__init__(f"{url}: {problem}")


def _sentence(text: str, advice: str) -> str:
    return f"{text}; {advice}" if advice else text
