"""What the names in CQL stand for: definitions, terminology, aliases, elements, functions.

The result is plain ELM. A qualified name of another library stays an ExpressionRef, which the
evaluator takes for terminology too; the other library need not be read for that.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fhirpkg.errors import FhirpkgError
from fhirpkg.rules import nearest

if TYPE_CHECKING:
    from fhirpkg.cql.evaluating.library import Library

Node = dict[str, Any]
Names = frozenset[str]

_SOURCE_FUNCTIONS = frozenset(
    "Count Sum Avg Min Max Median Mode Product GeometricMean Variance PopulationVariance StdDev"
    " PopulationStdDev First Last AllTrue AnyTrue Skip Take Tail".split()
)
_OPERAND_FUNCTIONS = frozenset(
    "Abs CanConvertQuantity Ceiling Coalesce Combine Concatenate ConvertQuantity ConvertsToBoolean"
    " ConvertsToDate ConvertsToDateTime ConvertsToDecimal ConvertsToInteger ConvertsToLong"
    " ConvertsToQuantity ConvertsToString ConvertsToTime DateFrom Distinct EndsWith Except Exists"
    " Exp Flatten Floor Indexer IndexOf Intersect IsFalse IsNull IsTrue LastPositionOf Length Ln"
    " Log Lower Matches Now PositionOf Power Predecessor ReplaceMatches Round SingletonFrom Size"
    " Split SplitOnMatches StartsWith Substring Successor TimeOfDay ToBoolean ToConcept ToDate"
    " ToDateTime ToDecimal ToInteger ToLong ToQuantity ToString ToTime Today Truncate Union"
    " Upper".split()
)
_METHODS = {
    "count": "Count", "distinct": "Distinct", "exists": "Exists",
    "first": "First", "last": "Last", "length": "Length", "lower": "Lower", "not": "Not",
    "single": "SingletonFrom", "skip": "Skip", "tail": "Tail", "take": "Take",
    "toString": "ToString", "upper": "Upper", "startsWith": "StartsWith", "endsWith": "EndsWith",
}  # fmt: skip
"""Methods in the way of FHIRPath (https://cql.hl7.org/16-i-fhirpathtranslation.html)."""
_CONSTRUCTORS = frozenset({"Date", "DateTime", "Time"})
_MESSAGE = ("source", "condition", "code", "severity", "message")
_PARTS = ("year", "month", "day", "hour", "minute", "second", "millisecond", "timezoneOffset")
_AGES = {
    f"{prefix}AgeIn{unit}s{suffix}": unit
    for prefix in ("", "Calculate")
    for unit in ("Year", "Month", "Week", "Day", "Hour")
    for suffix in ("", "At")
}
_BIRTH_DATE = {
    "type": "Property",
    "path": "birthDate",
    "source": {"type": "ExpressionRef", "name": "Patient"},
}
_CHILD_KEYS = (
    "operand", "source", "condition", "then", "else", "comparand", "low", "high", "codes",
    "starting",
)  # fmt: skip


class Resolver:
    """Turns the names of one library's expressions into references."""

    def __init__(self, library: Library) -> None:
        self._library = library

    def resolve(self, node: Node, names: Names, in_sort: bool = False) -> Node:
        """The tree with its names resolved; `names` are those an operand or alias defines.

        Raises FhirpkgError for a name or function that is not known.
        """
        kind = node["type"]
        if kind == "Name":
            return self._name(node, names, in_sort)
        if kind == "Call":
            return self._call(node, names, in_sort)
        if kind == "Query":
            return self._query(node, names)
        made = dict(node)
        for key in _CHILD_KEYS:
            if key in made:
                made[key] = self._each(made[key], names, in_sort)
        if kind == "Case":
            made["caseItem"] = [self._parts(i, names, in_sort) for i in node["caseItem"]]
        elif kind == "List":
            made["element"] = self._each(node["element"], names, in_sort)
        elif kind in {"Tuple", "Instance"}:
            made["element"] = [
                e | {"value": self.resolve(e["value"], names, in_sort)} for e in node["element"]
            ]
        return made

    def _each(self, value: Any, names: Names, in_sort: bool) -> Any:
        if isinstance(value, list):
            return [self.resolve(item, names, in_sort) for item in value]
        return self.resolve(value, names, in_sort) if "type" in value else value

    def _parts(self, part: Node, names: Names, in_sort: bool) -> Node:
        return {key: self.resolve(value, names, in_sort) for key, value in part.items()}

    def _name(self, node: Node, names: Names, in_sort: bool) -> Node:
        name = node["name"]
        if "scope" not in node:
            return self._bare_name(name, names, in_sort)
        scope = node["scope"]
        if self._is_library(scope, names):
            return {"type": "ExpressionRef", "name": name, "libraryName": scope["name"]}
        return {"type": "Property", "path": name, "source": self.resolve(scope, names, in_sort)}

    def _is_library(self, node: Node | None, names: Names) -> bool:
        if node is None or node["type"] != "Name" or "scope" in node:
            return False
        return node["name"] in self._library.includes and node["name"] not in names

    def _bare_name(self, name: str, names: Names, in_sort: bool) -> Node:
        if name in names:
            return {"type": "AliasRef", "name": name}
        library = self._library
        for kind, table in (
            ("ExpressionRef", library.statements),
            ("ValueSetRef", library.value_sets),
            ("CodeRef", library.codes),
            ("ConceptRef", library.concepts),
            ("CodeSystemRef", library.code_systems),
            ("ParameterRef", library.parameters),
        ):
            if name in table:
                return {"type": kind, "name": name}
        if name == "Patient":
            return {"type": "ExpressionRef", "name": name}
        if in_sort or name == "$this":
            return {"type": "IdentifierRef", "name": name}
        hint = nearest(name, [*library.statements, *library.value_sets, *library.codes, *names])
        raise FhirpkgError(f"{library.name or 'the expression'}: '{name}' is not known{hint}")

    def _call(self, node: Node, names: Names, in_sort: bool) -> Node:
        name: str = node["name"]
        scope = node.get("scope")
        operands = [self.resolve(o, names, in_sort) for o in node["operand"]]
        if scope is not None and self._is_library(scope, names):
            found = {"type": "FunctionRef", "name": name, "libraryName": scope["name"]}
            return found | {"operand": operands}
        if scope is not None:
            operands = [self.resolve(scope, names, in_sort), *operands]
        if self._library.functions(name, len(operands)):
            return {"type": "FunctionRef", "name": name, "operand": operands}
        if scope is None:
            return _system_call(name, operands)
        if name in _METHODS or not self._library.includes:
            return _system_call(_METHODS.get(name, name), operands)
        return {"type": "FunctionRef", "name": name, "operand": operands, "fluent": True}

    def _query(self, node: Node, names: Names) -> Node:
        """A query: each alias and let is a name for what comes behind it."""
        made: Node = {"type": "Query", "source": []}
        inner = names
        for source in node["source"]:
            resolved = self.resolve(source["expression"], inner)
            made["source"].append({"alias": source["alias"], "expression": resolved})
            inner = inner | {source["alias"]}
        for let in node.get("let", ()):
            resolved = self.resolve(let["expression"], inner)
            made.setdefault("let", []).append(let | {"expression": resolved})
            inner = inner | {let["identifier"]}
        for relation in node.get("relationship", ()):
            found = relation | {"expression": self.resolve(relation["expression"], inner)}
            with_alias = inner | {relation["alias"]}
            found["suchThat"] = self.resolve(relation["suchThat"], with_alias)
            made.setdefault("relationship", []).append(found)
        if "where" in node:
            made["where"] = self.resolve(node["where"], inner)
        if "return" in node:
            returned = self.resolve(node["return"]["expression"], inner)
            made["return"] = node["return"] | {"expression": returned}
        if "aggregate" in node:
            made["aggregate"] = self._aggregate(node["aggregate"], inner)
        if "sort" in node:
            made["sort"] = {"by": [self._sort_key(key, names) for key in node["sort"]["by"]]}
        return made

    def _aggregate(self, node: Node, names: Names) -> Node:
        made = dict(node)
        if "starting" in node:
            made["starting"] = self.resolve(node["starting"], names)
        made["expression"] = self.resolve(node["expression"], names | {node["identifier"]})
        return made

    def _sort_key(self, key: Node, names: Names) -> Node:
        """Inside `sort by` names are elements of the item that is sorted."""
        if "expression" not in key:
            return key
        return key | {"expression": self.resolve(key["expression"], names, in_sort=True)}


def _system_call(name: str, operands: list[Node]) -> Node:
    if name in _SOURCE_FUNCTIONS:
        return _with_source(name, operands)
    if name in _OPERAND_FUNCTIONS:
        single = len(operands) == 1 and name != "Coalesce"
        return {"type": name, "operand": operands[0] if single else operands}
    if name in _CONSTRUCTORS:
        parts = _PARTS[3:] if name == "Time" else _PARTS
        return {"type": name} | dict(zip(parts, operands, strict=False))
    if name == "Message":
        return {"type": name} | dict(zip(_MESSAGE, operands, strict=False))
    if name in _AGES:
        return _age(name, operands)
    if name == "Not":
        return {"type": name, "operand": operands[0]}
    known = [*_SOURCE_FUNCTIONS, *_OPERAND_FUNCTIONS, *_AGES]
    raise FhirpkgError(f"the function {name} is not supported{nearest(name, known)}")


def _with_source(name: str, operands: list[Node]) -> Node:
    if name in {"Skip", "Take"}:
        return {"type": name, "operand": operands}
    return {"type": name, "source": operands[0]}


def _age(name: str, operands: list[Node]) -> Node:
    """AgeInYears() of the patient, CalculateAgeInYears(date) of any."""
    if not name.startswith("Calculate"):
        operands = [_BIRTH_DATE, *operands]
    at = name.endswith("At")
    found = {"type": "CalculateAgeAt" if at else "CalculateAge", "precision": _AGES[name]}
    return found | {"operand": operands if at else operands[0]}
