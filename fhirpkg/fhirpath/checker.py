"""Static checks: what is wrong with an expression whatever it is evaluated on.

Types are followed from the focus through the expression. Where they cannot be known (`resolve()`,
`descendants()`, any resource, variables) nothing is said.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from fhirpkg.errors import FhirPathError
from fhirpkg.fhirpath.expression import compile_expression
from fhirpkg.fhirpath.functions import FUNCTIONS
from fhirpkg.fhirpath.reading import ast
from fhirpkg.fhirpath.reading.parser import parse
from fhirpkg.fhirpath.types import SYSTEM_TYPES, system_type
from fhirpkg.rules import nearest

if TYPE_CHECKING:
    from collections.abc import Callable

    from fhirpkg.fhirpath.model import TypeModel
    from fhirpkg.issues import Json

_ABSTRACT = {"Resource", "DomainResource", "Element", "BackboneElement"}
_OF_SOURCE = {"where", "distinct", "intersect", "exclude", "trace", "sort", "tail", "skip", "take",
              "defineVariable"}  # fmt: skip
_ONE_OF_SOURCE = {"first", "last", "single", "aggregate", "min", "max", "sum"}
_NEEDS_ORDER = {"first", "last", "tail", "skip", "take"}
_STRINGS = {"string", "uri", "url", "canonical", "oid", "uuid", "code", "id", "markdown", "xhtml"}
_LIKE_STRINGS = _STRINGS | {"base64Binary", "date", "dateTime", "instant", "time", "System.String"}
_NUMBERS = {"integer", "positiveInt", "unsignedInt", "decimal", "System.Integer", "System.Decimal"}
_KINDS = {"string": _LIKE_STRINGS, "number": _NUMBERS}
_BOOLEANS = {"boolean", "System.Boolean"}


@dataclass(frozen=True, slots=True)
class Static:
    """What is known of a collection: its types (None when unknown), whether many, whether ordered.

    FHIRPath's own types are written `System.String`.
    """

    types: frozenset[str] | None = None
    is_many: bool = True
    is_ordered: bool = True


_UNKNOWN = Static()


def static_errors(
    text: str, model: TypeModel, focus: str | frozenset[str] | None
) -> list[FhirPathError]:
    """The errors of an expression on a type, in the order of their columns; none is raised.

    Of several types that the focus may be of, what is right on one is not an error.

    Found are: what does not parse, functions and types that do not exist, elements that no possible
    type has, functions on types they are not for, order asked of what has none.
    """
    try:
        compile_expression(text, model, focus if isinstance(focus, str) else None)
    except FhirPathError as error:
        return [error]
    types = frozenset({focus}) if isinstance(focus, str) else focus
    checker = _Checker(text, model)
    checker.check(parse(text), Static(types, is_many=False) if types else _UNKNOWN)
    return sorted(checker.errors, key=lambda error: error.column)


class _Checker:
    def __init__(self, text: str, model: TypeModel) -> None:
        self.text = text
        self.model = model
        self.errors: list[FhirPathError] = []
        self.on_error = _UNKNOWN

    def error(self, problem: str, at: int) -> Static:
        """Note a problem; nothing is known of what has one."""
        self.errors.append(FhirPathError(self.text, problem, at))
        return self.on_error

    def check(self, part: ast.Part | None, this: Static) -> Static:
        """What is known of a part's result; of no part, the focus."""
        return this if part is None else _CHECKS[type(part)](self, part, this)


def _literal(_checker: _Checker, part: ast.Literal, _this: Static) -> Static:
    return _UNKNOWN if part.value is None else _own(system_type(part.value))


def _special(_checker: _Checker, part: ast.Special, this: Static) -> Static:
    if part.name == "this":
        return this
    return _own("Integer") if part.name == "index" else _UNKNOWN


def _variable(_checker: _Checker, _part: ast.Variable, _this: Static) -> Static:
    return _UNKNOWN


def _member(checker: _Checker, part: ast.Member, this: Static) -> Static:
    model, name = checker.model, part.name
    source = checker.check(part.source, this)
    if source.types is None:
        return replace(_UNKNOWN, is_ordered=source.is_ordered)
    if part.source is None and name[:1].isupper():
        meant = frozenset(one for one in source.types if name in model.ancestors(one))
        if meant:
            return replace(this, types=meant)
    if source.types & _ABSTRACT:
        return _UNKNOWN
    found = [model.elements(one).get(name) for one in sorted(source.types)]
    elements = [element for element in found if element]
    if not elements:
        if "System.Quantity" in source.types or "System.Any" in source.types:
            return _UNKNOWN
        allowed = [known for one in source.types for known in model.elements(one)]
        where = " or ".join(sorted(source.types))
        return checker.error(f"{where} has no '{name}'{nearest(name, allowed)}", part.at)
    types = frozenset(_known(one) for element in elements for one in element.types)
    is_many = source.is_many or any(element.is_list for element in elements)
    return Static(types, is_many=is_many, is_ordered=source.is_ordered)


def _known(type_name: str) -> str:
    """The name of a type; a primitive's value is of a type of FHIRPath's own."""
    return type_name.removeprefix("http://hl7.org/fhirpath/")


def _instance(checker: _Checker, part: ast.Instance, this: Static) -> Static:
    for _, value in part.elements:
        checker.check(value, this)
    return Static(frozenset({part.type_name.removeprefix("FHIR.")}), is_many=False)


def _index(checker: _Checker, part: ast.Index, this: Static) -> Static:
    source = checker.check(part.source, this)
    checker.check(part.index, this)
    if not source.is_ordered:
        checker.error("an index needs an ordered collection, and this one is unordered", part.at)
    return replace(source, is_many=False)


def _unary(checker: _Checker, part: ast.Unary, this: Static) -> Static:
    return replace(checker.check(part.operand, this), is_many=False)


def _type_call(checker: _Checker, part: ast.TypeCall, this: Static) -> Static:
    source = checker.check(part.source, this)
    if part.name == "is":
        return _own("Boolean")
    # R4 filters collections whose type varies with as(); where it does not, many items are an error
    # (http://hl7.org/fhirpath/N1/#as-type-specifier).
    if part.name == "as" and source.is_many and source.types and len(source.types) == 1:
        checker.error("'as' takes a single item; use ofType() for many", part.at)
    name = part.type_name.removeprefix("FHIR.")
    if name in SYSTEM_TYPES and not checker.model.is_type(name):
        name = f"System.{name}"
    return replace(source, types=frozenset({name}))


def _binary(checker: _Checker, part: ast.Binary, this: Static) -> Static:
    left, right = checker.check(part.left, this), checker.check(part.right, this)
    if part.operator == "|":
        return _both(left, right)
    if part.operator == "&":
        return _own("String")
    if part.operator in {"+", "-", "*", "/", "div", "mod"}:
        return replace(_UNKNOWN, is_many=False)
    return _own("Boolean")


def _call(checker: _Checker, part: ast.Call, this: Static) -> Static:
    function = FUNCTIONS[part.name]
    source = checker.check(part.source, this)
    allowed = _KINDS.get(function.source)
    if allowed and source.types is not None and not source.types & (allowed | _ABSTRACT):
        found = " or ".join(sorted(source.types))
        return checker.error(f"{part.name}() is for a {function.source}, not {found}", part.at)
    if part.name in _NEEDS_ORDER and not source.is_ordered:
        checker.error(
            f"{part.name}() needs an ordered collection, and this one is unordered", part.at
        )
    if part.name in {"repeat", "repeatAll"}:
        return _repeat(checker, part, this)
    results = [
        checker.check(argument, _focus_of_argument(function.takes, index, source, this))
        for index, argument in enumerate(part.arguments)
    ]
    if part.name == "iif" and _is_no_boolean(results[0]):
        checker.error("the criterion of iif() is not a Boolean", part.arguments[0].at)
    return _result(part.name, source, results)


def _focus_of_argument(takes: tuple[str, ...], index: int, source: Static, this: Static) -> Static:
    kind = takes[min(index, len(takes) - 1)]
    return replace(source, is_many=False) if kind in {"criteria", "projection", "key"} else this


def _is_no_boolean(criterion: Static) -> bool:
    return criterion.types is not None and not criterion.types & _BOOLEANS


def _repeat(checker: _Checker, part: ast.Call, this: Static) -> Static:
    """What is projected from the source, and from what that gives: on one of these it is right."""
    projection = part.arguments[0]
    focus = replace(checker.check(part.source, this), is_many=False)
    trial = _Checker(checker.text, checker.model)
    trial.on_error = replace(_UNKNOWN, types=frozenset())
    while (reached := _both(focus, trial.check(projection, focus)).types) != focus.types:
        focus = replace(focus, types=reached)
    return replace(checker.check(projection, focus), is_many=True)


def _result(name: str, source: Static, results: list[Static]) -> Static:
    gives = FUNCTIONS[name].gives
    if name in _OF_SOURCE:
        return source
    if name in _ONE_OF_SOURCE:
        return replace(source if name != "aggregate" else _UNKNOWN, is_many=False)
    if name == "select":
        return replace(results[0], is_many=True)
    if name == "iif":
        return _both(*results[1:]) if len(results) > 2 else results[1]
    if name in {"union", "combine"}:
        return _both(source, results[0])
    if name in {"children", "descendants"}:
        return replace(_UNKNOWN, is_ordered=False)
    if name == "extension":
        return Static(frozenset({"Extension"}))
    if gives in SYSTEM_TYPES and gives != "Any":
        return _own(gives)
    return _UNKNOWN


def _own(name: str) -> Static:
    return Static(frozenset({f"System.{name}"}), is_many=False)


def _both(one: Static, two: Static) -> Static:
    types = None if one.types is None or two.types is None else one.types | two.types
    return Static(types, is_ordered=one.is_ordered and two.is_ordered)


_CHECKS: dict[type, Callable[[_Checker, Json, Static], Static]] = {
    ast.Instance: _instance,
    ast.Literal: _literal,
    ast.Special: _special,
    ast.Variable: _variable,
    ast.Member: _member,
    ast.Index: _index,
    ast.Unary: _unary,
    ast.TypeCall: _type_call,
    ast.Binary: _binary,
    ast.Call: _call,
}
