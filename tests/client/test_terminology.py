"""A terminology server is asked what no package can tell."""

from urllib.parse import parse_qs, urlsplit

import pytest

from fhirpkg.client.client import FhirClient
from fhirpkg.client.retry import RetryPolicy
from fhirpkg.client.terminology import TerminologyServer
from fhirpkg.definitions.definitions import Definitions
from fhirpkg.definitions.terminology.codesystems import Concept
from fhirpkg.definitions.terminology.valuesets import Terminology
from tests.servers.scripted import Reply, scripted

SNOMED = "http://snomed.info/sct"
CONDITIONS = "http://hl7.org/fhir/ValueSet/condition-code"


def answer(*, result, **more):
    parameters = [{"name": "result", "valueBoolean": result}]
    parameters += [{"name": name, **value} for name, value in more.items()]
    body = {"resourceType": "Parameters", "parameter": parameters}
    return Reply(body=body, headers={"Content-Type": "application/fhir+json"})


def asking(reply, question):
    """What the question gives, and the requests that were seen."""
    with scripted(lambda *_: reply) as server, FhirClient(server.base_url) as client:
        client.retry = RetryPolicy(patience=0)
        return question(TerminologyServer(client)), server.seen


def query(request):
    parts = urlsplit(request.path)
    return parts.path.rpartition("/fhir/")[2], {k: v for k, (v,) in parse_qs(parts.query).items()}


def test_a_code_in_a_value_set_is_asked_for_once():
    def twice(server):
        return [server(f"{CONDITIONS}|4.0.1", "94222008", SNOMED, None).verdict for _ in "ab"]

    found, seen = asking(answer(result=True), twice)
    assert found == ["yes", "yes"]
    assert [query(request) for request in seen] == [
        (
            "ValueSet/$validate-code",
            {
                "code": "94222008",
                "url": CONDITIONS,
                "valueSetVersion": "4.0.1",
                "system": SNOMED,
            },
        )
    ]


def test_a_code_of_a_system_is_asked_for_by_the_system():
    _, (request,) = asking(answer(result=True), lambda server: server(None, "1", SNOMED, "2024"))
    expected = {"code": "1", "url": SNOMED, "version": "2024"}
    assert query(request) == ("CodeSystem/$validate-code", expected)


def test_a_code_without_system_leaves_it_to_the_server():
    _, (request,) = asking(answer(result=True), lambda server: server(CONDITIONS, "1", None, None))
    assert query(request)[1] == {"code": "1", "url": CONDITIONS, "inferSystem": "true"}


NOT_FOUND = {
    "resource": {
        "resourceType": "OperationOutcome",
        "issue": [{"code": "not-found", "details": {"coding": [{"code": "not-found"}]}}],
    }
}


@pytest.mark.parametrize(
    "reply, verdict, words",
    [
        (answer(result=False, message={"valueString": "no such code"}), "no", "no such code"),
        (answer(result=False), "no", "rejects it"),
        (answer(result=False, issues=NOT_FOUND), "unknown", "rejects it"),
        (
            answer(result=False, **{"x-caused-by-unknown-system": {"valueCanonical": SNOMED}}),
            "unknown",
            "rejects it",
        ),
        (Reply(404, {"resourceType": "OperationOutcome", "issue": []}), "unknown", "404"),
        (Reply(200, "<html>"), "unknown", "could not answer"),
        (Reply(200, {"resourceType": "Parameters"}), "unknown", "no result"),
    ],
)
def test_an_answer_is_yes_no_or_not_known(reply, verdict, words):
    found, _ = asking(reply, lambda server: server(CONDITIONS, "1", SNOMED, None))
    assert found.verdict == verdict
    assert words in found.reason


def test_a_server_that_does_not_answer_is_not_asked_again():
    def twice(server):
        return [server(CONDITIONS, code, SNOMED, None) for code in "ab"]

    found, seen = asking(Reply(lost=True), twice)
    assert [f.verdict for f in found] == ["unknown", "unknown"]
    assert "does not answer" in found[1].reason
    assert len(seen) == 1


def test_terminology_asks_it_where_packages_are_silent():
    def look_up(server):
        return Terminology(Definitions.core(), server).lookup(SNOMED, "94222008")

    assert asking(answer(result=True), look_up)[0] == Concept("94222008")
