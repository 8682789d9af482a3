"""Where definitions and data are read from, all by one protocol."""

import json

import pytest

from fhirpkg.applying.remote import ServerRepository
from fhirpkg.client.client import FhirClient
from fhirpkg.definitions.definitions import Definitions
from fhirpkg.errors import FhirpkgError, SourceError
from fhirpkg.repository import Layers, MemoryRepository, in_bundle, in_bundles, open_repository
from fhirpkg.server.endpoint import open_endpoint
from fhirpkg.server.operations.apply import StoreRepository
from tests.servers.embedded import running

URL = "http://example.org/PlanDefinition/p"
RESOURCES = [
    {"resourceType": "Patient", "id": "x"},
    {"resourceType": "Condition", "id": "mine", "subject": {"reference": "Patient/x"}},
    {"resourceType": "Condition", "id": "other", "subject": {"reference": "Patient/y"}},
    {"resourceType": "Medication", "id": "of-nobody"},
    {"resourceType": "PlanDefinition", "id": "p1", "url": URL, "version": "1.9.0"},
    {"resourceType": "PlanDefinition", "id": "p2", "url": URL, "version": "1.10.0"},
    {"resourceType": "Library", "id": "l", "name": "Logic"},
    {"resourceType": "Patient", "id": "y"},
]


@pytest.fixture(params=["memory", "folder", "bundle", "store", "server"])
def repository(request, tmp_path):
    """The same resources in each place that they can lie in."""
    if request.param in {"store", "server"}:
        endpoint = open_endpoint()
        for resource in RESOURCES:
            endpoint.store.write(dict(resource), "PUT")
        if request.param == "store":
            yield StoreRepository(endpoint)
            return
        with running(endpoint=endpoint) as base, FhirClient(base) as client:
            yield ServerRepository(client, Definitions.core())
        return
    if request.param == "folder":
        for resource in RESOURCES:
            folder = tmp_path / resource["resourceType"]
            folder.mkdir(exist_ok=True)
            (folder / f"{resource['id']}.json").write_text(json.dumps(resource))
        yield open_repository(tmp_path)
    elif request.param == "bundle":
        bundle = {"resourceType": "Bundle", "entry": [{"resource": r} for r in RESOURCES]}
        (tmp_path / "bundle.json").write_text(json.dumps(bundle))
        yield open_repository(tmp_path / "bundle.json")
    else:
        yield MemoryRepository(RESOURCES)


def ids(resources):
    return sorted(resource["id"] for resource in resources)


def test_a_resource_is_read_by_type_and_id(repository):
    assert repository.read("Patient", "x")["id"] == "x"
    assert repository.read("Patient", "nobody") is None


def test_a_search_by_patient_leaves_out_those_of_others(repository):
    patient = {"patient": "Patient/x"}
    assert ids(repository.search("Condition", patient)) == ["mine"]
    assert ids(repository.search("Patient", patient)) == ["x"]
    assert ids(repository.search("Medication", patient)) == ["of-nobody"]
    assert ids(repository.search("Condition", {})) == ["mine", "other"]


def test_a_library_is_found_by_name(repository):
    assert ids(repository.search("Library", {"name": "Logic"})) == ["l"]
    assert repository.search("Library", {"name": "Other"}) == []


def test_a_canonical_leads_to_its_version_or_the_newest(repository):
    assert repository.resolve(URL)["id"] == "p2"
    assert repository.resolve(f"{URL}|1.9.0", "PlanDefinition")["id"] == "p1"
    assert repository.resolve(f"{URL}|3.0.0") is None
    assert repository.resolve(URL, "Library") is None


def test_a_relative_canonical_leads_to_the_id(repository):
    assert repository.resolve("Patient/x")["id"] == "x"
    assert repository.resolve("nothing") is None


def test_the_first_layer_that_has_something_wins():
    one = MemoryRepository([{"resourceType": "Patient", "id": "x", "active": True}])
    both = Layers(one, MemoryRepository(RESOURCES))
    assert both.read("Patient", "x")["active"] is True
    assert ids(both.search("Patient", {})) == ["x", "y"]
    assert both.resolve(URL)["id"] == "p2"
    assert both.resolve("http://example.org/none") is None


def test_a_folder_that_is_not_there_is_an_error(tmp_path):
    with pytest.raises(SourceError, match="no such file"):
        open_repository(tmp_path / "none")


def test_a_file_that_is_no_json_is_an_error(tmp_path):
    (tmp_path / "x.json").write_text("{")
    with pytest.raises(SourceError, match="not JSON"):
        open_repository(tmp_path)


def test_a_json_file_that_is_no_resource_is_passed_over(tmp_path):
    (tmp_path / "x.json").write_text("[]")
    assert list(open_repository(tmp_path)) == []


def test_a_resource_that_is_no_bundle_is_one_by_itself():
    assert in_bundle({"resourceType": "Patient"}) == [{"resourceType": "Patient"}]


# -- whose it is ------------------------------------------------------------------------------

MINE, OTHERS = {"reference": "Patient/x"}, {"reference": "Patient/y"}
DOCTOR = {"reference": "Practitioner/d"}
WHOSE = [
    ({"resourceType": "Account", "subject": [MINE]}, True),
    ({"resourceType": "Account", "subject": [OTHERS]}, False),
    ({"resourceType": "Appointment", "participant": [{"actor": DOCTOR}, {"actor": MINE}]}, True),
    ({"resourceType": "Appointment", "participant": [{"actor": DOCTOR}, {"actor": OTHERS}]}, False),
    ({"resourceType": "AppointmentResponse", "actor": OTHERS}, False),
    ({"resourceType": "Group", "member": [{"entity": OTHERS}]}, False),
    ({"resourceType": "Group", "member": [{"entity": OTHERS}, {"entity": MINE}]}, True),
    ({"resourceType": "Group", "actual": False}, True),
    ({"resourceType": "Schedule", "actor": [DOCTOR]}, True),
    ({"resourceType": "SupplyRequest", "deliverTo": OTHERS}, False),
    ({"resourceType": "Condition", "subject": {"reference": "Patient/x/_history/2"}}, True),
    ({"resourceType": "Observation", "subject": {"reference": "Device/x"}}, False),
    ({"resourceType": "Medication"}, True),
]


@pytest.mark.parametrize("resource, is_mine", WHOSE, ids=str)
def test_a_resource_of_another_patient_is_left_out_wherever_it_says_so(resource, is_mine):
    found = MemoryRepository([resource | {"id": "r"}])
    assert bool(found.search(resource["resourceType"], {"patient": "Patient/x"})) == is_mine


MRN = {"system": "http://hospital.org/mrn", "value": "17"}
OWNER = {"resourceType": "Patient", "id": "x", "identifier": [MRN]}
CONTAINED = {"reference": "#p"}
NAMED = [
    ({"identifier": MRN}, True),
    ({"identifier": MRN | {"value": "18"}}, False),
    ({"identifier": MRN | {"system": "http://other.org/mrn"}}, False),
    ({"display": "Alex Madeup"}, False),
    ({"reference": "http://e.org/fhir/Patient/x"}, True),
    ({"reference": "http://e.org/fhir/Patient/x/_history/4"}, True),
    ({"reference": "http://other.org/fhir/Patient/x"}, False),
    ({"reference": "Patient/x", "identifier": MRN | {"value": "18"}}, True),
    (CONTAINED, False),
]


@pytest.mark.parametrize("subject, is_mine", NAMED, ids=str)
def test_a_reference_is_to_the_patient_of_that_server_or_identifier(tmp_path, subject, is_mine):
    result = {"resourceType": "Observation", "id": "o", "subject": subject}
    entries = [
        {"fullUrl": "http://e.org/fhir/Patient/x", "resource": OWNER},
        {"fullUrl": "http://e.org/fhir/Observation/o", "resource": result},
    ]
    bundle = {"resourceType": "Bundle", "type": "collection", "entry": entries}
    (tmp_path / "record.json").write_text(json.dumps(bundle))
    found = open_repository(tmp_path).search("Observation", {"patient": "Patient/x"})
    assert bool(found) == is_mine


def test_a_contained_patient_is_told_by_its_identifier():
    for identifier, is_mine in ((MRN, True), (MRN | {"value": "18"}, False)):
        inner = {"resourceType": "Patient", "id": "p", "identifier": [identifier]}
        result = {"resourceType": "Observation", "id": "o", "subject": CONTAINED}
        found = MemoryRepository([OWNER, result | {"contained": [inner]}])
        assert bool(found.search("Observation", {"patient": "Patient/x"})) == is_mine


def versioned(value, number, updated="2026-11-20T08:00:00Z"):
    meta = {"versionId": number, "lastUpdated": updated}
    return {"resourceType": "Observation", "id": "o", "valueInteger": value, "meta": meta}


@pytest.mark.parametrize(
    "versions",
    [
        [versioned(1, "1"), versioned(2, "2")],
        [versioned(2, "10"), versioned(1, "9")],
        [versioned(2, "a", "2026-11-21T08:00:00Z"), versioned(1, "b")],
    ],
)
def test_of_several_versions_of_a_resource_the_newest_counts(versions):
    assert MemoryRepository(versions).read("Observation", "o")["valueInteger"] == 2


def test_a_history_begins_with_the_newest_version_and_says_what_is_gone():
    gone = {"request": {"method": "DELETE", "url": "Observation/gone"}}
    before = {"resourceType": "Observation", "id": "gone"}
    newest = {"resourceType": "Observation", "id": "o", "valueInteger": 2}
    entries = [
        gone,
        {"resource": newest, "request": {"method": "PUT", "url": "Observation/o"}},
        {"resource": newest | {"valueInteger": 1}},
        {"resource": before, "request": {"method": "POST", "url": "Observation"}},
    ]
    found = MemoryRepository(in_bundle({
        "resourceType": "Bundle", "type": "history", "entry": entries
    }))  # fmt: skip
    assert [r["valueInteger"] for r in found] == [2]


def test_what_a_batch_of_searches_is_answered_with_is_read_as_these_searches():
    first = {"resourceType": "Bundle", "type": "searchset", "total": 1}
    first |= {"entry": [{"resource": {"resourceType": "Observation", "id": "o", "subject": MINE}}]}
    second = {"resourceType": "Bundle", "type": "searchset", "total": 2}
    second |= {"entry": [{"resource": {"resourceType": "Condition", "id": "c", "subject": MINE}}]}
    entries = [{"resource": one, "response": {"status": "200"}} for one in (first, second)]
    batch = {"resourceType": "Bundle", "type": "batch-response", "entry": entries}
    assert [r["id"] for r in in_bundle(batch)] == ["o", "c"]
    found = in_bundles([batch])
    assert [r["id"] for r in found.search("Observation", {"patient": "Patient/x"})] == ["o"]
    with pytest.raises(FhirpkgError, match="1 of 2"):
        found.search("Condition", {"patient": "Patient/x"})


def test_a_bulk_export_is_read_line_by_line(tmp_path):
    lines = [
        json.dumps(OWNER),
        "",
        json.dumps({"resourceType": "Observation", "id": "o", "subject": MINE}),
    ]
    (tmp_path / "export.ndjson").write_text("\n".join(lines) + "\n")
    assert open_repository(tmp_path).search("Observation", {"patient": "Patient/x"})
    (tmp_path / "export.ndjson").write_text('{"resourceType": "Patient"}\n{')
    with pytest.raises(SourceError, match="not JSON"):
        open_repository(tmp_path)


# -- whether it is all ------------------------------------------------------------------------

RESULT = {"resourceType": "Observation", "id": "o", "subject": MINE}


def page(*resources, own="http://e.org/Observation?patient=x", then="", **more):
    links = [{"relation": "self", "url": own}] + (
        [{"relation": "next", "url": then}] if then else []
    )
    entries = [{"resource": resource} for resource in resources]
    made = {"resourceType": "Bundle", "type": "searchset", "link": links, "entry": entries}
    return made | more


def result(name):
    return RESULT | {"id": name}


SEARCHES = [
    ([page(result("a"))], True),
    ([page(result("a"), total=1)], True),
    ([page(result("a"), total=2)], False),
    ([page(result("a"), then="2")], False),
    ([page(total=1)], False),
    ([page(total=0)], True),
    ([page(result("a"), then="2"), page(result("b"), own="2")], True),
    ([page(result("a"), then="2"), page(result("b"), own="2", then="3")], False),
    ([page(result("a"), then="2", total=2), page(result("b"), own="2", total=2)], True),
    ([page(result("a"), total=3), page(result("b"), own="2", total=3)], False),
    ([page(result("a"), then="2", type="collection")], True),
    ([{"resourceType": "Bundle", "type": "searchset"}], True),
]


@pytest.mark.parametrize("bundles, whole", SEARCHES)
def test_a_part_of_a_search_is_not_taken_for_all_of_it(tmp_path, bundles, whole):
    for number, bundle in enumerate(bundles):
        (tmp_path / f"{number}.json").write_text(json.dumps(bundle))
    repository = open_repository(tmp_path)
    if whole:
        repository.search("Observation", {"patient": "Patient/x"})
    else:
        with pytest.raises(FhirpkgError, match="not all Observation resources are known"):
            repository.search("Observation", {"patient": "Patient/x"})
    assert repository.search("Condition", {"patient": "Patient/x"}) == []
