"""The same plan for the same patients on a real HAPI server: the same actions apply."""

import json
import urllib.request

import pytest

from fhirpkg.bundling.reading import read_content
from fhirpkg.bundling.writing import transaction_bundle
from fhirpkg.client.client import FhirClient
from tests.applying.test_examples import NAMES, PLAN, applied, patient
from tests.servers.hapi_running import hapi

pytestmark = [pytest.mark.servers, pytest.mark.timeout(900)]


@pytest.fixture(scope="module")
def server():
    """A server that holds our content and the three patients."""
    with hapi(HAPI_SEARCH_CACHE_MS="0") as base_url, FhirClient(base_url) as client:
        client.transaction(transaction_bundle(read_content(None)))
        for name in NAMES:
            for resource in patient(name):
                path = f"{resource['resourceType']}/{resource['id']}"
                assert client.request("PUT", path, body=resource).ok
        yield base_url


def actions_of(parent):
    for action in parent.get("action", ()):
        yield action["id"]
        yield from actions_of(action)


@pytest.mark.parametrize("name", NAMES)
def test_the_same_actions_apply_as_on_our_engine(server, name):
    url = f"{server}/{PLAN}/$apply?subject=Patient/example-{name}"
    with urllib.request.urlopen(url, timeout=300) as answer:
        care_plan = json.load(answer)
    messages = [r for r in care_plan["contained"] if r["resourceType"] == "OperationOutcome"]
    assert [issue["diagnostics"] for m in messages for issue in m["issue"]] == []
    (group,) = [r for r in care_plan["contained"] if r["resourceType"] == "RequestGroup"]
    ours = [why.action_id for why in applied(name).why if why.verdict == "applicable"]
    assert sorted(actions_of(group)) == sorted(ours)
