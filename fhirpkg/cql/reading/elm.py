"""The ELM document of a CQL library, as JSON (https://cql.hl7.org/elm.html)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from fhirpkg import fhirjson
from fhirpkg.cql.reading.library import outline, read_statements
from fhirpkg.cql.reading.uses import keys_of

if TYPE_CHECKING:
    from collections.abc import Hashable

    from fhirpkg.cql.evaluating.library import Library, Statement
    from fhirpkg.cql.reading.library import Stretch
    from fhirpkg.cql.tree import Node, Value

_END = "]}}}"
_OFFSET = re.compile(r'(?<="offset":)([1-9]\d*)')
"""An offset in the text; 0 where there is none. Inside of a JSON string the mark is escaped."""
_PUBLIC = {"accessLevel": "Public"}
_PATIENT: Node = {
    "name": "Patient",
    "context": "Patient",
    "expression": {
        "type": "SingletonFrom",
        "operand": {"type": "Retrieve", "dataType": "{http://hl7.org/fhir}Patient"},
    },
}
_USINGS = [
    {"localIdentifier": "System", "uri": "urn:hl7-org:elm-types:r1"},
    {"localIdentifier": "FHIR", "uri": "http://hl7.org/fhir", "version": "4.0.1"},
]


def elm_text(text: str) -> str:
    """The library of a CQL text as ELM in JSON; raises FhirpkgError for what cannot be read.

    What was made of a statement before, among the same definitions, is taken again: most
    procedures share most of their logic.
    """
    source, library, stretches = outline(text)
    keys = keys_of(library, stretches)
    if not all(map(_known.__contains__, keys)):
        _learn(read_statements(source, library, stretches), stretches, keys)
    made: Node = {
        "identifier": {"id": library.name, "version": library.version},
        "schemaIdentifier": {"id": "urn:hl7-org:elm", "version": "r1"},
        "usings": {"def": _USINGS},
        **_declarations(library),
        "statements": {"def": [_PATIENT]},
    }
    whole = fhirjson.dump({"library": made})
    head, end = whole[: -len(_END)], whole[-len(_END) :]
    assert end == _END, "the statements come last"
    placed = (_known[key].at(each.start) for key, each in zip(keys, stretches, strict=True))
    return ",".join((head, *placed)) + end


class _Made(NamedTuple):
    """The JSON of a statement; every second part is an offset from the statement's start."""

    parts: tuple[str, ...]

    def at(self, start: int) -> str:
        """The text for a statement that begins there."""
        told = (str(int(part) + start) if n % 2 else part for n, part in enumerate(self.parts))
        return "".join(told)


_known: dict[Hashable, _Made] = {}
_MOST_KNOWN = 5000


def _learn(statements: list[Statement], stretches: list[Stretch], keys: list[Hashable]) -> None:
    """Make the statements of a library that are not known yet."""
    if len(_known) > _MOST_KNOWN:
        _known.clear()
    for key, statement, stretch in zip(keys, statements, stretches, strict=True):
        if key not in _known:
            parts = _OFFSET.split(fhirjson.dump(_statement(statement)))
            parts[1::2] = [str(int(offset) - stretch.start) for offset in parts[1::2]]
            _known[key] = _Made(tuple(parts))


def _declarations(library: Library) -> Node:
    found = {
        "includes": [
            {"localIdentifier": alias, "path": name, "version": version}
            for alias, (name, version) in library.includes.items()
        ],
        "parameters": [_PUBLIC | parameter for parameter in library.parameters.values()],
        "codeSystems": [_declared(system) for system in library.code_systems.values()],
        "valueSets": [_declared(value_set) for value_set in library.value_sets.values()],
        "codes": [_PUBLIC | code for code in library.codes.values()],
        "concepts": [_PUBLIC | concept for concept in library.concepts.values()],
    }
    return {key: {"def": items} for key, items in found.items() if items}


def _declared(definition: Node) -> Node:
    """A code system or value set, without the version that it does not have."""
    return _PUBLIC | {key: value for key, value in definition.items() if value}


def _statement(statement: Statement) -> Node:
    made: Node = {"name": statement.name, "context": "Patient", **_PUBLIC}
    if statement.operands is not None:
        made["type"] = "FunctionDef"
        made["operand"] = [
            {"name": name, **_typed(kind)} for name, kind in statement.operands.items()
        ]
    return made | {"expression": _portable(statement.tree, statement.operands or {})}


def _typed(kind: Node) -> Node:
    if "name" in kind and "type" not in kind:
        return {"operandTypeSpecifier": {"type": "NamedTypeSpecifier", "name": kind["name"]}}
    return {"operandTypeSpecifier": kind}


def _portable(node: Value, operands: Node) -> Value:
    """The tree with node types that ELM distinguishes and our evaluator does not."""
    if isinstance(node, list):
        return [_portable(item, operands) for item in node]
    if not isinstance(node, dict):
        return node
    made = {key: _portable(value, operands) for key, value in node.items()}
    if made.get("type") == "AliasRef" and made["name"] in operands:
        made["type"] = "OperandRef"
    elif made.get("type") == "In" and made["operand"][1].get("type") == "ValueSetRef":
        code, value_set = made["operand"]
        return {"type": "InValueSet", "code": code, "valueset": value_set}
    return made
