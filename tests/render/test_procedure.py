"""A procedure as a document, out of FHIR alone: also out of FHIR that is not ours."""

from fhirpkg.render.procedure import procedure_document

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


def test_a_phase_is_a_numbered_list_with_its_parts_in_order():
    phase = sections(PLAN, QUESTIONS)["Phase"]
    assert phase.text == "Do it"
    assert phase.items == ("One: first", "Two", "inner", "Three", "Ready?")
    assert phase.numbered


def test_a_phase_made_of_groups_is_shown_group_by_group():
    found = sections(PLAN)
    assert "Talk" not in found
    assert found["Group"].items == ("Leaf",)


def test_a_goal_tells_what_is_to_be_reached_and_by_when():
    target = {"measure": {"text": "Pain"}, "due": {"value": 8, "unit": "wk"}}
    goals = [{"description": {"text": "Less pain"}, "target": [target]}]
    assert sections(PLAN | {"goal": goals})["Goals"].items == ("Less pain. Pain, within 8 wk",)


def test_a_plan_with_hardly_anything_is_a_document_too():
    document = procedure_document({"resourceType": "PlanDefinition", "id": "p"}, ())
    assert document.title == "p"
    assert document.sections == ()
