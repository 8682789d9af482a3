"""What the names in CQL stand for: definitions, terminology, aliases, elements, functions.

The result is plain ELM. A qualified name of another library stays an ExpressionRef, which the
evaluator takes for terminology too; the other library need not be read for that.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from fhirpkg.cql import models
from fhirpkg.cql.reading import methods, selectors
from fhirpkg.errors import FhirpkgError
from fhirpkg.rules import nearest

if TYPE_CHECKING:
    from fhirpkg.cql.evaluating.library import Library
    from fhirpkg.cql.reading.lexer import Source
    from fhirpkg.cql.tree import Node, Value

Names = frozenset[str]

_SOURCE_FUNCTIONS = frozenset(
    "Count Sum Avg Min Max Median Mode Product GeometricMean Variance PopulationVariance StdDev"
    " PopulationStdDev First Last AllTrue AnyTrue Skip Take Tail".split()
)
_OPERAND_FUNCTIONS = frozenset(
    "Abs CanConvertQuantity Ceiling Coalesce Combine Comparable Concatenate ConvertQuantity"
    " ConvertsToBoolean ConvertsToDate ConvertsToDateTime ConvertsToDecimal ConvertsToInteger"
    " ConvertsToLong ConvertsToQuantity ConvertsToRatio ConvertsToString ConvertsToTime DateFrom"
    " Distinct EndsWith Except Exists Exp Flatten Floor HighBoundary IndexOf Indexer Intersect"
    " IsFalse IsNull IsTrue LastPositionOf Length Ln Log LowBoundary Lower Matches MatchesFull"
    " Now PositionOf Power Precision Predecessor ReplaceMatches Round SingletonFrom Size Slice"
    " Split SplitOnMatches StartsWith Substring Successor TimeOfDay TimezoneOffsetFrom ToBoolean"
    " ToChars ToConcept ToDate ToDateTime ToDecimal ToInteger ToList ToLong ToQuantity ToRatio"
    " ToString ToTime Today Truncate Union Upper Width".split()
)
_DRUG = "medication"
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
    "starting", "context",
)  # fmt: skip


_FHIR = "{http://hl7.org/fhir}"
_NAMED_TYPES = ("classType", "asType", "isType", "toType", "valueType")
_SPECIFIERS = ("asTypeSpecifier", "isTypeSpecifier", "toTypeSpecifier")
_INNER = ("elementType", "pointType", "choice")
_OF_TYPE = {"is", "as", "ofType"}
_CRITERIA = {"where", "select", "all", "exists"}
"""Methods whose argument is asked of each item, which is `$this`."""


class Resolver:
    """Turns the names of one library's expressions into references."""

    def __init__(self, library: Library, source: Source) -> None:
        self._library = library
        self._source = source

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
        made = self._typed(node)
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

    def _each(self, value: Value, names: Names, in_sort: bool) -> Value:
        if isinstance(value, list):
            return [self.resolve(item, names, in_sort) for item in value]
        return self.resolve(value, names, in_sort) if "type" in value else value

    def _parts(self, part: Node, names: Names, in_sort: bool) -> Node:
        return {key: self.resolve(value, names, in_sort) for key, value in part.items()}

    def _error(self, problem: str, node: Node) -> Exception:
        if "offset" in node:
            return self._source.error(problem, node["offset"])
        return FhirpkgError(f"{self._library.name or 'the expression'}: {problem}")

    # -- types -----------------------------------------------------------------------------

    def specifier(self, node: Node) -> Node:
        """A type with the names of R4 for those of the library's models."""
        made = dict(node)
        if "name" in made:
            made["name"] = self._type_name(made["name"])
        for key in _INNER:
            if key in made:
                inner = made[key]
                is_many = isinstance(inner, list)
                made[key] = [self.specifier(i) for i in inner] if is_many else self.specifier(inner)
        if made.get("type") == "TupleTypeSpecifier":
            made["element"] = [
                e | {"elementType": self.specifier(e["elementType"])} for e in made["element"]
            ]
        return made

    def _type_name(self, name: str) -> str:
        local = name.removeprefix(_FHIR)
        return name if local == name else _FHIR + models.r4_type(self._models, self._local(local))

    @property
    def _models(self) -> dict[str, str]:
        return self._library.models

    def _local(self, name: str) -> str:
        """A type without the name of its model."""
        first, _, rest = name.partition(".")
        return rest if rest and (first in self._models or first == "FHIR") else name

    def _typed(self, node: Node) -> Node:
        made = dict(node)
        for key in _NAMED_TYPES:
            if key in made:
                made[key] = self._type_name(made[key])
        for key in _SPECIFIERS:
            if key in made:
                made[key] = self.specifier(made[key])
        if made["type"] == "Retrieve":
            local = self._local(made["dataType"].removeprefix(_FHIR))
            made["dataType"] = self._type_name(made["dataType"])
            by_property = "codeProperty" in made
            if profile := models.profile(self._models, local):
                made["templateId"] = profile.url
                if "codes" in made and profile.code_path:
                    made.setdefault("codeProperty", profile.code_path)
            base = made["dataType"].rpartition("}")[2]
            if "codes" in made and not by_property and models.PRIMARY_CODES.get(base) == _DRUG:
                made["referenced"] = "Medication"
        return made

    # -- names -----------------------------------------------------------------------------

    def _name(self, node: Node, names: Names, in_sort: bool) -> Node:
        name = node["name"]
        if "scope" not in node:
            return self._bare_name(node, names, in_sort)
        scope = node["scope"]
        if self._is_library(scope, names):
            return {"type": "ExpressionRef", "name": name, "libraryName": scope["name"]}
        source = self.resolve(scope, names, in_sort)
        return {"type": "Property", "path": name, "source": source, "offset": node.get("offset", 0)}

    def _is_library(self, node: Node | None, names: Names) -> bool:
        if node is None or node["type"] != "Name" or "scope" in node:
            return False
        return node["name"] in self._library.includes and node["name"] not in names

    def _bare_name(self, node: Node, names: Names, in_sort: bool) -> Node:
        name = node["name"]
        if name in names or name == "$this":
            return {"type": "AliasRef", "name": name}
        found = self._declared(name)
        if in_sort:  # an element of the item comes before a definition of the same name
            reference: Node = {"type": "IdentifierRef", "name": name}
            return reference | ({"otherwise": found} if found else {})
        if found is not None:
            return found
        library = self._library
        hint = nearest(name, [*library.statements, *library.value_sets, *library.codes, *names])
        raise self._error(f"'{name}' is not known{hint}", node)

    def _declared(self, name: str) -> Node | None:
        library = self._library
        if library.definition(name):
            return {"type": "ExpressionRef", "name": name}
        for kind, table in (
            ("ValueSetRef", library.value_sets),
            ("CodeRef", library.codes),
            ("ConceptRef", library.concepts),
            ("CodeSystemRef", library.code_systems),
            ("ParameterRef", library.parameters),
        ):
            if name in table:
                return {"type": kind, "name": name}
        return {"type": "ExpressionRef", "name": name} if name == "Patient" else None

    # -- functions -------------------------------------------------------------------------

    def _call(self, node: Node, names: Names, in_sort: bool) -> Node:
        name: str = node["name"]
        scope = node.get("scope")
        if scope is not None and name in _CRITERIA and len(node["operand"]) == 1:
            return self._criteria(node, names, in_sort)
        if scope is not None and name in _OF_TYPE and len(node["operand"]) == 1:
            return self._of_type(node, names, in_sort)
        operands = [self.resolve(o, names, in_sort) for o in node["operand"]]
        if scope is not None and self._is_library(scope, names):
            found = {"type": "FunctionRef", "name": name, "libraryName": scope["name"]}
            return found | {"operand": operands}
        if scope is not None:
            operands = [self.resolve(scope, names, in_sort), *operands]
        own = self._library.functions(name, len(operands))
        reference = {"type": "FunctionRef", "name": name, "operand": operands}
        if own and scope is None:
            return reference
        try:
            if scope is None:
                return _system_call(name, operands)
            if not own and (made := _method(name, operands)):
                return made
            if not own and not self._library.includes:
                return _system_call(name, operands)
        except FhirpkgError as error:
            if scope is None and in_sort:  # `sort by latest()`: of the item that is sorted
                item: Node = {"type": "AliasRef", "name": "$this"}
                return reference | {"operand": [item, *operands], "fluent": True}
            raise self._error(str(error), node) from error
        return reference | {"fluent": True}

    def _of_type(self, node: Node, names: Names, in_sort: bool) -> Node:
        """FHIRPath's `is(Type)`, `as(Type)` and `ofType(Type)`."""
        parts: list[str] = []
        written: Node | None = node["operand"][0]
        while written is not None and written["type"] == "Name":
            parts.insert(0, written["name"])
            written = written.get("scope")
        if written is not None:
            raise self._error(f"{node['name']} needs the name of a type", node)
        type_name = self._type_name(selectors.named_type(parts))
        source = self.resolve(node["scope"], names, in_sort)
        if node["name"] != "ofType":
            kind = node["name"].capitalize()
            return {"type": kind, "operand": source, f"{node['name']}Type": type_name}
        item: Node = {"type": "AliasRef", "name": "$this"}
        fits = {"type": "Is", "operand": item, "isType": type_name}
        sources = [{"alias": "$this", "expression": source}]
        return {"type": "Query", "source": sources, "where": fits}

    def _criteria(self, node: Node, names: Names, in_sort: bool) -> Node:
        """FHIRPath's `where(…)` and its like, as a query whose items are `$this`."""
        source = {"alias": "$this", "expression": self.resolve(node["scope"], names, in_sort)}
        asked = self.resolve(node["operand"][0], names, in_sort=True)
        made: Node = {"type": "Query", "source": [source]}
        if node["name"] == "select":
            return made | {"return": {"distinct": False, "expression": asked}}
        if node["name"] == "all":
            made["where"] = {"type": "Not", "operand": {"type": "IsTrue", "operand": asked}}
            return {"type": "Not", "operand": {"type": "Exists", "operand": made}}
        made["where"] = asked
        return {"type": "Exists", "operand": made} if node["name"] == "exists" else made

    # -- queries ---------------------------------------------------------------------------

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


def _method(name: str, operands: list[Node]) -> Node | None:
    """A method of FHIRPath as CQL's operator; None for one that FHIRPath does not have."""
    if name in methods.FUNCTIONS:
        return _system_call(methods.FUNCTIONS[name], operands)
    if name not in methods.OPERATORS:
        return None
    try:
        return methods.OPERATORS[name](*operands)
    except TypeError as error:
        raise FhirpkgError(f"{name}() does not take {len(operands) - 1} arguments") from error


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
    if name == "Not" and operands:
        return {"type": name, "operand": operands[0]}
    known = [*_SOURCE_FUNCTIONS, *_OPERAND_FUNCTIONS, *_AGES]
    raise FhirpkgError(f"the function {name} is not supported{nearest(name, known)}")


def _with_source(name: str, operands: list[Node]) -> Node:
    if not operands:
        raise FhirpkgError(f"the function {name} needs an operand")
    if name in {"Skip", "Take"}:
        return {"type": name, "operand": operands}
    return {"type": name, "source": operands[0]}


def _age(name: str, operands: list[Node]) -> Node:
    """AgeInYears() of the patient, CalculateAgeInYears(date) of any."""
    if not name.startswith("Calculate"):
        operands = [_BIRTH_DATE, *operands]
    if not operands:
        raise FhirpkgError(f"the function {name} needs an operand")
    at = name.endswith("At")
    found = {"type": "CalculateAgeAt" if at else "CalculateAge", "precision": _AGES[name]}
    return found | {"operand": operands if at else operands[0]}
