"""A server of CDS Hooks with two plans, and calls to it."""

import requests

from tests.applying.test_hooks import BASE, BLOOD, ITSELF, PATIENT, PLAN
from tests.server.client import Client

OBSERVED = PLAN | {
    "id": "Observed",
    "url": f"{BASE}/PlanDefinition/Observed",
    "action": [
        {
            "title": "High",
            "input": [{"id": "inr", "type": "Observation"}],
            "condition": [
                {
                    "kind": "applicability",
                    "expression": {
                        "language": "text/fhirpath",
                        "expression": "%inr.where(value.ofType(Quantity).value > 2).exists()",
                    },
                }
            ],
        }
    ],
}


def filled(base):
    """Give a server its plans; the address of its services."""
    client = Client(base)
    for resource in (PLAN, OBSERVED, BLOOD, ITSELF, PATIENT):
        assert client.put({"status": "active"} | resource).status_code == 201
    return base.removesuffix("/fhir") + "/cds-services"


def call(url, body, **headers):
    """Post a body, which is JSON unless the headers say otherwise."""
    if isinstance(body, (bytes, str)):
        headers = {"Content-Type": "application/json"} | headers
        return requests.post(url, data=body, headers=headers, timeout=30)
    return requests.post(url, json=body, headers=headers, timeout=30)
