"""Where definitions and data are read from, all by one protocol."""

import json

import pytest

from fhirpkg.applying.remote import ServerRepository
from fhirpkg.client.client import FhirClient
from fhirpkg.definitions.definitions import Definitions
from fhirpkg.errors import SourceError
from fhirpkg.repository import Layers, MemoryRepository, in_bundle, open_repository
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
