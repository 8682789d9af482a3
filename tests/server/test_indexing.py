"""What resources are found by, over the definitions and real examples."""

import pathlib

import pytest

from fhirpkg import fhirjson
from fhirpkg.definitions.definitions import Definitions
from fhirpkg.server.searching.indexing import Indexing, Unindexable

ROOT = pathlib.Path(__file__).parents[2]
EXAMPLES = ROOT / ".examples" / "hl7.fhir.r4.examples#4.0.1" / "package"


@pytest.fixture(scope="module")
def indexing():
    return Indexing(Definitions.core())


def found(indexing, resource, param):
    rows = [row for rows in indexing.rows(resource).values() for row in rows]
    return [row[2:] for row in rows if row[0] == f"{resource['resourceType']}.{param}"]


def test_each_expression_of_each_type_can_be_evaluated(indexing):
    for name in Definitions.core().types.resource_types():
        assert indexing.parameters(name), name
        indexing.rows({"resourceType": name, "id": "x"})


def test_only_parameters_without_an_expression_or_a_comparison_are_left_out(indexing):
    left = {
        (name, code)
        for name in Definitions.core().types.resource_types()
        for code in Definitions.core().search_parameters(name)
        if code not in indexing.parameters(name)
    }
    unusable = {code for _, code in left}
    without_expression = {"_text", "_content", "_query", "_filter", "age", "birthOrderBoolean"}
    assert unusable == without_expression | {"near"}


def test_what_is_not_evaluated_has_no_rows_in_any_example(indexing):
    examples = sorted(EXAMPLES.glob("*-*.json"))[::40]
    if not examples:
        pytest.skip("the official examples are absent: run scripts/examples")
    whole = Indexing(Definitions.core())
    whole._needs = lambda _parameter, _text: []
    for path in examples:
        resource, _ = fhirjson.read(path.read_bytes())
        assert distinct(whole.rows(resource)) == distinct(indexing.rows(resource)), path.name


def distinct(rows):
    """Rows without `part`, which only tells the values of one parameter from each other."""
    return {(name, *cells) for found in rows.values() for name, _, *cells in found}


@pytest.mark.parametrize(
    ("element", "param", "rows"),
    [
        ({}, "deceased", [("false", None)]),  # deceased.exists() and …
        ({"valueInteger": 1, "code": {"text": "x"}}, "code-value-quantity#1", []),
        ({"_status": {"extension": []}}, "status", []),
    ],
    ids=["nothing gives something", "half of a composite", "a value that is absent"],
)
def test_absent_elements(indexing, element, param, rows):
    name = "Observation" if param != "deceased" else "Patient"
    assert found(indexing, {"resourceType": name, "id": "p"} | element, param) == rows


@pytest.mark.parametrize(
    ("element", "param", "rows"),
    [
        ({"active": True}, "active", [("true", None)]),
        ({"gender": "Male"}, "gender", [("male", None)]),
        ({"identifier": [{"value": "x"}]}, "identifier", [("x", "")]),
        ({"name": [{"family": "Ö", "prefix": ["Dr"]}]}, "name", [("o", "Ö"), ("dr", "Dr")]),
        ({"deceasedBoolean": False}, "deceased", [("true", None)]),
        ({"generalPractitioner": [{"display": "x"}]}, "general-practitioner", [(None,) * 3]),
        ({"generalPractitioner": [{"reference": "#c"}]}, "general-practitioner", [(None,) * 3]),
        (
            {"managingOrganization": {"reference": "Organization/o/_history/2"}},
            "organization",
            [("o", "Organization", None)],
        ),
    ],
)
def test_a_patient_is_found_by(indexing, element, param, rows):
    if param == "deceased":  # deceased.exists() and deceased != false
        rows = [("false", None)]
    assert found(indexing, {"resourceType": "Patient", "id": "p"} | element, param) == rows


def test_a_reference_parameter_for_one_type_takes_references_to_that_type_only(indexing):
    for reference, rows in (("Patient/a", [("a", "Patient", None)]), ("Group/a", [])):
        condition = {"resourceType": "Condition", "id": "c", "subject": {"reference": reference}}
        assert found(indexing, condition, "patient") == rows


def test_the_parts_of_a_composite_belong_together(indexing):
    def context(code, value):
        return {"code": {"code": code}, "valueCodeableConcept": {"coding": [{"code": value}]}}

    plan = {
        "resourceType": "PlanDefinition",
        "id": "p",
        "useContext": [context("focus", "a"), context("task", "b")],
    }
    rows = indexing.rows(plan)["token"]
    parts = [(part, value) for name, part, value, _ in rows if "context-type-value#" in name]
    assert sorted(parts) == [(0, "a"), (0, "focus"), (1, "b"), (1, "task")]


@pytest.mark.parametrize(
    "element",
    [{"status": 5}, {"date": "soon"}, {"name": {"a": 1}}, {"url": 5}, {"topic": [{"coding": 1}]}],
)
def test_what_cannot_be_searched_by_is_refused(indexing, element):
    with pytest.raises(Unindexable):
        indexing.rows({"resourceType": "PlanDefinition", "id": "p"} | element)


@pytest.mark.parametrize("key", ["system", "code", "unit", "value"])
def test_a_quantity_with_a_part_of_the_wrong_type_is_refused(indexing, key):
    quantity = {"value": 1, "unit": "mg"} | {key: [[]]}
    with pytest.raises(Unindexable):
        indexing.rows({"resourceType": "Observation", "valueQuantity": quantity})


ABSENT = {"extension": [{"url": "http://example.org/absent", "valueCode": "masked"}]}


@pytest.mark.parametrize(
    "resource, param, rows",
    [
        (
            {
                "resourceType": "Patient",
                "name": [{"given": [None, "Ann"], "_given": [ABSENT, None], "_family": ABSENT}],
            },
            "name",
            [("ann", "Ann")],
        ),
        (
            {"resourceType": "Patient", "address": [{"line": [None], "_line": [ABSENT]}]},
            "address",
            [],
        ),
        (
            {
                "resourceType": "ServiceRequest",
                "occurrenceTiming": {"event": [None], "_event": [ABSENT]},
            },
            "occurrence",
            [],
        ),
        (
            {"resourceType": "Invoice", "totalNet": {"currency": "EUR", "_value": ABSENT}},
            "totalnet",
            [],
        ),
    ],
    ids=["name", "address", "timing", "money"],
)
def test_a_place_that_has_only_an_extension_gives_no_row_and_no_refusal(
    indexing, resource, param, rows
):
    assert found(indexing, resource | {"id": "x"}, param) == rows


def test_money_is_found_by_its_currency(indexing):
    invoice = {"resourceType": "Invoice", "totalGross": {"value": 5, "currency": "EUR"}}
    row = (5.0, 5.0, "urn:iso:std:iso:4217", "EUR", "EUR")
    assert found(indexing, invoice, "totalgross") == [row]


def test_an_identifier_of_the_wrong_type_is_refused_too(indexing):
    condition = {"resourceType": "Condition", "subject": {"identifier": {"value": []}}}
    with pytest.raises(Unindexable):
        indexing.rows(condition)


def test_a_text_where_a_date_or_a_text_may_stand_is_not_taken_for_a_date(indexing):
    immunization = {"resourceType": "Immunization", "id": "i", "occurrenceString": "January 2012"}
    assert found(indexing, immunization, "date") == []
    dated = {"resourceType": "Immunization", "id": "i", "occurrenceDateTime": "1970"}
    assert found(indexing, dated, "date") == [(0, 365 * 86_400_000_000)]


def test_the_content_of_this_project_is_found_by_its_code(indexing, request):
    folder = request.config.rootpath / "resources"
    plans = sorted(folder.glob("*/fhir/PlanDefinition-*.json"))
    assert plans
    for path in plans:
        plan, _ = fhirjson.read(path.read_bytes())
        assert found(indexing, plan, "context")


@pytest.mark.parametrize(
    ("name", "is_single"),
    [
        ("Patient.birthdate", True),
        ("Observation.value-quantity", True),
        ("Condition.onset-date", True),
        ("Procedure.date", True),
        ("Goal.target-date", False),
        ("Observation.combo-value-quantity", False),
        ("PlanDefinition.context-quantity", False),
        ("Patient.deceased", False),
    ],
)
def test_whether_a_resource_has_one_value_at_most_is_known(name, is_single):
    resource_type, code = name.split(".")
    assert Indexing(Definitions.core()).parameters(resource_type)[code].is_single is is_single
