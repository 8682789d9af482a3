"""ELM as the reference translator writes it: choices with lists and intervals, FHIRHelpers."""

import datetime as dt

import pytest

from fhirpkg.cql.evaluating.evaluator import open_session
from fhirpkg.cql.evaluating.library import from_elm
from fhirpkg.definitions.definitions import Definitions
from fhirpkg.errors import FhirpkgError
from fhirpkg.repository import MemoryRepository

NOW = dt.datetime(2026, 6, 15, 12, tzinfo=dt.UTC)
SYSTEM, FHIR = "{urn:hl7-org:elm-types:r1}", "{http://hl7.org/fhir}"
PERIOD = {"start": "2026-01-01T00:00:00Z", "end": "2026-02-01T00:00:00Z"}


def named(name):
    return {"type": "NamedTypeSpecifier", "name": name}


def interval(point):
    return {"type": "IntervalTypeSpecifier", "pointType": named(SYSTEM + point)}


def listed(item):
    return {"type": "ListTypeSpecifier", "elementType": item}


def choice(*members):
    return {"type": "ChoiceTypeSpecifier", "choice": list(members)}


def literal(value, kind="Integer"):
    return {"type": "Literal", "valueType": SYSTEM + kind, "value": str(value)}


def helper(name, operand):
    node = {"type": "FunctionRef", "libraryName": "FHIRHelpers", "name": name}
    return node | {"operand": [operand]}


def first(resource, path):
    retrieve = {"type": "Retrieve", "dataType": FHIR + resource}
    source = {"type": "First", "source": retrieve}
    return {"type": "Property", "path": path, "source": source}


PERFORMED = first("Procedure", "performed")
OCCURRENCE = first("Immunization", "occurrence")
VALUE = first("Observation", "value")
ONSET = first("Condition", "onset")
CODES = listed(named(SYSTEM + "Code"))
TEXT, MOMENT = named(FHIR + "string"), named(FHIR + "dateTime")
NUMBERS = {"type": "List", "element": [literal(1)]}

SUBJECT = {"reference": "Patient/x"}
RESOURCES = [
    {"resourceType": "Patient", "id": "x"},
    {"resourceType": "Procedure", "subject": SUBJECT, "id": "p", "performedPeriod": PERIOD},
    {"resourceType": "Observation", "subject": SUBJECT, "id": "o", "valueString": "positive"},
    {
        "resourceType": "Condition",
        "subject": SUBJECT,
        "id": "c",
        "onsetAge": {"value": 40, "unit": "a", "code": "a"},
    },
    {
        "resourceType": "ServiceRequest",
        "subject": SUBJECT,
        "id": "s",
        "quantityQuantity": {"value": 8, "comparator": "<", "unit": "mg", "code": "mg"},
    },
    {
        "resourceType": "Immunization",
        "patient": SUBJECT,
        "id": "i",
        "occurrenceDateTime": "2026-03-01",
    },
]


def evaluated(expression, using=None):
    usings = using or {"localIdentifier": "FHIR", "uri": "http://hl7.org/fhir", "version": "4.0.1"}
    helpers = {"localIdentifier": "FHIRHelpers", "path": "FHIRHelpers", "version": "4.0.1"}
    library = from_elm({"library": {
        "identifier": {"id": "L"},
        "usings": {"def": [usings]},
        "includes": {"def": [helpers]},
        "statements": {"def": [{"name": "X", "expression": expression}]},
    }})  # fmt: skip
    types = Definitions.core().types
    session = open_session(MemoryRepository(RESOURCES), "Patient/x", {}, None, types, NOW)
    return session.value_of(library, "X")


@pytest.mark.parametrize("kind", ["Is", "As"])
@pytest.mark.parametrize(
    "operand, specifier, fits",
    [
        (PERFORMED, choice(MOMENT, interval("DateTime")), True),
        (PERFORMED, choice(named(FHIR + "Period")), True),
        (PERFORMED, choice(interval("Integer"), CODES), False),
        (PERFORMED, interval("Quantity"), False),
        (OCCURRENCE, choice(TEXT, MOMENT), True),
        (OCCURRENCE, choice(TEXT, interval("DateTime")), False),
        (VALUE, choice(CODES, TEXT), True),
        (VALUE, choice(CODES, interval("Quantity")), False),
        (ONSET, choice(named(FHIR + "Age"), named(FHIR + "Range")), True),
        (ONSET, named(FHIR + "Quantity"), True),
        (ONSET, named(SYSTEM + "Quantity"), True),
        (ONSET, named(FHIR + "Range"), False),
        (NUMBERS, choice(listed(named(SYSTEM + "Integer"))), True),
        (NUMBERS, choice(listed(named(SYSTEM + "String"))), False),
    ],
)  # fmt: skip
def test_a_choice_of_lists_and_intervals_is_told_apart(kind, operand, specifier, fits):
    found = evaluated({"type": kind, "operand": operand, f"{kind.lower()}TypeSpecifier": specifier})
    assert (found if kind == "Is" else found is not None) == fits


def test_to_value_gives_what_the_type_of_a_choice_stands_for():
    low = {"type": "Start", "operand": helper("ToValue", PERFORMED)}
    assert str(evaluated(low)) == "2026-01-01T00:00:00Z"
    assert evaluated(helper("ToValue", VALUE)) == "positive"
    years = helper("ToValue", ONSET)
    assert str(evaluated(years)) == "40 year"
    nothing = helper("ToValue", first("Observation", "effective"))
    assert evaluated(nothing) is None


@pytest.mark.parametrize("name", ["ToValue", "ToQuantity"])
def test_a_bound_is_no_value_to_calculate_with_but_is_there(name):
    bound = helper(name, first("ServiceRequest", "quantity"))
    assert evaluated({"type": "IsNull", "operand": bound}) is False
    is_quantity = {"type": "Is", "operand": bound}
    assert evaluated(is_quantity | {"isTypeSpecifier": named(SYSTEM + "Quantity")})
    limit = {"type": "Quantity", "value": 5, "unit": "mg"}
    with pytest.raises(FhirpkgError, match="has the comparator '<'"):
        evaluated({"type": "Greater", "operand": [bound, limit]})


def test_a_type_inside_another_is_known_by_the_name_that_cql_gives_it():
    code = {"type": "Instance", "classType": FHIR + "code"}
    code |= {"element": [{"name": "value", "value": literal("a", "String")}]}
    inner = {"type": "Instance", "classType": FHIR + "CodeSystem.Concept"}
    inner |= {"element": [{"name": "code", "value": code}]}
    assert evaluated({"type": "Property", "path": "code", "source": inner}) == "a"
    is_inner = {"type": "Is", "isTypeSpecifier": named(FHIR + "CodeSystem.Concept")}
    assert evaluated(is_inner | {"operand": inner})
    simple = {"type": "Is", "isTypeSpecifier": named(FHIR + "SimpleQuantity")}
    assert evaluated(simple | {"operand": first("ServiceRequest", "quantity")})
    assert not evaluated(simple | {"operand": first("Procedure", "performed")})


def test_a_second_has_no_10000_milliseconds():
    parts = {"hour": 23, "minute": 59, "second": 59, "millisecond": 10000}
    time = {"type": "Time"} | {name: literal(value) for name, value in parts.items()}
    with pytest.raises(FhirpkgError, match="10000 is not a millisecond"):
        evaluated(time)
    assert str(evaluated(time | {"millisecond": literal(7)})) == "23:59:59.007"


def test_an_element_that_is_not_there_is_an_error_where_there_is_data():
    with pytest.raises(FhirpkgError, match=r"Procedure has no element 'performd'.*'performed'"):
        evaluated(first("Procedure", "performd"))


def test_an_operator_that_is_not_known_is_named():
    with pytest.raises(FhirpkgError, match="Descendents is not supported"):
        evaluated({"type": "Descendents", "source": literal(1)})
