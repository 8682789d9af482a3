"""Text to the parts of `fhirpkg.fhirpath.reading.ast` (http://hl7.org/fhirpath/N1/grammar.html).

By hand: a term, what is chained to it, then operators by their precedence.
"""

from __future__ import annotations

from decimal import Decimal

from fhirpkg.errors import FhirPathError
from fhirpkg.fhirpath.reading import ast
from fhirpkg.fhirpath.reading.lexer import Token, tokens
from fhirpkg.fhirpath.temporal import Temporal
from fhirpkg.fhirpath.values import CALENDAR_UNITS, Long, Quantity

_DEEPEST = 60
_LONGEST = 150
_OPERATORS = [
    {"implies"},
    {"xor", "or"},
    {"and"},
    {"in", "contains"},
    {"=", "~", "!=", "!~"},
    {">", "<", ">=", "<="},
    {"|"},
    {"is", "as"},
    {"+", "-", "&"},
    {"*", "/", "div", "mod"},
]
_POWER = {sign: power for power, signs in enumerate(_OPERATORS) for sign in signs}
_KEYWORDS = {"and", "or", "xor", "implies", "div", "mod", "true", "false"}
_WITH_TYPE = {"is", "as", "ofType"}


def parse(text: str) -> ast.Part:
    """The expression in `text`.

    Raises FhirPathError, with the column, for what is not FHIRPath or is nested too deeply.
    """
    parser = _Parser(text)
    found = parser.expression()
    parser.expect("end", "")
    return found


class _Parser:
    """The tokens of a text and the place reached in them."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.rest = tokens(text)[::-1]
        self.depth = 0

    def fail(self, problem: str, at: int) -> FhirPathError:
        """The error to raise for a problem at a column."""
        return FhirPathError(self.text, problem, at)

    def peek(self, sign: str) -> bool:
        """Whether the next token is this operator, bracket or keyword."""
        token = self.rest[-1]
        return token.text == sign and token.kind in {"sign", "word"}

    def take(self) -> Token:
        """The next token, gone past; the end stays."""
        return self.rest.pop() if len(self.rest) > 1 else self.rest[0]

    def expect(self, kind: str, text: str) -> Token:
        """The next token, which must be of a kind and, if given, of a text."""
        token = self.rest[-1]
        if token.kind != kind or (text and token.text != text):
            wanted = f"'{text}'" if text else "the end" if kind == "end" else f"a {kind}"
            found = f"'{token.text}'" if token.text else "the end"
            raise self.fail(f"{wanted} expected, but {found} found", token.at)
        return self.take()

    def expression(self, power: int = 0) -> ast.Part:
        """Operators of at least this power and their operands; those of one power from the left."""
        self.depth += 1
        if self.depth > _DEEPEST:
            raise self.fail(f"nested more than {_DEEPEST} levels deep", self.rest[-1].at)
        left = self.signed()
        length = 0
        while True:
            token = self.rest[-1]
            strength = _POWER.get(token.text, -1) if token.kind in {"sign", "word"} else -1
            if strength < power:
                break
            self.take()
            left = self.operation(token, left, strength)
            length = self.counted(length)
        self.depth -= 1
        return left

    def operation(self, token: Token, left: ast.Part, strength: int) -> ast.Part:
        """An operator with what is before it and its right operand or type."""
        if token.text in _WITH_TYPE:
            return ast.TypeCall(left, token.text, self.type_name(), token.at)
        return ast.Binary(token.text, left, self.expression(strength + 1), token.at)

    def counted(self, length: int) -> int:
        """One more in a chain; a chain without end would exhaust the stack of whoever walks it."""
        if length >= _LONGEST:
            raise self.fail(f"a chain of more than {_LONGEST} parts", self.rest[-1].at)
        return length + 1

    def signed(self) -> ast.Part:
        """A chain, or one with a sign before it."""
        token = self.rest[-1]
        if token.kind == "sign" and token.text in "+-":
            self.take()
            self.depth += 1
            if self.depth > _DEEPEST:
                raise self.fail(f"nested more than {_DEEPEST} levels deep", token.at)
            operand = self.signed()
            self.depth -= 1
            return ast.Unary(token.text, operand, token.at)
        return self.chain()

    def chain(self) -> ast.Part:
        """A term and all that depends on it: ``.name``, ``.function()``, ``[0]``."""
        found = self.term()
        length = 0
        while True:
            if self.peek("."):
                self.take()
                found = self.named(found)
            elif self.peek("["):
                at = self.take().at
                index = self.expression()
                self.expect("sign", "]")
                found = ast.Index(found, index, at)
            elif self.peek("{") and (type_name := _name_of_type(found)):
                found = self.instance(type_name, found.at)
            else:
                return found
            length = self.counted(length)

    def instance(self, type_name: str, at: int) -> ast.Part:
        """``Coding { system: 'x', code: 'y' }``; ``{ : }`` has no elements (FHIRPath 3.0)."""
        self.take()
        elements: list[tuple[str, ast.Part]] = []
        if self.peek(":"):
            self.take()
            self.expect("sign", "}")
            return ast.Instance(type_name, (), at)
        while not elements or self.peek(","):
            if elements:
                self.take()
            name = self.type_part()
            self.expect("sign", ":")
            elements.append((name, self.expression()))
        self.expect("sign", "}")
        return ast.Instance(type_name, tuple(elements), at)

    def term(self) -> ast.Part:
        """A literal, a name, a variable or something in brackets."""
        token = self.rest[-1]
        if token.kind == "sign":
            return self.bracketed(token)
        if token.kind == "number":
            return self.number()
        if token.kind == "quoted" or (token.kind == "word" and token.text not in _KEYWORDS):
            return self.named(None)
        self.take()
        if token.kind == "word" and token.text in {"true", "false"}:
            return ast.Literal(token.text == "true", token.at)
        if token.kind == "string":
            return ast.Literal(token.text, token.at)
        if token.kind in {"date", "dateTime", "time"}:
            return self.moment(token)
        if token.kind == "special":
            return ast.Special(token.text[1:], token.at)
        if token.kind == "variable":
            return ast.Variable(token.text, token.at)
        found = f"'{token.text}'" if token.text else "the end"
        raise self.fail(f"a value, name or bracket expected, but {found} found", token.at)

    def bracketed(self, token: Token) -> ast.Part:
        """What is in parentheses, or the empty collection ``{}``."""
        self.take()
        if token.text == "{":
            self.expect("sign", "}")
            return ast.Literal(None, token.at)
        if token.text == "(":
            inner = self.expression()
            self.expect("sign", ")")
            return inner
        raise self.fail(f"a value or name expected, but '{token.text}' found", token.at)

    def number(self) -> ast.Part:
        """A number; with a unit behind it (``4 days``, ``10 'mg'``) a quantity."""
        token = self.take()
        following = self.rest[-1]
        unit = following.text if following.kind == "string" else ""
        if following.kind == "word":
            unit = CALENDAR_UNITS.get(following.text, "")
        if unit:
            self.take()
            return ast.Literal(Quantity(Decimal(token.text.rstrip("L")), unit), token.at)
        return ast.Literal(_number(token.text), token.at)

    def moment(self, token: Token) -> ast.Part:
        """A date, dateTime or time that the calendar has."""
        found = Temporal.parse(token.kind, token.text.lstrip("@T"))
        if found is None:
            raise self.fail(f"there is no {token.kind} {token.text}", token.at)
        return ast.Literal(found, token.at)

    def named(self, source: ast.Part | None) -> ast.Part:
        """A member or a function call, with its arguments."""
        token = self.rest[-1]
        if token.kind not in {"word", "quoted"}:
            found = f"'{token.text}'" if token.text else "the end"
            raise self.fail(f"a name expected, but {found} found", token.at)
        self.take()
        if not self.peek("("):
            return ast.Member(source, token.text, token.at)
        self.take()
        if token.text in _WITH_TYPE:
            type_name = self.type_name()
            self.expect("sign", ")")
            return ast.TypeCall(source, token.text, type_name, token.at)
        return ast.Call(source, token.text, tuple(self.arguments()), token.at)

    def arguments(self) -> list[ast.Part]:
        """What is between the parentheses of a call, the first already taken."""
        found: list[ast.Part] = []
        while not self.peek(")"):
            if found:
                self.expect("sign", ",")
            argument = self.expression()
            if self.rest[-1].kind == "word" and self.rest[-1].text in {"asc", "desc"}:
                at = self.rest[-1].at  # the order of a key of sort()
                argument = ast.Unary("-", argument, at) if self.take().text == "desc" else argument
            found.append(argument)
        self.take()
        return found

    def type_name(self) -> str:
        """``Patient``, ``FHIR.Patient`` or ``System.String``."""
        names = [self.type_part()]
        while self.peek("."):
            self.take()
            names.append(self.type_part())
        return ".".join(names)

    def type_part(self) -> str:
        """One part of the name of a type."""
        token = self.rest[-1]
        if token.kind not in {"word", "quoted"}:
            raise self.fail(f"the name of a type expected, but '{token.text}' found", token.at)
        return self.take().text


def _number(text: str) -> int | Decimal:
    """A number as it is written: with a point a Decimal, with an L a Long."""
    if "." in text:
        return Decimal(text)
    return Long(text.rstrip("L")) if text.endswith("L") else int(text)


def _name_of_type(part: ast.Part | None) -> str:
    """The name that a chain of names spells: ``FHIR.Coding``; nothing for anything else."""
    if not isinstance(part, ast.Member):
        return ""
    if part.source is None:
        return part.name
    before = _name_of_type(part.source)
    return f"{before}.{part.name}" if before else ""
