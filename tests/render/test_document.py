"""Documents for people: whole in one file, well-formed, readable as they are."""

import base64
import json
import re
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from fhirpkg.render.document import Document, Section, xhtml

FOLDER = Path(__file__).parent.parent.parent / "resources" / "cpt-20983" / "fhir"
NAMESPACE = "{http://www.w3.org/1999/xhtml}"


def patient_document(kind):
    file = FOLDER / f"DocumentReference-BoneTumorCryoablation{kind}.json"
    attachment = json.loads(file.read_text())["content"][0]["attachment"]
    return base64.b64decode(attachment["data"]).decode()


def shown(text):
    return " ".join("".join(ET.fromstring(text).find(f"{NAMESPACE}body").itertext()).split())


def headings(text):
    return [h.text for h in ET.fromstring(text).iter(f"{NAMESPACE}h2")]


@pytest.mark.parametrize("kind", ["Education", "Preparation", "Aftercare"])
def test_a_patient_document_stands_alone(kind):
    text = patient_document(kind)
    root = ET.fromstring(text)
    assert root.tag == f"{NAMESPACE}html"
    assert root.get("lang") == "en"
    tags = {element.tag.removeprefix(NAMESPACE) for element in root.iter()}
    assert tags.isdisjoint({"script", "link", "img", "iframe", "object", "a"})
    assert "url(" not in text
    assert "@media print" in text
    assert "No clinician has reviewed" in text
    assert "American Medical Association" not in shown(text)
    assert "American Medical Association" in text  # the rights are in the head


@pytest.mark.parametrize("kind", ["Education", "Preparation", "Aftercare"])
def test_a_patient_document_has_only_numbers_of_the_source(kind):
    root = ET.fromstring(patient_document(kind))
    for figure in root.iter(f"{NAMESPACE}figure"):
        figure.clear()  # its numbers are those of the drawing
    main = " ".join("".join(root.find(f".//{NAMESPACE}main").itertext()).split())
    assert set(re.findall(r"\d+", main)) <= {"1", "2"}


def test_the_documents_have_their_sections():
    assert headings(patient_document("Education")) == [
        "What it is",
        "What it is for",
        "How it works",
        "When it is considered",
        "What happens",
        "How long it takes",
        "Where it is done",
        "Who is with you",
        "What it is like",
        "What you can gain",
        "What can go wrong",
        "What could be done instead",
        "Sources",
    ]
    assert headings(patient_document("Preparation"))[:2] == ["Fasting", "Medicines"]
    assert headings(patient_document("Aftercare"))[-1] == "When to call"


@pytest.mark.parametrize("kind", ["Education", "Preparation", "Aftercare"])
def test_a_patient_document_speaks_to_the_patient(kind):
    main = "".join(ET.fromstring(patient_document(kind)).find(f".//{NAMESPACE}main").itertext())
    assert "you" in main
    assert not re.search(r"\bpatients?\b", main)


def test_patients_are_told_of_the_questions_for_them():
    text = patient_document("Preparation")
    assert "When did you last eat?" in text
    assert "blood tests been seen" not in text


def test_sections_become_paragraphs_and_lists():
    text = xhtml(
        Document(
            "Title",
            (Section("One", "Words & <marks>"), Section("Two", items=("a", "b"), numbered=True)),
            notices=("Notice",),
        )
    )
    root = ET.fromstring(text)
    assert [p.text for p in root.iter(f"{NAMESPACE}p")] == ["Words & <marks>", "Notice"]
    (ordered,) = root.iter(f"{NAMESPACE}ol")
    assert [item.text for item in ordered] == ["a", "b"]


def test_what_is_not_there_leaves_no_trace():
    text = xhtml(Document("Title", (Section("One", "Words"),)))
    assert "<footer>" not in text
    assert "<ul>" not in text
    assert 'class="note"' not in text
