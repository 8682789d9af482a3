"""Equality, equivalence and order of items (http://hl7.org/fhirpath/N1/#equality)."""

from __future__ import annotations

from collections import Counter
from decimal import ROUND_HALF_UP, Decimal
from typing import TYPE_CHECKING

from fhirpkg.fhirpath.temporal import Temporal
from fhirpkg.fhirpath.units import comparable_values, identity_of_quantity
from fhirpkg.fhirpath.values import Item, Long, Quantity, is_number, system

if TYPE_CHECKING:
    from collections.abc import Hashable, Sequence

    from fhirpkg.issues import Json

_TOLERANCE = Decimal("1e-15")
_MOST_TO_PAIR = 2000


class EvaluationError(Exception):
    """An expression that cannot be evaluated on what it was given; the text says why."""


class MissingDefinitionError(EvaluationError):
    """An answer that depends on what is not available: a value set, a profile."""


def equal_lists(left: Sequence[Item], right: Sequence[Item]) -> bool | None:
    """``=``: the same items in the same order; None when either side is empty or it is open."""
    if not left or not right:
        return None
    if len(left) != len(right):
        return False
    answer: bool | None = True
    for one, two in zip(left, right, strict=True):
        same = equal(one, two)
        if same is False:
            return False
        answer = answer and same
    return answer


def equal(left: Item, right: Item) -> bool | None:
    """Whether two items are equal; None when precision or units leave it open."""
    one, two = system(left), system(right)
    kind = type(one)
    if kind is type(two):
        if kind is Temporal:
            return _equal_moments(one, two)
        if kind is Quantity:
            return _equal_quantities(one, two)
        if one is None:
            return bool(left[2] == right[2])
        return bool(one == two)
    if is_number(one) and is_number(two):
        return bool(one == two)
    if kind is Quantity or type(two) is Quantity:
        return _equal_quantities(_as_quantity(one), _as_quantity(two))
    if kind is Temporal or type(two) is Temporal:
        return str(one) == str(two)  # R4 definitions compare dates with their text
    return False


def equivalent_lists(left: Sequence[Item], right: Sequence[Item]) -> bool:
    """``~``: the same items in any order; two empty collections are equivalent."""
    if len(left) != len(right):
        return False
    if len(left) == 1:
        return equivalent(left[0], right[0])
    surplus = Counter(map(identity, right)) - Counter(map(identity, left))
    missing = Counter(map(identity, left)) - Counter(map(identity, right))
    ones = _pick(left, missing)
    twos = _pick(right, surplus)
    if len(ones) > _MOST_TO_PAIR:
        raise EvaluationError(f"'~' pairs at most {_MOST_TO_PAIR} differing items")
    for one in ones:
        match = next((i for i, two in enumerate(twos) if equivalent(one, two)), None)
        if match is None:
            return False
        del twos[match]
    return True


def equivalent(left: Item, right: Item) -> bool:
    """Whether two items are equivalent: case, spaces and surplus precision do not count."""
    one, two = system(left), system(right)
    if isinstance(one, str) and isinstance(two, str):
        return " ".join(one.casefold().split()) == " ".join(two.casefold().split())
    if is_number(one) and is_number(two):
        return _equal_to_the_shorter(Decimal(one), Decimal(two))
    if isinstance(one, Quantity) or isinstance(two, Quantity):
        pair = comparable_values(_as_quantity(one), _as_quantity(two), loosely=True)
        return pair is not None and _equal_to_the_shorter(*pair)
    return equal(one, two) is True


def compare(left: Json, right: Json) -> int | None:
    """The order of two values of FHIRPath's own: -1, 0, 1, or None when it is open.

    Raises EvaluationError for values that have no order.
    """
    if (is_number(left) and is_number(right)) or (isinstance(left, str) and isinstance(right, str)):
        return 1 if left > right else -1 if left < right else 0
    if isinstance(left, Temporal) and isinstance(right, Temporal):
        if (left.kind == "time") == (right.kind == "time"):
            return left.compare(right)
    elif isinstance(left, Quantity) or isinstance(right, Quantity):
        one, two = _as_quantity(left), _as_quantity(right)
        if one is not None and two is not None:
            pair = comparable_values(one, two)
            return None if pair is None else _order(*pair)
    raise EvaluationError(f"{name_of(left)} and {name_of(right)} have no order")


def identity(item: Item) -> Hashable:
    """A key that equal items share, for finding doubles in linear time."""
    value = system(item)
    kind = type(value)
    if kind is str:
        return str(value)
    if kind is bool:
        return (kind, value)
    if kind is Temporal:
        return (value.kind == "time", value.in_utc())
    if kind is Quantity:
        return identity_of_quantity(value)
    if value is None:
        return ("without a value", _frozen(item[2]))
    return _frozen(value)


def keys_of(items: Sequence[Item]) -> frozenset[Hashable]:
    """Keys of which items that are equal share one; moments are equal to their text as well."""
    moments = (value for item in items if isinstance(value := system(item), Temporal))
    return frozenset(map(identity, items)).union(map(str, moments))


def are_distinct(items: Sequence[Item]) -> bool:
    """Whether no two items are equal."""
    count = len(items)
    if count < 2 or len(set(map(_outline, items))) == count:
        return True
    return len(set(map(identity, items))) == count


def _outline(item: Item) -> Hashable:
    """A key that equal items share, as others may, found without looking deep into them."""
    value = system(item)
    if type(value) is not dict:
        return identity(item)
    return frozenset(
        (key, len(inner) if type(inner) in {dict, list} else _frozen(inner))
        for key, inner in value.items()
    )


def distinct(items: Sequence[Item]) -> list[Item]:
    """The items without those equal to an earlier one."""
    if are_distinct(items):
        return list(items)
    return list({identity(item): item for item in reversed(items)}.values())[::-1]


def name_of(value: Json) -> str:
    """The name of a value's type, for messages: ``String``, ``Quantity``, ``dateTime``."""
    if isinstance(value, Temporal):
        return value.kind
    names = {
        bool: "Boolean",
        int: "Integer",
        Long: "Long",
        Decimal: "Decimal",
        str: "String",
        dict: "an element",
    }
    return names.get(type(value), type(value).__name__)


def _as_quantity(value: Json) -> Quantity | None:
    if isinstance(value, Quantity):
        return value
    return Quantity(Decimal(value), "1") if is_number(value) else None


def _equal_moments(one: Temporal, two: Temporal) -> bool | None:
    if (one.kind == "time") != (two.kind == "time"):
        return False
    order = one.compare(two)
    return None if order is None else order == 0


def _equal_quantities(one: Quantity | None, two: Quantity | None) -> bool | None:
    if one is None or two is None:
        return False
    pair = comparable_values(one, two)
    return None if pair is None else _order(*pair) == 0


def _order(one: Decimal, two: Decimal) -> int:
    """The order of two converted numbers; what conversion rounds away makes no difference."""
    if abs(one - two) <= _TOLERANCE * max(abs(one), abs(two)):
        return 0
    return 1 if one > two else -1


def _equal_to_the_shorter(one: Decimal, two: Decimal) -> bool:
    digits = min(_decimals(one), _decimals(two))
    step = Decimal(1).scaleb(-digits)
    return one.quantize(step, ROUND_HALF_UP) == two.quantize(step, ROUND_HALF_UP)


def _decimals(number: Decimal) -> int:
    exponent = number.normalize().as_tuple().exponent
    return max(-exponent, 0) if isinstance(exponent, int) else 0


def _frozen(value: Json) -> Hashable:
    if isinstance(value, dict):
        return frozenset((key, _frozen(inner)) for key, inner in value.items())
    if isinstance(value, list):
        return tuple(_frozen(inner) for inner in value)
    return (bool, value) if isinstance(value, bool) else value


def _pick(items: Sequence[Item], wanted: Counter[Hashable]) -> list[Item]:
    """As many items of each identity as wanted."""
    picked = []
    for item in items:
        key = identity(item)
        if wanted[key] > 0:
            wanted[key] -= 1
            picked.append(item)
    return picked
