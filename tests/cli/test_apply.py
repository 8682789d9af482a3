"""`fhirpkg apply` from the outside: for people, as FHIR, from files or a server, exit codes."""

import json
import pathlib

import pytest
from click.testing import CliRunner

from fhirpkg.cli import ExitCode
from fhirpkg.cli.apply import command
from fhirpkg.errors import ConfigError, ResolutionError, SourceError
from tests.server.client import Client
from tests.servers.embedded import running

EXAMPLES = pathlib.Path(__file__).parents[2] / "resources" / "cpt-20983" / "examples"
PLAN = "PlanDefinition/BoneTumorCryoablationPlan"


def apply(*arguments):
    return CliRunner().invoke(
        command,
        [str(argument) for argument in arguments],
        catch_exceptions=False,
        standalone_mode=False,
    )


def example(name, *more):
    data = EXAMPLES / f"{name}.json"
    return apply(PLAN, "--subject", f"Patient/example-{name}", "--data", data, *more)


def test_people_read_what_to_order_who_when_and_why_not():
    result = example("inr-above-limit")
    lines = [line.strip() for line in result.stdout.splitlines()]
    assert result.return_value == ExitCode.DONE
    assert lines[0].startswith("CarePlan Percutaneous cryoablation of bone tumors: plan of care")
    assert "order: ServiceRequest Percutaneous cryoablation of bone tumors (CPT 20983)" in lines
    assert any(line.startswith("when: ") and "1 to 2 hours" in line for line in lines)
    assert "who: Nurses, who support and monitor the patient" in lines
    assert "choose: exactly one" in lines
    assert any(line.startswith("- Planning images: left out, only if: ") for line in lines)
    at = lines.index("+ INR 2.4 on 2 Nov 2026: above 1.8 (SIR 2019)")
    assert lines[at + 1] == "priority: urgent"
    assert lines[at + 2].startswith("why: For procedures of high bleeding risk")
    assert "source: SIR 2019" in lines[at + 3 : at + 5]
    assert "EXCEEDED: INR 2.4 on 2 Nov 2026: above 1.8 (SIR 2019)" in lines
    assert "met: Images: CT of the pelvis on 20 Oct 2026" in lines
    assert not [line for line in lines if line.startswith("- Images: missing")]  # so says the state
    at = lines.index("+ Percutaneous cryoablation of bone tumors")
    blocked = "BLOCKED until: INR 2.4 on 2 Nov 2026: above 1.8 (SIR 2019)"
    assert lines[at + 1] == f"{blocked}; Coagulation tests"
    at = lines.index("+ Coagulation tests")
    assert not lines[at + 1].startswith("BLOCKED")


def test_programs_get_the_criteria_with_their_states_and_what_they_rest_on():
    found = json.loads(example("inr-above-limit", "--output-format", "json").stdout)
    criteria = {criterion["id"]: criterion for criterion in found["criteria"]}
    assert {name: c["state"] for name, c in criteria.items()} == {
        "indication": "met",
        "inr": "exceeded",
        "platelets": "met",
        "images": "met",
    }
    inr = criteria["inr"]
    assert (inr["value"], inr["unit"], inr["date"]) == (2.4, None, "2026-11-02")
    assert inr["resource"].startswith("Observation/example-")
    assert "above 1.8 (SIR 2019)" in inr["why"]
    assert any(a["verdict"] == "not applicable" for a in found["actions"])


def test_the_resources_come_as_fhir():
    result = example("eligible", "--output-format", "fhir")
    assert json.loads(result.stdout)["resourceType"] == "CarePlan"
    bundle = json.loads(example("eligible", "--output-format", "fhir", "--bundle").stdout)
    assert bundle["entry"][0]["resource"]["resourceType"] == "RequestGroup"


def test_the_dialect_of_the_reference_engine_can_be_asked_for():
    options = ("--dialect", "reference", "--output-format", "fhir")
    care_plan = json.loads(example("eligible", *options).stdout)
    assert "participant" not in care_plan["contained"][0]["action"][0]


@pytest.fixture
def broken(tmp_path):
    """A patient, and a plan whose condition cannot be evaluated."""
    patient = {"resourceType": "Patient", "id": "x"}
    expression = {"language": "text/fhirpath", "expression": "%encounter.id = 'e'"}
    action = {"title": "Act", "condition": [{"kind": "applicability", "expression": expression}]}
    plan = {"resourceType": "PlanDefinition", "id": "p", "action": [action]}
    (tmp_path / "data.json").write_text(json.dumps(patient))
    (tmp_path / "plan.json").write_text(json.dumps(plan))
    return tmp_path


def test_a_condition_that_was_not_evaluated_gives_1_and_says_why(broken):
    data = ("--data", broken / "data.json")
    result = apply(broken / "plan.json", "--subject", "x", *data)
    assert result.return_value == ExitCode.ISSUES
    assert "? Act: not evaluated: %encounter is unknown: no encounter was given" in result.stdout
    assert "error: Condition expression" in result.stdout


def test_an_encounter_can_be_given(broken):
    (broken / "e.json").write_text('{"resourceType": "Encounter", "id": "e"}')
    result = apply(
        broken / "plan.json", "--subject", "x", "--data", broken, "--encounter", "Encounter/e"
    )
    assert result.return_value == ExitCode.DONE


def test_an_activity_alone_is_told_too():
    url = "https://w3id.org/fhirpkg/ActivityDefinition/BoneTumorCryoablationBloodCount"
    data = EXAMPLES / "eligible.json"
    result = apply(url, "--subject", "Patient/example-eligible", "--data", data)
    assert "order: ServiceRequest Complete blood count (LOINC 58410-2)" in result.stdout


def test_data_and_definitions_may_lie_on_a_server():
    with running() as base:
        client = Client(base)
        for resource in json.loads((EXAMPLES / "no-images.json").read_text())["entry"]:
            assert client.put(resource["resource"]).status_code == 201
        result = apply(PLAN, "--subject", "Patient/example-no-images", "--server", base)
    assert result.return_value == ExitCode.DONE
    assert "+ No images by CT or MRI are on record." in result.stdout
    assert "  met: INR " in result.stdout


def test_content_may_lie_elsewhere(tmp_path):
    data = EXAMPLES / "eligible.json"
    subject = ("--subject", "Patient/example-eligible")
    with pytest.raises(ResolutionError, match="no such definition"):
        apply(PLAN, *subject, "--data", data, "--content", tmp_path)


def test_without_data_nothing_is_done():
    with pytest.raises(ConfigError, match="--data or --server"):
        apply(PLAN, "--subject", "Patient/x")


def test_an_unknown_patient_is_an_error():
    with pytest.raises(ResolutionError, match="not in the data"):
        apply(PLAN, "--subject", "Patient/nobody", "--data", EXAMPLES / "eligible.json")


def test_a_misspelt_plan_or_patient_is_answered_with_the_nearest():
    data = EXAMPLES / "eligible.json"
    with pytest.raises(ResolutionError, match=f"did you mean '{PLAN}'"):
        apply(f"{PLAN}n", "--subject", "Patient/example-eligible", "--data", data)
    with pytest.raises(ResolutionError, match="did you mean 'Patient/example-eligible'"):
        apply(PLAN, "--subject", "Patient/example-eligble", "--data", data)


def test_a_file_without_a_resource_is_refused_by_its_name(tmp_path):
    file = tmp_path / "empty.json"
    file.write_text("{}")
    with pytest.raises(SourceError, match="holds no resource"):
        apply(file, "--subject", "Patient/a", "--data", EXAMPLES)


def test_a_plan_in_the_folder_of_its_build_finds_what_it_refers_to(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    [plan] = (EXAMPLES.parent / "fhir").glob("PlanDefinition-BoneTumorCryoablationPlan.json")
    data = EXAMPLES / "eligible.json"
    result = apply(plan, "--subject", "Patient/example-eligible", "--data", data)
    assert result.return_value == ExitCode.DONE
    assert "order: ServiceRequest" in result.stdout
