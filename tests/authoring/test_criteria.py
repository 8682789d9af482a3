"""Criteria as data become conditions, logic in two forms, data requirements and value sets."""

import base64
import json
from pathlib import Path

import pytest

from fhirpkg.applying.application import apply
from fhirpkg.authoring.build import build
from fhirpkg.authoring.checks import check_procedure
from fhirpkg.authoring.folder import read_folder
from fhirpkg.authoring.model.procedure import Criterion
from fhirpkg.authoring.source import read
from fhirpkg.repository import MemoryRepository

FOLDER = Path(__file__).parent.parent.parent / "resources"
AUTHORED = read_folder(FOLDER)
PROCEDURE = AUTHORED.procedures["cpt-20983"]
SEX = {"id": "sex", "title": "Sex", "text": "x", "sex": "female", "missing": "Not female."}
AGE = {"id": "adult", "title": "Age", "text": "x", "age": 18, "missing": "Not of age."}
RECENT = {
    "id": "imaging",
    "title": "Recent images",
    "text": "x",
    "procedure": "Computed tomography",
    "within": "6 mo",
    "missing": "No recent images.",
}
BONE_PAIN = {
    "id": "pain",
    "title": "Pain",
    "text": "x",
    "condition": ["Bone pain", "Pain from a tumor"],
    "missing": "No pain on record.",
}
PATIENT = {"resourceType": "Patient", "id": "x", "gender": "female", "birthDate": "1990-01-01"}


def built(*criteria):
    models = tuple(Criterion.model_validate(criterion) for criterion in criteria)
    procedure = PROCEDURE.model_copy(update={"criteria": models})
    return build(AUTHORED.package, {"x": procedure}, [])["x"]


def still_open(resources, *data):
    repository = MemoryRepository([PATIENT, *resources, *data])
    result = apply("PlanDefinition/BoneTumorCryoablationPlan", "Patient/x", repository)
    assert result, result.outcomes
    return [
        why.action_id
        for why in result.why
        if why.verdict == "applicable" and why.action_id.startswith(("open-", "correct-"))
    ]


def logic(resources):
    found = [r for r in resources if r["id"] == "BoneTumorCryoablationLogic"]
    return found[0] if found else None


def plan(resources):
    return next(r for r in resources if r["resourceType"] == "PlanDefinition")


def readiness(resources):
    preparation = next(a for a in plan(resources)["action"] if a["id"] == "preparation")
    return next((a for a in preparation["action"] if a["id"] == "readiness"), None)


def test_without_criteria_there_is_neither_an_action_nor_logic():
    resources = built()
    assert readiness(resources) is None
    assert logic(resources) is None
    assert "library" not in plan(resources)


def test_a_condition_on_the_patient_alone_is_fhirpath():
    resources = built(SEX)
    assert logic(resources) is None
    (action,) = readiness(resources)["action"]
    expression = action["condition"][0]["expression"]
    assert expression["language"] == "text/fhirpath"
    assert expression["expression"] == "(%subject.gender = 'female').not()"
    assert still_open(resources) == []
    assert still_open([*resources, PATIENT | {"gender": "male"}]) == ["open-sex"]


def test_what_needs_other_data_gets_a_library_that_the_plan_names():
    resources = built(SEX, AGE)
    library = logic(resources)
    assert plan(resources)["library"] == [library["url"]]
    assert {"type": "depends-on", "resource": library["url"]} in plan(resources)["relatedArtifact"]
    contents = {part["contentType"]: base64.b64decode(part["data"]) for part in library["content"]}
    assert set(contents) == {"text/cql", "application/elm+json"}
    identifier = json.loads(contents["application/elm+json"])["library"]["identifier"]
    assert identifier == {"id": library["name"], "version": library["version"]}
    assert (
        f"library {library['name']} version '{library['version']}'".encode() in contents["text/cql"]
    )


AGES = [("1990-01-01", []), ("2999-01-01", ["open-adult"])]


@pytest.mark.parametrize("born, wanted", AGES)
def test_a_patient_may_have_to_be_of_age(born, wanted):
    assert still_open([*built(AGE), PATIENT | {"birthDate": born}]) == wanted


def test_a_criterion_may_ask_for_something_recent():
    code = {"coding": [{"system": "http://snomed.info/sct", "code": "77477000"}]}
    done = {"resourceType": "Procedure", "id": "p", "status": "completed", "code": code}
    done["subject"] = {"reference": "Patient/x"}
    resources = built(RECENT)
    assert still_open(resources) == ["open-imaging"]
    assert still_open(resources, done | {"performedDateTime": "2001-01-01"}) == ["open-imaging"]
    assert still_open(resources, done | {"performedDateTime": "2999-01-01"}) == []
    gone = done | {"performedDateTime": "2999-01-01", "status": "not-done"}
    assert still_open(resources, gone) == ["open-imaging"]


def test_several_codes_become_a_value_set_with_compose_and_expansion():
    resources = built(BONE_PAIN)
    (found,) = [r for r in resources if r["id"] == "BoneTumorCryoablationPain"]
    listed = [(c["system"], c["code"]) for c in found["expansion"]["contains"]]
    composed = [(i["system"], c["code"]) for i in found["compose"]["include"] for c in i["concept"]]
    assert listed == composed
    assert listed == [
        ("http://snomed.info/sct", "12584003"),
        ("http://hl7.org/fhir/sid/icd-10-cm", "G89.3"),
    ]
    assert found["expansion"]["total"] == 2


def test_data_requirements_say_what_the_logic_looks_at():
    requirements = logic(built(AGE, BONE_PAIN, RECENT))["dataRequirement"]
    assert [requirement["type"] for requirement in requirements] == [
        "Patient",
        "Condition",
        "Procedure",
    ]
    condition, procedure = (r["codeFilter"][0] for r in requirements[1:])
    assert condition["valueSet"].endswith("/ValueSet/BoneTumorCryoablationPain")
    assert procedure["code"] == [{"system": "http://snomed.info/sct", "code": "77477000"}]


def test_what_is_shown_carries_its_source():
    action = next(a for a in readiness(built_first())["action"] if a["id"] == "correct-inr")
    assert action["documentation"][0]["label"] == "SIR 2019"
    assert "above 1.8" in action["textEquivalent"]


def built_first():
    return build(AUTHORED.package, AUTHORED.procedures, [])["cpt-20983"]


YAML = (FOLDER / "cpt-20983" / "procedure.yaml").read_text()
MISTAKES = [
    ("    indications: any\n", "", "just one of indications, condition"),
    ("    indications: any\n", "    indications: any\n    age: 18\n", "one of indications"),
    ("    limit: above 1.8\n", "", "'limit' and 'exceeded' together"),
    ("    limit: above 1.8\n", "    limit: over 1.8\n", "limit"),
    ("    limit: above 1.8\n", "    limit: above 3.7\n", "3.7"),
    ("    observation: INR\n", "    observation: INRR\n", "did you mean 'INR'"),
    ("  - id: platelets\n", "  - id: inr\n", "the id 'inr'"),
]


@pytest.mark.parametrize("old, new, words", MISTAKES, ids=[new.strip() for _, new, _ in MISTAKES])
def test_a_mistake_in_a_criterion_is_told(old, new, words):
    assert old in YAML
    procedure, issues = check_procedure(read(YAML.replace(old, new, 1).encode(), "procedure.yaml"))
    assert procedure is None
    assert any(words in str(issue) for issue in issues), issues
