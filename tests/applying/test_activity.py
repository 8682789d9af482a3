"""ActivityDefinition/$apply: activity_cases.yaml holds what each kind gets in either dialect."""

import pathlib

import pytest
import yaml

from fhirpkg.applying.application import apply
from fhirpkg.applying.dialects import DIALECTS
from fhirpkg.applying.requests.activity import build
from fhirpkg.applying.requests.cells import Parties
from fhirpkg.applying.requests.kinds import KINDS
from fhirpkg.definitions.definitions import Definitions
from fhirpkg.errors import DefinitionError
from fhirpkg.repository import MemoryRepository

CASES = yaml.safe_load((pathlib.Path(__file__).parent / "activity_cases.yaml").read_text())
PARTIES = Parties("Patient/x", "Encounter/e", "Practitioner/d")
COMPLETE, REFERENCE = DIALECTS["complete"], DIALECTS["reference"]


def definition(kind, **more):
    made = {"resourceType": "ActivityDefinition", "id": "a", "kind": kind, "version": "1"}
    return made | {"url": "http://example.org/ActivityDefinition/a"} | more


@pytest.mark.parametrize("kind", CASES)
def test_reference_sets_what_the_engine_of_hapi_sets(kind):
    made, left_over = build(definition(kind, **CASES[kind]["definition"]), PARTIES, REFERENCE)
    assert made == {"resourceType": kind, "id": "a"} | CASES[kind]["gives"]
    assert left_over == []


@pytest.mark.parametrize("kind", CASES)
def test_complete_adds_all_that_the_target_has_a_place_for(kind):
    made, left_over = build(definition(kind, **CASES[kind]["definition"]), PARTIES, COMPLETE)
    wanted = CASES[kind]["gives"] | CASES[kind]["adds"]
    moments = [made.pop(name) for name in ("created", "dateWritten") if name in made]
    assert all(moment[:2] == "20" for moment in moments)
    assert made == {"resourceType": kind, "id": "a"} | wanted
    assert left_over == []


@pytest.mark.parametrize("kind", KINDS)
def test_every_element_that_is_made_is_one_of_the_type(kind):
    """A definition that says everything makes nothing that R4 does not know."""
    everything = {key: {"text": "x"} for key in ("code", "productCodeableConcept")}
    everything |= {"timingPeriod": {"start": "2026-01-01"}, "location": {"reference": "Location/l"}}
    everything |= {"participant": [{"type": "practitioner"}, {"type": "patient"}], "title": "x"}
    everything |= {"priority": "stat", "quantity": {"value": 1}, "description": "x", "dosage": []}
    everything |= {"relatedArtifact": [{"type": "documentation", "url": "http://example.org"}]}
    made, _ = build(definition(kind, **everything), PARTIES, COMPLETE)
    known = Definitions.core().types.elements(kind)
    choices = tuple(name for name, element in known.items() if element.is_choice)
    unknown = [k for k in made if k not in known and not k.startswith(choices or ("?",))]
    assert unknown == ["resourceType"]


def test_what_the_target_has_no_place_for_is_told():
    _, left_over = build(
        definition("CommunicationRequest", timingAge={"value": 1}, quantity={"value": 1}),
        PARTIES,
        COMPLETE,
    )
    assert left_over == ["quantity", "timingAge"]


def test_the_extension_for_the_kind_wins():
    url = "http://hl7.org/fhir/uv/cpg/StructureDefinition/cpg-activity-kind"
    said = definition("Task", extension=[{"url": url, "valueCode": "Procedure"}])
    assert build(said, PARTIES, REFERENCE)[0]["resourceType"] == "Procedure"


def test_an_unknown_kind_is_an_error_with_the_nearest():
    with pytest.raises(DefinitionError, match="did you mean 'ServiceRequest'"):
        build(definition("ServiceRequst"), PARTIES, COMPLETE)


def test_a_definition_without_kind_is_an_error():
    with pytest.raises(DefinitionError, match="it has no kind"):
        build({"resourceType": "ActivityDefinition"}, PARTIES, COMPLETE)


NEEDS = [("ServiceRequest", "code"), ("DiagnosticReport", "code"), ("MedicationRequest", "product")]


@pytest.mark.parametrize("kind, needed", NEEDS)
def test_a_request_that_would_say_nothing_is_an_error(kind, needed):
    with pytest.raises(DefinitionError, match=f"cannot be made without {needed}"):
        build(definition(kind), PARTIES, COMPLETE)
    dynamic = {"path": "code", "expression": {"language": "text/fhirpath", "expression": "'x'"}}
    assert build(definition(kind, dynamicValue=[dynamic]), PARTIES, COMPLETE)


def test_profile_language_and_contained_resources_come_along():
    place = {"resourceType": "Location", "id": "suite"}
    said = definition(
        "ServiceRequest",
        code={"text": "x"},
        profile="http://example.org/StructureDefinition/s",
        location={"reference": "#suite"},
        contained=[place, {"resourceType": "Location", "id": "unused"}],
    )
    made, _ = build(said, Parties("Patient/x", language="de"), COMPLETE)
    assert made["meta"] == {"profile": ["http://example.org/StructureDefinition/s"]}
    assert made["language"] == "de"
    assert made["contained"] == [place]


def test_an_immunization_that_is_due_is_recommended_from_now():
    made, _ = build(
        definition("ImmunizationRecommendation", productCodeableConcept={"text": "Vaccine"}),
        PARTIES,
        REFERENCE,
    )
    (recommendation,) = made["recommendation"]
    assert recommendation["vaccineCode"] == [{"text": "Vaccine"}]
    assert recommendation["forecastStatus"]["coding"][0]["code"] == "due"
    assert made["date"][:2] == "20"


def test_an_activity_is_applied_by_itself_and_tells_what_failed():
    dynamic = {"path": "code.text", "expression": {"language": "text/fhirpath"}}
    dynamic["expression"]["expression"] = "%practitioner.id"
    said = definition("ServiceRequest", code={"text": "x"}, dynamicValue=[dynamic])
    patient = {"resourceType": "Patient", "id": "x"}
    result = apply(said, "x", MemoryRepository([patient]))
    assert not result
    assert result.result["code"] == {"text": "x"}
    (outcome,) = result.result["contained"]
    assert "no practitioner was given" in outcome["issue"][0]["diagnostics"]


AS_LINKS = {
    "Communication": {"payload": [{"contentAttachment": {"url": "http://example.org/1"}}]},
    "DiagnosticReport": {"presentedForm": [{"url": "http://example.org/1"}, {"title": "Paper"}]},
}


@pytest.mark.parametrize("kind", AS_LINKS)
def test_reference_knows_an_artifact_by_its_link_and_complete_its_document_too(kind):
    document = {"contentType": "text/plain", "data": "eA=="}
    artifacts = [{"url": "http://example.org/1", "document": document}, {"display": "Paper"}]
    said = definition(kind, code={"text": "x"}, relatedArtifact=artifacts)
    said["relatedArtifact"][0]["type"] = "documentation"
    assert build(said, PARTIES, REFERENCE)[0].items() >= AS_LINKS[kind].items()
    assert "text/plain" in str(build(said, PARTIES, COMPLETE)[0])


REQUESTERS = {
    "ServiceRequest": "Organization/o",
    "MedicationRequest": "Organization/o",
    "Task": None,
    "CommunicationRequest": None,
}


@pytest.mark.parametrize("kind", REQUESTERS)
def test_an_organization_requests_what_no_practitioner_does(kind):
    said = definition(kind)
    said["productCodeableConcept" if kind == "MedicationRequest" else "code"] = {"text": "x"}
    parties = Parties("Patient/x", organization="Organization/o")
    found = build(said, parties, REFERENCE)[0].get("requester", {}).get("reference")
    assert found == REQUESTERS[kind]
    made, _ = build(said, parties, COMPLETE)
    assert made["requester"] == {"reference": "Organization/o"}


def test_an_extension_of_an_activity_is_computed():
    expression = {"language": "text/fhirpath", "expression": "%subject.id"}
    inner = {"url": CQF_EXPRESSION, "valueExpression": expression}
    computed = {"url": "http://example.org/e", "_valueString": {"extension": [inner]}}
    said = definition("ServiceRequest", code={"text": "x"}, extension=[computed])
    result = apply(said, "x", MemoryRepository([{"resourceType": "Patient", "id": "x"}])).result
    assert result["extension"] == [{"url": "http://example.org/e", "valueString": "x"}]


CQF_EXPRESSION = "http://hl7.org/fhir/StructureDefinition/cqf-expression"
