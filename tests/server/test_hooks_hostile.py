"""A hook conversation as an attacker has it: hosts, redirects, bodies, pages (tokens: beside this).

Each row is refused with its status; nothing of ours comes back, and nothing is asked of a host that
is not on the list.
"""

import contextlib
import itertools
import json
import time
from http.server import BaseHTTPRequestHandler

import pytest
import requests

from fhirpkg.server.cds.fetching import FetchError, allowed_base
from fhirpkg.server.hooks import HookAccess
from tests.applying.test_hooks import ITEM, PATIENT, request
from tests.server.conversation import call, filled
from tests.servers.embedded import running
from tests.servers.listener import Answering, Listener

SECRET = "s3cret-token-of-the-ehr"


def inr(name, value):
    return {
        "resourceType": "Observation",
        "id": name,
        "status": "final",
        "code": {"text": "INR"},
        "subject": {"reference": "Patient/x"},
        "valueQuantity": {"value": value},
    }


def bundle(*resources, **more):
    entries = [{"resource": r, "search": {"mode": "match"}} for r in resources]
    return {"resourceType": "Bundle", "type": "searchset", "entry": entries} | more


@pytest.fixture
def services(ehr):
    """The services of a server that may ask `ehr` below /fhir."""
    with running(hook_access=HookAccess(None, (f"{ehr.base}/fhir",))) as base:
        yield filled(base)


# -- hosts ------------------------------------------------------------------------------------


def asking(server, service="Plan-order-sign", **context):
    body = request(prefetch={}, fhirServer=server)
    body["context"] |= context
    body["fhirAuthorization"] = {"access_token": SECRET, "token_type": "Bearer"}
    return body


HOSTS = {
    "another port of this machine": lambda ehr, other: f"http://127.0.0.1:{port(other)}/fhir",
    "another address of this machine": lambda ehr, other: f"{other.base}/fhir",
    "the same by another name": lambda ehr, _: f"http://localhost:{port(ehr)}/fhir",
    "the default port": lambda *_: "http://127.0.0.1/fhir",
    "https instead": lambda ehr, _: f"https://127.0.0.1:{port(ehr)}/fhir",
    "outside of the path": lambda ehr, _: f"{ehr.base}/admin",
    "beside the path": lambda ehr, _: f"{ehr.base}/fhirx",
    "the root": lambda ehr, _: ehr.base,
    "up from the path": lambda ehr, _: f"{ehr.base}/fhir/../admin",
    "up, encoded": lambda ehr, _: f"{ehr.base}/fhir/%2e%2e/admin",
    "up, with a backslash": lambda ehr, _: f"{ehr.base}/fhir\\..\\admin",
    "with a user": lambda ehr, other: f"http://127.0.0.1:{port(ehr)}@{other.base[7:]}/fhir",
    "with a query": lambda ehr, _: f"{ehr.base}/fhir?x=",
    "with a fragment": lambda ehr, _: f"{ehr.base}/fhir#",
    "with a blank": lambda ehr, _: f"{ehr.base}/fhir \r\nHost: x",
    "a file": lambda *_: "file:///etc/passwd",
    "ftp": lambda ehr, _: ehr.base.replace("http", "ftp") + "/fhir",
    "nothing": lambda *_: "",
    "an impossible port": lambda *_: "http://127.0.0.1:99999/fhir",
    "broken brackets": lambda *_: "http://[::1/fhir",
    "the link-local address of clouds": lambda *_: "http://169.254.169.254/fhir",
    "decimal": lambda ehr, _: f"http://2130706433:{port(ehr)}/fhir",
}


def port(listener):
    return listener.server_address[1]


@pytest.mark.parametrize("name", HOSTS)
def test_a_server_that_is_not_on_the_list_is_not_asked(services, ehr, elsewhere, name):
    for listener in (ehr, elsewhere):
        listener.answers["/fhir/Patient/x"] = (200, {}, PATIENT)
        listener.answers["/admin/Patient/x"] = (200, {}, PATIENT)
    answer = call(f"{services}/Plan-order-sign", asking(HOSTS[name](ehr, elsewhere)))
    assert answer.status_code == 412
    assert ehr.asked == elsewhere.asked == []
    assert SECRET not in answer.text


@pytest.mark.parametrize("base", ["/fhir", "/fhir/", "/fhir/tenant-1"])
def test_a_server_on_the_list_is_asked_with_the_token_of_the_call(services, ehr, base):
    ehr.answers[f"{base.rstrip('/')}/Patient/x"] = (200, {}, PATIENT)
    answer = call(f"{services}/Plan-order-sign", asking(ehr.base + base))
    assert (answer.status_code, len(answer.json()["cards"])) == (200, 3)
    assert ehr.asked == [(f"{base.rstrip('/')}/Patient/x", f"Bearer {SECRET}")]


def test_without_a_list_nothing_is_fetched_not_even_from_this_machine(ehr):
    ehr.answers["/fhir/Patient/x"] = (200, {}, PATIENT)
    with running() as base:
        answer = call(f"{filled(base)}/Plan-order-sign", asking(f"{ehr.base}/fhir"))
    assert (answer.status_code, ehr.asked) == (412, [])


IDS = ["../../admin/secret?x=", "..", ".", "x/../../admin", "a b", "x%2f..", "x?y", "x\r\n",
       "Patient/x", "x" * 65, "é", ""]  # fmt: skip


@pytest.mark.parametrize("name", ["patientId", "encounterId"])
@pytest.mark.parametrize("text", IDS)
def test_an_id_that_is_none_is_a_400_and_nothing_is_asked(services, ehr, name, text):
    body = asking(f"{ehr.base}/fhir", **{name: text})
    assert call(f"{services}/Plan-order-sign", body).status_code == 400
    assert ehr.asked == []


ACCESS = [{"fhirServer": 1}, {"fhirServer": ["x"]}, {"fhirAuthorization": "x"},
          {"fhirAuthorization": {"access_token": 1}}, {"fhirAuthorization": {}}]  # fmt: skip


@pytest.mark.parametrize("change", ACCESS, ids=str)
def test_access_that_is_none_is_a_400(services, ehr, change):
    body = asking(f"{ehr.base}/fhir") | change
    assert call(f"{services}/Plan-order-sign", body).status_code == 400
    assert ehr.asked == []


def test_a_token_that_would_be_two_headers_is_not_sent(services, ehr):
    body = asking(f"{ehr.base}/fhir")
    body["fhirAuthorization"]["access_token"] = "a\r\nX-Evil: 1"
    assert call(f"{services}/Plan-order-sign", body).status_code == 412
    assert ehr.asked == []


# -- redirects and faults ---------------------------------------------------------------------


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("scheme", ["http", "//", "file"])
def test_a_redirect_to_another_server_is_not_followed(services, ehr, elsewhere, status, scheme):
    elsewhere.answers["/fhir/Patient/x"] = (200, {}, PATIENT)
    places = {"http": elsewhere.base, "//": elsewhere.base[5:], "file": "file:///etc/passwd#"}
    location = {"Location": f"{places[scheme]}/fhir/Patient/x"}
    ehr.answers["/fhir/Patient/x"] = (status, location, "")
    answer = call(f"{services}/Plan-order-sign", asking(f"{ehr.base}/fhir"))
    assert (answer.status_code, elsewhere.asked) == (412, [])
    assert port(elsewhere) not in map(int, filter(str.isdigit, answer.text.split()))


def test_a_redirect_on_the_same_server_is_followed(services, ehr):
    ehr.answers["/fhir/Patient/x"] = (302, {"Location": "/fhir/new/Patient/x"}, "")
    ehr.answers["/fhir/new/Patient/x"] = (200, {}, PATIENT)
    assert call(f"{services}/Plan-order-sign", asking(f"{ehr.base}/fhir")).status_code == 200


FAULTS = {
    "500 with a body": (500, {}, f"root:x:0:0 {SECRET}"),
    "403 with an outcome": (403, {}, {"resourceType": "OperationOutcome", "issue": [
        {"severity": "error", "code": "forbidden", "diagnostics": "root:x:0:0"}]}),
    "200 with HTML": (200, {}, "<html>root:x:0:0</html>"),
    "200 with another resource": (200, {}, {"resourceType": "Basic", "id": "root:x:0:0"}),
    "200 with nothing": (200, {}, ""),
    "200 with an outcome": (200, {}, {"resourceType": "OperationOutcome", "issue": [
        {"severity": "error", "code": "exception", "diagnostics": "root:x:0:0"}]}),
}  # fmt: skip


@pytest.mark.parametrize("name", FAULTS)
def test_what_a_server_says_when_it_fails_is_not_passed_on(services, ehr, name):
    ehr.answers["/fhir/Patient/x"] = FAULTS[name]
    answer = call(f"{services}/Plan-order-sign", asking(f"{ehr.base}/fhir"))
    assert answer.status_code == 412
    assert "root:x" not in answer.text
    assert SECRET not in answer.text


# -- bodies -----------------------------------------------------------------------------------

DEEP = b'{"hook":' + b"[" * 100_000 + b"]" * 100_000 + b"}"


def with_prefetch(value):
    return request(prefetch={"patient": value})


BODIES = {
    "empty": (b"", 400),
    "not JSON": (b"{", 400),
    "not UTF-8": (b'{"hook": "\xff"}', 400),
    "a list": (b"[]", 400),
    "null": (b"null", 400),
    "nested without end": (DEEP, 400),
    "a key twice": (b'{"hook": 1, "hook": 2}', 400),
    "a huge number": (b'{"hook": 1e999999999}', 400),
    "a Bundle without entries": (with_prefetch({"resourceType": "Bundle", "entry": 5}), 400),
    "a Bundle of numbers": (with_prefetch({"resourceType": "Bundle", "entry": [5]}), 400),
    "an entry without type": (with_prefetch(bundle({"id": "x"})), 400),
    "a resource of no type": (with_prefetch({"resourceType": 5}), 400),
    "a link that is none": (with_prefetch(bundle(PATIENT, link=5)), 400),
    "a total that is none": (with_prefetch(bundle(PATIENT, total="x")), 200),
    "an unknown type": (with_prefetch({"resourceType": "Evil", "id": "x"}), 200),
    "too large": (b" " * (16 * 1024 * 1024 + 1), 413),
}


@pytest.mark.parametrize("name", BODIES)
def test_a_hostile_body_is_refused_and_never_a_fault(services, name):
    body, status = BODIES[name]
    answer = call(f"{services}/Plan-order-sign", body)
    assert answer.status_code == status, answer.text[:300]
    assert "Traceback" not in answer.text


MEDIA = ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x",
         "text/plain+json", "", None]  # fmt: skip


@pytest.mark.parametrize("media", MEDIA)
def test_what_a_page_could_send_without_asking_first_is_a_415(services, media):
    headers = {} if media is None else {"Content-Type": media}
    answer = requests.post(
        f"{services}/Plan-order-sign",
        data=json.dumps(request()).encode(),
        headers=headers,
        timeout=9,
    )
    assert answer.status_code == 415


def test_feedback_is_kept_and_shown_as_text(services):
    reason = {"reason": {"code": "no", "system": "x"}, "userComment": "<script>alert(1)</script>"}
    item = ITEM | {"outcome": "overridden", "overrideReason": reason, "card": "<b>card</b>"}
    assert call(f"{services}/Plan-order-sign/feedback", {"feedback": [item]}).status_code == 200
    page = requests.get(services.replace("/cds-services", "/feedback"), timeout=9)
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page.text
    assert "<script>" not in page.text
    assert "&lt;b&gt;card&lt;/b&gt;" in page.text


# -- pages ------------------------------------------------------------------------------------

SEARCH = "/fhir/Observation?patient=x"


def observed(ehr, **prefetch):
    body = request(prefetch={"patient": PATIENT} | prefetch, fhirServer=f"{ehr.base}/fhir")
    body["fhirAuthorization"] = {"access_token": SECRET}
    return body


def titles(answer):
    return [card["summary"] for card in answer.json()["cards"]]


def to(path):
    return {"link": [{"relation": "next", "url": path}]}


def test_a_fetched_search_is_read_to_its_last_page(services, ehr):
    ehr.answers[SEARCH] = (200, {}, bundle(inr("a", 1.2), **to(f"{ehr.base}/fhir?page=2")))
    ehr.answers["/fhir?page=2"] = (200, {}, bundle(inr("b", 1.4), **to("fhir?page=3")))
    ehr.answers["/fhir?page=3"] = (200, {}, bundle(inr("c", 2.4)))
    answer = call(f"{services}/Observed-order-sign", observed(ehr))
    assert titles(answer) == ["High"]
    assert {token for _, token in ehr.asked} == {f"Bearer {SECRET}"}


def test_a_next_page_elsewhere_is_not_asked_there(services, ehr, elsewhere):
    ehr.answers[SEARCH] = (200, {}, bundle(inr("a", 1.2), **to(f"{elsewhere.base}/fhir?page=2")))
    answer = call(f"{services}/Observed-order-sign", observed(ehr))
    assert (answer.status_code, elsewhere.asked) == (412, [])


def test_pages_that_never_end_are_a_412(services, ehr):
    ehr.answers[SEARCH] = (200, {}, bundle(inr("a", 1.2), **to(SEARCH)))
    assert call(f"{services}/Observed-order-sign", observed(ehr)).status_code == 412
    assert len(ehr.asked) < 5


PARTS = {
    "a next link": bundle(inr("a", 1.2), **to("https://ehr.example.org/fhir?page=2")),
    "a larger total": bundle(inr("a", 1.2), total=250),
    "a larger total, nothing in it": bundle(total=1),
}


@pytest.mark.parametrize("name", PARTS)
def test_a_part_that_a_client_sends_is_completed_from_its_server(services, ehr, name):
    ehr.answers[SEARCH] = (200, {}, bundle(inr("a", 1.2), inr("b", 2.4), total=2))
    answer = call(f"{services}/Observed-order-sign", observed(ehr, observation=PARTS[name]))
    assert titles(answer) == ["High"]


@pytest.mark.parametrize("server", ["none", "refused", "failing", "also a part"])
@pytest.mark.parametrize("name", PARTS)
def test_what_hangs_on_a_part_is_not_evaluated_and_a_card_says_so(services, ehr, name, server):
    if server == "also a part":
        ehr.answers[SEARCH] = (200, {}, bundle(inr("a", 1.2), total=3))
    body = observed(ehr, observation=PARTS[name])
    if server == "none":
        del body["fhirServer"]
    elif server == "refused":
        body["fhirServer"] = "https://else.example.org/fhir"
    answer = call(f"{services}/Observed-order-sign", body)
    (card,) = answer.json()["cards"]
    assert card["indicator"] == "warning"
    assert "not all Observation resources are known" in card["detail"]


def test_a_whole_search_of_a_client_is_taken_as_it_is(services, ehr):
    included = {"resource": PATIENT, "search": {"mode": "include"}}
    whole = bundle(inr("a", 1.2), total=1, link=[{"relation": "self", "url": "x"}])
    whole["entry"].append(included)
    answer = call(f"{services}/Observed-order-sign", observed(ehr, observation=whole))
    assert (titles(answer), ehr.asked) == ([], [])


NAMES = [  # of a server on the list, https://ehr.example.org/fhir, as others might read them
    "https://user@ehr.example.org/fhir",
    "https://ehr.example.org@evil.example/fhir",
    "https://ehr.example.org#@evil.example/fhir",
    "https://ehr.example.org\\@evil.example/fhir",
    "https://ehr.example.org%2eevil.example/fhir",
    "https://ehr.example.org\x00.evil.example/fhir",
    "https://ehr.example.org.evil.example/fhir",
    "https://evil.example/https://ehr.example.org/fhir",
    "https://\u0435hr.example.org/fhir",
    "https://ehr\u3002example\u3002org/fhir",
    "https://ehr.example.org:444/fhir",
    "https://ehr.example.org:\uff14\uff14\uff13/fhir",
    "https:ehr.example.org/fhir",
    "//ehr.example.org/fhir",
    "\thttps://ehr.example.org/fhir",
    "https://ehr.example.org/fhir\n",
    "https://ehr.example.org//fhir",
    "https://ehr.example.org/fhir;x",
    "https://ehr.example.org/",
    "https://[::ffff:127.0.0.1]/fhir",
    "https://[::1%25lo]/fhir",
    "http://0/fhir",
    "http://0x7f.1/fhir",
]


@pytest.mark.parametrize("name", NAMES)
def test_a_name_that_could_be_read_otherwise_is_not_that_of_a_server_on_the_list(name):
    with pytest.raises(FetchError):
        allowed_base(name, ["https://ehr.example.org/fhir"])


@pytest.mark.parametrize(
    "name", ["HTTPS://EHR.example.org:443/fhir/", "https://ehr.example.org./fhir/a"]
)
def test_the_same_origin_in_other_words_is_on_the_list(name):
    assert allowed_base(name, ["https://ehr.example.org/fhir"]) == name


# -- how much and how long --------------------------------------------------------------------


def flooding(ehr, pages, size):
    """Pages of a search that each hold one resource of so many characters, the last one too."""
    links = [SEARCH, *(f"/fhir?page={n}" for n in range(2, pages + 2))]
    for here, following in itertools.pairwise(links):
        large = inr("a", 1.2) | {"note": [{"text": "x" * size}]}
        ehr.answers[here] = (200, {}, bundle(large, **to(ehr.base + following)))
    ehr.answers[links[-1]] = (200, {}, bundle(inr("z", 1.2)))


@pytest.mark.parametrize("pages, status", [(2, 200), (9, 412)])
def test_the_bytes_of_one_call_are_bounded_over_all_pages(
    services, ehr, monkeypatch, pages, status
):
    monkeypatch.setattr("fhirpkg.server.cds.fetching._MOST_BYTES", 2**18)
    flooding(ehr, pages, 2**16)
    answer = call(f"{services}/Observed-order-sign", observed(ehr))
    assert answer.status_code == status
    assert len(ehr.asked) == 3 if status == 200 else len(ehr.asked) < 6
    assert ("limit of one call" in answer.text) == (status == 412)


def test_the_bytes_of_one_call_are_bounded_over_all_it_fetches(services, ehr, monkeypatch):
    monkeypatch.setattr("fhirpkg.server.cds.fetching._MOST_BYTES", 100_000)
    long = {"note": [{"text": "x" * 60_000}]}
    ehr.answers["/fhir/Patient/x"] = (200, {}, PATIENT | {"extension": [], "text": long})
    ehr.answers[SEARCH] = (200, {}, bundle(inr("a", 1.2) | long))
    body = observed(ehr)
    assert call(f"{services}/Observed-order-sign", body).status_code == 200
    assert call(f"{services}/Observed-order-sign", body).status_code == 200  # each call anew
    answer = call(f"{services}/Observed-order-sign", body | {"prefetch": {}})
    assert answer.status_code == 412
    assert "limit of one call" in answer.text


@pytest.mark.parametrize("chunked", [False, True])
def test_a_server_that_drips_is_left_after_a_while(services, monkeypatch, chunked):
    monkeypatch.setattr("fhirpkg.server.cds.fetching._MOST_SECONDS", 0.3)
    with Listener(handler=dripping(chunked)) as ehr:
        monkeypatch.setattr("fhirpkg.server.cds.fetching.allowed_base", lambda *_: ehr.base)
        answer = call(f"{services}/Observed-order-sign", observed(ehr))
        assert answer.status_code == 412
        assert "longer than 0.3 s" in answer.text
        assert not ehr.ended  # we left, not it


def dripping(chunked):
    """A handler that sends a byte every 20 ms, for as long as somebody reads."""

    class Dripping(BaseHTTPRequestHandler):
        log_message = Answering.log_message

        def do_GET(self):
            self.server.ended = False
            self.send_response(200)
            if chunked:
                self.send_header("Transfer-Encoding", "chunked")
            else:
                self.send_header("Content-Length", "2000")
            self.end_headers()
            self.wfile.write(b"7d0\r\n" if chunked else b"")
            with contextlib.suppress(OSError):
                for _ in range(2000):
                    self.wfile.write(b" ")
                    time.sleep(0.02)
                self.server.ended = True

    return Dripping
