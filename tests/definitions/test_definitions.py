import pytest

from fhirpkg.canonical import Canonical
from fhirpkg.definitions.definitions import Definitions

SEX = "http://hl7.org/fhir/ValueSet/administrative-gender"


@pytest.fixture(scope="module")
def core():
    return Definitions.core()


def value_set(version="1.0.0", url="http://example.org/vs", **more):
    return {"resourceType": "ValueSet", "url": url, "version": version, **more}


def test_the_core_is_one_object_in_a_process(core):
    assert Definitions.core() is core


@pytest.mark.parametrize("canonical", [SEX, f"{SEX}|4.0.1", f"{SEX}|4.0", Canonical(SEX, "4.0.1")])
def test_a_definition_is_found_by_its_canonical(core, canonical):
    assert core.find(canonical)["name"] == "AdministrativeGender"


@pytest.mark.parametrize(
    "canonical, resource_type",
    [(f"{SEX}|3.0.0", None), (SEX, "CodeSystem"), ("http://example.org/none", None), ("", None)],
)
def test_what_is_of_another_version_type_or_url_is_not_found(core, canonical, resource_type):
    assert core.find(canonical, resource_type) is None


def test_the_same_definition_comes_out_as_the_same_object(core):
    assert core.find(SEX) is core.find(SEX, "ValueSet")


@pytest.mark.parametrize("name", ["Patient", "http://hl7.org/fhir/StructureDefinition/Patient"])
def test_a_structure_is_found_by_type_name_and_by_url(core, name):
    structure = core.structure(name)
    assert structure["type"] == "Patient"
    assert structure["snapshot"]["element"][0]["path"] == "Patient"


def test_there_is_no_structure_of_an_unknown_name(core):
    assert core.structure("Pateint") is None


def test_entries_tell_what_is_known_without_reading(core):
    patient = next(e for e in core.entries("StructureDefinition") if e.id == "Patient")
    assert (patient.version, patient.kind, patient.derivation) == (
        "4.0.1",
        "resource",
        "specialization",
    )
    assert patient.bases == ("http://hl7.org/fhir/StructureDefinition/DomainResource",)
    assert patient.package == "hl7.fhir.r4.core#4.0.1"


def test_search_parameters_include_those_of_the_bases(core):
    parameters = core.search_parameters("PlanDefinition")
    assert parameters["_id"]["expression"] == "Resource.id"
    assert parameters["context-type-value"]["type"] == "composite"
    assert "birthdate" not in parameters


def test_published_examples_of_search_parameters_are_none(core):
    assert "http://hl7.org/fhir/SearchParameter/example" not in {
        entry.url for entry in core.entries("SearchParameter")
    }


def test_a_resource_given_alone_wins_over_a_published_one(core):
    local = value_set(url=SEX, version="0.1.0")
    definitions = core.with_resources([local])
    assert definitions.find(SEX) is local
    assert definitions.find(f"{SEX}|4.0.1")["name"] == "AdministrativeGender"
    assert core.find(SEX) is not local


def test_without_a_version_the_newest_is_found_and_of_equals_the_last(core):
    old, new, same = value_set("1.9.0"), value_set("1.10.0"), value_set("1.10.0")
    definitions = core.with_resources([new, old]).with_resources([same])
    assert definitions.find("http://example.org/vs") is same
    assert definitions.find("http://example.org/vs|1.9.0") is old
    assert definitions.find("http://example.org/vs|2.0.0") is None
