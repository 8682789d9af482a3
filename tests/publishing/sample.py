"""A small made-up package for the tests of publishing."""

import base64
import hashlib
import itertools

from fhirpkg.bundling.content import Content
from fhirpkg.canonical import PackageId
from fhirpkg.client.client import FhirClient
from fhirpkg.client.retry import RetryPolicy
from fhirpkg.publishing.members import release_of
from fhirpkg.publishing.planning import make_plan
from fhirpkg.publishing.push import push
from fhirpkg.publishing.rollback import content_before, previous_inventory

BASE = "http://example.org/fhir"
CPT = {"system": "http://www.ama-assn.org/go/cpt", "code": "20983"}
XHTML = 'xmlns="http://www.w3.org/1999/xhtml"'
DIV = f"<div {XHTML}><p class='a'>Walk &amp; rest<br></br>every&#160;day</p></div>"


def canonical(resource_type, resource_id, **more):
    return {
        "resourceType": resource_type,
        "id": resource_id,
        "text": {"status": "generated", "div": DIV},
        "url": f"{BASE}/{resource_type}/{resource_id}",
        "version": "1.0.0",
        "status": "draft",
        **more,
    }


def document(resource_id, text="Walk every day.", **more):
    data = text.encode()
    attachment = {
        "contentType": "text/plain",
        "data": base64.b64encode(data).decode(),
        "size": len(data),
        "hash": base64.b64encode(hashlib.sha1(data).digest()).decode(),
    }
    return {
        "resourceType": "DocumentReference",
        "id": resource_id,
        "identifier": [{"system": "urn:example:documents", "value": resource_id}],
        "status": "current",
        "content": [{"attachment": attachment}],
        "context": {"event": [{"coding": [CPT]}]},
        **more,
    }


def focus():
    system = "http://terminology.hl7.org/CodeSystem/usage-context-type"
    return [
        {
            "code": {"system": system, "code": "focus"},
            "valueCodeableConcept": {"coding": [CPT]},
        }
    ]


def resources(title="Walking"):
    later = {"code": "appends", "target": {"reference": "DocumentReference/leaflet"}}
    return [
        canonical("ActivityDefinition", "walk", title=title, topic=[{"coding": [CPT]}]),
        canonical("PlanDefinition", "course", title=title, useContext=focus()),
        document("leaflet"),
        document("aftercare", "Rest.", relatesTo=[later]),
    ]


def content(*given, name="demo.walking", version=""):
    """The sample as 1.0.0, or other resources of that name as a version of their own."""
    listed = tuple(given or resources())
    digest = hashlib.sha256(repr(listed).encode()).hexdigest()
    if not version:
        is_first = name != "demo.walking" or listed == tuple(resources())
        version = "1.0.0" if is_first else f"1.0.{int(digest[:6], 16)}"
    return Content(PackageId(name, version), BASE, listed, "made up", digest)


def release(*given, **more):
    return release_of(content(*given, **more))


class Hours:
    """A clock that only sleeping moves, so that tests of patience take no time."""

    def __init__(self):
        self.now = 0.0

    def sleep(self, seconds):
        self.now += seconds

    def policy(self, patience=60.0):
        turns = itertools.cycle([0.2, 0.9])
        return RetryPolicy(patience, lambda: self.now, self.sleep, lambda: next(turns))


def client(base_url, patience=60.0, **options):
    return FhirClient(base_url, retry=Hours().policy(patience), **options)


def publish(base_url, given=None, *, overwrite=(), patience=60.0):
    """Plan and push; the report."""
    with client(base_url, patience) as connected:
        plan = make_plan(given or release(), connected, overwrite=overwrite)
        return push(plan, connected)


def rolled_back(base_url):
    """Push the state before the present one; the report."""
    with client(base_url) as connected:
        inventory = previous_inventory(connected, "demo.walking")
        return publish(base_url, release_of(content_before(connected, inventory)))


def state(base_url):
    """All that a package left on a server but its bookkeeping: place to content and version."""
    with client(base_url) as connected:
        found = {}
        for resource_type in ("ActivityDefinition", "PlanDefinition", "DocumentReference"):
            for resource in connected.search(resource_type, {}):
                version = resource["meta"].pop("versionId")
                resource["meta"].pop("lastUpdated")
                found[f"{resource_type}/{resource['id']}"] = (version, resource)
        return found
