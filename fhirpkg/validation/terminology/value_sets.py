"""ValueSets: the systems they include, the codes they list, the filters they ask by.

See http://hl7.org/fhir/R4/valueset.html#compositions.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from fhirpkg.canonical import Canonical
from fhirpkg.definitions.terminology.verdicts import Membership, Verdict
from fhirpkg.errors import FhirPathError
from fhirpkg.fhirpath import compile_expression
from fhirpkg.issues import Json, Severity
from fhirpkg.rules import nearest
from fhirpkg.untrusted import numbered, text_of
from fhirpkg.validation.terminology.rules import (
    VALUE_SET_CONCEPT,
    VALUE_SET_CONCEPT_TWICE,
    VALUE_SET_EXPANSION_VERSION,
    VALUE_SET_FILTER_EXPRESSION,
    VALUE_SET_PARAMETER,
    VALUE_SET_SYSTEM,
)
from fhirpkg.validation.terminology.value_set_filters import check_filter

if TYPE_CHECKING:
    from fhirpkg.issues import Path, Resource
    from fhirpkg.validation.run import Run

_PARAMETER = "http://hl7.org/fhir/tools/StructureDefinition/valueset-parameter"
_EXPRESSION = "http://hl7.org/fhir/StructureDefinition/cqf-expression"
_VARIABLE = re.compile(r"%(?:`([^`]+)`|'([^']+)'|([A-Za-z][\w-]*))")


def check_value_set(value_set: Resource, path: Path, run: Run) -> None:
    """Report what a ValueSet's definition says that its code systems do not bear out."""
    _check_expansion(value_set.get("expansion"), (*path, "expansion"), run)
    compose = value_set.get("compose")
    if not isinstance(compose, dict):
        return
    parameters = parameters_of(value_set)
    for part in ("include", "exclude"):
        for place, clause in numbered(compose, part, (*path, "compose")):
            system, _, version = text_of(clause, "system").partition("|")
            if version:
                _check_version(version, clause, place, run)
            if system:
                _check_system(system, place, run, is_listed=bool(clause.get("concept")))
            _check_concepts(clause, system, place, run)
            for at, asked in numbered(clause, "filter", place):
                check_filter(asked, system, at, run)
                _check_expression(asked, parameters, at, run)


def _check_expansion(expansion: Json, place: Path, run: Run) -> None:
    """What version a code is of is clear, from the entry or from the one that was used."""
    used = {
        text_of(each, "valueUri")
        for _, each in numbered(expansion, "parameter")
        if each.get("name") == "used-codesystem"
    }
    todo = [entry for _, entry in numbered(expansion, "contains")] if len(used) > 1 else []
    unclear: set[str] = set()
    while todo:
        entry = todo.pop()
        unclear |= set() if entry.get("version") else {text_of(entry, "system")}
        todo += [inner for _, inner in numbered(entry, "contains")]
    for system in sorted(unclear):
        versions = sorted(each for each in used if each.partition("|")[0] == system)
        if len(versions) > 1:
            found = ", ".join(versions)
            run.report(VALUE_SET_EXPANSION_VERSION, place, system=system, found=found)


def _check_version(written: str, clause: Resource, place: Path, run: Run) -> None:
    """A version is in `version`, not behind the system's url."""
    stated = text_of(clause, "version")
    problem = f"names the version {written}, which belongs in 'version'"
    problem += f", and that says {stated}" if stated else ""
    system = text_of(clause, "system")
    # HL7's own value sets of version 2 are written so
    severity = Severity.WARNING
    run.report(VALUE_SET_SYSTEM, place, severity=severity, system=system, problem=problem)


def _check_system(system: str, place: Path, run: Run, *, is_listed: bool) -> None:
    """A system that must be looked up to know the codes is an error; with codes listed, a warning.

    HL7's own example-hierarchical names a contained system by its fragment and lists the codes.
    """
    problem = _system_problem(system, run)
    if problem:
        severity = Severity.WARNING if is_listed else Severity.ERROR
        run.report(VALUE_SET_SYSTEM, place, severity=severity, system=system, problem=problem)


def _system_problem(system: str, run: Run) -> str:
    if ":" not in system:
        return "is not absolute; a contained code system is also named by its url"
    held = run.definitions.find(Canonical(system), "CodeSystem")
    if held and held.get("content") == "supplement":
        return f"is a supplement; name the system itself, {held.get('supplements')}"
    if held:
        return ""
    if run.terminology.value_set(system):
        return "is a value set, not a code system; name it in 'valueSet'"
    named = run.terminology.identified(system) if system.startswith("urn:oid:") else ""
    return f"is an identifier of {named}; name it by that url" if named else ""


def _check_concepts(clause: Resource, system: str, place: Path, run: Run) -> None:
    seen: set[str] = set()
    for at, concept in numbered(clause, "concept", place):
        code = text_of(concept, "code")
        if code in seen:
            run.report(VALUE_SET_CONCEPT_TWICE, at, code=code)
        seen.add(code)
        if system and code:
            found = run.terminology.local(system, code, text_of(clause, "version") or None)
            if isinstance(found, Membership) and found.verdict is Verdict.NO:
                run.report(VALUE_SET_CONCEPT, at, reason=found.reason)


def parameters_of(holder: Json, url: str = _PARAMETER) -> set[str]:
    """The names of the parameters that a value set defines, or a binding gives, by extension."""
    return {
        text_of(part, "valueCode")
        for _, extension in numbered(holder, "extension")
        if extension.get("url") == url
        for _, part in numbered(extension, "extension")
        if part.get("url") == "name"
    }


def _check_expression(asked: Resource, parameters: set[str], place: Path, run: Run) -> None:
    """A filter's value may be an expression instead; its variables are the parameters."""
    sibling: Json = asked.get("_value")
    found = [
        (at, extension["valueExpression"])
        for at, extension in numbered(sibling, "extension", (*place, "_value"))
        if extension.get("url") == _EXPRESSION
        and isinstance(extension.get("valueExpression"), dict)
    ]
    if bool(found) == ("value" in asked) and "_value" in asked:
        problem = "has both a value and an expression" if found else "has no value"
        run.report(VALUE_SET_FILTER_EXPRESSION, place, problem=f"the filter {problem}")
    for at, expression in found:
        _check_text(expression, parameters, (*at, "valueExpression"), run)


def _check_text(expression: Resource, parameters: set[str], place: Path, run: Run) -> None:
    language, text = text_of(expression, "language"), text_of(expression, "expression")
    if language != "text/fhirpath":
        problem = f"the language of the expression is '{language}', not text/fhirpath"
        run.report(VALUE_SET_FILTER_EXPRESSION, place, problem=problem)
        return
    try:
        compile_expression(text, run.definitions.types)
    except FhirPathError as error:
        run.report(VALUE_SET_FILTER_EXPRESSION, place, problem=str(error))
    for match in _VARIABLE.finditer(text):
        name = next(filter(None, match.groups()))
        if name not in parameters:
            near = nearest(name, sorted(parameters))
            run.report(VALUE_SET_PARAMETER, place, written=text, name=name, near=near)
