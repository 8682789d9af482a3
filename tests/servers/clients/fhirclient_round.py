"""A round of the SMART client fhirclient: create, read, update, search, delete."""

import sys

from fhirclient import client
from fhirclient.models import patient

smart = client.FHIRClient(settings={"app_id": "round", "api_base": sys.argv[1]})
server = smart.server
made = patient.Patient(
    {"name": [{"family": "Round", "given": ["Fhirclient"]}], "birthDate": "1980-02-03"}
)
identity = made.create(server)["id"]
read = patient.Patient.read(identity, server)
assert read.name[0].family == "Round"
read.active = True
read.update(server)
found = patient.Patient.where({"family": "round", "birthdate": "1980"}).perform_resources(server)
assert [(one.id, one.active) for one in found] == [(identity, True)]
read.delete(server)
assert not patient.Patient.where({"family": "round"}).perform_resources(server)
