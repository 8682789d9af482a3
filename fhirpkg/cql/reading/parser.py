"""CQL expressions to ELM nodes: operators by precedence, terms, selectors, invocations.

Types are not inferred: operators that CQL overloads by type (`+`, `in`, `union`) become one node,
and the evaluator looks at the values. Queries are in :mod:`queries`, phrases of time in
:mod:`timing`. Raises CqlError with the place for what it does not know.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from fhirpkg.cql.reading import queries, selectors, timing
from fhirpkg.cql.reading.lexer import PRECISIONS, precision_name
from fhirpkg.cql.reading.stream import Stream

if TYPE_CHECKING:
    from fhirpkg.cql.tree import Node

_OFFSETS = ("timezoneoffset", "timezone")
"""The second is what CQL before 1.3 says."""
_COMPONENTS = ("date", "time", *_OFFSETS, *PRECISIONS[::2])

BINARY: tuple[dict[str, str], ...] = (
    {"|": "Union", "union": "Union", "intersect": "Intersect", "except": "Except"},
    {"implies": "Implies"},
    {"or": "Or", "xor": "Xor"},
    {"and": "And"},
    {"in": "In", "contains": "Contains"},
    {"=": "Equal", "!=": "NotEqual", "~": "Equivalent", "!~": "NotEquivalent"},
    {},  # phrases of time
    {"<": "Less", "<=": "LessOrEqual", ">": "Greater", ">=": "GreaterOrEqual"},
)
"""Binary operators from the loosest; those of terms (`+`, `*`, `^`) bind tighter than all."""

_TIMING_LEVEL = 6
_OF_OPERATORS = ("symbol", "name")
_CLOSING = frozenset(("", ")", "]", "}", ",", ";"))
_TERMS: tuple[dict[str, str], ...] = (
    {"+": "Add", "-": "Subtract", "&": "ConcatenateOrEmpty"},
    {"*": "Multiply", "/": "Divide", "div": "TruncatedDivide", "mod": "Modulo"},
    {"^": "Power"},
)
_UNARY_WORDS = {
    "singleton": ("from", "SingletonFrom"),
    "point": ("from", "PointFrom"),
    "width": ("of", "Width"),
    "successor": ("of", "Successor"),
    "predecessor": ("of", "Predecessor"),
    "start": ("of", "Start"),
    "end": ("of", "End"),
}


class Parser(Stream):
    """Reads expressions off a list of tokens."""

    # -- expressions -----------------------------------------------------------------------

    def whole(self) -> Node:
        """An expression and nothing behind it."""
        node = self.expression()
        self.accept(";")
        if self.token.kind != "end":
            raise self.error(f"unexpected {self.token.text!r}")
        return node

    def expression(self, level: int = 0) -> Node:
        """An expression of operators that bind at least as tightly as the level."""
        left = self._prefixed()
        if self._closes():
            return left
        for each in range(len(BINARY) - 1, level - 1, -1):  # the tightest first
            while (found := self._continued(left, each)) is not None:
                left = found
        return left

    def _closes(self) -> bool:
        """Whether what is next ends an expression, so that no level needs to look for operators."""
        return self.token.text in _CLOSING and self.token.kind in {"symbol", "end"}

    def _continued(self, left: Node, level: int) -> Node | None:
        """The operand with the next operator of a level and what follows it, if one follows."""
        if level == _TIMING_LEVEL:
            return timing.phrase(self, left)
        token = self.token
        if token.kind not in _OF_OPERATORS or token.text not in BINARY[level]:
            return None
        self.advance()
        return self._binary(BINARY[level][token.text], left, level)

    def _binary(self, node_type: str, left: Node, level: int) -> Node:
        node: Node = {"type": node_type}
        if node_type in {"In", "Contains"} and self.token.text in PRECISIONS:
            node["precision"] = precision_name(self.advance().text)
            self.expect("of")
        node["operand"] = [left, self.expression(level + 1)]
        return node

    def _prefixed(self) -> Node:
        if self.accept("not"):
            return {"type": "Not", "operand": self._prefixed()}
        if self.accept("exists"):
            return {"type": "Exists", "operand": self._prefixed()}
        if self.accept("cast"):
            operand = self.term()
            self.expect("as")
            cast = {"type": "As", "operand": operand, "strict": True}
            return self._suffixed(cast | selectors.type_specifier(self, "as"))
        return self._suffixed(self.term())

    def _counts_between(self) -> bool:
        return self.token.text in PRECISIONS and self.ahead().is_word("between")

    def _suffixed(self, node: Node) -> Node:
        """`is null`, `is Type`, `as Type`, `between … and …`."""
        while True:
            if self.accept("is"):
                node = self._is(node)
            elif self.token.is_word("as") and self.ahead().kind in {"name", "quoted"}:
                self.advance()
                node = {"type": "As", "operand": node} | selectors.type_specifier(self, "as")
            elif self.token.is_word("between") or (
                self.token.is_word("properly") and self.ahead().is_word("between")
            ):
                node = self._between(node)
            else:
                return node

    def _is(self, node: Node) -> Node:
        negated = bool(self.accept("not"))
        tests = {"null": "IsNull", "true": "IsTrue", "false": "IsFalse"}
        word = self.accept(*tests)
        if word:
            node = {"type": tests[word], "operand": node}
            return {"type": "Not", "operand": node} if negated else node
        return {"type": "Is", "operand": node} | selectors.type_specifier(self, "is")

    def _between(self, node: Node) -> Node:
        properly = bool(self.accept("properly"))
        self.expect("between")
        low = self.term()
        self.expect("and")
        high = self.term()
        above, below = ("Greater", "Less") if properly else ("GreaterOrEqual", "LessOrEqual")
        bounds = [{"type": above, "operand": [node, low]}, {"type": below, "operand": [node, high]}]
        return {"type": "And", "operand": bounds}

    # -- terms -----------------------------------------------------------------------------

    def term(self, level: int = 0) -> Node:
        """A term: arithmetic and all that binds tighter."""
        left = self._signed()
        if self._closes():
            return left
        for each in range(len(_TERMS) - 1, level - 1, -1):
            while (token := self.token).kind in _OF_OPERATORS and token.text in _TERMS[each]:
                self.advance()
                operands = [left, self.term(each + 1)]
                left = {"type": _TERMS[each][token.text], "operand": operands}
                if left["type"] == "ConcatenateOrEmpty":
                    left = selectors.concatenation(operands)
        return left

    def _signed(self) -> Node:
        if self.accept("-"):
            return {"type": "Negate", "operand": self._signed()}
        if self.accept("+"):
            return self._signed()
        word = self.token.text if self.token.kind == "name" else ""
        follower, node_type = _UNARY_WORDS.get(word, ("", ""))
        if follower and self.ahead().is_word(follower):
            self.advance()
            self.advance()
            return {"type": node_type, "operand": self._signed()}
        if word in _COMPONENTS and self.ahead().is_word("from"):
            return self._component()
        reader = {
            "if": self._if,
            "case": self._case,
            "convert": self._convert,
            "distinct": self._distinct,
            "flatten": self._flatten,
            "collapse": self._collapse,
            "expand": self._collapse,
            "minimum": self._limit,
            "maximum": self._limit,
        }.get(word)
        if reader is not None:
            return reader()
        if (word in {"duration", "difference"} and self.ahead().is_word("in")) or (
            self._counts_between()
        ):
            return timing.between(self)
        return self._accessed(self._primary())

    def _component(self) -> Node:
        word = self.advance().text
        self.expect("from")
        operand = self._signed()
        if word in {"date", "time", *_OFFSETS}:
            node_type = {"date": "DateFrom", "time": "TimeFrom"}.get(word, "TimezoneOffsetFrom")
            return {"type": node_type, "operand": operand}
        precision = precision_name(word)
        return {"type": "DateTimeComponentFrom", "precision": precision, "operand": operand}

    def _if(self) -> Node:
        self.advance()
        condition = self.expression()
        self.expect("then")
        then = self.expression()
        self.expect("else")
        return {"type": "If", "condition": condition, "then": then, "else": self.expression()}

    def _case(self) -> Node:
        self.advance()
        node: Node = {"type": "Case", "caseItem": []}
        if not self.token.is_word("when"):
            node["comparand"] = self.expression()
        while self.accept("when"):
            when = self.expression()
            self.expect("then")
            node["caseItem"].append({"when": when, "then": self.expression()})
        self.expect("else")
        node["else"] = self.expression()
        self.expect("end")
        return node

    def _convert(self) -> Node:
        self.advance()
        operand = self.expression()
        self.expect("to")
        if self.token.kind == "string" or self.token.text in PRECISIONS:
            unit = selectors.unit(self.advance().text)
            return {"type": "ConvertQuantity", "operand": [operand, unit]}
        return {"type": "Convert", "operand": operand} | selectors.type_specifier(self, "toType")

    def _distinct(self) -> Node:
        self.advance()
        return {"type": "Distinct", "operand": self.expression()}

    def _flatten(self) -> Node:
        self.advance()
        return {"type": "Flatten", "operand": self.expression()}

    def _collapse(self) -> Node:
        """`collapse` and `expand`, maybe `per` a step."""
        node: Node = {"type": self.advance().text.capitalize(), "operand": [self.expression()]}
        if self.accept("per"):
            if self.token.text in PRECISIONS:
                node["operand"].append(selectors.quantity("1", self.advance().text))
            else:
                node["operand"].append(self.term())
        return node

    def _limit(self) -> Node:
        """`minimum Integer`; a name that is not followed by a type is only a name."""
        if self.ahead().kind != "name":
            return self._accessed(self._primary())
        word = self.advance().text
        node_type = "MinValue" if word == "minimum" else "MaxValue"
        return {"type": node_type} | selectors.type_specifier(self, "valueType")

    def query_source(self) -> Node:
        """A name with what is accessed behind it, and no query."""
        node = self._invocation()
        while True:
            if self.accept("."):
                node = self._member(node)
            elif self.accept("["):
                node = {"type": "Indexer", "operand": [node, self.expression()]}
                self.expect("]")
            else:
                return node

    # -- access and invocation -------------------------------------------------------------

    def _accessed(self, node: Node) -> Node:
        """Members, indexes and methods behind a term; a query when an alias follows."""
        while True:
            if self.accept("."):
                node = self._member(node)
            elif self.accept("["):
                index = self.expression()
                self.expect("]")
                node = {"type": "Indexer", "operand": [_ungrouped(node), index]}
            elif queries.begins(self, node):
                node = queries.query(self, node)
            else:
                return _ungrouped(node)

    def _member(self, node: Node) -> Node:
        offset = self.token.offset
        name = self.identifier()
        found = {"name": name, "scope": _ungrouped(node), "offset": offset}
        if self.accept("("):
            arguments = self.separated(self.expression, ")")
            return {"type": "Call", "operand": arguments} | found
        return {"type": "Name"} | found

    def _primary(self) -> Node:
        token = self.token
        if token.kind in {"number", "string", "datetime"}:
            return selectors.literal(self)
        if self.accept("("):
            node = self.expression()
            self.expect(")")
            return {"type": "Group", "operand": node}
        if token.is_word("["):
            return queries.retrieve(self)
        if self.accept("{"):
            if selectors.begins_tuple(self):
                return selectors.elements(self, "Tuple")
            return {"type": "List", "element": self.separated(self.expression, "}")}
        if token.kind == "name" and token.text in {"true", "false", "null"}:
            self.advance()
            return selectors.constant(token.text)
        if token.kind == "name" and token.text in selectors.WORDS and self.ahead().kind != "end":
            selected = selectors.selector(self, token.text)
            if selected is not None:
                return selected
        if token.is_word("from"):
            return queries.from_clause(self)
        return self._invocation()

    def _invocation(self) -> Node:
        """A name, a function call, an instance of a type."""
        offset = self.token.offset
        name = self.identifier()
        if self.accept("("):
            arguments = self.separated(self.expression, ")")
            return {"type": "Call", "name": name, "operand": arguments, "offset": offset}
        if name[0] == "%":
            return {"type": "ParameterRef", "name": name[1:]}
        if self._begins_instance():
            return self._instance(name)
        return {"type": "Name", "name": name, "offset": offset}

    def _instance(self, name: str) -> Node:
        """`Type { name: … }`, `FHIR.Type { … }`, `FHIR.Type.Backbone { … }`."""
        parts = [name]
        while self.accept("."):
            parts.append(self.identifier())
        self.expect("{")
        node = selectors.elements(self, "Instance")
        return node | {"classType": selectors.named_type(parts)}

    def _begins_instance(self) -> bool:
        """`Type { name: …` or `FHIR.Type { name: …`, and no list behind a name."""
        skip = 0
        while self.ahead(skip).is_word(".") and self.ahead(skip + 1).kind in {"name", "quoted"}:
            skip += 2
        if not self.ahead(skip).is_word("{"):
            return False
        inside = self.ahead(skip + 1)
        return inside.is_word("}", ":") or (
            inside.kind in {"name", "quoted"} and self.ahead(skip + 2).is_word(":")
        )

    def type_of_operand(self) -> Node:
        """The type of an operand or parameter."""
        return selectors.specified_type(self)


def _ungrouped(node: Node) -> Node:
    """What is in parentheses; they matter only to recognize a query's source."""
    inner: Node = node["operand"] if node["type"] == "Group" else node
    return inner
