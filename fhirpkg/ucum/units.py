"""Unit expressions: parsed to a factor and powers of base units (https://ucum.org/ucum#section-Grammar-of-Units-and-Unit-Terms)."""

from __future__ import annotations

import functools
import re
from dataclasses import dataclass, replace
from decimal import Context, Decimal, localcontext
from typing import TYPE_CHECKING

from fhirpkg.rules import nearest
from fhirpkg.ucum.atoms import ATOMS, BASE, PREFIXES
from fhirpkg.ucum.scales import SCALES

if TYPE_CHECKING:
    from collections.abc import Mapping

    from fhirpkg.ucum.scales import Scale

Dimension = tuple[tuple[str, int], ...]
"""Powers of base units, in the order of their names."""

_EXACT = Context(prec=60)
_GIVEN = Context(prec=28)
_LONGEST = 500
_DEEPEST = 30
_LARGEST_EXPONENT = 99
_TOKEN = re.compile(
    r"(?P<atom>10[*^]|(?:\[[!-Z^-~\\]*\]|[!-'*,:-Z^-z|~\\])+)(?P<exponent>[+-]?[0-9]+)?"
    r"|(?P<number>[0-9]+)"
    r"|(?P<annotation>\{[!-z|~]*\})"
    r"|(?P<sign>[()./])"
)
_FUNCTION = re.compile(r"(?P<scale>\w+)\((?P<value>\S+) (?P<unit>\S+)\)")


class _WrongUnitError(Exception):
    """Why a text is not a unit."""


@dataclass(frozen=True, slots=True)
class Unit:
    """A factor times powers of base units; on a scale of its own when `scale` is set.

    `step` is what one of the scale's degrees is multiplied by before (the d of dB). A special unit
    within a product has a dimension but no meaning as a number: it `is_undefined`.
    """

    factor: Decimal
    dimension: Dimension
    scale: Scale | None = None
    step: Decimal = Decimal(1)
    is_undefined: bool = False


def problem(unit: str) -> str | None:
    """Why a text is not a unit of UCUM; None when it is one.

    >>> problem("mm[Hg]")
    >>> problem("lbs")
    "'lbs' is not a unit"
    """
    found = _parsed(unit)
    return found if isinstance(found, str) else None


def is_valid(unit: str) -> bool:
    """Whether a text is a unit of UCUM."""
    return problem(unit) is None


def commensurable(one: str, two: str) -> bool:
    """Whether two texts are units of one dimension, so that numbers can be converted."""
    first, second = _parsed(one), _parsed(two)
    if isinstance(first, str) or isinstance(second, str):
        return False
    return first.dimension == second.dimension


def convert(value: Decimal, source: str, target: str) -> Decimal | None:
    """A number in another unit; None when one is not a unit or they have no common dimension.

    >>> convert(Decimal(1), "[in_i]", "cm")
    Decimal('2.54')
    >>> convert(Decimal("98.6"), "[degF]", "Cel")
    Decimal('37')
    """
    first, second = _parsed(source), _parsed(target)
    if isinstance(first, str) or isinstance(second, str) or first.dimension != second.dimension:
        return None
    if first.is_undefined or second.is_undefined:
        return None
    try:
        with localcontext(_EXACT):
            return _shortest(_from_base(_to_base(value, first), second))
    except (ArithmeticError, ValueError, OverflowError):
        return None


def canonical(value: Decimal, unit: str) -> tuple[Decimal, Dimension] | None:
    """A number in base units and their powers; None for no unit or one that has no number."""
    found = _parsed(unit)
    if isinstance(found, str) or found.is_undefined:
        return None
    try:
        with localcontext(_EXACT):
            return _shortest(_to_base(value, found)), found.dimension
    except (ArithmeticError, ValueError, OverflowError):
        return None


def _shortest(number: Decimal) -> Decimal:
    """Rounded to the digits that are sure, without trailing zeros and exponent."""
    if not number.is_finite():
        raise ArithmeticError
    found = _GIVEN.plus(number).normalize()
    exponent = found.as_tuple().exponent
    return found.quantize(Decimal(1)) if isinstance(exponent, int) and 0 < exponent < 20 else found


def _to_base(value: Decimal, unit: Unit) -> Decimal:
    on_scale = unit.scale[0](value * unit.step) if unit.scale else value
    return on_scale * unit.factor


def _from_base(value: Decimal, unit: Unit) -> Decimal:
    value /= unit.factor
    return unit.scale[1](value) / unit.step if unit.scale else value


@functools.lru_cache(maxsize=4096)
def _parsed(text: str) -> Unit | str:
    """The unit in a text, or why there is none."""
    if not text:
        return "a unit is not empty; without a dimension it is 1"
    if len(text) > _LONGEST:
        return f"a unit of more than {_LONGEST} characters"
    try:
        with localcontext(_EXACT):
            return _Parser(text).whole()
    except _WrongUnitError as error:
        return str(error)


class _Parser:
    """The pieces of a unit expression and the place reached in them."""

    def __init__(self, text: str) -> None:
        self.pieces: list[re.Match[str]] = []
        self.at = 0
        self.depth = 0
        end = 0
        while end < len(text):
            match = _TOKEN.match(text, end)
            if match is None:
                raise _WrongUnitError(f"{text[end]!r} is not allowed in a unit")
            self.pieces.append(match)
            end = match.end()

    def sign(self, *signs: str) -> str:
        """The next piece if it is one of these signs, taken; else nothing."""
        if self.at < len(self.pieces) and self.pieces[self.at][0] in signs:
            self.at += 1
            return self.pieces[self.at - 1][0]
        return ""

    def whole(self) -> Unit:
        """All of the text: a term that may begin with a slash."""
        found = _power(self.component(), -1) if self.sign("/") else None
        found = self.term(found)
        if self.at < len(self.pieces):
            raise _WrongUnitError(f"{self.pieces[self.at][0]!r} is out of place")
        return found

    def term(self, found: Unit | None = None) -> Unit:
        """Components, multiplied and divided from left to right."""
        found = found or self.component()
        while sign := self.sign(".", "/"):
            found = _product(found, _power(self.component(), 1 if sign == "." else -1))
        return found

    def component(self) -> Unit:
        """A unit with its exponent, a number, a bracket or an annotation."""
        if self.sign("("):
            self.depth += 1
            if self.depth > _DEEPEST:
                raise _WrongUnitError("brackets are nested too deeply")
            found = self.term()
            if not self.sign(")"):
                raise _WrongUnitError("a bracket is not closed")
            self.depth -= 1
            self.annotation()
            return found
        if self.at == len(self.pieces) or self.pieces[self.at]["sign"]:
            raise _WrongUnitError("something is missing before or after '.', '/' or a bracket")
        piece = self.pieces[self.at]
        self.at += 1
        if piece["annotation"]:
            return _ONE
        found = _number(piece["number"]) if piece["number"] else _atom(piece)
        self.annotation()
        return found

    def annotation(self) -> None:
        """What is in braces says nothing about the unit."""
        if self.at < len(self.pieces) and self.pieces[self.at]["annotation"]:
            self.at += 1


def _number(digits: str) -> Unit:
    factor = Decimal(digits)
    if not factor:
        raise _WrongUnitError("a unit cannot have the factor 0")
    return replace(_ONE, factor=factor)


def _atom(piece: re.Match[str]) -> Unit:
    exponent = int(piece["exponent"] or 1)
    if abs(exponent) > _LARGEST_EXPONENT:
        raise _WrongUnitError(f"{piece[0]!r} has too large an exponent")
    return _power(_simple(piece["atom"]), exponent)


@functools.lru_cache(maxsize=1024)
def _simple(code: str) -> Unit:
    """An atom, or a prefix and an atom that takes prefixes."""
    atoms = _definitions()
    if code in atoms:
        return _define(code)
    unprefixable = ""
    for length in (2, 1):
        prefix, atom = code[:length], code[length:]
        if prefix in PREFIXES and atom in atoms:
            if atoms[atom][0]:
                return _scaled(_define(atom), Decimal(PREFIXES[prefix]))
            unprefixable = atom
    if unprefixable:
        raise _WrongUnitError(f"'{code}' is not a unit: '{unprefixable}' takes no prefix")
    raise _WrongUnitError(f"'{code}' is not a unit{nearest(code, list(atoms))}")


@functools.cache
def _definitions() -> Mapping[str, tuple[bool, str]]:
    """Whether each atom takes prefixes, and its definition."""
    lines = (line.split(" ", 2) for line in ATOMS.strip().splitlines())
    derived = {code: (metric == "*", text) for code, metric, text in lines}
    return {**dict.fromkeys(BASE, (True, "")), **derived}


@functools.cache
def _define(code: str) -> Unit:
    text = _definitions()[code][1]
    if text in {"", "arbitrary"}:
        return Unit(Decimal(1), ((code, 1),))
    function = _FUNCTION.fullmatch(text)
    if function:
        unit = _scaled(_reference(function["unit"]), Decimal(function["value"]))
        return replace(unit, scale=SCALES[function["scale"]]())
    value, unit_text = text.split(" ")
    return _scaled(_reference(unit_text), Decimal(value))


def _reference(text: str) -> Unit:
    return _Parser(text).whole()


_ONE = Unit(Decimal(1), ())


def _scaled(unit: Unit, factor: Decimal) -> Unit:
    if unit.scale:
        return replace(unit, step=unit.step * factor)
    return replace(unit, factor=unit.factor * factor)


def _power(unit: Unit, exponent: int) -> Unit:
    if exponent == 1:
        return unit
    powers = tuple((base, power * exponent) for base, power in unit.dimension if exponent)
    undefined = unit.is_undefined or unit.scale is not None
    return Unit(unit.factor**exponent, powers, is_undefined=undefined)


def _product(one: Unit, two: Unit) -> Unit:
    if one == _ONE:
        return two
    if two == _ONE:
        return one
    powers = dict(one.dimension)
    for base, power in two.dimension:
        powers[base] = powers.get(base, 0) + power
    kept = tuple(sorted((base, power) for base, power in powers.items() if power))
    undefined = any(unit.is_undefined or unit.scale is not None for unit in (one, two))
    return Unit(one.factor * two.factor, kept, is_undefined=undefined)
