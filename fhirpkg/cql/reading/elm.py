"""The ELM document of a CQL library, as JSON (https://cql.hl7.org/elm.html)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fhirpkg.cql.reading.library import read_library

if TYPE_CHECKING:
    from fhirpkg.cql.evaluating.library import Library, Statement
    from fhirpkg.cql.tree import Node, Value

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


def elm_document(text: str) -> Node:
    """The library of a CQL text as ELM; raises FhirpkgError for what cannot be read."""
    library = read_library(text)
    statements = [_PATIENT]
    for named in library.statements.values():
        statements += [_statement(statement) for statement in named]
    made: Node = {
        "identifier": {"id": library.name, "version": library.version},
        "schemaIdentifier": {"id": "urn:hl7-org:elm", "version": "r1"},
        "usings": {"def": _USINGS},
        **_declarations(library),
        "statements": {"def": statements},
    }
    return {"library": made}


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
    """The tree with the node types that ELM tells apart and our evaluator does not."""
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
