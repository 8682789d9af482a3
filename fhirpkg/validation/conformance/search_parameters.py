"""SearchParameters, and the search parameters that CapabilityStatements offer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fhirpkg.canonical import Canonical
from fhirpkg.errors import FhirPathError
from fhirpkg.fhirpath import compile_expression
from fhirpkg.issues import Severity
from fhirpkg.untrusted import numbered, text_of
from fhirpkg.validation.conformance.expressions import misfit
from fhirpkg.validation.conformance.rules import (
    CAPABILITY_SEARCH_PARAMETER,
    DEFINITION_EXPRESSION,
    DEFINITION_EXPRESSION_TYPE,
    SEARCH_PARAMETER_COMPONENTS,
    SEARCH_PARAMETER_DERIVED,
)

if TYPE_CHECKING:
    from fhirpkg.issues import Path, Resource
    from fhirpkg.validation.run import Run


def check_search_parameter(parameter: Resource, path: Path, run: Run) -> None:
    """Report a composite of less than two, another type than the original's, a bad expression."""
    components = list(numbered(parameter, "component"))
    if parameter.get("type") == "composite" and len(components) < 2:
        run.report(SEARCH_PARAMETER_COMPONENTS, path, found=len(components))
    _check_expression(parameter, (*path, "expression"), run)
    _check_derived(parameter, path, run)


def _check_expression(parameter: Resource, place: Path, run: Run) -> None:
    expression, bases = text_of(parameter, "expression"), parameter.get("base")
    if not expression:
        return
    try:
        compile_expression(expression, run.definitions.types)
    except FhirPathError as error:
        run.report(DEFINITION_EXPRESSION, place, severity=Severity.WARNING, problem=str(error))
        return
    problem = misfit(expression, map(str, bases) if isinstance(bases, list) else (), run)
    if problem:
        run.report(DEFINITION_EXPRESSION_TYPE, place, problem=problem)


def _check_derived(parameter: Resource, path: Path, run: Run) -> None:
    canonical = text_of(parameter, "derivedFrom")
    base = run.definitions.find(canonical, "SearchParameter") if canonical else None
    if base is None:
        return
    if parameter.get("type") != base.get("type"):
        _report_derived("type", str(parameter.get("type")), str(base.get("type")), base, path, run)
    here, there = parameter.get("base"), base.get("base")
    if isinstance(here, list) and isinstance(there, list):
        added = [str(name) for name in here if name not in there]
        if added and not {"Resource", "DomainResource"} & set(map(str, there)):
            _report_derived("base", ", ".join(added), ", ".join(map(str, there)), base, path, run)


def _report_derived(
    part: str, found: str, allowed: str, base: Resource, path: Path, run: Run
) -> None:
    url = text_of(base, "url")
    run.report(SEARCH_PARAMETER_DERIVED, path, part=part, found=found, allowed=allowed, base=url)


def check_capability_statement(statement: Resource, path: Path, run: Run) -> None:
    """Report search parameters whose type is not that of the definition they name.

    It is an error when the version is named too; else another version may be meant.
    """
    for rest_place, rest in numbered(statement, "rest", path):
        _check_parameters(rest, rest_place, run)
        for place, resource in numbered(rest, "resource", rest_place):
            _check_parameters(resource, place, run)


def _check_parameters(holder: Resource, path: Path, run: Run) -> None:
    for place, parameter in numbered(holder, "searchParam", path):
        canonical = text_of(parameter, "definition")
        definition = run.definitions.find(canonical, "SearchParameter") if canonical else None
        if definition and parameter.get("type") != definition.get("type"):
            is_exact = Canonical.parse(canonical).version is not None
            run.report(
                CAPABILITY_SEARCH_PARAMETER,
                place,
                severity=Severity.ERROR if is_exact else Severity.WARNING,
                found=parameter.get("type"),
                definition=canonical,
                allowed=definition.get("type"),
            )
