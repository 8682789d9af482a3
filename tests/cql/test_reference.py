"""CQL's reference of operators, kind by kind: an expression and the value that it must have.

The tables in `reference` are written from https://cql.hl7.org/09-b-cqlreference.html: each operator
with its overloads, nulls, partial dates, units, limits. `!` is an error of the logic.
"""

import datetime as dt
import pathlib

import pytest

from fhirpkg.cql.evaluating.comparison import equal
from fhirpkg.cql.evaluating.evaluator import open_session
from fhirpkg.cql.evaluating.values import Interval, Uncertainty
from fhirpkg.cql.reading.library import read_library
from fhirpkg.definitions.definitions import Definitions
from fhirpkg.errors import FhirpkgError
from fhirpkg.repository import MemoryRepository

TABLES = sorted((pathlib.Path(__file__).parent / "reference").glob("*.txt"))
NOW = dt.datetime(2026, 6, 15, 12, tzinfo=dt.UTC)
CASES = [
    pytest.param(*line.rsplit(" => ", 1), id=f"{table.stem}: {line[:70]}")
    for table in TABLES
    for line in table.read_text().splitlines()
    if line and not line.startswith("#")
]


def value(expression):
    library = read_library(f"library T\ndefine X: {expression}")
    types = Definitions.core().types
    found = open_session(MemoryRepository([]), "Patient/x", {}, None, types, NOW).value_of(
        library, "X"
    )
    return Interval(found.low, found.high) if isinstance(found, Uncertainty) else found


@pytest.mark.parametrize("expression, expected", CASES)
def test_an_operator_gives_the_value_of_the_reference(expression, expected):
    if expected == "!":
        with pytest.raises(FhirpkgError):
            value(expression)
        return
    found, wanted = value(expression), value(expected)
    assert found == wanted or equal(found, wanted) is True
    assert getattr(found, "unit", "") == getattr(wanted, "unit", "")
    assert isinstance(found, bool) == isinstance(wanted, bool)
