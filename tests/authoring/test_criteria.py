"""Criteria as data become conditions, logic in two forms, data requirements and value sets."""

import base64
import json
from pathlib import Path

import pytest

from fhirpkg.applying.application import apply
from fhirpkg.authoring.build import build
from fhirpkg.authoring.checking.authored import check_procedure
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
        if why.verdict == "applicable"
        and why.action_id.startswith(("missing-", "unusable-", "exceeded-"))
    ]


def logic(resources):
    found = [r for r in resources if r["id"] == "BoneTumorCryoablationLogic"]
    return found[0] if found else None


def plan(resources):
    return next(r for r in resources if r["resourceType"] == "PlanDefinition")


def readiness(resources):
    """The actions that tell what is open: those with a condition of their own, at the top."""
    return [action for action in plan(resources)["action"] if "condition" in action]


def test_without_criteria_there_is_neither_an_action_nor_logic():
    resources = built()
    assert readiness(resources) == []
    assert logic(resources) is None
    assert "library" not in plan(resources)


def test_a_condition_on_the_patient_alone_is_fhirpath():
    resources = built(SEX)
    assert logic(resources) is None
    (action,) = readiness(resources)
    expression = action["condition"][0]["expression"]
    assert expression["language"] == "text/fhirpath"
    assert expression["expression"] == "(%subject.gender = 'female').not()"
    assert still_open(resources) == []
    assert still_open([*resources, PATIENT | {"gender": "male"}]) == ["missing-sex"]


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


AGES = [("1990-01-01", []), ("2999-01-01", ["missing-adult"])]


@pytest.mark.parametrize("born, wanted", AGES)
def test_a_patient_may_have_to_be_of_age(born, wanted):
    assert still_open([*built(AGE), PATIENT | {"birthDate": born}]) == wanted


def test_a_criterion_may_ask_for_something_recent():
    code = {"coding": [{"system": "http://snomed.info/sct", "code": "77477000"}]}
    done = {"resourceType": "Procedure", "id": "p", "status": "completed", "code": code}
    done["subject"] = {"reference": "Patient/x"}
    resources = built(RECENT)
    assert still_open(resources) == ["missing-imaging"]
    old = done | {"performedDateTime": "2001-01-01"}
    assert still_open(resources, old) == ["unusable-imaging"]
    assert still_open(resources, done | {"performedDateTime": "2999-01-01"}) == []
    gone = done | {"performedDateTime": "2999-01-01", "status": "not-done"}
    assert still_open(resources, gone) == ["missing-imaging"]


COUNT = {
    "id": "count",
    "title": "Count",
    "text": "x",
    "observation": "Platelet count",
    "missing": "None on record.",
    "exceeded": "Beyond the limit.",
    "noticed": "Close to the limit.",
}
HIGH = {"limit": "above 400 10*9/L", "notice": "from 350"}
LOW = {"limit": "below 50 10*9/L", "notice": "to 60"}


@pytest.mark.parametrize(
    "band, value, wanted",
    [
        (HIGH, 349, []),
        (HIGH, 350, ["noticed-count"]),
        (HIGH, 400, ["noticed-count"]),
        (HIGH, 401, ["exceeded-count"]),
        (LOW, 61, []),
        (LOW, 60, ["noticed-count"]),
        (LOW, 50, ["noticed-count"]),
        (LOW, 49, ["exceeded-count"]),
    ],
)
def test_a_value_within_its_limit_is_noticed_in_the_band_beside_it(band, value, wanted):
    unit = {"unit": "10*9/L", "system": "http://unitsofmeasure.org", "code": "10*9/L"}
    measured = {
        "resourceType": "Observation",
        "id": "o",
        "status": "final",
        "code": {"coding": [{"system": "http://loinc.org", "code": "777-3"}]},
        "subject": {"reference": "Patient/x"},
        "effectiveDateTime": "2026-01-01",
        "valueQuantity": {"value": value, **unit},
    }
    repository = MemoryRepository([PATIENT, *built(COUNT | band), measured])
    result = apply("PlanDefinition/BoneTumorCryoablationPlan", "Patient/x", repository)
    applicable = [why.action_id for why in result.why if why.verdict == "applicable"]
    assert [name for name in applicable if name in {"noticed-count", "exceeded-count"}] == wanted


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
    assert procedure["valueSet"].endswith("/ValueSet/BoneTumorCryoablationImaging")


def test_what_is_shown_carries_its_source():
    action = next(a for a in readiness(built_first()) if a["id"] == "exceeded-inr")
    assert action["documentation"][0]["label"] == "SIR 2019"
    assert "1.5 and 1.8" in action["textEquivalent"]
    assert action["priority"] == "urgent"
    assert {"actionId": "coagulation", "relationship": "concurrent-with-start"} in action[
        "relatedAction"
    ]


def test_events_stand_at_the_top_where_other_engines_look_for_them():
    for action in readiness(built_first()):
        assert [t["name"] for t in action["trigger"] if t["type"] == "named-event"] == [
            "order-sign",
            "order-select",
            "patient-view",
        ]


def test_an_order_applies_when_the_criterion_that_it_settles_is_not_met():
    preparation = next(a for a in plan(built_first())["action"] if a["id"] == "preparation")
    orders = {a["id"]: a for a in preparation["action"]}
    orders |= {a["id"]: a for a in orders["blood-tests"]["action"]}
    for order, name in (("coagulation", "INR"), ("blood-count", "Platelets")):
        (condition,) = orders[order]["condition"]
        assert condition["expression"]["expression"] == f"{name} open"
    assert "condition" not in orders["fasting"]


def test_the_order_that_a_plan_makes_sets_off_no_phase_of_it():
    for action in plan(built_first())["action"][-4:]:
        (requirement,) = action["trigger"][0]["data"]
        asked = {f["path"]: [c["code"] for c in f["code"]] for f in requirement["codeFilter"]}
        wanted = ["proposal", "plan"] if action["id"] == "counseling" else ["order"]
        assert asked["intent"] == wanted


def built_first():
    return build(AUTHORED.package, AUTHORED.procedures, [])["cpt-20983"]


YAML = (FOLDER / "cpt-20983" / "procedure.yaml").read_text()
MISTAKES = [
    ("    indications: any\n", "", "just one of indications, condition"),
    ("    indications: any\n", "    indications: any\n    age: 18\n", "one of indications"),
    ("    limit: above 1.8\n", "", "'limit' and 'exceeded' together"),
    ("    limit: above 1.8\n", "    limit: over 1.8\n", "limit"),
    ("    limit: above 1.8\n", "    limit: above 3.7\n", "3.7"),
    ("    notice: from 1.5\n", "    notice: from 1.55\n", "1.55"),
    ("    notice: from 1.5\n", "", "'notice' and 'noticed' together"),
    ("    order: coagulation\n", "    order: coagulations\n", "did you mean 'coagulation'"),
    ("    observation: INR\n", "    observation: INRR\n", "did you mean 'INR'"),
    ("  - id: platelets\n", "  - id: inr\n", "the id 'inr'"),
]


@pytest.mark.parametrize("old, new, words", MISTAKES, ids=[new.strip() for _, new, _ in MISTAKES])
def test_a_mistake_in_a_criterion_is_told(old, new, words):
    assert old in YAML
    procedure, issues = check_procedure(read(YAML.replace(old, new, 1).encode(), "procedure.yaml"))
    assert procedure is None
    assert any(words in str(issue) for issue in issues), issues
