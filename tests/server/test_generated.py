"""Requests made from what the CapabilityStatement offers, most of them wrong: none is a fault.

FHIRPKG_REQUESTS says how many (300 without; 20,000 take some minutes).
"""

import json
import os
import random

import pytest

from fhirpkg.server.endpoint import open_endpoint
from tests.server.client import Client
from tests.servers.embedded import running

NUMBER = int(os.environ.get("FHIRPKG_REQUESTS", "300"))
ODD = [
    "", " ", ",", "|", "$", "\\", "a,b", "a|b", "|b", "a|", "a$b", "a$b$c", "'", '"', "%", "*",
    "2020", "2020-13", "gt", "gt2020", "ne2020-01-01T00:00:00+99:99", "9999-12-31", "0000", "ap1",
    "1e400", "-1e-400", "NaN", "1" * 400, "5.4|http://unitsofmeasure.org|mg", "1||x", "Patient/1",
    "Patient/1/_history/2", "http://x.org/y|1", "urn:uuid:1", "é\u0000", "true", "false", "p",
    "x" * 3000, "../..", "{}", "[]", "null",
]  # fmt: skip
MODIFIERS = [
    "",
    "",
    "",
    ":missing",
    ":exact",
    ":contains",
    ":not",
    ":above",
    ":below",
    ":in",
    ":x",
    ":identifier",
    ":Patient",
    ":iterate",
    ":text",
    ".name",
    ":Patient.name",
]
RESULTS = [
    "_sort",
    "_count",
    "_include",
    "_revinclude",
    "_summary",
    "_elements",
    "_total",
    "_format",
    "_include:iterate",
    "_offset",
    "_after",
    "_since",
    "_pretty",
    "_has:Task:focus:status",
    "_contained",
    "_text",
    "_filter",
]
HEADERS = {
    "Accept": ["*/*", "application/fhir+xml", "text/html", "", "x", "application/fhir+json;q=z"],
    "Content-Type": ["application/fhir+json", "application/fhir+xml", "text/plain", "é", "",
                     "application/json-patch+json"],
    "If-Match": ['W/"1"', "*", "x", '""'],
    "If-None-Match": ['W/"1"', "*", "x"],
    "If-None-Exist": ["", "?", "identifier=x", "foo=1", "_id=p"],
    "If-Modified-Since": ["x", "Sat, 01 Jan 2000 00:00:00 GMT", "-1"],
    "Prefer": ["handling=lenient", "return=minimal", "return=x,,;", "handling=strict"],
    "Accept-Encoding": ["gzip", "br"],
    "Content-Encoding": ["gzip", "br", "identity"],
}  # fmt: skip
LEAVES = [None, True, 1, -1, 1.5, 10**400, "x", "", [], {}, "2020", "http://x.org", [None], [[]],
          {"reference": "Patient/p"}, {"coding": [{"code": "a"}]}, {"value": 1, "unit": "x"},
          {"start": "x"}, "<div>", "\ufffe", "Patient?name=x"]  # fmt: skip


class Maker:
    """Makes requests by chance from what a server says it offers."""

    def __init__(self, statement, chance):
        self.chance = chance
        self.resources = statement["rest"][0]["resource"]
        self.operations = sorted(
            {one["name"] for resource in self.resources for one in resource.get("operation", [])}
        )

    def body(self, kind):
        pick = self.chance.choice
        if self.chance.random() < 0.1:
            return pick([b"", b"{", b"[]", b"\xff", b"<x/>", b'{"resourceType":1}', b"null"])
        resource = {"resourceType": kind, "id": pick(["p", "q", "x y", 5])}
        names = [
            "status",
            "name",
            "code",
            "subject",
            "date",
            "meta",
            "text",
            "url",
            "identifier",
            "extension",
            "contained",
            "value",
            "parameter",
            "entry",
            "type",
            "birthDate",
        ]
        for name in self.chance.sample(names, self.chance.randint(0, 4)):
            resource[name] = pick([self.leaf(), [self.leaf()], {pick(names): self.leaf()}])
        return json.dumps(resource).encode()

    def leaf(self):
        leaf = self.chance.choice(LEAVES)
        return leaf if not isinstance(leaf, dict) or self.chance.random() < 0.7 else {"div": leaf}

    def query(self, resource):
        pick, pairs = self.chance.choice, []
        for _ in range(self.chance.randint(0, 3)):
            if self.chance.random() < 0.7:
                parameter = pick(resource["searchParam"])["name"] + pick(MODIFIERS)
                pairs.append((parameter, pick(ODD)))
            else:
                value = pick(
                    [*ODD, pick(resource["searchParam"])["name"], "-_id", "0", "5", "count"]
                )
                include = pick(resource.get("searchInclude", ["x"]))
                pairs.append((pick(RESULTS), pick([value, value, include])))
        return pairs

    def request(self):
        pick = self.chance.choice
        resource = pick(self.resources)
        kind = resource["type"]
        place = pick(
            [
                "",
                "metadata",
                "_history",
                kind,
                kind,
                kind,
                f"{kind}/p",
                f"{kind}/p",
                f"{kind}/_search",
                f"{kind}/_history",
                f"{kind}/p/_history",
                f"{kind}/p/_history/1",
                f"{kind}/p/_history/x",
                f"{kind}/${pick(self.operations)}",
                f"{kind}/p/${pick(self.operations)}",
                f"${pick(self.operations)}",
                f"{kind}/%00",
                f"{kind}/{'x' * 65}",
                "%2e%2e",
                "Foo/1",
            ]
        )
        method = pick(
            ["GET", "GET", "GET", "GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS"]
        )
        headers = {"Content-Type": pick(["application/fhir+json"] * 3 + HEADERS["Content-Type"])}
        for name in self.chance.sample(sorted(HEADERS), self.chance.randint(0, 2)):
            headers[name] = pick(HEADERS[name])
        body = None
        if method in {"POST", "PUT", "PATCH"}:
            body = self.bundle() if not place and self.chance.random() < 0.8 else self.body(kind)
        return method, place, self.query(resource), headers, body

    def bundle(self):
        pick, entries = self.chance.choice, []
        for _ in range(self.chance.randint(0, 4)):
            kind = pick(self.resources)["type"]
            url = pick(
                [kind, f"{kind}/p", f"{kind}?_id=p", "", "$x", f"{kind}/$validate", "?", "/"]
            )
            request = {
                "method": pick(["GET", "PUT", "POST", "DELETE", "PATCH"]),
                "url": url,
                "ifMatch": pick(LEAVES),
            }
            resource = pick([self.leaf(), {"resourceType": kind, "id": "p"}])
            full_url = pick(["urn:uuid:1", 5, None, "http://x/Patient/p"])
            entries.append({"request": request, "fullUrl": full_url, "resource": resource})
        kind = pick(["batch", "transaction", "x"])
        return json.dumps({"resourceType": "Bundle", "type": kind, "entry": entries}).encode()


@pytest.mark.timeout(60 + NUMBER)
def test_nothing_that_is_sent_is_a_fault():
    """Nor does a request that was answered leave anything that fails the requests after it."""
    with running(endpoint=open_endpoint()) as base:
        client = Client(base)
        seed = int(os.environ.get("FHIRPKG_SEED", "1"))
        maker = Maker(client.get("metadata").json(), random.Random(seed))
        faults, statuses = [], {}
        for _ in range(NUMBER):
            method, place, query, headers, body = maker.request()
            answer = client.send(method, place, query, headers, body)
            statuses[answer.status_code] = statuses.get(answer.status_code, 0) + 1
            if answer.status_code >= 500:
                faults.append((method, place, query, headers, body, answer.text[:300]))
        assert not faults, faults[:5]
        assert len(statuses) > 5, statuses
        for kind in sorted({resource["type"] for resource in maker.resources}):
            for media in ("application/fhir+json", "application/fhir+xml"):
                found = client.get(f"{kind}?_count=1000", Accept=media)
                assert found.status_code == 200, (kind, media, found.text[:300])
