"""The filters of ValueSets: what may be asked of the concepts of a code system, and with what.

Code systems define the properties and operators themselves; for those that no package holds the
tables here do (http://hl7.org/fhir/R4/snomedct.html#filters, loinc.html#filters).
"""

from __future__ import annotations

import re
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, NamedTuple

from fhirpkg.canonical import Canonical
from fhirpkg.definitions.terminology.grammars import CPT, LOINC, RXNORM, SNOMED_CT, UCUM
from fhirpkg.definitions.terminology.verdicts import Membership, Verdict
from fhirpkg.issues import Severity
from fhirpkg.rules import nearest
from fhirpkg.untrusted import numbered, text_of
from fhirpkg.validation.terminology.expression_constraints import problem_of as problem_of_ecl
from fhirpkg.validation.terminology.rules import (
    VALUE_SET_FILTER_OPERATOR,
    VALUE_SET_FILTER_PART,
    VALUE_SET_FILTER_PROPERTY,
    VALUE_SET_FILTER_VALUE,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from fhirpkg.issues import Path, Resource
    from fhirpkg.validation.run import Run


class Asked(NamedTuple):
    """What a filter may ask for: the kind of its value and the operators; none = all."""

    kind: str
    operators: frozenset[str] = frozenset()


def _operators(words: str) -> frozenset[str]:
    return frozenset(words.split())


_ANY: frozenset[str] = frozenset()
_TREE = _operators("= in is-a descendent-of is-not-a generalizes not-in")
_GENERAL = {
    "child": Asked("concept"),
    "code": Asked("concept", _TREE | {"regex"}),
    "comment": Asked(""),
    "concept": Asked("concept", _TREE),
    "definition": Asked(""),
    "deprecationDate": Asked("dateTime"),
    "display": Asked(""),
    "effectiveDate": Asked("dateTime"),
    "inactive": Asked("boolean"),
    "itemWeight": Asked("decimal"),
    "notSelectable": Asked("boolean"),
    "parent": Asked("concept"),
    "partOf": Asked("concept"),
    "retirementDate": Asked("dateTime"),
    "status": Asked("token"),
    "synonym": Asked("token"),
}
"""What filters may ask for in every code system, without a definition there."""
_SNOMED = {
    "concept": Asked("concept", _operators("is-a is-not-a in descendent-of")),
    "constraint": Asked("constraint", _operators("=")),
    "expressions": Asked("boolean", _operators("= in")),
    "inactive": Asked("boolean", _operators("= in")),
}
_ATTRIBUTE = Asked("concept", _operators("= in"))
"""A SNOMED CT attribute, named by its concept id."""
_LOINC_TEXTS = _operators(
    "VersionLastChanged CHNG_TYPE DefinitionDescription STATUS CLASSTYPE FORMULA EXMPL_ANSWERS "
    "SURVEY_QUEST_TEXT SURVEY_QUEST_SRC UNITSREQUIRED ORDER_OBS HL7_FIELD_SUBFIELD_ID "
    "EXTERNAL_COPYRIGHT_NOTICE EXAMPLE_UNITS EXAMPLE_UCUM_UNITS STATUS_REASON STATUS_TEXT "
    "CHANGE_REASON_PUBLIC COMMON_TEST_RANK COMMON_ORDER_RANK HL7_ATTACHMENT_STRUCTURE "
    "EXTERNAL_COPYRIGHT_LINK PanelType AskAtOrderEntry AssociatedObservations "
    "VersionFirstReleased ValidHL7AttachmentRequest"
)
_LOINC_PARTS = _operators(
    "ancestor descendent parent child COMPONENT PROPERTY TIME_ASPCT SYSTEM SCALE_TYP METHOD_TYP "
    "CLASS MAP_TO analyte analyte-core analyte-suffix analyte-numerator analyte-divisor "
    "analyte-divisor-suffix challenge adjustment count time-core time-modifier system-core "
    "super-system analyte-gene category answers-for answer answer-list"
)
_LOINC_OPERATORS = _operators("= exists regex in not-in")
_LOINC = {
    "code": Asked("token", _operators("= is-a is-not-a")),
    "concept": Asked("token", _operators("= is-a is-not-a")),
    **dict.fromkeys(_LOINC_TEXTS, Asked("", _LOINC_OPERATORS)),
    **dict.fromkeys(_LOINC_PARTS, Asked("part", _LOINC_OPERATORS)),
}
_OPERATORS = "http://hl7.org/fhir/ValueSet/filter-operator"
_FLAGS = dict.fromkeys(("modified", "modifier", "orthopox", "telemedicine"), Asked("boolean"))
_SYSTEMS = {
    SNOMED_CT: _SNOMED,
    LOINC: _LOINC,
    CPT: {**_GENERAL, "code": Asked(""), "kind": Asked("token"), **_FLAGS},
}
_TOKENS = {RXNORM, UCUM}
"""Code systems that take any word for any property."""
_DECLARED = {"boolean", "Coding", "dateTime", "decimal", "integer"}
_PREFIX = r"(?:eq|ne|lt|le|gt|ge|sa|eb|ap)?"
"""Terminology servers take a comparison before numbers and dates, as in searches."""
_INTEGER = re.compile(rf"{_PREFIX}-?\d{{1,10}}")
_DATE = re.compile(
    rf"{_PREFIX}\d{{4}}(-\d\d(-\d\d(T\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:\d\d)?)?)?)?"
)
_OTHER_ESCAPES = re.compile(r"\\[pP]\{\w+\}|\\[hHRvVXzZGQE]")
_NAMED = re.compile(r"\(\?<(?![=!])")
_INLINE_FLAGS = re.compile(r"(?<!\\)\(\?[imsx]+(?:-[imsx]+)?\)")
"""What regular expressions may hold elsewhere but not, or not so, in Python."""


def check_filter(asked: Resource, system: str, place: Path, run: Run) -> None:
    """Report a property, operator or value that a filter on a code system cannot have."""
    name, operator, value = (text_of(asked, part) for part in ("property", "op", "value"))
    if not name or not operator:
        return
    allowed = _allowed(name, system, place, run)
    is_known = operator in (run.terminology.codes(_OPERATORS) or ())  # else the binding reports it
    if is_known and allowed and allowed.operators and operator not in allowed.operators:
        run.report(
            VALUE_SET_FILTER_OPERATOR,
            place,
            operator=operator,
            property=name,
            allowed=", ".join(sorted(allowed.operators)),
        )
    if value:
        _check_value(allowed.kind if allowed else "", asked, system, place, run)


def _allowed(name: str, system: str, place: Path, run: Run) -> Asked | None:
    """What a filter on a property may ask for; None where nothing is known of the property."""
    if system in _TOKENS:
        return Asked("token")
    if system in _SYSTEMS:
        is_attribute = system == SNOMED_CT and name.isdigit()
        return _SYSTEMS[system].get(name) or (_ATTRIBUTE if is_attribute else None)
    held = run.definitions.find(Canonical(system), "CodeSystem") if system else None
    if held is None:
        return _GENERAL.get(name)
    types = {text_of(p, "code"): text_of(p, "type") for _, p in numbered(held, "property")}
    filters = {text_of(f, "code"): f.get("operator") for _, f in numbered(held, "filter")}
    if name in types:
        return _of_type(types[name], filters.get(name))
    if name not in _GENERAL and name not in filters and held.get("content") == "complete":
        near = nearest(name, list(types))
        run.report(VALUE_SET_FILTER_PROPERTY, place, system=system, property=name, near=near)
    kind, operators = _GENERAL.get(name, Asked(""))
    return Asked(kind, operators and operators | _texts(filters.get(name)))


def _of_type(kind: str, operators: object) -> Asked:
    """What may be asked of a property that a code system defines."""
    if kind == "code":
        return Asked("code", _texts(operators))
    return Asked(kind, _texts(operators)) if kind in _DECLARED else Asked("")


def _texts(values: object) -> frozenset[str]:
    return frozenset(v for v in values if isinstance(v, str)) if isinstance(values, list) else _ANY


def _check_value(kind: str, asked: Resource, system: str, place: Path, run: Run) -> None:
    operator, value = text_of(asked, "op"), text_of(asked, "value")
    if kind == "constraint":
        problems = [_constraint_problem(value)]
    elif operator == "exists":
        problems = ["" if value in {"true", "false"} else "is neither true nor false"]
    elif operator == "regex":
        problems = [_regex_problem(value)]
    else:
        values = value.split(",") if operator in {"in", "not-in"} else [value]
        check = _KINDS.get(kind)
        problems = [check(one, system, run) for one in values] if check else []
    problem = next(filter(None, problems), "")
    if problem:
        rule = VALUE_SET_FILTER_PART if kind == "part" else VALUE_SET_FILTER_VALUE
        # a `code` should be a concept of the system; many have taken it for any word
        severity = Severity.WARNING if kind == "code" else None
        name = text_of(asked, "property")
        run.report(
            rule, place, severity=severity, value=value[:200], property=name, problem=problem
        )


def _constraint_problem(value: str) -> str:
    problem = problem_of_ecl(value)
    return f"is not an expression constraint: {problem}" if problem else ""


def _regex_problem(value: str) -> str:
    try:
        re.compile(_NAMED.sub("(?P<", _OTHER_ESCAPES.sub(".", _INLINE_FLAGS.sub("", value))))
    except re.error as error:
        return f"is not a regular expression: {error}"
    return ""


def _token_problem(value: str, _: str, __: Run) -> str:
    return "" if value == value.strip() else "has spaces around it"


def _concept_problem(value: str, system: str, run: Run) -> str:
    problem = _token_problem(value, system, run)
    return problem or _problem_of(run.terminology.local(system, value) if system else None)


def _coding_problem(value: str, _: str, run: Run) -> str:
    system, mark, code = value.partition("#")
    if not mark:
        system, mark, code = value.rpartition("|")
    if not mark or ":" not in system or not code:
        return "is not written as system#code, or system|version#code"
    url, _, version = system.partition("|")
    return _problem_of(run.terminology.local(url, code, version or None))


def _problem_of(found: object) -> str:
    is_wrong = isinstance(found, Membership) and found.verdict is Verdict.NO
    return f"is not valid: {found.reason}" if is_wrong and isinstance(found, Membership) else ""


def _boolean_problem(value: str, _: str, __: Run) -> str:
    return "" if value in {"true", "false"} else "is neither true nor false"


def _decimal_problem(value: str, _: str, __: Run) -> str:
    try:
        Decimal(re.sub(f"^{_PREFIX}", "", value))
    except InvalidOperation:
        return "is not a number"
    return ""


def _integer_problem(value: str, _: str, __: Run) -> str:
    return "" if _INTEGER.fullmatch(value) else "is not an integer"


def _date_problem(value: str, _: str, __: Run) -> str:
    return "" if _DATE.fullmatch(value) else "is not a date or time"


_KINDS: dict[str, Callable[[str, str, Run], str]] = {
    "Coding": _coding_problem,
    "boolean": _boolean_problem,
    "code": _concept_problem,
    "concept": _concept_problem,
    "dateTime": _date_problem,
    "decimal": _decimal_problem,
    "integer": _integer_problem,
    "part": _concept_problem,
    "token": _token_problem,
}
