"""Findings put into words and places: issues with a FHIRPath expression, a line and a column."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from fhirpkg import rules
from fhirpkg.untrusted import child
from fhirpkg.validation.elements.rules import (
    NOT_CHECKED_EXTENSION,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from fhirpkg.definitions.typemodel import TypesOfDefinitions
    from fhirpkg.issues import Issue, Json, Path, Resource
    from fhirpkg.validation.run import Finding, Run

    Locate = Callable[[Iterable[Path]], Mapping[Path, tuple[int, int]]]


def issues_of(run: Run, file: str = "", locate: Locate | None = None) -> list[Issue]:
    """The findings of a run as issues; `locate` gives the line and column of paths."""
    findings = list(_joined([*run.findings, *run.displays.values()]))
    if not findings:
        return []
    paths = {finding.path for finding in findings}
    places = locate(paths) if locate else {}
    types = run.definitions.types
    expressions = {path: expression_of(run.root, path, types) for path in paths}
    return [_issue(f, expressions[f.path], file, places.get(f.path, (0, 0))) for f in findings]


def _joined(findings: list[Finding]) -> Iterator[Finding]:
    """The findings; of an extension that is not known here the first one alone.

    Guides have hundreds of some, of which there is one thing to know.
    """
    left = Counter(map(_unknown, findings))
    for finding in findings:
        about = _unknown(finding)
        count = left.pop(about, 0) if about else 1
        if count > 1:
            others = "1 more place" if count == 2 else f"{count - 1} more places"
            reason = f"{finding.found['reason']} (the same at {others})"
            yield finding._replace(found={**finding.found, "reason": reason})
        elif count:
            yield finding


def _unknown(finding: Finding) -> tuple[str, str] | None:
    """The extension that a finding says was not checked, and why."""
    if finding.rule is not NOT_CHECKED_EXTENSION:
        return None
    return finding.found["url"], finding.found["reason"]


def _issue(finding: Finding, expression: str, file: str, place: tuple[int, int]) -> Issue:
    where: dict[str, Json] = {"expression": expression, "file": file, "profile": finding.profile}
    where["line"], where["column"] = place
    return rules.issue(finding.rule, severity=finding.severity, **where, **finding.found)


def expression_of(root: Resource, path: Path, types: TypesOfDefinitions) -> str:
    """The FHIRPath of a place: ``Observation.value.ofType(Quantity).code``, ``Patient.name[0]``."""
    node: Json = root
    here = str(root.get("resourceType", ""))
    parts = [here]
    for step in path:
        if isinstance(step, int):
            parts[-1] += f"[{step}]"
        else:
            name, here = _name_and_type(step, here, types)
            parts.append(name)
        node = child(node, step)
        if isinstance(node, dict) and isinstance(node.get("resourceType"), str):
            here = node["resourceType"]
    return ".".join(parts)


def _name_and_type(key: str, parent: str, types: TypesOfDefinitions) -> tuple[str, str]:
    """A JSON key as FHIRPath writes it, and the type of what it holds."""
    name = key.removeprefix("_")
    elements = types.elements(parent) if types.is_type(parent) else {}
    if name in elements:
        return name, elements[name].types[0] if elements[name].types else ""
    for element in elements.values():
        if element.is_choice and name.startswith(element.name):
            for choice in element.types:
                if name == element.key(choice):
                    return f"{element.name}.ofType({choice})", choice
    return name, ""
