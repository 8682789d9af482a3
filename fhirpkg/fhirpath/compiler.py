"""Parts of an expression to Python functions (`fhirpkg.fhirpath.code`).

Text of an expression is never made Python source.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from fhirpkg.errors import FhirPathError
from fhirpkg.fhirpath import arithmetic
from fhirpkg.fhirpath.calls import call
from fhirpkg.fhirpath.code import Code, Run, as_items, as_truth, as_value
from fhirpkg.fhirpath.comparison import EvaluationError
from fhirpkg.fhirpath.operators import OPERATORS
from fhirpkg.fhirpath.reading import ast
from fhirpkg.fhirpath.types import exact_type, maker_of, of_type
from fhirpkg.fhirpath.walking import NOTHING, walk

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

    from fhirpkg.fhirpath.environment import Scope
    from fhirpkg.fhirpath.values import Item
    from fhirpkg.fhirpath.walking import Shapes
    from fhirpkg.issues import Json


_MANY = 100
"""So many items at once are counted as work; the few that most steps give are not worth it."""


class Compiler:
    """The compilation of one expression on one type model."""

    def __init__(self, text: str, shapes: Shapes) -> None:
        self.text = text
        self.shapes = shapes
        self.in_loop = False
        self.defines = "defineVariable" in text
        """Whether variables may be defined in the expression, so that none is constant."""
        self.uses_scope = False
        """Whether anything compiled so far asks the scope; without, there need not be one."""
        self._constants: dict[Hashable, int] = {}

    def fail(self, problem: str, at: int) -> FhirPathError:
        """The error of this expression at a column."""
        return FhirPathError(self.text, problem, at)

    def compile(self, part: ast.Part) -> Code:
        """The code of a part."""
        code = _BY_PART[type(part)](self, part)
        is_worth_keeping = isinstance(part, ast.Call) or (
            isinstance(part, ast.Binary) and part.operator == "|"
        )
        keeps = self.in_loop and not self.defines
        if keeps and is_worth_keeping and ast.is_constant(part):
            return replace(code, run=self.keep(part, code.run))
        return code

    def keep(self, key: Hashable, run: Run) -> Run:
        """A closure that runs once in an evaluation, for what does not depend on the focus.

        R4's dom-3 asks for the descendants of the whole resource at every contained one.
        """
        self.uses_scope = True
        number = self._constants.setdefault(key, len(self._constants))

        def kept(this: Item, scope: Scope) -> Json:
            found = scope.kept.get(number)
            if found is None:
                found = scope.kept[number] = run(this, scope)
            return found

        return kept

    def inner(self, part: ast.Part, make: Callable[[ast.Part], Run]) -> Run:
        """The closure of an argument that is evaluated for each item."""
        outer, self.in_loop = self.in_loop, True
        try:
            return make(part)
        finally:
            self.in_loop = outer

    def items(self, part: ast.Part | None) -> Run:
        """The closure that gives a part's items; of no part, the focus."""
        if part is None:
            return _focus
        code = self.compile(part)
        return as_items(code.run) if code.is_single else code.run

    def truth(self, part: ast.Part | None) -> Run:
        """The closure that gives a part's truth value."""
        code = self.compile(part) if part is not None else Code(_focus)
        return as_truth(code.run, is_single=code.is_single)

    def value(self, part: ast.Part | None, kind: str = "value") -> Run:
        """The closure that gives a part's single value of a kind, or None."""
        code = self.compile(part) if part is not None else Code(_focus)
        return as_value(code.run, kind, is_single=code.is_single)


def _focus(this: Item, _scope: Scope) -> list[Item]:
    return [] if this is NOTHING else [this]


def _literal(_compiler: Compiler, part: ast.Literal) -> Code:
    value = part.value
    return Code(lambda _this, _scope: value, is_single=True)


def _special(compiler: Compiler, part: ast.Special) -> Code:
    if part.name == "this":
        return Code(_focus)
    compiler.uses_scope = True
    if part.name == "index":
        return Code(lambda _this, scope: scope.index, is_single=True)
    return Code(lambda _this, scope: scope.total)


def _variable(compiler: Compiler, part: ast.Variable) -> Code:
    compiler.uses_scope = True
    name = part.name
    return Code(lambda _this, scope: scope.variable(name))


def _member(compiler: Compiler, part: ast.Member) -> Code:
    """The whole of a path such as ``code.coding.system`` at once: it ends where nothing is left."""
    names: list[str] = []
    start: ast.Part | None = part
    while isinstance(start, ast.Member) and not (start.source is None and start.name[:1].isupper()):
        names.insert(0, start.name)
        start = start.source
    path = [compiler.shapes.steps(name) for name in names]
    begin = _root(compiler, start.name) if isinstance(start, ast.Member) else compiler.items(start)
    on_focus = path.pop(0) if start is None else None

    def run(this: Item, scope: Scope) -> list[Item]:
        found: list[Item] = begin(this, scope) if on_focus is None else walk((this,), on_focus)
        for steps in path:
            if not found:
                return found
            found = walk(found, steps)
        if len(found) > _MANY and scope is not None:
            scope.spend(len(found))
        return found

    return Code(run)


def _root(compiler: Compiler, name: str) -> Run:
    """``Patient.name`` begins with the type of the focus, which stands for the focus."""
    steps, ancestors = compiler.shapes.steps(name), compiler.shapes.ancestors

    def run(this: Item, _scope: Scope) -> list[Item]:
        is_element = type(this) is tuple
        if is_element and (this[1] == name or name in ancestors(this[1])):
            return [this]
        return walk((this,), steps)

    return run


def _index(compiler: Compiler, part: ast.Index) -> Code:
    source, index = compiler.items(part.source), compiler.value(part.index, "integer")

    def run(this: Item, scope: Scope) -> list[Item]:
        items, at = source(this, scope), index(this, scope)
        return [] if at is None or at < 0 else items[at : at + 1]

    return Code(run)


def _unary(compiler: Compiler, part: ast.Unary) -> Code:
    operand = compiler.value(part.operand)

    def negative(this: Item, scope: Scope) -> Json:
        value = operand(this, scope)
        return None if value is None else arithmetic.negated(value)

    return Code(operand if part.operator == "+" else negative, is_single=True)


def _type_call(compiler: Compiler, part: ast.TypeCall) -> Code:
    try:
        matches = of_type(compiler.shapes, part.type_name)
    except EvaluationError as error:
        raise compiler.fail(str(error), part.at) from None
    source = compiler.items(part.source)
    exact = exact_type(part.type_name) if part.name != "is" else None
    if exact:
        return Code(
            lambda this, scope: [
                item for item in source(this, scope) if type(item) is tuple and item[1] == exact
            ]
        )
    if part.name != "is":
        # as() is for one item by the specification, but R4's definitions filter with it (dom-3).
        return Code(lambda this, scope: [i for i in source(this, scope) if matches(i)])

    def run(this: Item, scope: Scope) -> bool | None:
        items = source(this, scope)
        if len(items) > 1:
            raise EvaluationError("'is' takes a single item")
        return matches(items[0]) if items else None

    return Code(run, is_single=True)


def _binary(compiler: Compiler, part: ast.Binary) -> Code:
    if compiler.defines:
        part = replace(part, left=ast.isolated(part.left), right=ast.isolated(part.right))
    return OPERATORS[part.operator](compiler, part)


def _isolated(compiler: Compiler, part: ast.Isolated) -> Code:
    code = compiler.compile(part.inner)
    compiler.uses_scope = True
    return replace(code, run=lambda this, scope: code.run(this, scope.inner()))


def _instance(compiler: Compiler, part: ast.Instance) -> Code:
    values = {name: compiler.items(ast.isolated(value)) for name, value in part.elements}
    try:
        make = maker_of(compiler.shapes.model, part.type_name, list(values))
    except EvaluationError as error:
        raise compiler.fail(str(error), part.at) from None
    return Code(lambda this, scope: [make({n: run(this, scope) for n, run in values.items()})])


_BY_PART: dict[type, Callable[[Compiler, Json], Code]] = {
    ast.Instance: _instance,
    ast.Isolated: _isolated,
    ast.Literal: _literal,
    ast.Special: _special,
    ast.Variable: _variable,
    ast.Member: _member,
    ast.Call: call,
    ast.TypeCall: _type_call,
    ast.Index: _index,
    ast.Unary: _unary,
    ast.Binary: _binary,
}
