"""The page of a procedure: facts, versions, downloads, criteria and codes."""

import json
import re

import pytest

from fhirpkg.languages.words import speaking
from fhirpkg.pages.changes import changed, versions
from fhirpkg.pages.codes import code_systems, procedure_codes
from fhirpkg.pages.criteria import criteria
from fhirpkg.pages.downloads import as_published, download, offers, packages_with
from fhirpkg.pages.facts import Sources
from fhirpkg.pages.reached import reached
from fhirpkg.pages.shelf import MemoryShelf, place
from fhirpkg.pages.site import site_files
from tests.pages.conftest import BASE, ROOT, attached, content, resource

CPT = "http://www.ama-assn.org/go/cpt"
PLAN = "procedure/BoneTumorCryoablationPlan.html"


@pytest.fixture(scope="module")
def shelf(ours):
    return MemoryShelf(ours.resources)


@pytest.fixture(scope="module")
def plan(shelf):
    return shelf.read("PlanDefinition", "BoneTumorCryoablationPlan")


def test_a_procedure_is_what_its_plan_leads_to_and_no_more(shelf, plan):
    found = {f"{r['resourceType']}/{r['id']}" for r in reached(plan, shelf)}
    assert "ValueSet/BoneTumorCryoablationInr" in found  # through the logic
    assert "DocumentReference/BoneTumorCryoablationEducation" in found
    assert not {name for name in found if name.startswith(("ImplementationGuide", "StructureDef"))}


def test_circles_and_plans_that_lead_to_plans_come_to_an_end():
    one = resource("PlanDefinition", "one", action=[{"definitionCanonical": f"{BASE}/Library/l"}])
    library = resource("Library", "l", relatedArtifact=[
        {"type": "depends-on", "resource": f"{BASE}/PlanDefinition/one"},
        {"type": "depends-on", "resource": f"{BASE}/PlanDefinition/two"}])  # fmt: skip
    two = resource("PlanDefinition", "two", library=[f"{BASE}/Library/far"])
    far = resource("Library", "far")
    found = [r["id"] for r in reached(one, MemoryShelf([one, library, two, far]))]
    assert found == ["one", "l", "two"]


@pytest.mark.parametrize(
    "text, leads",
    [
        ("Library/l", "Library/l"),
        ("Library/l/_history/3", "Library/l"),
        (f"{BASE}/Library/l", "Library/l"),
        (f"{BASE}/Library/l|1", "Library/l"),
        (f"{BASE}/Library/l|2", ""),
        (f"{BASE}/Library/l|1#part", "Library/l"),
        ("https://other.example/Library/l", ""),  # its url is another one
        ("https://any.example/fhir/DocumentReference/d", "DocumentReference/d"),
        ("Library/m", ""),
        ("no link", ""),
        ("a/b", ""),
        ("/", ""),
    ],
)
def test_where_a_text_leads(text, leads):
    assert place(text, MemoryShelf([resource("Library", "l", version="1"), attached("x")])) == leads


def test_codes_stand_by_system_with_words_and_uses():
    topic = {"coding": [{"system": CPT, "code": "1"}, {"system": "urn:x", "code": "a"}]}
    task = resource("ActivityDefinition", "a", title="Task", code={
        "coding": [{"system": "http://loinc.org", "code": "2-3", "display": "Test"}], "text": "t"},
        quantity={"value": 1, "system": "http://unitsofmeasure.org", "code": "mg"})  # fmt: skip
    kind = {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/plan", "code": "x"}]}
    topics = [topic | {"text": "Cut"}]
    plan = resource("PlanDefinition", "p", title="Plan", topic=topics, type=kind)
    cpt, other, loinc = code_systems([plan, task])
    assert (cpt.name, cpt.codes[0].words, cpt.codes[0].uses) == ("CPT", "Cut", ("Plan",))
    assert other.url == "urn:x"
    assert (loinc.codes[0].code, loinc.codes[0].words) == ("2-3", "Test")
    assert procedure_codes(plan, [plan, task]) == ["CPT 1", "urn:x a"]


def test_what_a_plan_orders_is_among_its_codes_and_what_it_tells_is_not():
    cut, told = ({"coding": [{"system": CPT, "code": code}]} for code in "12")
    plan = resource("PlanDefinition", "p", action=[
        {"definitionCanonical": "http://e.org/cut"}, {"definitionCanonical": "http://e.org/tell"},
    ])  # fmt: skip
    order = resource("ActivityDefinition", "a", url="http://e.org/cut", code=cut)
    talk = order | {"url": "http://e.org/tell", "kind": "CommunicationRequest", "code": told}
    assert procedure_codes(plan, [order, talk]) == ["CPT 1"]


def test_criteria_have_their_cases_sources_and_logic(plan):
    found = {c.anchor: c for c in criteria(plan)}
    inr = found["criterion-inr"]
    assert inr.title == "INR"
    names = ["missing", "not usable as it is recorded", "to be corrected first", "to be noted"]
    assert [case.name for case in inr.cases] == names
    assert inr.cases[0].logic == ("INR missing (text/cql)",)
    assert [source["label"] for source in inr.sources] == ["SIR 2019"]


def test_titles_of_what_uses_a_code_lose_the_name_of_the_procedure():
    coding = {"coding": [{"system": "http://loinc.org", "code": "1"}]}
    resources = [
        {"resourceType": "ActivityDefinition", "title": title, "code": coding}
        for title in ("Cut: fasting", "Cut", "Cuts: more", "Cut: Fasting")
    ]
    (system,) = code_systems(resources, "Cut")
    assert system.codes[0].uses == ("Fasting", "Cut", "Cuts: more")


def test_limits_come_from_the_plan(plan):
    found = {c.anchor: c.limit for c in criteria(plan)}
    assert found["criterion-inr"] == "above 1.8, noticed from 1.5"
    assert found["criterion-platelets"] == "below 50 \u00d7 10\u2079/L"
    assert found["criterion-images"] == ""
    with speaking("es"):
        spanish = {c.anchor: c.limit for c in criteria(plan)}
    assert spanish["criterion-inr"] == "por encima de 1.8, se señala desde 1.5"


def test_an_action_of_anybody_that_has_a_condition_is_a_criterion():
    condition = {"kind": "applicability",
                 "expression": {"language": "text/fhirpath", "expression": "%x"}}  # fmt: skip
    plan = resource(
        "PlanDefinition", "p", action=[{"title": "Warn: now", "condition": [condition]}]
    )
    (found,) = criteria(plan)
    assert (found.title, found.cases[0].words) == ("Warn: now", "%x")


def test_facts_have_their_words_elements_verdicts_and_digests(shelf, plan):
    facts = Sources(ROOT / "resources").facts(plan["id"], reached(plan, shelf))
    assert len(facts) == len({fact.label for fact in facts}) > 40
    assert not [fact.label for fact in facts if fact.is_lost]
    pain = next(fact for fact in facts if fact.label == "risks-1")
    assert pain.verdict == "added words"
    assert "cited leaflet" in pain.note
    assert re.fullmatch("[0-9a-f]{12}", pain.digest)
    assert ("PlanDefinition/BoneTumorCryoablationPlan") in {
        e[0] for s in pain.said for e in s.elements
    }


def test_each_element_of_a_fact_has_its_line(ours):
    sources = Sources(ROOT / "resources")
    site = {name: data.decode() for name, data in site_files(ours, None, sources)
            if name.endswith(".html")}  # fmt: skip
    found = re.findall(r'<li><a href="\.\./([^"#]+)#([^"]+)"', site[PLAN])
    assert len(found) > 40
    assert not [(name, at) for name, at in found if f'id="{at}"' not in site[name]]
    assert 'data-fact="risks-1" data-digest="' in site[PLAN]


def test_without_sources_it_is_said_that_they_are_not_here(our_site):
    assert "The source of this content is not here" in our_site[PLAN]


def test_what_changed_is_said_by_name():
    older = {"title": "a", "action": [{"id": "x", "title": "X", "description": "1"}, {"id": "y"}]}
    action = {"id": "x", "title": "X", "description": "2", "action": [{"id": "z"}]}
    newer = {"title": "b", "goal": [{"description": {"text": "Heal"}}], "action": [action]}
    told = "of the plan: title", "new goal: Heal", "X: description", "new action: z"
    assert list(changed(older, newer)) == [*told, "gone action: y"]
    assert list(changed(newer, newer)) == []


def test_versions_stand_the_newest_first():
    newer, older = ({"version": v, "date": "2026", "title": v} for v in "21")
    found = versions(newer, [older])
    assert [v.standing for v in found] == ["version 2 of 2026", "version 1 of 2026"]
    assert [v.is_first for v in found] == [False, True]
    assert found[0].changes


def test_a_previous_package_tells_what_changed():
    old = resource("PlanDefinition", "p", version="1", action=[{"id": "a", "title": "Wait"}])
    new = old | {"version": "2", "action": []}
    site = dict(site_files(content(new), content(old)))
    assert b"gone action: Wait" in site["procedure/p.html"]


def test_downloads_are_what_package_makes(ours, shelf, plan):
    site = dict(site_files(ours))
    names = [offer.name for offer in offers(plan, reached(plan, shelf), [ours.id])]
    assert names[0] == f"{plan['id']}-procedure.json"
    assert names[1] == f"{plan['id']}-sheet.xlsx"
    assert len(names) >= 5
    assert site[f"download/{plan['id']}-sheet.xlsx"].startswith(b"PK")
    assert {name for name in site if name.startswith("download/")} >= {
        f"download/{name}" for name in names}  # fmt: skip
    bundle = json.loads(site[f"download/{plan['id']}-procedure.json"])
    assert bundle["type"] == "transaction"
    assert bundle["entry"][-1]["resource"]["resourceType"] == "DocumentReference"
    assert packages_with(plan, shelf) == [ours.id]
    assert json.loads(download(f"{ours.id.name}-{ours.id.version}-collection.json", shelf)) == (
        json.loads(site[f"download/{ours.id.name}-{ours.id.version}-collection.json"]))  # fmt: skip


def test_a_package_that_is_not_whole_is_not_offered(ours, plan):
    some = MemoryShelf(r for r in ours.resources if r["resourceType"] != "ValueSet")
    assert packages_with(plan, some) == []
    assert download(f"{ours.id.name}-{ours.id.version}.tgz", some) is None


def test_a_pdf_document_can_be_taken_away():
    document = attached("%PDF-1.7", "application/pdf", title="Leaflet")
    plan = resource("PlanDefinition", "p", relatedArtifact=[
        {"type": "documentation", "url": f"{BASE}/DocumentReference/d"}])  # fmt: skip
    site = dict(site_files(content(plan, document)))
    assert site["download/d-1.pdf"] == b"%PDF-1.7"
    assert b'href="../download/d-1.pdf"' in site["procedure/p.html"]


def test_what_a_server_notes_is_not_handed_on():
    stored = {
        "resourceType": "Library",
        "id": "l",
        "meta": {"versionId": "3", "tag": []},
        "url": "u",
    }
    assert as_published(stored) == {
        "resourceType": "Library", "id": "l", "meta": {"tag": []}, "url": "u"}  # fmt: skip
    assert "meta" not in as_published({"resourceType": "Library", "meta": {"versionId": "1"}})


@pytest.mark.parametrize("name", ["x", "../p", "p-procedure.json", "d-1.pdf", "a.b-1.tgz"])
def test_no_download_is_made_of_nothing(name):
    assert download(name, MemoryShelf([])) is None
