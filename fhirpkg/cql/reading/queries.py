"""Queries and retrieves of CQL (https://cql.hl7.org/02-authorsguide.html#queries)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fhirpkg.cql.reading.lexer import RESERVED

if TYPE_CHECKING:
    from fhirpkg.cql.reading.parser import Parser
    from fhirpkg.cql.tree import Node

_SOURCES = ("Group", "Retrieve", "Name", "Call")
_FHIR = "{http://hl7.org/fhir}"
_DIRECTIONS = {"asc": "asc", "ascending": "asc", "desc": "desc", "descending": "desc"}


def begins(parser: Parser, node: Node) -> bool:
    """Whether a query begins with this source: an alias follows it."""
    if node["type"] not in (*_SOURCES, "List") or not _names(parser):
        return False
    if node["type"] == "List":
        problem = "put a list at the start of a query in parentheses: ({ 1, 2 }) X where …"
        raise parser.error(problem)
    return True


def _names(parser: Parser) -> bool:
    """Whether the next token is an alias."""
    token = parser.token
    if token.kind == "quoted":
        return True
    is_comparison = token.text in {"less", "more"} and parser.ahead().is_word("than")
    return token.kind == "name" and token.text not in RESERVED and not is_comparison


def retrieve(parser: Parser) -> Node:
    """`[Type]`, `[Type: terminology]`, `[Type: property in terminology]`, `[context -> Type]`."""
    parser.expect("[")
    offset = parser.token.offset
    name = parser.name_parts()
    context: Node | None = None
    if parser.token.is_word("-") and parser.ahead().is_word(">"):
        for part in name:
            scope = {"scope": context} if context else {}
            context = {"type": "Name", "name": part, "offset": offset} | scope
        parser.expect("-")
        parser.expect(">")
        offset = parser.token.offset
        name = parser.name_parts()
    node: Node = {"type": "Retrieve", "dataType": _FHIR + ".".join(name), "offset": offset}
    if context:
        node["context"] = context
    if parser.accept(":"):
        if parser.ahead().is_word("in", "~", "=") and parser.token.kind in {"name", "quoted"}:
            node["codeProperty"] = parser.identifier()
            node["codeComparator"] = parser.advance().text
        node["codes"] = parser.expression()
    parser.expect("]")
    return node


def query(parser: Parser, source: Node) -> Node:
    """A query whose first source has been read; its alias comes next."""
    if source["type"] == "Group":
        source = source["operand"]
    return _clauses(parser, [{"alias": parser.identifier(), "expression": source}])


def from_clause(parser: Parser) -> Node:
    """`from A a, B b …`."""
    parser.expect("from")
    sources = [_aliased(parser)]
    while parser.accept(","):
        sources.append(_aliased(parser))
    return _clauses(parser, sources)


def _aliased(parser: Parser) -> Node:
    """A source with its alias: what is in brackets or parentheses, or a name."""
    if parser.token.is_word("["):
        expression = retrieve(parser)
    elif parser.accept("("):
        expression = parser.expression()
        parser.expect(")")
    else:
        expression = parser.query_source()
    return {"alias": parser.identifier(), "expression": expression}


def _clauses(parser: Parser, sources: list[Node]) -> Node:
    node: Node = {"type": "Query", "source": sources}
    if parser.accept("let"):
        node["let"] = [_let(parser)]
        while parser.accept(","):
            node["let"].append(_let(parser))
    while word := parser.accept("with", "without"):
        node.setdefault("relationship", []).append(_relationship(parser, word))
    if parser.accept("where"):
        node["where"] = parser.expression()
    if parser.accept("return"):
        everything = parser.accept("all", "distinct") == "all"
        node["return"] = {"distinct": not everything, "expression": parser.expression()}
    elif parser.accept("aggregate"):
        node["aggregate"] = _aggregate(parser)
    if parser.accept("sort"):
        node["sort"] = {"by": _sort(parser)}
    return node


def _let(parser: Parser) -> Node:
    name = parser.identifier()
    parser.expect(":")
    return {"identifier": name, "expression": parser.expression()}


def _relationship(parser: Parser, word: str) -> Node:
    node = {"type": word.capitalize()} | _aliased(parser)
    parser.expect("such")
    parser.expect("that")
    return node | {"suchThat": parser.expression()}


def _aggregate(parser: Parser) -> Node:
    distinct = parser.accept("all", "distinct") == "distinct"
    node: Node = {"identifier": parser.identifier(), "distinct": distinct}
    if parser.accept("starting"):
        node["starting"] = parser.term()
    parser.expect(":")
    return node | {"expression": parser.expression()}


def _sort(parser: Parser) -> list[Node]:
    """`sort asc` by the items themselves, `sort by a desc, b` by expressions on them."""
    word = parser.accept(*_DIRECTIONS)
    if word:
        return [{"type": "ByDirection", "direction": _DIRECTIONS[word]}]
    parser.expect("by")
    keys = [_sort_key(parser)]
    while parser.accept(","):
        keys.append(_sort_key(parser))
    return keys


def _sort_key(parser: Parser) -> Node:
    expression = parser.term()
    direction = _DIRECTIONS.get(parser.accept(*_DIRECTIONS), "asc")
    return {"type": "ByExpression", "direction": direction, "expression": expression}
