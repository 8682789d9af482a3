"""Narratives say what a resource says, in XHTML that servers keep as it is."""

import json
import re
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from fhirpkg.render.narrative import narrative

FOLDER = Path(__file__).parent.parent.parent / "resources" / "cpt-20983" / "fhir"
FILES = sorted(FOLDER.glob("*.json"))


def built(name):
    return json.loads((FOLDER / f"{name}.json").read_text())


def words(resource):
    div = narrative(resource)["div"]
    return " ".join(" ".join(ET.fromstring(div).itertext()).split()).replace(" :", ":")


@pytest.fixture(scope="module")
def plan():
    return built("PlanDefinition-BoneTumorCryoablationPlan")


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_servers_have_nothing_to_rewrite_in_it(file):
    div = json.loads(file.read_text())["text"]["div"]
    ET.fromstring(div)
    assert "<!--" not in div
    assert "'" not in "".join(re.findall(r"<[^>]*>", div))
    assert not re.search(r"&(?!amp;|lt;|gt;)", div)
    assert not re.search(r"<(\w+)[^>]*></\1>", div)
    assert "xmlns" not in div[5:].replace('xmlns="http://www.w3.org/1999/xhtml"', "", 1)


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_it_begins_with_what_the_resource_is(file):
    resource = json.loads(file.read_text())
    text = words(resource)
    assert text.startswith(resource.get("title") or resource["description"])
    assert f"{resource['resourceType']}/{resource['id']}" in text
    assert resource.get("url", "") in text
    assert resource.get("version", "") in text


def test_the_plan_shows_who_when_why_and_code_of_its_actions(plan):
    text = words(plan)
    assert "14.3.2 General anesthesia: General anesthesia, given by an anesthesiologist" in text
    assert "Who Anesthesiologist, only when general anesthesia is used" in text
    assert "When after the end of skin-preparation" in text
    assert "How long 1 to 2 h" in text
    assert "Choice exactly one of these" in text
    assert "Repeats may be done several times" in text
    assert "Code Application of a dressing (SNOMED CT 3895009)" in text
    assert "Pain from a tumor (ICD-10-CM G89.3)" in text


def test_the_plan_numbers_every_action(plan):
    def numbers(actions, mark=""):
        for at, action in enumerate(actions, 1):
            yield f"{mark}{at} {action.get('title') or action['description']}"
            yield from numbers(action.get("action", ()), f"{mark}{at}.")

    text = words(plan)
    assert [number for number in numbers(plan["action"]) if number not in text] == []


def test_the_plan_shows_goals_with_their_targets_and_citations(plan):
    text = words(plan)
    assert (
        "Less pain, where the tumor hurts Benefit Pain from a tumor (ICD-10-CM G89.3); Bone pain"
        in text
    )
    assert "More than 2 points below the worst pain before the procedure, where that was" in text
    assert "no aim of the source), within 24 weeks" in text
    assert "No infection Safety" in text
    assert "CIRSE Standards of Practice" in text


def test_goals_of_an_action_are_shown_in_words(plan):
    assert "Goals No harm to tissues or structures around the tumor; No injury of a nerve" in words(
        plan
    )


def test_the_plan_shows_when_an_action_applies(plan):
    assert "If For procedures of high bleeding risk the guideline of SIR has the INR" in words(plan)


def test_each_notice_is_a_paragraph(plan):
    div = plan["text"]["div"]
    assert "<p>CPT (c) Copyright" in div
    assert "<p>This material contains content from LOINC" in div


def test_an_activity_shows_where_it_is_done():
    text = words(built("ActivityDefinition-BoneTumorCryoablation"))
    assert "Where Usually the interventional radiology suite" in text
    assert "Body site Bone structure (SNOMED CT 272673000)" in text


def test_a_document_shows_what_it_is_about():
    text = words(built("DocumentReference-BoneTumorCryoablationEducation"))
    assert "Event Percutaneous cryoablation of bone tumors (CPT 20983)" in text
    assert "application/xhtml+xml" in text


def test_a_value_set_shows_its_codes():
    text = words(built("ValueSet-BoneTumorCryoablationIndications"))
    assert "http://hl7.org/fhir/sid/icd-10-cm: C79.51, C40.00" in text


def test_a_questionnaire_shows_its_questions_and_choices():
    text = words(built("Questionnaire-BoneTumorCryoablationChecklist"))
    assert "(choice): Not a candidate for surgery; Prefers a less invasive treatment" in text


def test_text_with_marks_of_markup_stays_text():
    resource = {"resourceType": "Basic", "id": "x", "title": "<b>\"a\" & 'b'</b>"}
    div = narrative(resource)["div"]
    assert """&lt;b&gt;"a" &amp; 'b'&lt;/b&gt;""" in div
    assert "<b>\"a\" & 'b'</b>" in words(resource)


def test_a_resource_with_hardly_anything_has_one_too():
    assert words({"resourceType": "Basic", "id": "x"}) == "x Resource Basic/x"


def test_quotation_marks_stand_plainly_in_text_and_escaped_in_attributes():
    link = {"type": "citation", "citation": 'Crohn\'s "disease"', "url": "https://e.org/a'b\"c"}
    library = {"resourceType": "Library", "id": "l", "relatedArtifact": [link]}
    div = narrative(library)["div"]
    assert 'citation: Crohn\'s "disease"' in div
    assert '<a href="https://e.org/a&#39;b&#34;c">https://e.org/a\'b"c</a>' in div


def test_a_narrative_says_its_language_where_the_resource_does():
    both = 'lang="es" xml:lang="es"'
    made = {"resourceType": "Basic", "id": "a", "title": "Té"}
    assert both in narrative({**made, "language": "es"})["div"]
    assert "lang=" not in narrative(made)["div"]
