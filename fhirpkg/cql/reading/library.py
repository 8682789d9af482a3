"""A CQL library: its header is read at once, each definition when it is needed.

So that one construct we do not know spoils one definition, not the library.
"""

from __future__ import annotations

import functools
import itertools
import re
from typing import TYPE_CHECKING, NamedTuple

from fhirpkg.cql import models
from fhirpkg.cql.evaluating.library import Library, Statement, check_context, qualified
from fhirpkg.cql.reading.checking import Checker
from fhirpkg.cql.reading.lexer import Source, Token, name_in, tokens
from fhirpkg.cql.reading.parser import Parser
from fhirpkg.cql.reading.resolver import Resolver
from fhirpkg.errors import FhirpkgError
from fhirpkg.rules import nearest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from fhirpkg.cql.tree import Node

_LANDMARK = re.compile(
    r"//[^\n]*|/\*.*?\*/|'(?:\\.|[^'\\])*'|\"(?:\\.|[^\"\\])*\"|define(?<=\bdefine)\b", re.DOTALL
)
"""It looks back for the start of the word: where alternatives begin with characters, the search
passes over what begins with others.
"""
_HEAD = re.compile(
    r"(?:\"(?:\\.|[^\"\\])*\"|`(?:\\.|[^`\\])*`|//[^\n]*|/\*.*?\*/|[^\"`:/]|/)*+:", re.DOTALL
)
"""A statement up to the colon before its expression."""
_PLAIN_HEAD = re.compile(r'define\s+"([^"\\\n]+)"\s*:')
"""That of most: a definition whose name is in quotation marks."""
_NAME = re.compile(r"^\s*library\s+\"?([\w.-]+)", re.MULTILINE)
_CONTEXTS = ["Patient", "Unfiltered", "Population", "Practitioner", "Device", "RelatedPerson",
             "Encounter", "Location", "Organization", "Group"]  # fmt: skip
"""Those of CQL, and the types of FHIR that data may be of (the compartments and subjects)."""
_TRAILING_CONTEXT = re.compile(
    r"^[ \t]*context\s+(\w+)\s*(?:(?://[^\n]*\n|/\*.*?\*/)\s*)*\Z", re.MULTILINE | re.DOTALL
)
"""`context X` behind a statement, maybe with comments on the next one behind it."""
_MODIFIERS = ("public", "private", "fluent", "function")
_DEFINED = re.compile(
    r"define\s+(?:(?:public|private|fluent|function)\s+)*"
    r"(\"(?:\\.|[^\"\\])*\"|`(?:\\.|[^`\\])*`|[\w$]+)"
)


def defined_names(text: str, *, functions: bool) -> list[str]:
    """The names that CQL text defines, with functions or without; comments define nothing.

    >>> defined_names('define "A b": 1 /* define C: 2 */ define private D: 3', functions=False)
    ['A b', 'D']
    """
    read = filter(None, (_DEFINED.match(text, start) for start in _starts(text)))
    return [
        name_in(m[1]) for m in read if functions or "function" not in text[m.start() : m.start(1)]
    ]


def read_library(text: str, name: str = "") -> Library:
    """The library in CQL text; raises CqlError when its header cannot be read."""
    source, library, stretches = outline(text, name)
    read_statements(source, library, stretches)
    return library


def read_statements(
    source: Source, library: Library, stretches: Iterable[Stretch]
) -> list[Statement]:
    """The statements that :func:`outline` found, in its order; the library gets them.

    Raises CqlError where it cannot be read what one defines.
    """
    checker = functools.cache(lambda: _checker(library, source))
    made = [_read_statement(stretch, source, library, checker) for stretch in stretches]
    for statement in made:
        library.add(statement)
    return made


@functools.lru_cache(maxsize=4)  # of a library, and of the one that a plan or measure names
def _starts(text: str) -> tuple[int, ...]:
    """Where the statements of CQL text begin."""
    return tuple(m.start() for m in _LANDMARK.finditer(text) if m.group() == "define")


class Stretch(NamedTuple):
    """Where a statement is, its first line, its text, and the context that holds there."""

    start: int
    end: int
    line: int
    text: str
    context: str

    @property
    def name(self) -> str:
        """The name that it defines; nothing where a comment is before it."""
        return _name_and_seen(self.text)[0]

    @property
    def seen(self) -> str:
        """What other statements depend on: the text, of a function its head."""
        return _name_and_seen(self.text)[1]


@functools.lru_cache(maxsize=5000)
def _name_and_seen(text: str) -> tuple[str, str]:
    found, head = _DEFINED.match(text), _HEAD.match(text)
    is_function = found and head and "function" in text[: found.start(1)].split()
    name = name_in(found[1]) if found and found[1] not in _MODIFIERS else ""
    return name, head[0] if head and is_function else text


def outline(text: str, name: str = "") -> tuple[Source, Library, list[Stretch]]:
    """The source, the library with its header only, and the places of its statements.

    Raises CqlError when the header cannot be read.
    """
    starts = _starts(text)
    named = _NAME.search(text)
    source = Source(text, named[1] if named else name)
    library = Library(name)
    head_end = starts[0] if starts else len(text)
    header = _Header(source, tokens(source, 0, head_end), library)
    header.read()
    context = header.context
    stretches = []
    line, seen = 1, 0
    for start, end in itertools.pairwise([*starts, len(text)]):
        line, seen = line + text.count("\n", seen, start), start
        next_context = context
        if found := _TRAILING_CONTEXT.search(text, start, end):
            end, next_context = found.start(), found[1]  # noqa: PLW2901 - without what follows
        stretches.append(Stretch(start, end, line, text[start:end], context))
        context = next_context
    return source, library, stretches


def read_expression(text: str, library: Library) -> Node:
    """The tree of an expression, its names taken from a library; raises FhirpkgError."""
    source = Source(text, "")
    parsed = Parser(source, tokens(source)).whole()
    tree = Resolver(library, source).resolve(parsed, frozenset())
    _checker(library, source).definition("", tree)
    return tree


def _checker(library: Library, source: Source) -> Checker:
    from fhirpkg.definitions.definitions import Definitions  # noqa: PLC0415 - costs start-up

    return Checker(library, source, Definitions.core().types)


class _Header(Parser):
    """Reads the declarations before the first definition."""

    def __init__(self, source: Source, stretch: list[Token], library: Library) -> None:
        super().__init__(source, stretch)
        self._library = library
        self.context = ""

    def read(self) -> None:
        """Take all declarations into the library."""
        readers: dict[str, Callable[[], None]] = {
            "library": self._name,
            "using": self._using,
            "include": self._include,
            "codesystem": self._code_system,
            "valueset": self._value_set,
            "code": self._code,
            "concept": self._concept,
            "parameter": self._parameter,
            "context": self._context,
        }
        while self.token.kind != "end":
            self.accept("public", "private")
            self.expect(*readers)
            readers[self._previous()]()

    def _previous(self) -> str:
        return self._tokens[self._at - 1].text

    def _version(self) -> str:
        return self.advance().text if self.accept("version") else ""

    def _name(self) -> None:
        self._library.name = self._library_name()
        self._library.namespace = qualified(self._library.name)[0]
        self._library.version = self._version()

    def _library_name(self) -> str:
        """A qualified name; published libraries have hyphens in it."""
        name = self.qualified_name()
        while self.accept("-"):
            name = f"{name}-{self.advance().text}"
        return name

    def _using(self) -> None:
        token = self.token
        name = self.qualified_name()
        version = self._version()
        if self.accept("called"):
            self.identifier()
        try:
            self._library.models[name] = models.check(name, version)
        except FhirpkgError as error:
            raise self.source.error(str(error), token.offset) from error

    def _include(self) -> None:
        name = self._library_name()
        version = self._version()
        alias = self.identifier() if self.accept("called") else qualified(name)[1]
        self._library.includes[alias] = (name, version)

    def _identified(self) -> tuple[str, Node]:
        name = self.identifier()
        self.expect(":")
        return name, {"name": name, "id": self.advance().text}

    def _code_system(self) -> None:
        name, definition = self._identified()
        self._library.code_systems[name] = definition | {"version": self._version()}

    def _value_set(self) -> None:
        name, definition = self._identified()
        definition["version"] = self._version()
        self._library.value_sets[name] = definition
        if self.accept("codesystems"):
            self.expect("{")
            self.separated(self._reference, "}")

    def _reference(self) -> Node:
        """A code system or code by name, maybe of another library."""
        name = self.identifier()
        if self.accept("."):
            return {"name": self.identifier(), "libraryName": name}
        return {"name": name}

    def _display(self) -> Node:
        return {"display": self.advance().text} if self.accept("display") else {}

    def _code(self) -> None:
        name, definition = self._identified()
        self.expect("from")
        definition["codeSystem"] = self._reference()
        self._library.codes[name] = definition | self._display()

    def _concept(self) -> None:
        name = self.identifier()
        self.expect(":")
        self.expect("{")
        codes = self.separated(self._reference, "}")
        self._library.concepts[name] = {"name": name, "code": codes} | self._display()

    def _parameter(self) -> None:
        name = self.identifier()
        definition: Node = {"name": name}
        if self.token.kind in {"name", "quoted"} and not self.token.is_word("default"):
            resolver = Resolver(self._library, self.source)
            definition["parameterTypeSpecifier"] = resolver.specifier(self.type_of_operand())
        if self.accept("default"):
            default = self.expression()
            resolver = Resolver(self._library, self.source)
            definition["default"] = resolver.resolve(default, frozenset())
        self._library.parameters[name] = definition

    def _context(self) -> None:
        token = self.token
        self.context = self.qualified_name().rpartition(".")[2]
        if self.context not in _CONTEXTS:
            hint = nearest(self.context, _CONTEXTS)
            raise self.source.error(f"there is no context '{self.context}'{hint}", token.offset)


def _read_statement(
    stretch: Stretch, source: Source, library: Library, checker: Callable[[], Checker]
) -> Statement:
    """`define X: …` or `define function X(a Type): …`; the expression is read later."""
    end = stretch.end
    if plain := _PLAIN_HEAD.match(source.text, stretch.start, end):
        name, operands, body = plain[1], None, plain.end()
    else:
        name, operands, body = _read_head(stretch, source, library)
    place = f"{library.name}.{name}, line {stretch.line}"

    def load() -> Node:
        parser = Parser(source, tokens(source, body, end))
        if operands is not None and parser.token.is_word("external"):
            raise FhirpkgError(f"the function {name} is external, which is not supported")
        tree = Resolver(library, source).resolve(parser.whole(), frozenset(operands or {}))
        if operands is None:
            checker().definition(name, tree)
            check_context(tree, stretch.context, library)
        else:
            checker().function(tree, operands)
        return tree

    return Statement(name, operands, place, load, stretch.context)


def _read_head(
    stretch: Stretch, source: Source, library: Library
) -> tuple[str, dict[str, Node] | None, int]:
    """The name, the operands of a function with their types, and where the expression begins."""
    head = _HEAD.match(source.text, stretch.start, stretch.end)
    body = head.end() if head else stretch.end
    parser = Parser(source, tokens(source, stretch.start, body))
    parser.expect("define")
    parser.accept("public", "private")
    parser.accept("fluent")
    is_function = bool(parser.accept("function"))
    name = parser.identifier()
    operands: dict[str, Node] | None = None
    if is_function:
        parser.expect("(")
        operands = dict(parser.separated(lambda: _operand(parser), ")"))
        if parser.accept("returns"):
            parser.type_of_operand()
    parser.expect(":")
    if operands is not None:
        resolver = Resolver(library, source)
        operands = {key: resolver.specifier(type_) for key, type_ in operands.items()}
    return name, operands, body


def _operand(parser: Parser) -> tuple[str, Node]:
    return parser.identifier(), parser.type_of_operand()
