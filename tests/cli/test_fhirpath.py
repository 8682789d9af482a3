"""`fhirpkg fhirpath`: results on standard output, the rest on standard error, exit codes."""

import io
import json
import sys

import pytest
from click.testing import CliRunner

from fhirpkg.cli import ExitCode, cli

PATIENT = {
    "resourceType": "Patient",
    "gender": "male",
    "birthDate": "1974-12-25",
    "name": [{"given": ["Ann", "Eve"]}],
    "contained": [{"resourceType": "Organization", "id": "o", "name": "O"}],
    "managingOrganization": {"reference": "#o"},
}


@pytest.fixture
def patient(tmp_path):
    file = tmp_path / "patient.json"
    file.write_text(json.dumps(PATIENT))
    return str(file)


def fhirpath(*arguments, text=""):
    return CliRunner().invoke(
        cli, ["fhirpath", *arguments], input=text, standalone_mode=False, catch_exceptions=True
    )


def test_each_result_is_a_line(patient):
    assert fhirpath("name.given", patient).stdout == "Ann\nEve\n"
    assert fhirpath("name.given.count() = 2", patient).stdout == "true\n"
    assert fhirpath("name", patient).stdout == '{"given":["Ann","Eve"]}\n'
    assert fhirpath("1.50 | birthDate", patient).stdout == "1.50\n1974-12-25\n"


def test_nothing_found_is_no_line_and_no_error(patient):
    result = fhirpath("name.family", patient)
    assert (result.stdout, result.return_value) == ("", None)


def test_json_keeps_types(patient):
    result = fhirpath("active | 1.50 | gender", patient, "--output-format", "json")
    assert json.loads(result.stdout) == [1.5, "male"]
    assert "1.50" in result.stdout


def test_standard_input_may_be_xml(patient):
    text = '<Patient xmlns="http://hl7.org/fhir"><gender value="female"/></Patient>'
    assert fhirpath("gender", "-", text=text).stdout == "female\n"


def test_what_is_no_resource_needs_its_type():
    result = fhirpath(
        "$this > 4 'mg'", "-", "--type", "Quantity", text='{"value": 5, "unit": "mg"}'
    )
    assert result.stdout == "true\n"


@pytest.mark.parametrize(
    "expression, problem, column",
    [
        ("name.gven", "did you mean 'given'", 6),
        ("2 + 2 /", "the end found", 8),
        ("name.foo()", "there is no function foo()", 6),
    ],
)
def test_an_error_points_at_its_column(patient, expression, problem, column):
    result = fhirpath(expression, patient)
    assert result.return_value == ExitCode.UNUSABLE
    message, shown, caret = result.stderr.rstrip("\n").split("\n")
    assert problem in message
    assert f"column {column}" in message
    assert shown == f"  {expression}"
    assert caret == "  " + " " * (column - 1) + "^"


def test_the_caret_stands_under_the_line_of_the_error(patient):
    result = fhirpath("name.given\n  | name.gven", patient)
    assert result.stderr.splitlines()[1:] == ["    | name.gven", "           ^"]


def test_an_error_of_evaluation_shows_the_expression(patient):
    result = fhirpath("name.given.single()", patient)
    assert result.return_value == ExitCode.UNUSABLE
    assert "there are 2" in result.stderr
    assert "name.given.single()" in result.stderr


def test_trace_goes_to_standard_error(patient):
    result = fhirpath("name.given.trace('found').count()", patient)
    assert (result.stdout, result.stderr) == ("2\n", "found: Ann, Eve\n")


@pytest.mark.parametrize(
    "expression",
    [
        "managingOrganization.resolve() is Organization",
        "gender.memberOf('http://hl7.org/fhir/ValueSet/administrative-gender')",
        "conformsTo('http://hl7.org/fhir/StructureDefinition/Patient')",
    ],
)
def test_references_value_sets_and_profiles_can_be_asked(patient, expression):
    assert fhirpath(expression, patient).stdout == "true\n"


@pytest.mark.parametrize("text, words", [("{", "not JSON"), ("<a>", "-:"), ("", "not JSON")])
def test_a_file_that_cannot_be_read_is_told(text, words):
    assert words in str(fhirpath("id", "-", text=text).exception)


def test_a_file_or_type_that_is_not_there_is_told(patient):
    assert "No such file" in str(fhirpath("id", "nowhere.json").exception)
    assert "no type of that name" in str(fhirpath("id", patient, "--type", "Nothing").exception)


def test_bytes_of_standard_input_are_taken_as_they_are(monkeypatch, capsys):
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO('{"id": "ü"}'.encode())))
    cli.main(["fhirpath", "id", "-"], standalone_mode=False)
    assert capsys.readouterr().out == "ü\n"
