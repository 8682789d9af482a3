"""A procedure as a document, out of FHIR alone: also out of FHIR that is not ours."""

from xml.etree import ElementTree as ET

import pytest

from fhirpkg.render.document import Document, Item, Link, Section, Table, xhtml
from fhirpkg.render.limits import CRITERION
from fhirpkg.render.procedure import phases, procedure_document

NAMESPACE = "{http://www.w3.org/1999/xhtml}"

PLAN = {
    "resourceType": "PlanDefinition",
    "id": "p",
    "title": "A plan",
    "action": [
        {
            "title": "Phase",
            "description": "Do it",
            "action": [
                {"title": "One", "description": "first"},
                {"title": "Two", "action": [{"description": "inner"}]},
                {"title": "Three", "definitionCanonical": "http://example.org/q|1.0"},
            ],
        },
        {
            "title": "Talk",
            "action": [{"title": "Group", "description": "About", "action": [{"title": "Leaf"}]}],
        },
    ],
}
QUESTIONS = {
    "resourceType": "Questionnaire",
    "url": "http://example.org/q",
    "item": [{"linkId": "1", "text": "Ready?", "type": "boolean"}],
}


def sections(plan, *resources):
    return {s.title: s for s in procedure_document(plan, resources).sections}


def test_a_phase_is_a_numbered_list_with_parts_below_their_whole():
    phase = sections(PLAN, QUESTIONS)["Phase"]
    assert phase.text == "Do it"
    assert phase.items == (Item("One: first"), Item("Two", (Item("inner"),)), Item("Three"))
    assert phase.numbered


def test_questions_stand_apart_from_the_steps():
    found = sections(PLAN, QUESTIONS)
    assert found["Questions: Phase"].items == (Item("Ready?", anchor="1"),)
    assert list(found).index("Questions: Phase") == list(found).index("Phase") + 1


def test_a_question_has_its_answers_and_the_questions_below_it():
    question = {
        "linkId": "1",
        "text": "Which?",
        "answerOption": [{"valueString": "Left"}, {"valueCoding": {"display": "Right"}}],
        "item": [{"linkId": "1.1", "text": "Why?"}],
    }
    found = sections(PLAN, QUESTIONS | {"title": "Checks", "item": [question]})
    why = Item("Why?", anchor="1.1")
    assert found["Questions: Checks"].items == (Item("Which? (Left / Right)", (why,), anchor="1"),)


WHEN = {"kind": "applicability", "expression": {"description": "it hurts", "expression": "Hurts"}}


def only_item(action):
    plan = PLAN | {"action": [{"title": "P", "action": [{"title": "One"}, action]}]}
    return sections(plan)["P"].items[1]


def test_a_step_says_if_when_by_whom_and_whether_it_may_be_left_out_or_repeated():
    step = {
        "title": "Cool",
        "condition": [WHEN],
        "requiredBehavior": "could",
        "cardinalityBehavior": "multiple",
        "participant": [{"type": "patient"}, {"type": "practitioner", "role": {"text": "Nurse"}}],
    }
    text = only_item(step).text
    assert text.startswith("Cool (if: it hurts; ")
    assert "may be left out; may be done several times" in text
    assert text.endswith("by: patient; Nurse)")


@pytest.mark.parametrize(
    "code, choice",
    [("exactly-one", "exactly one of these"), ("any", "any of these"), ("all", ""), (None, "")],
)
def test_a_choice_among_parts_is_said_before_them(code, choice):
    parts = [{"title": "A"}, {"title": "B"}]
    item = only_item({"title": "Choose", "selectionBehavior": code or "", "action": parts})
    assert item == Item("Choose", (Item("A"), Item("B")), choice)


def test_what_a_record_shows_is_a_table_and_no_step():
    shown = {
        "id": "missing-inr",
        "title": "INR: missing",
        "description": "It tells of bleeding",
        "condition": [WHEN],
        "priority": "urgent",
        "documentation": [{"type": "citation", "label": "SIR 2019"}],
    }
    parts = [{"url": "id", "valueString": "inr"}, {"url": "limit", "valueString": "above 1.8"}]
    limit = {"extension": [{"url": CRITERION, "extension": parts}]}
    found = sections(PLAN | limit | {"action": [shown, *PLAN["action"]]})
    assert "INR: missing" not in found
    table = found["Readiness"].table
    assert table.rows == (
        ("INR: missing", "above 1.8", "It tells of bleeding", "it hurts", "urgent", "SIR 2019"),
    )
    assert len(table.head) == len(table.rows[0])


def test_sources_are_links_where_they_have_an_address():
    cited = [
        {"type": "citation", "citation": "A & B.", "display": "Found.", "url": "https://a.org/1"},
        {"type": "citation", "citation": "C."},
    ]
    document = procedure_document(PLAN | {"relatedArtifact": cited}, ())
    assert document.sources == (Link("A & B. Found.", "https://a.org/1"), "C.")


def test_the_page_nests_lists_and_links_sources():
    section = Section(
        "S",
        items=(Item("One", ("inner", Item("deep <x>")), "any of these"), "Two"),
        table=Table(("H", "I"), (("1", "2"),)),
    )
    page = xhtml(Document("T", (section,), sources=(Link("Source", "https://a.org/?a=1&b=2"),)))
    root = ET.fromstring(page)
    first, second = root.findall(f".//{NAMESPACE}section/{NAMESPACE}ul/{NAMESPACE}li")
    assert [first.text.strip(), second.text] == ["One", "Two"]
    assert [em.text for em in first.iter(f"{NAMESPACE}em")] == ["any of these:"]
    below = first.findall(f"{NAMESPACE}ul/{NAMESPACE}li")
    assert [li.text for li in below] == ["inner", "deep <x>"]
    assert [cell.text for cell in root.iter(f"{NAMESPACE}td")] == ["1", "2"]
    assert [a.get("href") for a in root.iter(f"{NAMESPACE}a")] == ["https://a.org/?a=1&b=2"]


def test_a_phase_made_of_groups_is_shown_group_by_group():
    found = sections(PLAN)
    assert "Talk" not in found
    assert found["Group"].items == (Item("Leaf"),)


def test_a_goal_tells_what_is_to_be_reached_and_by_when():
    target = {"measure": {"text": "Pain"}, "due": {"value": 8, "unit": "wk"}}
    goals = [{"description": {"text": "Less pain"}, "target": [target]}]
    assert sections(PLAN | {"goal": goals})["Goals"].items == ("Less pain. Pain, within 8 weeks",)


def test_a_plan_with_hardly_anything_is_a_document_too():
    document = procedure_document({"resourceType": "PlanDefinition", "id": "p"}, ())
    assert document.title == "p"
    assert document.sections == ()


def test_words_that_are_the_condition_itself_stand_once():
    """As in CDC's opioid guide, whose descriptions repeat their conditions."""
    condition = {"kind": "applicability", "expression": {"description": "No screening"}}
    action = {"title": "Screening", "description": "No screening", "condition": [condition],
              "action": [{"title": "Screen"}]}  # fmt: skip
    (phase,) = [s for s in phases(PLAN | {"action": [action]}, {}) if s.title == "Screening"]
    assert phase.text == "If: No screening"
    (other,) = [s for s in phases(PLAN | {"action": [{**action, "description": "Yearly"}]}, {})
                if s.title == "Screening"]  # fmt: skip
    assert other.text == "Yearly. If: No screening"
