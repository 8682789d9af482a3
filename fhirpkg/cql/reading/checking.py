"""Elements that the model does not have, found before anything is evaluated.

Types are inferred as far as they are plain: from retrieves, through queries, elements, definitions
and casts. Where a type is not known nothing is said; the evaluator looks at the values then.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple

from fhirpkg.cql import models
from fhirpkg.errors import FhirpkgError
from fhirpkg.rules import nearest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fhirpkg.cql.evaluating.library import Library
    from fhirpkg.cql.reading.lexer import Source
    from fhirpkg.cql.tree import Node
    from fhirpkg.definitions.typemodel import TypesOfDefinitions

_FHIR = "{http://hl7.org/fhir}"
_OF_CONVERTED = {
    "CodeableConcept": ("codes", "display"),
    "Coding": (),
    "Period": ("low", "high", "lowClosed", "highClosed"),
    "Range": ("lowClosed", "highClosed"),
}
"""Elements of the types of CQL that FHIR's are converted to."""
_SAME = frozenset(
    {"Start", "End", "Distinct", "First", "Last", "SingletonFrom", "Skip", "Take", "Tail", "Slice"}
)
_ONE = frozenset({"First", "Last", "SingletonFrom"})


class Type(NamedTuple):
    """A type of R4 by its name, or a list of it."""

    name: str
    is_list: bool = False


CHOICE = Type("")
"""An element that may be of several types."""
_OPERATORS = frozenset(
    "Add Subtract Multiply Divide TruncatedDivide Modulo Less LessOrEqual Greater GreaterOrEqual In"
    " Contains ProperIn ProperContains Includes IncludedIn ProperIncludes ProperIncludedIn Before"
    " After SameAs SameOrBefore SameOrAfter Overlaps OverlapsBefore OverlapsAfter Starts Ends Meets"
    " MeetsBefore MeetsAfter DurationBetween DifferenceBetween".split()
)
"""Operators that cast a choice to the type of the other operand; null if it is of another."""
Names = Mapping[str, "Type | None"]
"""The aliases, lets and operands that hold at a place, with their types."""


class Checker:
    """Looks for elements that their types do not have in one library's expressions."""

    def __init__(
        self,
        library: Library,
        source: Source,
        types: TypesOfDefinitions,
    ) -> None:
        self._library = library
        self._source = source
        self._types = types
        self._found: dict[str, Type | None] = {}
        """The types of definitions that have been read; None while one is being read."""

    def definition(self, name: str, tree: Node) -> None:
        """Look through the tree of a definition; raises CqlError at what is not there."""
        self._found[name] = None
        self._found[name] = self._type(tree, {})

    def function(self, tree: Node, operands: Mapping[str, Node]) -> None:
        """Look through the body of a function, with the types of its operands."""
        self._type(tree, {operand: _specified(node) for operand, node in operands.items()})

    def _type(self, node: Node, names: Names) -> Type | None:
        kind = node["type"]
        if kind == "Query":
            return self._query(node, names)
        if kind == "Property":
            return self._property(node, names)
        inner = [self._type(child, names) for child in _children(node)]
        if kind in _OPERATORS and CHOICE in inner:
            _allow_other_kinds(node)
        if kind == "Retrieve":
            return self._retrieve(node)
        if kind == "AliasRef":
            return names.get(node["name"])
        if kind == "ExpressionRef":
            return self._definition(node)
        if kind in _SAME and inner and inner[0]:
            if CHOICE in inner or kind in {"Start", "End"}:
                return CHOICE if CHOICE in inner else None
            return Type(inner[0].name, inner[0].is_list and kind not in _ONE)
        if kind in {"Union", "Intersect", "Except"} and inner[0] == inner[-1]:
            return inner[0]
        if kind == "As":
            return _specified(node.get("asTypeSpecifier") or {"name": node.get("asType", "")})
        return None

    def _retrieve(self, node: Node) -> Type:
        name = node["dataType"].removeprefix(_FHIR)
        if not self._types.is_resource(name):
            known = [*self._types.resource_types(), *models.names(self._library.models)]
            problem = f"'{name}' is not a resource type, so it cannot be retrieved"
            raise self._source.error(f"{problem}{nearest(name, known)}", node.get("offset", 0))
        return Type(name, is_list=True)

    def _definition(self, node: Node) -> Type | None:
        """The type of a definition of this library; of one that cannot be read none."""
        if "libraryName" in node:
            return None
        if node["name"] == "Patient":
            return Type("Patient")
        name = node["name"]
        statement = self._library.definition(name)
        if name not in self._found and statement is not None:
            try:
                statement.read()
            except FhirpkgError:
                return None
        return self._found.get(name)

    def _property(self, node: Node, names: Names) -> Type | None:
        source = self._type(node["source"], names)
        if source is None or source == CHOICE:
            return None
        return self._element(source, node["path"], node)

    def _element(self, source: Type, name: str, node: Node) -> Type | None:
        elements = self._types.elements(source.name)
        member = elements.get(name)
        if member is not None:
            if member.is_choice:
                return CHOICE
            if member.types[0] in {"Resource", "Element"}:
                return None
            return Type(member.types[0], source.is_list or member.is_list)
        if not elements or self._is_of_model(source.name, name):
            return None
        if any(m.is_choice and name in map(m.key, m.types) for m in elements.values()):
            return None
        known = [*elements, *self._added(source.name)]
        problem = f"{source.name} has no element '{name}'{nearest(name, known)}"
        raise self._source.error(problem, node.get("offset", 0))

    def _is_of_model(self, type_name: str, name: str) -> bool:
        return name in _OF_CONVERTED.get(type_name, ()) or name in self._added(type_name)

    def _added(self, type_name: str) -> list[str]:
        """The elements that the profiles of the library's models add to a type."""
        has_profiles = any(model != "FHIR" for model in self._library.models)
        return models.slice_names(type_name) if has_profiles else []

    def _query(self, node: Node, names: Names) -> Type | None:
        known = dict(names)
        items: list[Type | None] = []
        for source in node["source"]:
            found = self._type(source["expression"], known)
            items.append(found)
            known[source["alias"]] = found and Type(found.name)
        for let in node.get("let", ()):
            known[let["identifier"]] = self._type(let["expression"], known)
        for relation in node.get("relationship", ()):
            found = self._type(relation["expression"], known)
            self._type(
                relation["suchThat"], {**known, relation["alias"]: found and Type(found.name)}
            )
        if "where" in node:
            self._type(node["where"], known)
        if "aggregate" in node:
            self._aggregate(node["aggregate"], known)
            return None
        if "return" in node:
            returned = self._type(node["return"]["expression"], known)
            many = any(item is None or item.is_list for item in items)
            return returned and Type(returned.name, many or returned.is_list)
        return items[0] if len(items) == 1 else None

    def _aggregate(self, node: Node, known: Names) -> None:
        if "starting" in node:
            self._type(node["starting"], known)
        self._type(node["expression"], {**known, node["identifier"]: None})


_CHILD_KEYS = (
    "operand", "source", "condition", "then", "else", "comparand", "low", "high", "codes",
    "caseItem", "when", "element", "value",
)  # fmt: skip


def _children(node: Node) -> Iterator[Node]:
    for key in _CHILD_KEYS:
        value = node.get(key)
        for item in value if isinstance(value, list) else (value,):
            if isinstance(item, dict):
                if "type" in item:
                    yield item
                else:
                    yield from _children(item)


def _allow_other_kinds(node: Node) -> None:
    """Make an operator one that is null where its operands are of kinds it does not take."""
    operator = dict(node)
    node.clear()
    node.update({"type": "IfOfKind", "operand": operator})


def _specified(node: Node) -> Type | None:
    """A type of FHIR as it is written in an operand or a cast."""
    if node.get("type") == "ChoiceTypeSpecifier":
        return CHOICE
    if node.get("type") == "ListTypeSpecifier":
        found = _specified(node.get("elementType", {}))
        return found and Type(found.name, is_list=True)
    name = node.get("name", "")
    return Type(name.removeprefix(_FHIR)) if name.startswith(_FHIR) else None
