"""What an application says about itself: a verdict per action, messages as OperationOutcome."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

from fhirpkg.issues import Json, Severity

if TYPE_CHECKING:
    from fhirpkg.applying.dialects import Dialect
    from fhirpkg.issues import Resource
    from fhirpkg.rules import Rule

_MESSAGES = "http://hl7.org/fhir/StructureDefinition/cqf-messages"


class Verdict(StrEnum):
    """What a condition can come to."""

    APPLICABLE = "applicable"
    NOT_APPLICABLE = "not applicable"
    NOT_EVALUATED = "not evaluated"
    PASSED_OVER = "skipped"
    """Not looked at: of its group one is enough, and one before it applies."""


class Why(NamedTuple):
    """The verdict on one action: its place, and which condition decided with which value."""

    place: str
    action_id: str
    title: str
    verdict: Verdict
    reason: str = ""
    expression: str = ""
    resource: str = ""
    """The request it made, `Type/id`."""
    evidence: tuple[str, ...] = ()
    """What its conditions found on record, the newest first: ``INR 2.4 (2026-11-02)``."""
    problem: str = ""
    """Why its definition made no request, although the action applies."""
    depth: int = 1
    """How deep it lies in the plan; 1 at the top."""

    def __str__(self) -> str:
        reason = f": {self.reason}" if self.reason else ""
        return f"{self.title or self.action_id or self.place}: {self.verdict}{reason}"


@dataclass(slots=True)
class Messages:
    """What one plan has to say, gathered while it is applied."""

    dialect: Dialect
    issues: list[dict[str, Json]] = field(default_factory=list)

    def report(
        self, rule: Rule, text: str, place: str = "", severity: Severity | None = None
    ) -> None:
        """Note an error, or in a dialect that explains itself any other remark."""
        severity = severity or rule.severity
        if severity is not Severity.ERROR and not self.dialect.explains:
            return
        issue: dict[str, Json] = {"severity": str(severity), "code": rule.code}
        if self.dialect.explains:
            issue["details"] = {"coding": [{"code": rule.id}]}
        issue["diagnostics"] = text
        if place:
            issue["expression"] = [place]
        self.issues.append(issue)

    def outcome(self, plan_id: str) -> Resource | None:
        """All of it, None when there is nothing to say."""
        if not self.issues:
            return None
        return {
            "resourceType": "OperationOutcome",
            "id": f"apply-outcome-{plan_id}",
            "issue": self.issues,
        }


def messages_extension(outcome: Resource) -> dict[str, Json]:
    """The extension that leads from a result to its messages."""
    return {"url": _MESSAGES, "valueReference": {"reference": f"#{outcome['id']}"}}


def contain(resource: Resource, outcome: Resource) -> None:
    """Put messages into the resource that they are about."""
    resource["contained"] = [*resource.get("contained", ()), outcome]
    point_to(resource, outcome)


def point_to(resource: Resource, outcome: Resource) -> None:
    """Let a resource lead to messages that are contained beside it."""
    resource["extension"] = [*resource.get("extension", ()), messages_extension(outcome)]
