"""Conversions of FHIR's elements by FHIRHelpers, and units of products that are not plain."""

from decimal import Decimal

import pytest

from fhirpkg.cql.evaluating.conversions import HELPERS, OPERATORS
from fhirpkg.cql.evaluating.units import unit_of
from fhirpkg.cql.evaluating.values import Element, Interval, Uncertainty, ValueSet
from fhirpkg.definitions.definitions import Definitions
from fhirpkg.errors import FhirpkgError
from fhirpkg.fhirpath.values import Quantity

TYPES = Definitions.core().types
FIVE = Quantity(Decimal(5), "mg")


def measured(**more):
    return Element({"value": Decimal(5), "code": "mg", "unit": "mg", **more}, "Quantity", TYPES)


@pytest.mark.parametrize(
    "comparator, expected",
    [
        ("<", Interval(None, FIVE, low_closed=True, high_closed=False)),
        ("<=", Interval(None, FIVE, low_closed=True, high_closed=True)),
        (">=", Interval(FIVE, None, low_closed=True, high_closed=True)),
        (">", Interval(FIVE, None, low_closed=False, high_closed=True)),
    ],
)
def test_a_quantity_with_a_comparator_is_the_interval_it_may_lie_in(comparator, expected):
    assert HELPERS["ToInterval"](measured(comparator=comparator)) == expected


def test_a_quantity_without_one_is_the_interval_of_itself():
    assert HELPERS["ToInterval"](measured()) == Interval(FIVE, FIVE)
    assert HELPERS["ToInterval"](Element({"unit": "mg"}, "Quantity", TYPES)) is None


@pytest.mark.parametrize("name", ["ToQuantity", "ToValue"])
def test_a_comparator_is_kept_until_the_value_is_needed(name):
    bound = measured(comparator="<")
    assert HELPERS[name](bound) is bound
    assert HELPERS[name](measured()) == FIVE
    assert HELPERS["ToQuantityIgnoringComparator"](bound) == FIVE


def test_a_canonical_is_a_value_set_and_nothing_is_none():
    assert HELPERS["ToValueSet"]("http://x.org/v") == ValueSet("http://x.org/v")
    assert HELPERS["ToValueSet"](None) is None


def test_what_is_uncertain_or_has_no_text_is_not_converted():
    with pytest.raises(FhirpkgError, match="uncertain"):
        OPERATORS["ToString"](Uncertainty(0, 2))
    with pytest.raises(FhirpkgError, match="no text"):
        OPERATORS["ToString"](Interval(1, 2))
    assert OPERATORS["ConvertsToString"](Interval(1, 2)) is False


@pytest.mark.parametrize(
    "operator, one, two, parts",
    [
        ("*", "mg/(24.h)", "mL", ("mg", "mL")),
        ("/", "mg{creatinine}", "mL", ("mg", "mL")),
        ("/", "mg", "1", ("mg",)),
        ("*", "1", "mg", ("mg",)),
    ],
)
def test_a_unit_with_brackets_keeps_its_parts(operator, one, two, parts):
    assert all(part in unit_of(operator, one, two) for part in parts)


def test_what_is_no_unit_has_no_product():
    with pytest.raises(FhirpkgError, match="no unit"):
        unit_of("*", "mg(", "mL")
