"""A round of the client fhirpy: create, read, patch, search with pages and includes, delete."""

import sys

from fhirpy import SyncFHIRClient
from fhirpy.base.exceptions import OperationOutcome, ResourceNotFound

client = SyncFHIRClient(sys.argv[1])
made = client.resource("Patient", name=[{"family": "Round", "given": ["Fhirpy"]}])
made.save()
assert made.id
observation = client.resource("Observation", status="final", code={"text": "x"})
observation["subject"] = made.to_reference()
observation.save()
found = (
    client.resources("Observation")
    .search(patient__family="round")
    .include("Observation", "subject")
)
assert sorted(one["resourceType"] for one in found.fetch()) == ["Observation"]
for number in range(5):
    client.resource("Patient", name=[{"family": f"Page{number}"}]).save()
pages = client.resources("Patient").search(name="page").sort("family").limit(2)
assert [one["name"][0]["family"] for one in pages.fetch_all()] == [f"Page{n}" for n in range(5)]
made["active"] = True
made.save()
assert client.reference("Patient", made.id).to_resource()["active"] is True
observation.delete()
made.delete()
try:
    client.reference("Patient", made.id).to_resource()
except (ResourceNotFound, OperationOutcome):
    pass
else:
    raise AssertionError("a deleted resource is still there")
