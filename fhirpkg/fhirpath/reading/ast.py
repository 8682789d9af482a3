"""The parts of a parsed expression; `at` is the column where a part begins, from 1.

Parts that say the same are equal wherever they are.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fhirpkg.issues import Json


@dataclass(frozen=True, slots=True)
class Literal:
    """A value that is in the text; None is the empty collection ``{}``."""

    value: Json
    at: int = field(compare=False)


@dataclass(frozen=True, slots=True)
class Special:
    """``$this``, ``$index`` or ``$total``, by its name without the dollar."""

    name: str
    at: int = field(compare=False)


@dataclass(frozen=True, slots=True)
class Variable:
    """``%name``."""

    name: str
    at: int = field(compare=False)


@dataclass(frozen=True, slots=True)
class Member:
    """``source.name``, or a bare name when there is no source."""

    source: Part | None
    name: str
    at: int = field(compare=False)


@dataclass(frozen=True, slots=True)
class Call:
    """``source.name(arguments)``; the source is ``$this`` when none is written."""

    source: Part | None
    name: str
    arguments: tuple[Part, ...]
    at: int = field(compare=False)


@dataclass(frozen=True, slots=True)
class TypeCall:
    """``is``, ``as`` or ``ofType`` with the name of a type, as operator or function."""

    source: Part | None
    name: str
    type_name: str
    at: int = field(compare=False)


@dataclass(frozen=True, slots=True)
class Index:
    """``source[index]``."""

    source: Part
    index: Part
    at: int = field(compare=False)


@dataclass(frozen=True, slots=True)
class Unary:
    """``+operand`` or ``-operand``."""

    operator: str
    operand: Part
    at: int = field(compare=False)


@dataclass(frozen=True, slots=True)
class Binary:
    """``left operator right``; `at` is where the operator is."""

    operator: str
    left: Part
    right: Part
    at: int = field(compare=False)


@dataclass(frozen=True, slots=True)
class Instance:
    """``Type { name: value, … }``: a new element."""

    type_name: str
    elements: tuple[tuple[str, Part], ...]
    at: int = field(compare=False)


@dataclass(frozen=True, slots=True)
class Isolated:
    """A part of which the variables it defines are not known outside."""

    inner: Part
    at: int = field(compare=False)


Part = (
    Instance
    | Isolated
    | Literal
    | Special
    | Variable
    | Member
    | Call
    | TypeCall
    | Index
    | Unary
    | Binary
)


def parts_within(part: Part) -> Iterator[Part]:
    """The direct parts of a part."""
    for name in ("source", "index", "operand", "left", "right"):
        inner = getattr(part, name, None)
        if inner is not None:
            yield inner
    yield from getattr(part, "arguments", ())
    if isinstance(part, Isolated):
        yield part.inner
    if isinstance(part, Instance):
        yield from (value for _, value in part.elements)


def mentions(part: Part, name: str) -> bool:
    """Whether ``$name`` is anywhere in a part."""
    if isinstance(part, Special):
        return part.name == name
    return any(mentions(inner, name) for inner in parts_within(part))


def isolated(part: Part) -> Part:
    """The part, with the variables it defines kept inside."""
    return Isolated(part, part.at) if defines(part) else part


def defines(part: Part) -> bool:
    """Whether a variable is defined anywhere in a part."""
    if isinstance(part, Call) and part.name == "defineVariable":
        return True
    return any(defines(inner) for inner in parts_within(part))


def is_constant(part: Part | None) -> bool:
    """Whether a part is the same for every focus: it begins with a variable or value.

    What an argument asks of the items it is evaluated for does not concern the focus.
    """
    if part is None or isinstance(part, (Special, Instance, Isolated)):
        return False
    if isinstance(part, (Literal, Variable)):
        return True
    if isinstance(part, Call):
        loops = any(mentions(argument, name) for argument in part.arguments for name in _LOOP)
        return is_constant(part.source) and not loops and part.name in _CONSTANT_CALLS
    if isinstance(part, (Member, TypeCall)):
        return is_constant(part.source)
    return all(is_constant(inner) for inner in parts_within(part))


def texts_of(part: Part | None) -> list[str]:
    """The texts in a union of nothing else, such as the types in R4's que-10; none of others."""
    if isinstance(part, Literal) and isinstance(part.value, str):
        return [part.value]
    if isinstance(part, Binary) and part.operator == "|":
        left, right = texts_of(part.left), texts_of(part.right)
        return [*left, *right] if left and right else []
    return []


_LOOP = ("this", "index", "total")
_CONSTANT_CALLS = {"descendants", "children", "trace", "resolve", "first", "last", "count"}
