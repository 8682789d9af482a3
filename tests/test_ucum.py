"""UCUM: which texts are units, what they convert to, and whether a second opinion agrees."""

import csv
import importlib.util
import pathlib
from decimal import Decimal

import pytest

from fhirpkg import ucum

ORACLE = importlib.util.find_spec("ucumvert")


@pytest.mark.parametrize(
    "unit",
    ["1", "%", "m", "mm[Hg]", "10*3/uL", "10^9/L", "/min", "{beats}/min", "kg/m2",
     "ug/kg/(24.h)",
     "m[H2O]", "cal_[15]", "B[10.nV]", "m2.5", "[IU]/mL", "k[iU]", "g{wet'weight}", "(m)", "d",
     "dar", "[m/s2/Hz^(1/2)]", "10.L/min", "m+2", "Cel/min"],
)  # fmt: skip
def test_these_are_units(unit):
    assert ucum.problem(unit) is None
    assert ucum.is_valid(unit)


@pytest.mark.parametrize(
    "unit, reason",
    [
        ("", "not empty"),
        ("lbs", "'lbs' is not a unit"),
        ("mmHg", "did you mean 'm[Hg]'"),
        ("KG", "'KG' is not a unit"),
        ("m²", "'²' is not allowed"),
        ("a b", "' ' is not allowed"),
        ("mg/", "something is missing"),
        ("(m", "not closed"),
        ("m)", "')' is out of place"),
        ("2m", "'m' is out of place"),
        ("k[in_i]", "takes no prefix"),
        ("m1000", "too large an exponent"),
        ("(" * 50 + "m" + ")" * 50, "nested too deeply"),
        ("m." * 600 + "m", "more than 500 characters"),
        ("{ü}", "is not allowed"),
        ("m/0", "the factor 0"),
    ],
)
def test_these_are_none_and_the_reason_is_told(unit, reason):
    assert reason in str(ucum.problem(unit))
    assert not ucum.is_valid(unit)


@pytest.mark.parametrize(
    "value, source, target, expected",
    [
        ("1", "[in_i]", "cm", "2.54"),
        ("98.6", "[degF]", "Cel", "37"),
        ("0", "K", "Cel", "-273.15"),
        ("80", "[degRe]", "Cel", "100"),
        ("7", "[pH]", "mol/l", "1E-7"),
        ("1E-7", "mol/l", "[pH]", "7"),
        ("10", "dB", "B", "1"),
        ("185", "[lb_av]", "kg", "83.91458845"),
        ("1", "g/dL", "mg/mL", "10"),
        ("120", "mm[Hg]", "kPa", "15.99864"),
        ("50", "%", "1", "0.5"),
        ("1", "wk", "d", "7"),
        ("1", "a", "d", "365.25"),
        ("2", "L", "dm3", "2"),
        ("1", "k[IU]", "[iU]", "1000"),
        ("1", "[ft_i]", "[yd_i]", "0.3333333333333333333333333333"),
        ("1", "MiBy", "KiBy", "1024"),
        ("100", "[p'diop]", "deg", "45"),
        ("5", "m{x}", "m", "5"),
        ("1", "10*3/uL", "10*9/L", "1"),
    ],
)
def test_numbers_convert(value, source, target, expected):
    found = ucum.convert(Decimal(value), source, target)
    assert found is not None
    assert abs(found - Decimal(expected)) <= abs(Decimal(expected)) * Decimal("1e-15")


@pytest.mark.parametrize(
    "source, target",
    [
        ("m", "s"),
        ("m", "lbs"),
        ("lbs", "m"),
        ("[IU]", "[arb'U]"),
        ("[IU]", "1"),
        ("Cel/min", "K/min"),
    ],
)
def test_units_of_different_kinds_do_not_convert(source, target):
    assert ucum.convert(Decimal(1), source, target) is None


def test_a_logarithm_of_nothing_is_no_number():
    assert ucum.convert(Decimal(0), "mol/l", "[pH]") is None


def test_units_of_one_dimension_are_commensurable():
    assert ucum.commensurable("N.m", "J")
    assert ucum.commensurable("kg.m/s2", "N")
    assert not ucum.commensurable("N", "J")
    assert not ucum.commensurable("lbs", "lbs")


def test_the_canonical_form_is_shared_by_equal_quantities():
    assert ucum.canonical(Decimal("4.0"), "g") == ucum.canonical(Decimal(4000), "mg")
    assert ucum.canonical(Decimal(1), "min") == (Decimal(60), (("s", 1),))
    assert ucum.canonical(Decimal(1), "lbs") is None


def test_every_atom_has_a_definition_that_can_be_used():
    from fhirpkg.ucum.atoms import ATOMS

    for line in ATOMS.strip().splitlines():
        code = line.split(" ")[0]
        assert ucum.problem(code) is None
        assert ucum.convert(Decimal(3), code, code) == pytest.approx(
            Decimal(3), rel=Decimal("1e-12")
        )


@pytest.mark.skipif(ORACLE is None, reason="ucumvert, the second opinion, is not installed")
def test_every_example_of_ucum_is_a_unit():
    folder = pathlib.Path(str(ORACLE.origin)).parent
    lines = (folder / "vendor/ucum_examples.tsv").read_text().splitlines()
    units = [row[1] for row in csv.reader(lines[1:], delimiter="\t")]
    assert len(units) > 800
    # Torr stands among the examples but not in UCUM's table of atoms.
    assert [unit for unit in units if ucum.problem(unit)] == ["Torr"]


@pytest.mark.skipif(ORACLE is None, reason="ucumvert, the second opinion, is not installed")
@pytest.mark.filterwarnings("ignore")
def test_a_second_opinion_converts_to_the_same_numbers():
    from ucumvert import PintUcumRegistry

    registry = PintUcumRegistry()
    pairs = [
        ("[lb_av]", "kg"), ("mm[Hg]", "Pa"), ("[gal_us]", "L"), ("kcal", "J"), ("[mi_i]/h", "m/s"),
        ("mg/dL", "g/L"), ("[Btu_IT]", "J"), ("eV", "J"), ("[oz_av]", "g"), ("bar", "kPa"),
        ("[acr_us]", "m2"), ("ug/kg/h", "mg/kg/d"), ("[foz_us]", "mL"), ("Ci", "Bq"),
    ]  # fmt: skip
    for source, target in pairs:
        theirs = registry.from_ucum(source).to(registry.from_ucum(target).units).magnitude
        ours = ucum.convert(Decimal(1), source, target)
        assert float(ours) == pytest.approx(float(theirs), rel=1e-5), (source, target)
