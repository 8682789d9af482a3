"""What is wrong with an authored file beyond its YAML: each problem once, at its place.

A misspelt key is reported and then read as the one that was meant, so that it is not also
reported as missing, and what is below it is checked.
"""

from __future__ import annotations

import difflib
import re
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any, TypeVar, get_args, get_origin

from pydantic import BaseModel, ValidationError

from fhirpkg.authoring.checking.cross import check_words, cross_check
from fhirpkg.authoring.codes import known_codes
from fhirpkg.authoring.model import values
from fhirpkg.authoring.model.package_source import PackageSource
from fhirpkg.authoring.model.parts import Part
from fhirpkg.authoring.model.procedure import Procedure
from fhirpkg.authoring.rules import (
    SOURCE_MISSING,
    SOURCE_UNKNOWN_KEY,
    SOURCE_VALUE,
)
from fhirpkg.authoring.translating import in_main
from fhirpkg.definitions.terminology import grammars
from fhirpkg.definitions.terminology.verdicts import Verdict
from fhirpkg.issues import Severity, in_order
from fhirpkg.rules import nearest

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from fhirpkg.authoring.source import Source
    from fhirpkg.issues import Issue, Path

_Part = TypeVar("_Part", bound=Part)

_LICENCES = "http://hl7.org/fhir/spdx-license"
_EXPECTED = {
    "string_type": "text",
    "int_type": "a whole number",
    "decimal_type": "a number",
    "decimal_parsing": "a number",
    "bool_type": "true or false",
    "tuple_type": "a list",
    "dict_type": "a mapping of keys and values",
    "model_type": "a mapping of keys and values",
    "string_too_short": "text that is not empty",
    "too_short": "at least one item",
    "string_too_long": "at most {max_length} characters",
    "greater_than_equal": "at least {ge}",
    "less_than_equal": "at most {le}",
    "value_error": "{error}",
}
"""What a value should have been, by pydantic's name for the error."""


def check_package(read: Source) -> tuple[PackageSource | None, tuple[Issue, ...]]:
    """The package, or None when it cannot be used, and the issues of its file."""
    package = _validated(read, PackageSource)
    if package:
        _check_words(package, read)
    return _usable(package, read)


def _check_words(package: PackageSource, read: Source) -> None:
    """The date is one of the calendar, country and licence are known."""

    def report(key: str, expected: str, near: str = "") -> None:
        found = _found(getattr(package, key))
        read.report(SOURCE_VALUE, (key,), found=found, expected=expected, nearest=near)

    try:
        date.fromisoformat(package.date)
    except ValueError:
        report("date", "a day of the calendar, such as 2026-01-31")
    if grammars.check(grammars.ISO_3166, package.jurisdiction).verdict is Verdict.NO:
        report("jurisdiction", "the code of a country in ISO 3166, such as 'US'")
    licences = known_codes(_LICENCES)
    if package.license not in licences:
        report("license", "the SPDX id of a licence", nearest(package.license, sorted(licences)))


def check_procedure(
    read: Source, language: str = "en"
) -> tuple[Procedure | None, tuple[Issue, ...]]:
    """The procedure, or None when it cannot be used, and the issues of its file.

    Texts in several languages are read in one of them.
    """
    read.data = in_main(read.data, language)
    procedure = _validated(read, Procedure)
    if isinstance(read.data, dict):
        cross_check(read)
    return _usable(procedure, read)


def check_translation(read: Source) -> tuple[Procedure | None, tuple[Issue, ...]]:
    """As :func:`check_procedure`, of another language than the main one, which has no fault."""
    procedure = _validated(read, Procedure)
    check_words(read)
    return _usable(procedure, read)


def check_part(read: Source, model: type[_Part]) -> tuple[_Part | None, tuple[Issue, ...]]:
    """A file of another model, or None when it cannot be used, and the issues of it."""
    return _usable(_validated(read, model), read)


def _usable(part: _Part | None, read: Source) -> tuple[_Part | None, tuple[Issue, ...]]:
    issues = in_order(read.issues)
    wrong = any(issue.severity.rank <= Severity.ERROR.rank for issue in issues)
    return None if wrong else part, issues


def _validated(read: Source, model: type[_Part]) -> _Part | None:
    """The data as the model; what is wrong is reported, misspelt keys are mended in the data."""
    if read.data is None:
        if not read.issues:
            read.report(SOURCE_VALUE, (), found="nothing", expected="keys", nearest="")
        return None
    for _ in range(10):  # what is below a mended key is only read in the next round
        try:
            return model.model_validate(read.data)
        except ValidationError as error:
            details = [d for d in error.errors() if _is_meant(d["loc"], read.data)]
        unknown = [_place(detail["loc"], read.data) for detail in details if _is_unknown(detail)]
        for path in unknown:
            _mend(read, path, _keys(model, path[:-1]))
        if not unknown:
            break
    paths = {
        _place(detail["loc"], read.data) for detail in details if detail["type"] != "too_short"
    }
    told: set[Path] = set()
    for detail in details:
        path = _place(detail["loc"], read.data)
        if path not in told and not _is_consequence(detail, paths, read.data):
            told.add(path)
            _report(read, detail)
    return None


def _is_unknown(detail: Mapping[str, Any]) -> bool:
    return bool(detail["type"] == "extra_forbidden")


def _is_meant(loc: tuple[str | int, ...], data: Any) -> bool:
    """Whether an error is about the form that an author chose where the model allows two."""
    for step in loc:
        if _holds(data, step):
            data = data[step]
        elif _is_form(step):
            return isinstance(data, dict) == bool(_MODEL.search(str(step)))
    return True


def _place(loc: Iterable[str | int], data: Any) -> Path:
    """The path of an error in the data, without the steps that name forms of the model."""
    path: list[str | int] = []
    for step in loc:
        if _holds(data, step):
            data = data[step]
        elif step == "[key]" or _is_form(step) or _is_of_one(step, data):
            continue
        path.append(step)
    return tuple(path)


def _holds(data: Any, step: str | int) -> bool:
    if isinstance(data, dict):
        return step in data
    return isinstance(data, list) and isinstance(step, int) and step < len(data)


def _is_of_one(step: str | int, data: Any) -> bool:
    """Whether a step is the index in a list of one, for which the author wrote the one alone."""
    return isinstance(step, int) and isinstance(data, (dict, str))


def _is_form(step: str | int) -> bool:
    """Whether a step of pydantic's names one of several forms: a model, or a type in brackets."""
    return isinstance(step, str) and (step[:1].isupper() or "[" in step or step in _SCALARS)


_SCALARS = ("str", "bool", "constrained-str")
_MODEL = re.compile(r"(^|[ \[])[A-Z]\w*\]*$")
"""The name of a model, alone or as the last of what pydantic wraps it in."""


def _is_consequence(detail: Mapping[str, Any], paths: set[Path], data: Any) -> bool:
    """Whether a list is too short only because wrong items in it were reported."""
    if detail["type"] != "too_short" or not detail["input"]:
        return False
    path = _place(detail["loc"], data)
    return any(other[: len(path)] == path for other in paths)


_COMMA = "; a comma between { and } begins the next key: put a text that has one in quotes"


def _mend(read: Source, path: Path, keys: list[str]) -> None:
    """Report an unknown key and read it as the one that was meant, or not at all."""
    parent = read.data
    for step in path[:-1]:
        parent = parent[step]
    key = str(path[-1])
    free = [name for name in keys if name not in parent]
    is_rest_of_a_text = parent[key] is None and " " in key
    read.report(
        SOURCE_UNKNOWN_KEY,
        path,
        key=True,
        nearest=_COMMA if is_rest_of_a_text else nearest(key, free),
        allowed=", ".join(keys),
        key_=key,
    )
    value = parent.pop(key)
    close = difflib.get_close_matches(key, free, n=1, cutoff=0.7)
    if close:
        parent[close[0]] = value
        read.rename(path, (*path[:-1], close[0]))


def _keys(model: type[BaseModel], path: Path) -> list[str]:
    """The keys that the model knows at a path, as authors write them."""
    annotation: Any = model
    for step in path:
        if get_origin(annotation) in (tuple, dict):  # the step is an index, or an author's name
            annotation = _part_in(annotation)
            continue
        fields = {f.alias or name: f for name, f in _part_in(annotation).model_fields.items()}
        annotation = fields[str(step)].annotation
    annotation = _part_in(annotation)
    return [field.alias or name for name, field in annotation.model_fields.items()]


def _part_in(annotation: Any) -> Any:
    """The model inside an annotation such as an optional, a tuple or a dict of models."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    found = (_part_in(inner) for inner in get_args(annotation))
    return next((model for model in found if model), None)


def _report(read: Source, detail: Mapping[str, Any]) -> None:
    path = _place(detail["loc"], read.data)
    if detail["type"] == "missing":
        read.report(SOURCE_MISSING, path, missing=path[-1])
        return
    expected = _EXPECTED.get(detail["type"], "").format(**detail.get("ctx", {}))
    close = ""
    if detail["type"] == "literal_error":
        expected = f"one of {detail['ctx']['expected']}"
        options = detail["ctx"]["expected"].replace(" or ", ", ").replace("'", "").split(", ")
        close = nearest(str(detail["input"]), options)
    elif detail["type"] == "string_pattern_mismatch":
        pattern = detail["ctx"]["pattern"]
        expected = _form(pattern)
    read.report(
        SOURCE_VALUE,
        path,
        found=_found(detail["input"]),
        expected=expected or detail["msg"][:1].lower() + detail["msg"][1:],
        nearest=close,
    )


_FORMS = {
    "^[a-z][a-z0-9]*(?:-[a-z0-9]+)*$": "lower-case words joined by hyphens, such as 'blood-count'",
    "^[A-Z][A-Za-z0-9]*$": "words written together, each with a capital, such as 'BloodCount'",
    "^[a-z]+(-[1-9][0-9]*)?$": "the label of a fact, such as 'risks-2'",
    r"^\d{4}-\d{2}-\d{2}$": "a date such as '2026-01-31'",
    r"^\d+ (d|wk|mo|a)$": "a number with a unit, such as '8 wk'",
    r"^(above|below) \d+(\.\d+)?( \S+)?$": "a limit such as 'above 1.8' or 'below 50 10*9/L'",
    r"^https?://[^\s/]\S*$": "a web address such as 'https://doi.org/10.1000/1'",
    r"^https?://[^\s/|#]+(/[^\s|#]*[^\s/|#])?$": (
        "a web address without a slash at its end, such as 'https://example.org/fhir'"
    ),
    r"^\d+\.\d+\.\d+(-[A-Za-z0-9.-]+)?$": "three numbers joined by points, such as '1.0.0'",
    r"^[a-z][a-z0-9-]*(\.[a-z0-9-]+)+$": "lower-case words joined by points, such as 'our.content'",
    "^[A-Z]{2}$": "two capital letters, such as 'US'",
}


_FORM_OF: tuple[tuple[Any, str], ...] = (
    (values.Moment, "when, such as '7 d before', 'after', '10 min before incision' or 'at night'"),
    (values.Span, "one number or two with a unit, such as '30 min', '1-2 h' or '< 30 min'"),
    (values.Period, "one number or two with a unit, such as '30 min' or '1-2 h'"),
    (
        values.HowOften,
        "how often, such as 'once daily' or '3 times daily' ('every' has its own key)",
    ),
    (values.Dose, "a number and a unit, such as '40 mg' or '70-100 IU/kg'"),
    (values.MaxDose, "the most in a span of time, such as '4 g in 24 h'"),
    (values.Odds, "how often, such as '1 in 1000', '1-2 %' or 'rare'"),
)


def _form(pattern: str) -> str:
    for annotated, words in _FORM_OF:
        if pattern == annotated.__metadata__[0].pattern:
            return words
    return _FORMS.get(pattern, f"text of the form {pattern}")


def _found(value: Any) -> str:
    """A value in an author's words."""
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, (int, Decimal)):
        return f"the number {value}"
    if isinstance(value, (list, tuple)):
        return "a list"
    if isinstance(value, dict):
        return "a mapping"
    return repr(value if len(value) <= 60 else value[:57] + "...")
