"""Trying a plan on a patient: the form, what came of it, and what is said when it cannot be."""

import json
import pathlib

import pytest
import requests

from tests.applying.made_records import record

CONTENT = pathlib.Path(__file__).parents[2] / "resources" / "cpt-20983"
PLAN = "BoneTumorCryoablationPlan"
TWO = json.dumps({"resourceType": "Bundle", "entry": [
    {"resource": {"resourceType": "Patient", "id": name}} for name in "ab"]})  # fmt: skip
FORM = "application/x-www-form-urlencoded"


@pytest.fixture
def form(server):
    """Fill the form in on a server that holds our content."""
    for file in sorted(CONTENT.glob("fhir/*.json")):
        assert server.put(json.loads(file.read_text())).status_code == 201

    def fill(plan=PLAN, headers=(), **fields):
        root = server.base.removesuffix("/fhir")
        return requests.post(f"{root}/try/{plan}", data=fields, headers=dict(headers), timeout=60)

    return fill


def example(name):
    return (CONTENT / "examples" / f"{name}.json").read_text()


def test_the_form_offers_made_up_patients_and_those_of_the_server(server, form):
    server.put({"resourceType": "Patient", "id": "p1", "name": [{"family": "Known"}]})
    page = server("GET", f"../try/{PLAN}").text
    assert '<option value="inr-above-limit">' in page
    assert ".applied" not in page
    assert '<option value="p1">Known</option>' in page


def test_a_made_up_patient_shows_criteria_orders_cards_and_the_request_group(form):
    page = form(**{"from": "example", "example": "inr-above-limit"}).text
    assert '<span class="state exceeded">exceeded</span>' in page
    assert ">2.4 <" in page
    assert "2026-11-02" in page
    assert '<div class="card warning">' in page
    assert "INR 2.4 on 2 Nov 2026: above 1.8 (SIR 2019)" in page
    assert '<span class="suggestion">Coagulation tests</span>' in page
    assert "ServiceRequest Prothrombin time with INR" in page
    assert "&#34;RequestGroup&#34;</samp>" in page


def test_where_nothing_is_open_there_is_no_card(form):
    page = form(**{"from": "example", "example": "eligible"}).text
    assert "No card: nothing is open." in page
    assert "exceeded</span>" not in page


def test_a_patient_of_the_server_is_read_from_it(server, form):
    for resource in record({"name": "x", "more": [
            {"loinc": "6301-6", "value": 2.4, "at": "2026-11-20"}]}):  # fmt: skip
        server.put(resource)
    for name in ("p1", "Patient/p1"):
        page = form(**{"from": "patient", "patient": name}).text
        assert "INR 2.4 on 20 Nov 2026: above 1.8 (SIR 2019)" in page
        assert 'href="/show/Observation/' in page


def test_a_pasted_bundle_is_tried_and_not_kept(server, form):
    page = form(**{"from": "bundle", "bundle": example("no-images")}).text
    assert '<span class="state missing">missing</span>' in page
    assert "Patient/example-no-images" in page
    assert server.get("Patient").json().get("entry", []) == []


def test_a_bundle_is_not_mixed_with_the_records_of_the_server(server, form):
    for entry in json.loads(example("eligible"))["entry"]:
        server.put(entry["resource"])
    lone = {"resourceType": "Patient", "id": "example-eligible"}
    page = form(**{"from": "bundle", "bundle": json.dumps(lone)}).text
    assert page.count('<span class="state missing">missing</span>') == 4


@pytest.mark.parametrize(
    "bundle, said",
    [
        ('{"resourceType": "Patient"}', "no id"),
        ("", "cannot be read"),
        ("{", "cannot be read"),
        ("[]", "not a FHIR resource"),
        ("5", "not a FHIR resource"),
        ('{"resourceType": "Bundle"}', "0 patients"),
        ('{"resourceType": "Bundle", "entry": 5}', "do not hold resources"),
        ('{"resourceType": "Bundle", "entry": [5]}', "do not hold resources"),
        ('{"resourceType": "Patient", "id": "p", "name": "x"}', "not FHIR"),
        (TWO, "2 patients"),
        ("<Bundle xmlns='http://hl7.org/fhir'/>", "cannot be read"),
        ("<script>alert(1)</script>", "cannot be read"),
    ],
)  # fmt: skip
def test_a_bundle_that_cannot_be_used_is_told_on_the_page(form, bundle, said):
    answer = form(**{"from": "bundle", "bundle": bundle})
    assert answer.status_code == 400
    alert = answer.text.partition('role="alert">')[2].partition("</p>")[0]
    assert said in alert, alert
    assert "<script" not in answer.text


@pytest.mark.parametrize(
    "fields",
    [
        {"from": "patient", "patient": "nobody"},
        {"from": "patient", "patient": ""},
        {"from": "patient", "patient": "../x"},
        {"from": "example", "example": "nobody"},
        {"from": "example", "example": "../../package"},
        {"from": "elsewhere"},
    ],
)
def test_a_choice_that_leads_to_nobody_is_told_on_the_page(form, fields):
    answer = form(**fields)
    assert answer.status_code == 400
    assert 'role="alert"' in answer.text


def test_what_is_not_the_form_is_refused(form, server):
    assert form(headers={"Content-Type": "text/plain"}, x="1").status_code == 415
    assert form("nothing").status_code == 404
    assert form(headers={"Origin": "https://evil.example"}, x="1").status_code == 403
    many = "&".join(f"f{n}=1" for n in range(100))
    sent = server("POST", f"../try/{PLAN}", many, Content_Type=FORM)
    assert sent.status_code == 400
    large = server("POST", f"../try/{PLAN}", b"bundle=" + b"x" * 17_000_000, Content_Type=FORM)
    assert large.status_code == 413
    assert 'role="alert"' in large.text


def test_a_plan_that_is_not_fhir_is_told_on_the_page(server, endpoint, form):
    endpoint.store.write({"resourceType": "PlanDefinition", "id": "odd", "action": "x"}, "PUT")
    answer = form("odd", **{"from": "bundle", "bundle": '{"resourceType": "Patient", "id": "p"}'})
    assert answer.status_code == 400
    assert 'role="alert"' in answer.text


def test_the_pages_of_what_is_stored_lead_to_files_to_take_away(server, form):
    page = server("GET", f"../procedure/{PLAN}").text
    assert f'href="/try/{PLAN}"' in page
    assert f'href="/download/{PLAN}-procedure.json"' in page
    file = server("GET", f"../download/{PLAN}-procedure.json")
    assert file.headers["Content-Disposition"].startswith("attachment")
    assert file.json()["type"] == "transaction"
    assert "versionId" not in file.text
    assert server("GET", "../download/nothing.tgz").status_code == 404
