"""ValueSets: the systems they include, the codes they list, the filters they ask by.

See http://hl7.org/fhir/R4/valueset.html#compositions.
"""

from __future__ import annotations

import re
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any

from fhirpkg.canonical import Canonical
from fhirpkg.definitions.terminology import grammars
from fhirpkg.definitions.terminology.verdicts import Membership, Verdict
from fhirpkg.issues import Severity
from fhirpkg.rules import nearest
from fhirpkg.validation.expression_constraints import problem_of as problem_of_ecl
from fhirpkg.validation.items import numbered, text_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from fhirpkg.issues import Path, Resource
    from fhirpkg.validation.run import Run

_SNOMED = "http://snomed.info/sct"
_PARAMETER = "http://hl7.org/fhir/tools/StructureDefinition/valueset-parameter"
_EXPRESSION = "http://hl7.org/fhir/StructureDefinition/cqf-expression"
_IMPLIED = {
    "child": "code",
    "code": "code",
    "concept": "code",
    "definition": "string",
    "display": "string",
    "inactive": "boolean",
    "notSelectable": "boolean",
    "parent": "code",
    "status": "code",
}
"""Properties that filters may use without a definition in the code system, with their types."""
_INTEGER = re.compile(r"(?:eq|ne|lt|le|gt|ge)?-?\d{1,10}")
"""Terminology servers take a comparison before the number, as in searches."""
_DATE = re.compile(r"\d{4}(-\d\d(-\d\d(T\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:\d\d)?)?)?)?")
_VARIABLE = re.compile(r"%(?:`([^`]+)`|'([^']+)'|([A-Za-z][\w-]*))")


def check_value_set(value_set: Resource, path: Path, run: Run) -> None:
    """Report what a ValueSet's definition says that its code systems do not bear out."""
    compose = value_set.get("compose")
    if not isinstance(compose, dict):
        return
    parameters = parameters_of(value_set)
    for part in ("include", "exclude"):
        for place, clause in numbered(compose, part, (*path, "compose")):
            system = text_of(clause, "system")
            if system:
                _check_system(system, place, run, is_listed=bool(clause.get("concept")))
            _check_concepts(clause, system, place, run)
            for at, asked in numbered(clause, "filter", place):
                _check_filter(asked, system, at, run)
                _check_parameters(asked, parameters, at, run)


def _check_system(system: str, place: Path, run: Run, *, is_listed: bool) -> None:
    """A system that must be looked up to know the codes is an error; with codes listed, a warning.

    HL7's own example-hierarchical names a contained system by its fragment and lists the codes.
    """
    problem = ""
    if ":" not in system:
        problem = "is not absolute; a contained code system goes by its url, too"
    elif run.terminology.value_set(system) and run.terminology.system(system) is None:
        problem = "is a value set, not a code system; name it in 'valueSet'"
    else:
        held = run.definitions.find(Canonical(system), "CodeSystem")
        if held and held.get("content") == "supplement":
            problem = f"is a supplement; name the system itself, {held.get('supplements')}"
    if problem:
        severity = Severity.WARNING if is_listed else Severity.ERROR
        run.report("value-set-system", place, severity=severity, system=system, problem=problem)


def _check_concepts(clause: Resource, system: str, place: Path, run: Run) -> None:
    seen: set[str] = set()
    for at, concept in numbered(clause, "concept", place):
        code = text_of(concept, "code")
        if code in seen:
            run.report("value-set-concept-twice", at, code=code)
        seen.add(code)
        if system and code:
            found = run.terminology.local(system, code, text_of(clause, "version") or None)
            if isinstance(found, Membership) and found.verdict is Verdict.NO:
                run.report("value-set-concept", at, reason=found.reason)


def _check_filter(asked: Resource, system: str, place: Path, run: Run) -> None:
    name, operator = text_of(asked, "property"), text_of(asked, "op")
    value = text_of(asked, "value")
    if not name or not operator or not value:
        return
    problem = _value_problem(name, operator, value, system, place, run)
    if problem:
        run.report(
            "value-set-filter-value", place, value=value[:200], property=name, problem=problem
        )


def _value_problem(name: str, operator: str, value: str, system: str, place: Path, run: Run) -> str:
    """What is wrong with a filter's value, or nothing."""
    if operator == "exists":
        return "" if value in {"true", "false"} else "is neither true nor false, as 'exists' asks"
    if operator == "regex":
        return _regex_problem(value)
    if system == _SNOMED:
        return _snomed_problem(name, operator, value)
    kind = _kind_of(name, system, place, run)
    values = value.split(",") if operator in {"in", "not-in"} else [value]
    check = _KINDS.get(kind)
    return next((p for v in values if check and (p := check(v.strip(), system, run))), "")


def _regex_problem(value: str) -> str:
    try:
        re.compile(value)
    except re.error as error:
        return f"is no regular expression: {error}"
    return ""


def _snomed_problem(name: str, operator: str, value: str) -> str:
    """SNOMED's filters take concept ids, or in `constraint` an expression of its language."""
    if name == "constraint":
        problem = problem_of_ecl(value)
        return f"is no expression constraint: {problem}" if problem else ""
    if name in {"concept", "parent", "child"} and operator in {"is-a", "descendent-of", "="}:
        found = grammars.check(_SNOMED, value)
        return f"is no SNOMED CT concept: {found.reason}" if found.verdict is Verdict.NO else ""
    return ""


def _kind_of(name: str, system: str, place: Path, run: Run) -> str:
    """The type of a property by the code system, if that is loaded; else by what FHIR implies."""
    held = run.definitions.find(Canonical(system), "CodeSystem") if system else None
    defined = {text_of(p, "code"): text_of(p, "type") for _, p in numbered(held or {}, "property")}
    if name in defined:
        return defined[name]
    filters = [text_of(f, "code") for _, f in numbered(held or {}, "filter")]
    if held and held.get("content") == "complete" and name not in (*_IMPLIED, *filters):
        near = nearest(name, list(defined))
        run.report("value-set-filter-property", place, system=system, property=name, near=near)
    return "" if name in filters else _IMPLIED.get(name, "")


def _code_problem(value: str, system: str, run: Run) -> str:
    found = run.terminology.local(system, value)
    is_wrong = isinstance(found, Membership) and found.verdict is Verdict.NO
    return f"is not valid: {found.reason}" if is_wrong and isinstance(found, Membership) else ""


def _coding_problem(value: str, _: str, run: Run) -> str:
    system, hash_mark, code = value.partition("#")
    if not hash_mark or not system or not code:
        return "is not written as system#code, or system|version#code"
    url, _, version = system.partition("|")
    found = run.terminology.local(url, code, version or None)
    is_wrong = isinstance(found, Membership) and found.verdict is Verdict.NO
    return f"is not valid: {found.reason}" if is_wrong and isinstance(found, Membership) else ""


def _boolean_problem(value: str, _: str, __: Run) -> str:
    return "" if value in {"true", "false"} else "is neither true nor false"


def _decimal_problem(value: str, _: str, __: Run) -> str:
    try:
        Decimal(value)
    except InvalidOperation:
        return "is no number"
    return ""


def _integer_problem(value: str, _: str, __: Run) -> str:
    return "" if _INTEGER.fullmatch(value) else "is no integer"


def _date_problem(value: str, _: str, __: Run) -> str:
    return "" if _DATE.fullmatch(value) else "is no date or time"


_KINDS: dict[str, Callable[[str, str, Run], str]] = {
    "Coding": _coding_problem,
    "boolean": _boolean_problem,
    "code": _code_problem,
    "dateTime": _date_problem,
    "decimal": _decimal_problem,
    "integer": _integer_problem,
}


def parameters_of(holder: Any, url: str = _PARAMETER) -> set[str]:
    """The names of the parameters that a value set defines, or a binding gives, by extension."""
    return {
        text_of(part, "valueCode")
        for _, extension in numbered(holder, "extension")
        if extension.get("url") == url
        for _, part in numbered(extension, "extension")
        if part.get("url") == "name"
    }


def _check_parameters(asked: Resource, parameters: set[str], place: Path, run: Run) -> None:
    """A filter's value may be an expression instead; its variables are the parameters."""
    sibling: Any = asked.get("_value")
    for at, extension in numbered(sibling, "extension", (*place, "_value")):
        expression = extension.get("valueExpression")
        if extension.get("url") != _EXPRESSION or not isinstance(expression, dict):
            continue
        text = text_of(expression, "expression")
        for match in _VARIABLE.finditer(text):
            name = next(filter(None, match.groups()))
            if name not in parameters:
                near = nearest(name, sorted(parameters))
                run.report(
                    "value-set-parameter",
                    (*at, "valueExpression"),
                    written=text,
                    name=name,
                    near=near,
                )
