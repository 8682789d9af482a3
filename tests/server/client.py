"""A short way to talk to a FHIR server, for tests."""

import dataclasses

import requests

FHIR = "application/fhir+json"


@dataclasses.dataclass
class Client:
    """Requests to one base; keyword arguments are headers: `If_Match='W/"1"'`."""

    base: str

    def __call__(self, method, path, body=None, **headers):
        headers = {name.replace("_", "-"): value for name, value in headers.items()}
        if isinstance(body, dict):
            headers = {"Content-Type": FHIR} | headers
        return requests.request(
            method,
            f"{self.base}/{path}",
            json=body if isinstance(body, dict) else None,
            data=None if isinstance(body, dict) else body,
            headers=headers,
            timeout=10,
        )

    def send(self, method, path, query, headers, body):
        """Any request, its headers as bytes that may be wrong."""
        headers = {name: text.encode() for name, text in headers.items()}
        url = f"{self.base}/{path}"
        return requests.request(method, url, params=query, data=body, headers=headers, timeout=60)

    def get(self, path, **headers):
        return self("GET", path, **headers)

    def put(self, resource, **headers):
        return self("PUT", f"{resource['resourceType']}/{resource['id']}", resource, **headers)

    def post(self, resource, **headers):
        return self("POST", resource["resourceType"], resource, **headers)

    def delete(self, path, **headers):
        return self("DELETE", path, **headers)

    def bundle(self, *entries, kind="transaction", **headers):
        """Send a batch or transaction of entries."""
        bundle = {"resourceType": "Bundle", "type": kind, "entry": entries}
        return self("POST", "", bundle, **headers)

    def found(self, query):
        """The ids that a search finds, in order."""
        answer = self.get(query)
        assert answer.status_code == 200, answer.text
        entries = answer.json().get("entry", [])
        return [e["resource"]["id"] for e in entries if e["search"]["mode"] == "match"]


def entry(method, url, resource=None, full_url="", **request):
    """An entry of a bundle; keyword arguments go into its request: `ifMatch='W/"1"'`."""
    found = {"request": {"method": method, "url": url} | request}
    if full_url:
        found["fullUrl"] = full_url
    return found if resource is None else found | {"resource": resource}


def rules_of(response):
    """The ids of the rules that an OperationOutcome tells."""
    outcome = response.json()
    assert outcome["resourceType"] == "OperationOutcome", outcome
    return [issue["details"]["coding"][0]["code"] for issue in outcome["issue"]]
