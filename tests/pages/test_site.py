"""The site of a content: what its pages say, and that their links lead somewhere."""

import re
from urllib.parse import unquote

import pytest

from fhirpkg.pages.site import site_files
from tests.pages.conftest import BASE, attached, content, files, resource

PLAN = "procedure/BoneTumorCryoablationPlan.html"


def links(text):
    return re.findall(r'(?:href|src|action)="([^"#]*)(?:#([^"]*))?"', text)


def dead(site):
    """The links of a site that lead to no file or no id."""
    for name, text in site.items():
        if not name.endswith(".html"):
            continue
        for path, fragment in links(text):
            if path.startswith(("https:", "http:", "data:", "mailto:", "tel:")):
                continue
            parts = [*name.split("/")[:-1], *unquote(path).split("/")] if path else name.split("/")
            while ".." in parts:
                at = parts.index("..")
                del parts[at - 1 : at + 1]
            target = "/".join(parts)
            if target not in site:
                yield f"{name}: {path}"
            elif fragment and f'id="{unquote(fragment)}"' not in site[target]:
                yield f"{name}: {path}#{fragment}"


def test_no_link_of_our_site_is_dead(our_site):
    assert list(dead(our_site)) == []


def test_no_id_stands_twice_on_a_page(our_site):
    for name, text in our_site.items():
        ids = re.findall(r' id="([^"]*)"', text)
        assert sorted(ids) == sorted(set(ids)), name


def test_the_start_page_leads_to_the_procedure_by_its_name_and_code(our_site):
    start = our_site["index.html"]
    assert f'<a href="{PLAN}">Percutaneous cryoablation of bone tumors</a>' in start
    assert "CPT 20983" in start
    assert "definition-topic" not in start


@pytest.mark.parametrize(
    "words",
    [
        "Extreme cold is used to shrink or remove tumors in bone",  # what it is
        "Less pain, where the tumor hurts",  # a goal
        "Anesthesiologist, only when general anesthesia is used",  # who
        "The procedure usually takes from 1 to 2 hours.",  # how long
        "Local anesthesia: Anesthesia of the area that is treated",  # a step
        "No INR is on record.",  # a criterion
        "You get a bandage where the probe went in.",  # of a document, opened in place
        "When did the patient last eat?",  # the checklist
        "Auloge P, Cazzato RL",  # evidence
        "CPT (c) Copyright",  # notices
        'id="action-probe-placement"',
        'id="criterion-inr"',
        'id="question-last-food"',
        'id="goal-tumor-control"',
    ],
)
def test_the_page_of_a_procedure_has_it_all(our_site, words):
    assert words in our_site[PLAN]


def test_each_resource_is_read_once(ours, monkeypatch):
    read = []
    plain = type(ours.resources).__getitem__
    monkeypatch.setattr(
        type(ours.resources), "__getitem__", lambda s, at: read.append(at) or plain(s, at)
    )
    list(site_files(ours))
    assert sorted(at for at in read if at < len(ours.resources)) == list(range(len(ours.resources)))


def test_references_and_canonicals_lead_on_when_they_are_here():
    questions = resource("Questionnaire", "q", version="2")
    plan = resource("PlanDefinition", "p", action=[
        {"definitionCanonical": f"{BASE}/Questionnaire/q|2"},
        {"definitionCanonical": f"{BASE}/Questionnaire/q|1"},
        {"definitionCanonical": "https://example.com/Questionnaire/q"},
    ])  # fmt: skip
    document = attached("x") | {"context": {"related": [{"reference": "PlanDefinition/p"}]}}
    site = files(content(plan, questions, document))
    json = site["resource/PlanDefinition-p.html"].partition('<pre class="json"')[2]
    assert json.count('href="../resource/Questionnaire-q.html"') == 1
    assert 'href="../procedure/p.html"' in site["resource/DocumentReference-d.html"]
    assert list(dead(site)) == []


def test_a_plan_of_anybody_gets_a_page_and_a_package_without_plans_a_site():
    bare = resource("PlanDefinition", "bare")
    site = files(content(bare, resource("ValueSet", "v", title="Colors")))
    assert "The plan has no actions" in site["procedure/bare.html"]
    assert list(dead(site)) == []
    site = files(content(resource("ValueSet", "v", title="Colors")))
    assert 'href="type/ValueSet.html"' in site["index.html"]
    assert "Colors" in site["search.html"]


def test_a_plan_whose_structure_is_not_fhirs_is_told_as_such():
    site = files(content(resource("PlanDefinition", "p", title="Odd", action={"title": "x"})))
    assert "action" in site["procedure/p.html"]
    assert "Odd" in site["procedure/p.html"]
    assert "resource/PlanDefinition-p.html" in site["procedure/p.html"]


def test_what_belongs_to_a_plan_and_is_not_fhir_is_listed_as_such():
    action = {"title": "Ask", "definitionCanonical": f"{BASE}/Questionnaire/q"}
    plan = resource("PlanDefinition", "p", action=[action])
    odd = resource("Questionnaire", "q", item="x")
    page = files(content(plan, odd))["procedure/p.html"]
    assert "Questionnaire/q</a>" in page
    assert "not that of FHIR" in page


def test_text_of_others_stays_text():
    evil = '<script>alert(1)</script>"><img src=x onerror=alert(1)>'
    plan = resource("PlanDefinition", "p", title=evil, description=evil, copyright=evil,
                    action=[{"id": evil, "title": evil, "textEquivalent": evil}],
                    relatedArtifact=[{"type": "citation", "citation": evil,
                                      "url": "javascript:alert(1)"}])  # fmt: skip
    for text in files(content(plan)).values():
        assert "<script>alert" not in text or text.startswith("{")
        assert "<img src=x" not in text or text.startswith("{")
        assert 'href="javascript' not in text


def test_a_document_says_in_which_language_it_is():
    document = attached("<p>Ayuno</p>", language="es") | {"language": "es"}
    plan = resource("PlanDefinition", "p", relatedArtifact=[
        {"type": "documentation", "url": f"{BASE}/DocumentReference/d"}])  # fmt: skip
    page = files(content(plan, document))["procedure/p.html"]
    assert '<div class="document" lang="es"' in page
    assert '<h3 lang="es">' in page


@pytest.mark.parametrize(
    "kind, data, shown",
    [
        ("text/html", "<p>Fast</p>", "<p>Fast</p>"),
        ("text/html; charset=utf-8", "<p>Fast</p>", "<p>Fast</p>"),
        ("application/xhtml+xml", '<div xmlns="http://www.w3.org/1999/xhtml"><p>Fast</p></div>',
         "<p>Fast</p>"),
        ("text/plain", "a < b", "a &lt; b"),
        ("image/png", "x", 'src="data:image/png;base64,'),
        ("application/pdf", "%PDF-1.7", "application/pdf, 8 bytes"),
    ],
)  # fmt: skip
def test_a_document_is_opened_in_place_or_said_what_it_is(kind, data, shown):
    page = files(content(attached(data, kind)))["resource/DocumentReference-d.html"]
    assert shown in page.partition('<pre class="json"')[0]
