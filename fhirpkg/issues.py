"""What is found in the user's content: an Issue is collected, never raised."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

Json = Any
"""A value of FHIR JSON: an object, a list, a text, a number, a boolean or None."""

Resource = dict[str, Json]
"""FHIR JSON is the model: a dictionary with a `resourceType`."""

Path = tuple[str | int, ...]
"""A place in JSON: keys and indexes from the root, ``("action", 0, "_title")``."""

_EXTENSION = "http://hl7.org/fhir/StructureDefinition/operationoutcome-"


class Severity(StrEnum):
    """The severity of an issue, from fatal to information (R4 valueset-issue-severity)."""

    FATAL = "fatal"
    ERROR = "error"
    WARNING = "warning"
    INFORMATION = "information"

    @property
    def is_error(self) -> bool:
        """Whether it means that something is wrong."""
        return self in {Severity.FATAL, Severity.ERROR}

    @property
    def rank(self) -> int:
        """0 for fatal to 3 for information."""
        return list(Severity).index(self)


@dataclass(frozen=True, slots=True)
class Issue:
    """One finding of the validator.

    - `severity`, and `code` of R4's issue-type
    - `rule`: the id of the rule, which `fhirpkg explain` describes, or the key of an invariant
    - `text`: what was found and what was expected; `advice`: what to do about it
    - `expression`: the FHIRPath of the element
    - `file`, `line`, `column`: the place, counted from 1; 0 where the input is not text
    - `profile`: the canonical of the profile that requires it, if one does
    """

    severity: Severity
    code: str
    rule: str
    text: str
    expression: str = ""
    file: str = ""
    line: int = 0
    column: int = 0
    profile: str = ""
    advice: str = ""

    def __str__(self) -> str:
        place = ":".join(str(part) for part in (self.file, self.line, self.column) if part)
        where = f"{self.expression}: " if self.expression else ""
        advice = f" ({self.advice})" if self.advice else ""
        return f"{place or '-'}: {self.severity} {self.rule}: {where}{self.text}{advice}"

    def as_operation_outcome_issue(self) -> Resource:
        """The issue as OperationOutcome.issue, with HL7's extensions for line and column."""
        extensions: list[Resource] = []
        if self.line:
            extensions = [
                {"url": f"{_EXTENSION}issue-line", "valueInteger": self.line},
                {"url": f"{_EXTENSION}issue-col", "valueInteger": self.column},
            ]
        if self.file:
            extensions.append({"url": f"{_EXTENSION}issue-source", "valueString": self.file})
        found: Resource = {"extension": extensions} if extensions else {}
        found |= {
            "severity": str(self.severity),
            "code": self.code,
            "details": {"coding": [{"code": self.rule}], "text": self.text},
        }
        if self.advice or self.profile:
            found["diagnostics"] = "; ".join(
                part for part in (self.advice, self.profile and f"profile {self.profile}") if part
            )
        if self.expression:
            found["expression"] = [self.expression]
        return found


class Outcome:
    """The findings in one input; true when none is an error.

    `issues` has them in the order of their places, `errors` those of severity error and fatal, and
    `ignored` those that an ignore file accepts, each with its reason. Lines and columns are looked
    up when `issues` is first read, so asking only for the truth value is fast.
    """

    __slots__ = ("_is_right", "_issues", "_later", "ignored")

    def __init__(
        self,
        issues: tuple[Issue, ...] = (),
        ignored: tuple[tuple[Issue, str], ...] = (),
        *,
        later: Callable[[], tuple[Issue, ...]] | None = None,
        is_right: bool = True,
    ) -> None:
        """Give the issues, or `later` for a function that makes them and the verdict on them."""
        self._issues = issues
        self._later = later
        self._is_right = is_right if later else not any(issue.severity.is_error for issue in issues)
        self.ignored = ignored
        """Issues that an ignore file takes out, each with the reason given there."""

    def __bool__(self) -> bool:
        return self._is_right

    @property
    def issues(self) -> tuple[Issue, ...]:
        """The issues, by file, line, column and severity."""
        if self._later:
            self._issues, self._later = self._later(), None
        return self._issues

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Outcome) and (self.issues, self.ignored) == (
            other.issues,
            other.ignored,
        )

    def __hash__(self) -> int:
        return hash((self.issues, self.ignored))

    def __repr__(self) -> str:
        return f"Outcome({self.issues!r}, {self.ignored!r})"

    def __reduce__(self) -> tuple[type[Outcome], tuple[object, ...]]:
        return Outcome, (self.issues, self.ignored)

    @property
    def errors(self) -> tuple[Issue, ...]:
        """The issues of severity error and fatal."""
        return tuple(issue for issue in self.issues if issue.severity.is_error)

    def count(self, severity: Severity) -> int:
        """The number of issues of one severity."""
        return sum(issue.severity is severity for issue in self.issues)

    def as_operation_outcome(self) -> Resource:
        """An OperationOutcome with all issues, or one informational issue if there are none."""
        issues = [issue.as_operation_outcome_issue() for issue in self.issues]
        return {"resourceType": "OperationOutcome", "issue": issues or [_ALL_OK]}


_ALL_OK = {
    "severity": "information",
    "code": "informational",
    "details": {"text": "No issue was found"},
}


def in_order(issues: Iterable[Issue]) -> tuple[Issue, ...]:
    """Issues by file, line, column and severity, without repeats."""
    unique = dict.fromkeys(issues)
    return tuple(
        sorted(unique, key=lambda i: (i.file, i.line, i.column, i.severity.rank, i.expression))
    )
