import pytest

from fhirpkg.server.operations.operations import OPERATIONS
from fhirpkg.validation.validator import Validator


@pytest.fixture(scope="module")
def statement(_base):
    import requests

    return requests.get(f"{_base}/metadata", timeout=30).json()


def resource(statement, name):
    return next(r for r in statement["rest"][0]["resource"] if r["type"] == name)


def test_the_statement_is_valid_fhir(statement):
    outcome = Validator().validate(statement)
    assert [str(issue) for issue in outcome.errors] == []


def test_all_146_types_of_r4_are_offered(statement):
    assert len(statement["rest"][0]["resource"]) == 146


def test_the_search_parameters_of_a_type_are_those_that_are_searched_by(statement, endpoint):
    plan = resource(statement, "PlanDefinition")
    names = {parameter["name"] for parameter in plan["searchParam"]}
    assert names == set(endpoint.indexing.parameters("PlanDefinition"))
    assert {"url", "context-type-value", "depends-on", "_id", "_tag", "_lastUpdated"} <= names
    assert "PlanDefinition:definition" in plan["searchInclude"]


def test_what_may_refer_to_a_type_is_declared(statement):
    """onc-healthit/inferno-program#166: report 25 of those in tests/publishing/test_reports.py."""
    plan, patient = resource(statement, "PlanDefinition"), resource(statement, "Patient")
    assert "CarePlan:instantiates-canonical" in plan["searchRevInclude"]
    assert "Observation:patient" in patient["searchRevInclude"]
    assert "Observation:patient" not in plan["searchRevInclude"]


def test_patches_are_declared(statement):
    assert statement["patchFormat"] == ["application/json-patch+json"]
    assert {"code": "patch"} in resource(statement, "Patient")["interaction"]


def test_each_operation_is_told_where_it_is_offered(statement):
    plan = {operation["name"] for operation in resource(statement, "PlanDefinition")["operation"]}
    terms = {
        operation["name"]: operation for operation in resource(statement, "ValueSet")["operation"]
    }
    assert terms["validate-code"]["definition"].endswith("/ValueSet-validate-code")
    for name, operation in OPERATIONS.items():
        offered = set(operation.levels) & {"type", "instance"}
        here = not operation.types or "PlanDefinition" in operation.types
        assert (name in plan) == (bool(offered) and here)


def test_the_statement_says_what_the_server_is_not(statement):
    said = statement["rest"][0]["documentation"]
    for words in ("development and small sites", "HAPI", "Nothing is validated", "meta.tag"):
        assert words in said
    assert statement["implementation"]["url"].endswith("/fhir")
