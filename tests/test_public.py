"""The public names: one sorted list, documented, and used here as a stranger would."""

import ast
import inspect
import textwrap

import pytest
from fhir.resources.R4B.patient import Patient

import fhirpkg
from fhirpkg.errors import AuthoringError, SourceError

SHORT = {"Severity", "FhirpkgError"}
"""Names that one sentence explains."""


def test_the_list_is_sorted_and_what_dir_shows():
    assert list(fhirpkg.__all__) == sorted(fhirpkg.__all__)
    assert set(fhirpkg.__all__) < set(dir(fhirpkg))


@pytest.mark.parametrize("name", fhirpkg.__all__)
def test_each_public_function_says_what_it_gives_and_raises(name):
    found = getattr(fhirpkg, name)
    text = inspect.getdoc(found) or ""
    assert len(text) > 40 or name in SHORT
    if inspect.isfunction(found):
        assert "Raises" in text, f"{name} does not say what it raises"
        for parameter in inspect.signature(found).parameters.values():
            assert parameter.annotation is not inspect.Parameter.empty


@pytest.mark.parametrize("name", fhirpkg.__all__)
def test_public_methods_are_documented(name):
    found = getattr(fhirpkg, name)
    for member, method in vars(found).items() if inspect.isclass(found) else ():
        if inspect.isfunction(method) and not member.startswith("_"):
            assert inspect.getdoc(method), f"{name}.{member}"


FUNCTIONS = [name for name in fhirpkg.__all__ if inspect.isfunction(getattr(fhirpkg, name))]
MADE_BY_USERS = ["Definitions", "Settings", "Terminology", "Validator"]


def example_of(name):
    """The indented lines that follow a blank one in a docstring."""
    lines = inspect.getdoc(getattr(fhirpkg, name)).split("\n")
    first = next(
        (i for i, line in enumerate(lines) if line[:4] == "    " and not lines[i - 1]), len(lines)
    )
    return textwrap.dedent("\n".join(lines[first:]))


@pytest.mark.parametrize("name", [*FUNCTIONS, *MADE_BY_USERS, "FhirClient"])
def test_what_users_call_has_an_example(name):
    used = {
        node.attr if isinstance(node, ast.Attribute) else node.id
        for node in ast.walk(ast.parse(example_of(name)))
        if isinstance(node, ast.Attribute | ast.Name)
    }
    assert name in used


@pytest.mark.parametrize("name", MADE_BY_USERS)
def test_an_example_that_needs_neither_file_nor_server_runs(name):
    exec(example_of(name), {"fhirpkg": fhirpkg})


PATIENT = {"resourceType": "Patient", "gender": "mal"}
JSON = '{"resourceType": "Patient", "gender": "mal"}'


@pytest.mark.parametrize(
    "given",
    [
        PATIENT,
        JSON,
        JSON.encode(),
        bytearray(JSON.encode()),
        '<Patient xmlns="http://hl7.org/fhir"><gender value="mal"/></Patient>',
        Patient.model_construct(gender="mal"),
    ],
    ids=["dict", "text", "bytes", "bytearray", "xml", "model"],
)
def test_a_validator_takes_a_resource_in_any_form(given):
    assert [issue.rule for issue in fhirpkg.Validator().validate(given).errors] == [
        "binding-required"
    ]


def test_a_validator_takes_a_path_as_path_or_text(tmp_path):
    file = tmp_path / "p.json"
    file.write_text(JSON)
    for given in (file, str(file)):
        [issue] = fhirpkg.Validator().validate(given).errors
        assert issue.file == str(file)
    with pytest.raises(SourceError):
        fhirpkg.Validator().validate(str(tmp_path / "none.json"))


@pytest.mark.parametrize("given", [3, None, [JSON], object()])
def test_a_validator_says_what_it_takes(given):
    with pytest.raises(TypeError, match=r"a dictionary.*model_dump_json"):
        fhirpkg.Validator().validate(given)


def test_many_inputs_serve_each_other(tmp_path):
    (tmp_path / "a.json").write_text('{"resourceType": "Patient", "id": "a"}')
    (tmp_path / "b.json").write_text(
        '{"resourceType": "Observation", "status": "final", "code": {"text": "x"},'
        ' "subject": {"reference": "Patient/a"}, "performer": [{"reference": "Patient/b"}]}'
    )
    (tmp_path / "note.txt").write_text("no FHIR")
    found = list(fhirpkg.validate_all([tmp_path]))
    assert [each.is_skipped for each in found] == [False, False, True]
    unresolved = [i for each in found for i in each.outcome.issues if "reference" in i.rule]
    assert [issue.expression for issue in unresolved if "Patient/b" in issue.text] == [
        "Observation.performer[0]"
    ]


def test_a_folder_is_built_as_dictionaries_or_models():
    made = fhirpkg.build("resources")
    assert "PlanDefinition" in {r["resourceType"] for r in made["cpt-20983"]}
    typed = fhirpkg.build("resources", typed=True)
    assert {type(r).__name__ for r in typed["cpt-20983"]} == {
        r["resourceType"] for r in made["cpt-20983"]
    }


def test_a_folder_with_mistakes_is_refused_with_all_of_them(tmp_path):
    (tmp_path / "package.yaml").write_text("id: x\n")
    (tmp_path / "one").mkdir()
    (tmp_path / "one" / "procedure.yaml").write_text("id: One\n")
    with pytest.raises(AuthoringError) as caught:
        fhirpkg.build(tmp_path)
    assert len(caught.value.issues) > 2
