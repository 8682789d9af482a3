"""A plan applied to each patient of an export is the plan applied to one, for each."""

import json
import pathlib

import pytest
from click.testing import CliRunner
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fhirpkg.applying.application import apply
from fhirpkg.bulk import applied
from fhirpkg.cli import ExitCode
from fhirpkg.cli.apply import command
from fhirpkg.repository import Layers, MemoryRepository, in_bundle, open_repository

ROOT = pathlib.Path(__file__).parent.parent
HOME = ROOT / "resources" / "cpt-20983"
PLAN = "PlanDefinition/BoneTumorCryoablationPlan"
CONTENT = open_repository(HOME / "fhir")
NAMES = ("eligible", "inr-above-limit", "no-images")
EXAMPLES = [
    resource
    for name in NAMES
    for resource in in_bundle(json.loads((HOME / "examples" / f"{name}.json").read_text()))
]
"""Three made-up patients with their records."""
PATIENTS = [f"Patient/example-{name}" for name in NAMES]


def named(resource, how):
    """The resource with another form of the reference to its patient."""
    subject = resource.get("subject", {}).get("reference", "")
    identifier = {"system": "http://e.org/mrn", "value": subject}
    if not subject:
        return resource
    if how == "absolute":
        return resource | {"subject": {"reference": f"https://e.org/fhir/{subject}"}}
    if how == "version":
        return resource | {"subject": {"reference": f"{subject}/_history/2"}}
    if how == "identifier":
        return resource | {"subject": {"identifier": identifier}}
    if how == "contained":
        inner = {"resourceType": "Patient", "id": "p", "identifier": [identifier]}
        return resource | {"subject": {"reference": "#p"}, "contained": [inner]}
    if how == "nobody":
        return {key: value for key, value in resource.items() if key != "subject"}
    return resource


def with_identifier(resource):
    if resource["resourceType"] != "Patient":
        return resource
    mrn = {"system": "http://e.org/mrn", "value": f"Patient/{resource['id']}"}
    return resource | {"identifier": [mrn]}


def lines_of(resources):
    return [json.dumps(resource) for resource in resources]


def said(found):
    return found.result, found.why, found.outcomes, found.criteria


FORMS = ("relative", "absolute", "version", "identifier", "contained", "nobody")


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.data())
def test_each_patient_gets_what_applying_to_one_gives(data):
    made = [with_identifier(named(each, data.draw(st.sampled_from(FORMS)))) for each in EXAMPLES]
    made = data.draw(st.permutations(made))
    whole = Layers(MemoryRepository(made), CONTENT)
    found = {each.subject: each for each in applied(lines_of(made), PLAN, CONTENT)}
    assert found.keys() == set(PATIENTS)
    for subject, each in found.items():
        assert not each.problem
        assert said(each.applied) == said(apply(PLAN, subject, whole))


def test_what_a_resource_refers_to_is_found_wherever_it_stands():
    medication = {"resourceType": "Medication", "id": "m", "code": {"text": "a"}}
    request = {
        "resourceType": "MedicationRequest",
        "id": "r",
        "subject": {"reference": "Patient/example-eligible"},
        "medicationReference": {"reference": "Medication/m"},
    }
    made = [request, *EXAMPLES, medication]
    whole = Layers(MemoryRepository(made), CONTENT)
    for each in applied(lines_of(made), PLAN, CONTENT):
        assert said(each.applied) == said(apply(PLAN, each.subject, whole))


def test_the_newest_version_counts():
    [inr] = [r for r in EXAMPLES if r["id"].startswith("example-eligible") and "INR" in str(r)]
    newer = inr | {"meta": {"versionId": "2"}, "valueQuantity": {"value": 9.9}}
    for made in ([newer, *EXAMPLES], [*EXAMPLES, newer]):
        found = {each.subject: each for each in applied(lines_of(made), PLAN, CONTENT)}
        assert [each["id"] for each in found["Patient/example-eligible"].open] == ["inr"]


def test_patients_and_lines_that_cannot_be_used_are_told():
    lost = {"resourceType": "Observation", "id": "o", "subject": {"reference": "Patient/x"}}
    lines = ["{", "5", "", *lines_of([lost, *EXAMPLES])]
    found = list(applied(lines, PLAN, CONTENT))
    assert found[0].subject == ""
    assert found[0].problem.endswith(": 2")
    assert [each.subject for each in found if each.problem] == ["", "Patient/x"]
    assert [each.subject for each in found if each.applied] == PATIENTS
    absent = list(applied(lines_of(EXAMPLES), "PlanDefinition/none", CONTENT))
    assert all("none" in each.problem for each in absent)


@pytest.fixture
def export(tmp_path):
    for kind in {resource["resourceType"] for resource in EXAMPLES}:
        lines = lines_of(r for r in EXAMPLES if r["resourceType"] == kind)
        (tmp_path / f"{kind}.000.ndjson").write_text("\n".join(lines))
    return tmp_path


def run(*arguments):
    more = [PLAN, *map(str, arguments), "--content", str(HOME / "fhir")]
    return CliRunner().invoke(command, more, standalone_mode=False)


def test_people_see_who_is_open_for_what(export):
    found = run("--population", export)
    lines = [line.strip() for line in found.stdout.splitlines()]
    assert found.return_value == ExitCode.DONE
    at = lines.index("Patient/example-inr-above-limit")
    assert "EXCEEDED: INR 2.4 on 2 Nov 2026: above 1.8 (SIR 2019)" in lines[at : at + 6]
    assert lines[-3:] == [
        "3 patients: 1 with nothing open",
        "images missing: 1",
        "inr exceeded: 1",
    ]


def test_programs_get_a_line_for_each_patient(export):
    found = run("--population", export, "--output-format", "json")
    made = {each["subject"]: each for each in map(json.loads, found.stdout.splitlines()[:3])}
    assert made["Patient/example-eligible"]["open"] == []
    assert made["Patient/example-no-images"]["open"] == ["images"]
    assert made["Patient/example-no-images"]["criteria"][0]["state"] == "met"


@pytest.mark.parametrize(
    "arguments, words",
    [
        ([], "--population"),
        (["--population", "EXPORT", "--subject", "Patient/a"], "--subject"),
        (["--population", "EXPORT", "--output-format", "fhir"], "--output-format"),
    ],
)
def test_what_does_not_go_together_is_refused(export, arguments, words):
    found = run(*(str(export) if each == "EXPORT" else each for each in arguments))
    assert words in str(found.exception)


def test_a_folder_without_an_export_is_refused(tmp_path):
    assert "ndjson" in str(run("--population", tmp_path).exception)
    (tmp_path / "a.ndjson").write_text("{")
    assert run("--population", tmp_path).return_value == ExitCode.ISSUES
