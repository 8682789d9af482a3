"""The operators between two parts, compiled (http://hl7.org/fhirpath/N1/#operations)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fhirpkg.fhirpath import arithmetic
from fhirpkg.fhirpath.code import Code, as_items
from fhirpkg.fhirpath.comparison import (
    compare,
    distinct,
    equal,
    equal_lists,
    equivalent_lists,
    keys_of,
)
from fhirpkg.fhirpath.reading.ast import is_constant, texts_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from fhirpkg.fhirpath.code import Run
    from fhirpkg.fhirpath.compiler import Compiler
    from fhirpkg.fhirpath.environment import Scope
    from fhirpkg.fhirpath.reading.ast import Binary, Part
    from fhirpkg.fhirpath.values import Item
    from fhirpkg.issues import Json


def _and(compiler: Compiler, part: Binary) -> Code:
    left, right = compiler.truth(part.left), compiler.truth(part.right)

    def run(this: Item, scope: Scope) -> bool | None:
        one = left(this, scope)
        if one is False:
            return False
        two = right(this, scope)
        return two if one or two is False else None

    return Code(run, is_single=True)


def _or(compiler: Compiler, part: Binary) -> Code:
    left, right = compiler.truth(part.left), compiler.truth(part.right)

    def run(this: Item, scope: Scope) -> bool | None:
        one = left(this, scope)
        if one:
            return True
        two = right(this, scope)
        return two if one is False or two else None

    return Code(run, is_single=True)


def _xor(compiler: Compiler, part: Binary) -> Code:
    left, right = compiler.truth(part.left), compiler.truth(part.right)

    def run(this: Item, scope: Scope) -> bool | None:
        one, two = left(this, scope), right(this, scope)
        return None if one is None or two is None else one is not two

    return Code(run, is_single=True)


def _implies(compiler: Compiler, part: Binary) -> Code:
    left, right = compiler.truth(part.left), compiler.truth(part.right)

    def run(this: Item, scope: Scope) -> bool | None:
        one = left(this, scope)
        if one is False:
            return True
        two = right(this, scope)
        return two if one or two else None

    return Code(run, is_single=True)


def _equality(compiler: Compiler, part: Binary) -> Code:
    wanted = part.operator == "="
    left_code, right_code = compiler.compile(part.left), compiler.compile(part.right)
    left, right = left_code.run, right_code.run
    if not right_code.is_single:
        left = as_items(left) if left_code.is_single else left

        def run(this: Item, scope: Scope) -> bool | None:
            same = equal_lists(left(this, scope), right(this, scope))
            return None if same is None else same is wanted

        return Code(run, is_single=True)
    is_single = left_code.is_single

    def run_single(this: Item, scope: Scope) -> bool | None:
        """Like the other, when there is one value on the right at most."""
        one, two = left(this, scope), right(this, scope)
        if not is_single:
            if not one or two is None:
                return None
            if len(one) > 1:
                return not wanted
            one = one[0]
        elif one is None or two is None:
            return None
        same = equal(one, two)
        return None if same is None else same is wanted

    return Code(run_single, is_single=True)


def _equivalence(compiler: Compiler, part: Binary) -> Code:
    left, right = compiler.items(part.left), compiler.items(part.right)
    wanted = part.operator == "~"
    return Code(
        lambda this, scope: equivalent_lists(left(this, scope), right(this, scope)) is wanted,
        is_single=True,
    )


_ORDERS: dict[str, Callable[[int], bool]] = {
    "<": lambda order: order < 0,
    "<=": lambda order: order <= 0,
    ">": lambda order: order > 0,
    ">=": lambda order: order >= 0,
}


def _inequality(compiler: Compiler, part: Binary) -> Code:
    left, right = compiler.value(part.left), compiler.value(part.right)
    answers = _ORDERS[part.operator]

    def run(this: Item, scope: Scope) -> bool | None:
        one, two = left(this, scope), right(this, scope)
        if one is None or two is None:
            return None
        order = compare(one, two)
        return None if order is None else answers(order)

    return Code(run, is_single=True)


def _membership(compiler: Compiler, part: Binary) -> Code:
    """``in`` and ``contains``; of many items all must be members, as R4's tim-9 has it."""
    one, many = part.left, part.right
    if part.operator == "contains":
        one, many = many, one
    wanted, items = compiler.items(one), compiler.items(many)
    if compiler.in_loop and is_constant(many):
        return _membership_of_constant(compiler, wanted, many, items)

    def run(this: Item, scope: Scope) -> bool | None:
        found = wanted(this, scope)
        if not found:
            return None
        members = items(this, scope)
        if scope is not None:
            scope.spend(len(found) * len(members))
        return all(any(equal(item, member) for member in members) for item in found)

    return Code(run, is_single=True)


def _membership_of_constant(compiler: Compiler, wanted: Run, many: Part, items: Run) -> Code:
    """The same in a loop over what stays the same, such as dom-3's references: by a set."""
    kept = compiler.keep(("keys", many), lambda this, scope: keys_of(items(this, scope)))

    def run(this: Item, scope: Scope) -> bool | None:
        found = wanted(this, scope)
        if not found:
            return None
        scope.spend(len(found))
        return all(not keys_of((item,)).isdisjoint(kept(this, scope)) for item in found)

    return Code(run, is_single=True)


def _union(compiler: Compiler, part: Binary) -> Code:
    texts = texts_of(part)
    if texts:
        once = list(dict.fromkeys(texts))
        return Code(lambda _this, _scope: once)
    left, right = compiler.items(part.left), compiler.items(part.right)

    def run(this: Item, scope: Scope) -> list[Item]:
        both = left(this, scope) + right(this, scope)
        if scope is not None:
            scope.spend(len(both))
        return distinct(both)

    return Code(run)


def _concatenation(compiler: Compiler, part: Binary) -> Code:
    left, right = compiler.value(part.left, "text"), compiler.value(part.right, "text")
    return Code(
        lambda this, scope: arithmetic.joined(left(this, scope) or "", right(this, scope) or ""),
        is_single=True,
    )


def _arithmetic(compiler: Compiler, part: Binary) -> Code:
    left, right = compiler.value(part.left), compiler.value(part.right)
    operator = part.operator

    def run(this: Item, scope: Scope) -> Json:
        one, two = left(this, scope), right(this, scope)
        if one is None or two is None:
            return None
        return arithmetic.apply(operator, one, two)

    return Code(run, is_single=True)


OPERATORS: dict[str, Callable[[Compiler, Binary], Code]] = {
    "and": _and,
    "or": _or,
    "xor": _xor,
    "implies": _implies,
    "|": _union,
    "&": _concatenation,
    **dict.fromkeys(("=", "!="), _equality),
    **dict.fromkeys(("~", "!~"), _equivalence),
    **dict.fromkeys(_ORDERS, _inequality),
    **dict.fromkeys(("in", "contains"), _membership),
    **dict.fromkeys(("+", "-", "*", "/", "div", "mod"), _arithmetic),
}
