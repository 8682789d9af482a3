"""Function calls, compiled: what is evaluated before the call, and what for each item in it."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

from fhirpkg.fhirpath.code import Code, Run
from fhirpkg.fhirpath.functions import FUNCTIONS
from fhirpkg.fhirpath.reading import ast
from fhirpkg.fhirpath.reading.ast import Call, Member, Unary, mentions
from fhirpkg.fhirpath.walking import has
from fhirpkg.issues import Json
from fhirpkg.rules import nearest

if TYPE_CHECKING:
    from fhirpkg.fhirpath.compiler import Compiler
    from fhirpkg.fhirpath.environment import Scope
    from fhirpkg.fhirpath.functions.function import Function
    from fhirpkg.fhirpath.values import Item


def call(compiler: Compiler, part: Call) -> Code:
    """The code of a function call. Raises FhirPathError when there is no such function."""
    function = FUNCTIONS.get(part.name)
    if function is None:
        near = nearest(part.name, list(FUNCTIONS))
        raise compiler.fail(f"there is no function {part.name}(){near}", part.at)
    _check_count(compiler, part, function)
    quick = _quick(compiler, part)
    if quick is not None:
        return Code(quick, is_single=True)
    compiler.uses_scope = compiler.uses_scope or function.scoped
    if function.source == "items":
        source = compiler.items(part.source)
    elif function.source == "truth":
        source = compiler.truth(part.source)
    else:
        source = compiler.value(part.source, function.source)
    runs = [_argument(compiler, part, function, i) for i in range(len(part.arguments))]
    return Code(_calling(function, source, runs), is_single=function.gives != "items")


def _check_count(compiler: Compiler, part: Call, function: Function) -> None:
    most = len(function.takes)
    least = most - function.optional
    given = len(part.arguments)
    if given < least or (given > most and not function.endless):
        wanted = str(most) if least == most else f"{least} to {most}"
        raise compiler.fail(f"{part.name}() takes {wanted} arguments, not {given}", part.at)


def _quick(compiler: Compiler, part: Call) -> Run | None:
    """``exists()`` and ``empty()``, which most invariants ask, without scope and list."""
    if part.name not in {"exists", "empty"} or part.arguments:
        return None
    source = part.source
    if isinstance(source, Member) and source.source is None and not source.name[:1].isupper():
        steps = compiler.shapes.steps(source.name)
        if part.name == "exists":
            return lambda this, _scope: has(this, steps)
        return lambda this, _scope: not has(this, steps)
    items = compiler.items(source)
    if part.name == "exists":
        return lambda this, scope: bool(items(this, scope))
    return lambda this, scope: not items(this, scope)


def _argument(compiler: Compiler, part: Call, function: Function, index: int) -> _Argument:
    kind = function.takes[min(index, len(function.takes) - 1)]
    argument = part.arguments[index]
    if compiler.defines:
        argument = ast.isolated(argument)
    if kind == "lazy":
        return compiler.items(argument), _LAZY
    if kind == "items":
        return compiler.items(argument), _BEFORE
    if kind == "key":
        descending = isinstance(argument, Unary) and argument.operator == "-"
        key = argument.operand if isinstance(argument, Unary) and descending else argument
        return (compiler.inner(key, compiler.items), descending), _LATER
    if kind not in {"criteria", "projection"}:
        return compiler.value(argument, kind), _BEFORE
    run = compiler.inner(argument, compiler.truth if kind == "criteria" else compiler.items)
    counts = part.name not in {"iif", "aggregate"} and mentions(argument, "index")
    return run, _COUNTED if counts else _LATER


_BEFORE, _LATER, _COUNTED, _LAZY = range(4)
_Argument = tuple[Json, int]
"""An argument's closure and when it runs: before the call, in it for each item (perhaps with an
`$index`), or in it on the focus of the call."""


def _counting(run: Run) -> Run:
    """A closure that is called for item after item, and gives each its ``$index``."""
    index = -1

    def counted(this: Item, scope: Scope) -> Json:
        nonlocal index
        index += 1
        inner = scope.inner()
        inner.index = index
        return run(this, inner)

    return counted


def _calling(function: Function, source: Run, arguments: list[_Argument]) -> Run:
    """The closure that calls a function; nothing is called when a value it needs is missing."""
    call, scoped = function.call, function.scoped
    missing: Json = [] if function.gives == "items" else None
    if not arguments:
        return _calling_on_source(function, source)

    def run(this: Item, scope: Scope) -> Json:
        found = source(this, scope)
        if found is None:
            return missing
        values = []
        for argument, when in arguments:
            value = argument
            if when == _BEFORE:
                value = argument(this, scope)
                if value is None:
                    return missing
            elif when == _COUNTED:
                value = _counting(argument)
            elif when == _LAZY:
                value = functools.partial(argument, this, scope)
            values.append(value)
        return call(scope, found, *values) if scoped else call(found, *values)

    return run


def _calling_on_source(function: Function, source: Run) -> Run:
    call = function.call
    if function.source == "items":
        if function.scoped:
            return lambda this, scope: call(scope, source(this, scope))
        return lambda this, scope: call(source(this, scope))
    missing: Json = [] if function.gives == "items" else None

    def run(this: Item, scope: Scope) -> Json:
        value = source(this, scope)
        if value is None:
            return missing
        return call(scope, value) if function.scoped else call(value)

    return run
