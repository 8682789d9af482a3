"""Laws of the embedded server: what is written comes back, and nothing that is sent is a fault."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fhirpkg import fhirjson
from fhirpkg.server.endpoint import open_endpoint
from fhirpkg.server.exchange import Answer, Refused, Request
from fhirpkg.server.routes import handle
from fhirpkg.server.storing.store import Store

BASE = "http://localhost/fhir"
# Half a surrogate pair is not text: readers refuse it before a server sees it.
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
LEAF = st.none() | st.booleans() | st.integers(-5, 5) | st.decimals(-9, 9, places=2) | TEXT
KEYS = st.sampled_from(
    ["coding", "code", "system", "value", "start", "end", "reference", "identifier", "low", "event"]
)
JSON = st.recursive(LEAF, lambda x: st.lists(x, max_size=3) | st.dictionaries(KEYS, x, max_size=3))
ELEMENTS = st.sampled_from(
    ["url", "title", "status", "date", "effectivePeriod", "topic", "useContext", "library",
     "identifier", "relatedArtifact", "action", "meta", "text", "subjectReference", "_title"]
)  # fmt: skip
PLANS = st.dictionaries(ELEMENTS, JSON, max_size=5).map(
    lambda elements: {"resourceType": "PlanDefinition", "id": "p"} | elements
)
SEGMENTS = st.sampled_from(
    ["PlanDefinition", "Patient", "p", "_history", "_search", "metadata", "$validate", "$x", "1"]
)
NAMES = st.sampled_from(
    ["url", "date", "context", "context-type-value", "context-quantity", "status:not", "name:exact",
     "topic:missing", "_sort", "_count", "_include", "_summary", "_since", "_id", "_has:Task:focus",
     "depends-on:Library.name", "definition.url", "_lastUpdated", "_elements", "_total"]
)  # fmt: skip
VALUES = TEXT | st.sampled_from(["p", "2020", "gt5|x|y", "a|b", "a$b", "Patient/1", "http://x|1"])
QUERIES = st.lists(st.tuples(NAMES, VALUES), max_size=3).map(tuple)


@pytest.fixture(scope="module")
def endpoint():
    opened = open_endpoint()
    yield opened
    opened.store.close()


def answered(request, endpoint):
    """The answer, or the refusal with a status of a client's error and a reason."""
    try:
        return handle(request, endpoint)
    except Refused as refused:
        found = refused
    assert 400 <= found.status < 500
    assert all(issue.text for issue in found.issues)
    return found


@settings(max_examples=200, deadline=None)
@given(resource=PLANS)
def test_whatever_is_put_is_kept_as_it_is_or_refused_with_a_reason(endpoint, resource):
    put = Request("PUT", ("PlanDefinition", "p"), resource=resource, base=BASE)
    answer = answered(put, endpoint)
    if isinstance(answer, Refused):
        return
    stored = endpoint.store.current("PlanDefinition", "p")
    assert without_stamp(stored.resource()) == without_stamp(resource)
    assert answered(put, endpoint).version.version == stored.version


def without_stamp(resource):
    stamp = {"versionId", "lastUpdated"}
    meta = {key: value for key, value in resource.get("meta", {}).items() if key not in stamp}
    rest = {key: value for key, value in resource.items() if key != "meta"}
    return json.dumps(rest | ({"meta": meta} if meta else {}), sort_keys=True, default=str)


@settings(max_examples=300, deadline=None)
@given(
    method=st.sampled_from(["GET", "HEAD", "POST", "PUT", "DELETE", "PATCH"]),
    path=st.lists(SEGMENTS, max_size=4).map(tuple),
    query=QUERIES,
    resource=st.none() | PLANS,
)
def test_whatever_is_asked_is_answered_or_refused(endpoint, method, path, query, resource):
    answer = answered(Request(method, path, query, resource, base=BASE), endpoint)
    assert isinstance(answer, (Answer, Refused))


@settings(max_examples=200, deadline=None)
@given(
    kind=st.sampled_from(["transaction", "batch"]),
    entries=st.lists(
        st.fixed_dictionaries(
            {},
            optional={
                "fullUrl": TEXT,
                "resource": PLANS | JSON,
                "request": JSON
                | st.fixed_dictionaries(
                    {
                        "method": st.sampled_from(["GET", "POST", "PUT", "DELETE"]),
                        "url": st.sampled_from(["PlanDefinition", "PlanDefinition/p", "?", ""])
                        | st.sampled_from(["PlanDefinition?url=x", "Task/$validate"]),
                    },
                    optional={"ifMatch": JSON, "ifNoneExist": TEXT, "ifNoneMatch": TEXT},
                ),
            },
        ),
        max_size=4,
    ),
)
def test_whatever_a_bundle_holds_it_is_done_whole_or_refused(endpoint, kind, entries):
    before = endpoint.store.query("SELECT max(seq) FROM version")
    bundle = {"resourceType": "Bundle", "type": kind, "entry": entries}
    answer = answered(Request("POST", (), (), bundle, base=BASE), endpoint)
    if isinstance(answer, Refused):
        assert endpoint.store.query("SELECT max(seq) FROM version") == before
    else:
        assert len(answer.resource.get("entry", [])) == len(entries)


@settings(max_examples=100, deadline=None)
@given(value=JSON)
def test_a_store_gives_back_every_digit_and_character(value):
    with Store() as store:
        version, _ = store.write({"resourceType": "Basic", "id": "b", "x": value}, "PUT")
        assert fhirjson.dump(version.resource()["x"]) == fhirjson.dump(value)
