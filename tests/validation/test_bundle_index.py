import pytest

from fhirpkg.validation.resources.bundle_index import BundleIndex, named_entries

PATIENT = {"resourceType": "Patient", "id": "1"}
OTHER = {"resourceType": "Patient", "id": "1", "active": True}
BUNDLE = {
    "resourceType": "Bundle",
    "entry": [
        {"fullUrl": "http://a.example/fhir/Patient/1", "resource": PATIENT},
        {"fullUrl": "http://b.example/fhir/Patient/1", "resource": OTHER},
        {"fullUrl": "urn:uuid:1", "resource": {"resourceType": "Group", "id": "g"}},
        {"resource": {"resourceType": "List", "id": "l"}},
        {"request": {"method": "DELETE"}},
        "nonsense",
    ],
}


@pytest.mark.parametrize(
    "reference, full_url, found",
    [
        ("http://b.example/fhir/Patient/1", "", OTHER),
        ("http://b.example/fhir/Patient/1/_history/3", "", OTHER),
        ("Patient/1", "http://b.example/fhir/Observation/9", OTHER),
        ("Patient/1", "http://a.example/fhir/Observation/9", PATIENT),
        ("Patient/1", "urn:uuid:1", PATIENT),
        ("urn:uuid:1", "", BUNDLE["entry"][2]["resource"]),
        ("List/l", "", BUNDLE["entry"][3]["resource"]),
        ("http://c.example/fhir/Patient/1", "", None),
        ("Patient/2", "", None),
        ("no reference", "", None),
    ],
)
def test_a_reference_leads_to_the_entry_of_its_base(reference, full_url, found):
    assert BundleIndex(BUNDLE).find(reference, full_url) is found


def test_parameters_hold_resources_for_each_other():
    parameters = {
        "resourceType": "Parameters",
        "parameter": [{"name": "a", "resource": PATIENT}, {"name": "b", "valueString": "x"}],
    }
    assert BundleIndex(parameters).find("Patient/1") is PATIENT


@pytest.mark.parametrize("entries", [None, {}, "x", [1]])
def test_what_is_no_list_of_entries_has_none(entries):
    assert BundleIndex({"entry": entries}).by_url == {}


@pytest.mark.parametrize(
    "name, numbers",
    [
        ("Patient", [0, 1]),
        ("Patient:0", [0]),
        ("Patient:1", [1]),
        ("List:0", [3]),
        ("3", [3]),
        ("Patient:2", []),
        ("Device", []),
        ("4", []),
    ],
)
def test_entries_are_named_by_type_by_number_or_by_both(name, numbers):
    assert [trail[0][2] for _, trail in named_entries(BUNDLE, name)] == numbers
