import itertools
from decimal import Decimal

import pytest

from fhirpkg.client.auth import Authorization, Grant
from fhirpkg.client.client import FhirClient, checked_base_url, encoded
from fhirpkg.client.retry import RetryPolicy
from fhirpkg.errors import ConfigError, ServerError
from tests.servers.scripted import Reply, scripted

PATIENT = {"resourceType": "Patient", "id": "a"}
QUICK = RetryPolicy(5.0, sleep=lambda _: None)
HTML = Reply(502, "<html><body>Bad Gateway</body></html>", {"content-type": "text/html"})


def answers(*replies):
    """A script that gives these answers in turn, and the last one for ever."""
    turn = itertools.chain(replies, itertools.repeat(replies[-1]))
    return lambda *_: next(turn)


def client_of(server, **options):
    return FhirClient(server.base_url, retry=QUICK, **options)


@pytest.mark.parametrize(
    "failure",
    [
        Reply(429, headers={"retry-after": "0"}),
        Reply(503),
        HTML,
        Reply(lost=True),
        Reply(200, PATIENT, cut=5),
        Reply(200, '{"resourceType": "Pat'),
        Reply(400, {"__type": "ThrottlingException"}),
    ],
)
def test_a_read_survives_a_passing_fault(failure):
    with scripted(answers(Reply(200, PATIENT), failure, Reply(200, PATIENT))) as server:
        client = client_of(server)
        assert client.read("Patient", "a") == PATIENT
        assert client.read("Patient", "a") == PATIENT
        assert len(server.seen) == 3


@pytest.mark.parametrize("fault", [Reply(503), Reply(lost=True), HTML, Reply(500)])
def test_a_post_that_may_have_worked_is_not_sent_again(fault):
    with scripted(answers(Reply(200, PATIENT), fault)) as server:
        client = client_of(server)
        client.read("Patient", "a")
        if fault.lost:
            with pytest.raises(ServerError):
                client.request("POST", "Patient", body=PATIENT)
        else:
            assert not client.request("POST", "Patient", body=PATIENT).ok
        assert server.count("POST") == 1


@pytest.mark.parametrize("refusal", [Reply(429), Reply(400, {"__type": "ThrottlingException"})])
def test_a_post_that_was_refused_unread_is_sent_again(refusal):
    with scripted(answers(refusal, Reply(201, PATIENT))) as server:
        assert client_of(server).request("POST", "Patient", body=PATIENT).status == 201
        assert server.count("POST") == 2


def test_an_answer_that_is_no_fhir_is_an_error_with_words_not_a_crash():
    page = Reply(200, "<!DOCTYPE html><html></html>", {"content-type": "text/html"})
    with scripted(answers(page)) as server:
        with pytest.raises(ServerError, match="answered HTML, not FHIR JSON"):
            client_of(server).capabilities()
        assert len(server.seen) == 1


@pytest.mark.parametrize(
    "reply, advice",
    [
        (Reply(200, "<html></html>"), "is this the base url of a FHIR server?"),
        (Reply(404, "nothing here"), "is this the base url of a FHIR server?"),
        (Reply(401, "who are you"), "name a credential"),
    ],
)
def test_a_server_without_capabilities_is_answered_with_what_to_do(reply, advice):
    with scripted(answers(reply)) as server, pytest.raises(ServerError) as raised:
        client_of(server).capabilities()
    assert advice in str(raised.value)
    assert raised.value.status == reply.status


def test_a_resource_is_read_whatever_the_content_type_says():
    with scripted(answers(Reply(200, PATIENT, {"content-type": "text/plain"}))) as server:
        assert client_of(server).read("Patient", "a") == PATIENT


@pytest.mark.parametrize("status", [404, 410])
def test_an_absent_resource_is_none(status):
    with scripted(answers(Reply(status))) as server:
        assert client_of(server).read("Patient", "a") is None


def test_an_error_keeps_status_and_the_servers_words():
    issue = {"severity": "error", "code": "invalid", "diagnostics": "HAPI-0960: no digits"}
    outcome = {"resourceType": "OperationOutcome", "issue": [issue]}
    with scripted(answers(Reply(400, outcome))) as server:
        with pytest.raises(ServerError, match="HTTP 400: HAPI-0960: no digits") as caught:
            client_of(server).read("Patient", "1")
        assert caught.value.outcome == outcome


def test_a_server_that_never_answered_is_told_at_once():
    with scripted(answers(Reply())) as server:
        pass
    waits = []
    policy = RetryPolicy(60, sleep=waits.append)
    with pytest.raises(ServerError, match="refused; is the server running"):
        FhirClient(server.base_url, retry=policy).capabilities()
    assert waits == []


def bundle(ids, link=None):
    entries = [{"resource": {"resourceType": "Patient", "id": i}} for i in ids]
    links = [{"relation": "next", "url": link}] if link else []
    return {"resourceType": "Bundle", "entry": entries, "link": links}


def test_a_search_reads_every_page_from_our_host_whatever_host_the_link_names():
    pages = [bundle("ab", "http://inside.example:1/fhir?page=2"), bundle("c")]
    with scripted(answers(*(Reply(200, page) for page in pages))) as server:
        found = client_of(server).search("Patient", {"name": "x"})
        assert [patient["id"] for patient in found] == ["a", "b", "c"]
        assert server.seen[1].path == "/fhir?page=2"


ILL_FORMED = [
    {"entry": ["x"]},
    {"entry": {"resource": PATIENT}},
    {"entry": [{"resource": [PATIENT]}]},
    {"entry": [{"resource": PATIENT | {"meta": [1]}}]},
    {"entry": [{"resource": PATIENT | {"identifier": [None]}}]},
    {"link": "x"},
    {"link": [None]},
]


@pytest.mark.parametrize("wrong", ILL_FORMED)
def test_an_answer_that_is_no_fhir_inside_is_asked_for_again_then_told(wrong):
    broken = Reply(200, bundle("ab") | wrong)
    with scripted(answers(broken, Reply(200, bundle("ab")))) as server:
        assert len(list(client_of(server).search("Patient", {}))) == 2
    with (
        scripted(answers(broken)) as server,
        pytest.raises(ServerError, match="answered something else, not FHIR JSON"),
    ):
        list(client_of(server).search("Patient", {}))


@pytest.mark.parametrize("link", [{}, {"relation": "next"}, {"relation": ["next"]}, {"url": "/x"}])
def test_a_link_without_url_or_relation_leads_nowhere(link):
    with scripted(answers(Reply(200, bundle("a") | {"link": [link]}))) as server:
        assert len(list(client_of(server).search("Patient", {}))) == 1
        assert len(server.seen) == 1


def test_a_search_is_fresh_and_strict():
    with scripted(answers(Reply(200, bundle("")))) as server:
        list(client_of(server).search("Patient", {"name": "x"}))
        headers = server.seen[0].headers
        assert (headers["cache-control"], headers["prefer"]) == ("no-cache", "handling=strict")


def test_pages_that_lead_in_a_circle_end_with_an_error():
    with (
        scripted(answers(Reply(200, bundle("a", "/fhir?page=1")))) as server,
        pytest.raises(ServerError, match="never end"),
    ):
        list(client_of(server).search("Patient", {}))


def test_what_an_answer_includes_is_no_match():
    found = bundle("ab")
    found["entry"][1]["search"] = {"mode": "include"}
    with scripted(answers(Reply(200, found))) as server:
        assert len(list(client_of(server).search("Patient", {}))) == 1


def test_a_read_is_redirected_without_our_authorization():
    auth = Authorization(lambda: Grant("Bearer sesame"))
    with scripted(answers(Reply(200, PATIENT))) as other:
        moved = Reply(307, headers={"location": f"{other.base_url}/Patient/a"})
        with scripted(answers(moved)) as server:
            assert client_of(server, auth=auth).read("Patient", "a") == PATIENT
            assert server.seen[0].headers["authorization"] == "Bearer sesame"
        assert "authorization" not in other.seen[0].headers


def test_a_token_that_the_caller_sends_does_not_leave_either():
    secrets = {"Authorization": "Bearer sesame", "Cookie": "a=b", "X-Other": "1"}
    with scripted(answers(Reply(200, PATIENT))) as other:
        moved = Reply(307, headers={"location": f"{other.base_url}/Patient/a"})
        with scripted(answers(moved)) as server:
            client_of(server).request("GET", "Patient/a", headers=secrets)
            assert server.seen[0].headers["cookie"] == "a=b"
        assert {"authorization", "cookie"} & set(other.seen[0].headers) == set()
        assert other.seen[0].headers["x-other"] == "1"


def test_a_client_that_stays_does_not_follow_a_read_to_another_host():
    with scripted(answers(Reply(200, PATIENT))) as other:
        moved = Reply(307, headers={"location": f"{other.base_url}/Patient/a"})
        with (
            scripted(answers(moved)) as server,
            pytest.raises(ServerError, match="redirects a GET to"),
        ):
            FhirClient(server.base_url, stays=True).read("Patient", "a")
        assert other.seen == []


def test_a_write_does_not_follow_to_another_host():
    with scripted(answers(Reply(200, PATIENT))) as other:
        moved = Reply(308, headers={"location": f"{other.base_url}/Patient/a"})
        with (
            scripted(answers(moved)) as server,
            pytest.raises(ServerError, match="redirects a PUT to"),
        ):
            client_of(server).request("PUT", "Patient/a", body=PATIENT)
        assert other.seen == []


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_a_write_follows_on_its_own_host_with_method_and_body(status):
    def script(request, _):
        if request.path.endswith("/moved"):
            return Reply(201, request.resource)
        return Reply(status, headers={"location": "/fhir/moved"})

    with scripted(script) as server:
        answer = client_of(server).request("POST", "Patient", body=PATIENT)
        assert (answer.status, answer.resource) == (201, PATIENT)
        assert [request.method for request in server.seen] == ["POST", "POST"]


def test_an_answer_that_is_elsewhere_is_read_not_written_again():
    with scripted(answers(Reply(303, headers={"location": "/x"}), Reply(200, PATIENT))) as server:
        assert client_of(server).request("POST", "Patient", body=PATIENT).resource == PATIENT
        assert (server.seen[1].method, server.seen[1].body) == ("GET", b"")


def test_redirects_in_a_circle_end():
    with scripted(answers(Reply(302, headers={"location": "/x"}))) as server:
        with pytest.raises(ServerError, match="redirects too many times"):
            FhirClient(server.base_url, retry=RetryPolicy(0.0)).request("GET", "Patient/a")
        assert len(server.seen) == 5


@pytest.mark.parametrize("scheme", ["Basic", "Bearer"])
def test_what_a_server_repeats_of_our_secret_is_not_told(scheme):
    auth = Authorization(lambda: Grant(f"{scheme} sesame"))
    with (
        scripted(answers(Reply(403, f"no to {scheme} sesame"))) as server,
        pytest.raises(ServerError, match=r"no to \w+ \*\*\*"),
    ):
        client_of(server, auth=auth).read("Patient", "a")


def test_a_token_that_ends_is_renewed_once_and_the_request_repeated_even_a_post():
    tokens = iter(["old", "new", "never"])
    auth = Authorization(lambda: Grant(f"Bearer {next(tokens)}"))

    def script(request, _):
        return Reply(201 if request.headers["authorization"] == "Bearer new" else 401)

    with scripted(script) as server:
        assert client_of(server, auth=auth).request("POST", "Patient", body=PATIENT).status == 201
        assert server.count("POST") == 2


def test_a_refused_token_that_stays_the_same_is_not_sent_again():
    auth = Authorization(lambda: Grant("Bearer same"))
    with scripted(answers(Reply(401))) as server:
        assert client_of(server, auth=auth).request("GET", "Patient/a").status == 401
        assert len(server.seen) == 1


def test_the_password_of_a_netrc_file_is_not_sent(tmp_path, monkeypatch):
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login a password b\n")
    (tmp_path / "netrc").chmod(0o600)
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    with scripted(answers(Reply(200, PATIENT))) as server:
        client_of(server).read("Patient", "a")
        assert "authorization" not in server.seen[0].headers


def test_a_body_beyond_the_limit_is_not_read(monkeypatch):
    monkeypatch.setattr("fhirpkg.client.client._LARGEST_BODY", 2**20)
    with (
        scripted(answers(Reply(200, {"resourceType": "Patient", "x": "x" * 3_000_000}))) as server,
        pytest.raises(ServerError, match="sends more than 1 MB"),
    ):
        client_of(server).read("Patient", "a")


def test_a_transaction_must_answer_each_entry():
    sent = {"resourceType": "Bundle", "type": "transaction", "entry": [{}, {}]}
    with (
        scripted(answers(Reply(200, bundle("a")))) as server,
        pytest.raises(ServerError, match="different number of entries"),
    ):
        client_of(server).transaction(sent)


def test_decimals_are_sent_as_they_were_written():
    sent = encoded({"resourceType": "Observation", "valueQuantity": {"value": Decimal("1.50")}})
    assert b'"value":1.50}' in sent


@pytest.mark.parametrize(
    "url, problem",
    [
        ("localhost:8080", "not a server"),
        ("ftp://host/fhir", "not a server"),
        ("https://me:secret@host/fhir", "holds credentials"),
        ("https://host/fhir?x=1", "has a query"),
    ],
)
def test_a_base_url_that_cannot_be_one_is_refused_without_telling_secrets(url, problem):
    with pytest.raises(ConfigError, match=problem) as caught:
        checked_base_url(url)
    assert "secret" not in str(caught.value)
