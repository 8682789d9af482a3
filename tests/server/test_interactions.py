"""Read, create, update, delete and their conditional forms (http://hl7.org/fhir/R4/http.html)."""

import pytest
import requests

from tests.servers.embedded import running

FHIR = {"Content-Type": "application/fhir+json"}
PLAN = {"resourceType": "PlanDefinition", "id": "p", "status": "draft", "url": "http://x.org/p"}


@pytest.fixture
def base():
    with running() as url:
        yield url


def put(base, resource, **headers):
    headers = FHIR | {name.replace("_", "-"): value for name, value in headers.items()}
    address = f"{base}/{resource['resourceType']}/{resource['id']}"
    return requests.put(address, json=resource, headers=headers, timeout=10)


def get(base, path, **headers):
    headers = {name.replace("_", "-"): value for name, value in headers.items()}
    return requests.get(f"{base}/{path}", headers=headers, timeout=10)


def rule(response):
    return response.json()["issue"][0]["details"]["coding"][0]["code"]


def test_an_update_creates_under_the_clients_id_and_says_where(base):
    made = put(base, PLAN)
    assert made.status_code == 201
    assert made.headers["ETag"] == 'W/"1"'
    assert made.headers["Location"] == f"{base}/PlanDefinition/p/_history/1"
    assert made.json()["meta"]["versionId"] == "1"


def test_equal_content_makes_no_new_version_whatever_the_order_of_keys(base):
    put(base, PLAN)
    again = put(base, dict(reversed(PLAN.items())))
    assert (again.status_code, again.headers["ETag"]) == (200, 'W/"1"')
    assert get(base, "PlanDefinition/p/_history").json()["total"] == 1


def test_other_content_makes_a_new_version_and_the_old_one_stays_readable(base):
    put(base, PLAN)
    assert put(base, PLAN | {"title": "new"}).headers["ETag"] == 'W/"2"'
    assert "title" not in get(base, "PlanDefinition/p/_history/1").json()
    assert get(base, "PlanDefinition/p").json()["title"] == "new"


def test_a_resource_is_found_by_its_url(base):
    put(base, PLAN)
    found = get(base, "PlanDefinition?url=http://x.org/p").json()
    assert [entry["fullUrl"] for entry in found["entry"]] == [f"{base}/PlanDefinition/p"]
    assert get(base, "PlanDefinition?url=http://x.org/q").json()["total"] == 0
