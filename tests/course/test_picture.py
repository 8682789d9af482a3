"""Pictures of courses: nothing overlaps, nothing is missing, nothing needs a stylesheet."""

import json
import re
from xml.etree import ElementTree as ET

import pytest
from hypothesis import HealthCheck, given, settings

from fhirpkg.course import svg
from tests.course.boxes import SVG, faults, rectangles
from tests.course.plans import EXAMPLES, ODD_PLANS, OURS, PLANS, after, plan, step

WIDTHS = (1000, 400)


def words(picture):
    return " ".join("".join(text.itertext()) for text in ET.fromstring(picture).iter(f"{SVG}text"))


def classes(picture):
    return {
        name
        for element in ET.fromstring(picture).iter()
        for name in element.get("class", "").split()
    }


@pytest.mark.parametrize("width", WIDTHS)
def test_the_picture_of_our_plan_has_no_overlapping_text(width):
    assert list(faults(svg(OURS, width=width))) == []


def test_every_step_of_our_plan_is_in_the_picture():
    drawn = re.sub(r"\s", "", words(svg(OURS)))

    def titles(actions):
        for action in actions:
            yield from filter(None, [action.get("title")])
            yield from titles(action.get("action", ()))

    missing = [t for t in titles(OURS["action"]) if re.sub(r"\s", "", t) not in drawn]
    assert not missing


@pytest.mark.examples
@pytest.mark.skipif(not EXAMPLES, reason="no official examples here: scripts/examples")
def test_official_examples_have_no_overlapping_text():
    found = {}
    for file in EXAMPLES:
        example = json.loads(file.read_text())
        found[file.stem] = [
            fault for width in WIDTHS for fault in faults(svg(example, width=width))
        ]
    assert len(found) == 18
    assert not any(found.values()), found


@given(PLANS)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_no_plan_has_overlapping_text(made):
    assert [fault for width in WIDTHS for fault in faults(svg(made, width=width))] == []


@given(ODD_PLANS)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_plans_that_are_wrong_in_structure_are_drawn_as_far_as_they_go(made):
    assert ET.fromstring(svg(made)).get("role") == "img"


@pytest.mark.parametrize(
    "made",
    [
        plan(),
        plan(step("x " * 1000)),
        plan(step("x" * 2000)),
        plan(step("جراحة العظام والعلاج بالتبريد " * 9), step("骨腫瘍の凍結療法" * 30)),
        plan(step("a\x00b\x1b[31mc\u202ed\ufffe\ud800")),
        plan(*(step(f"s{n}", **after(f"s{n - 1}")) for n in range(500))),
        plan(*(step(f"s{n}", **after(f"s{n * 7 % 40}")) for n in range(40))),
    ],
    ids=["empty", "long", "one-word", "scripts", "control", "many", "tangled"],
)
def test_extreme_plans_have_no_overlapping_text(made):
    assert [fault for width in WIDTHS for fault in faults(svg(made, width=width))] == []


def test_steps_twenty_levels_deep_have_room():
    deep = step("bottom")
    for level in range(20):
        deep = step(f"level {level}", deep, **after("elsewhere"))
    picture = svg(plan(deep))
    assert "bottom" in words(picture)
    assert not list(faults(picture))


def test_what_lies_too_deep_is_said():
    deep = step("bottom")
    for level in range(60):
        deep = step(f"level {level}", deep)
    assert "levels deep" in words(svg(plan(deep)))


def test_a_picture_needs_no_style_and_no_script_and_takes_no_markup_from_the_plan():
    picture = svg(plan(step("<script>alert(1)</script>\"' onload=x", description="]]>&amp;")))
    root = ET.fromstring(picture)
    assert not [
        e for e in root.iter() if "style" in e.attrib or e.tag.endswith(("style", "script"))
    ]
    assert not [key for e in root.iter() for key in e.attrib if key.startswith("on")]
    assert "<script>alert(1)</script>" in words(picture)


def test_text_alternatives_name_the_picture_by_prefixed_ids():
    one, two = ET.fromstring(svg(OURS, prefix="a")), ET.fromstring(svg(OURS, prefix="b"))
    for root in (one, two):
        ids = root.get("aria-labelledby").split()
        assert [e.get("id") for e in root.iter() if "id" in e.attrib] == ids
        assert root.get("role") == "img"
    assert set(one.get("aria-labelledby").split()).isdisjoint(two.get("aria-labelledby").split())
    assert OURS["title"] in one.find(f"{SVG}title").text
    assert "Recovery" in one.find(f"{SVG}desc").text


def test_signs_show_choice_option_and_repetition_only_where_they_are():
    plain = classes(svg(plan(step("a"))))
    assert plain.isdisjoint({"course-ring", "course-check", "course-optional", "course-again"})
    one = svg(plan(step("g", step("a"), step("b"), selectionBehavior="exactly-one")))
    assert "course-ring" in classes(one)
    assert "exactly one of these" in words(one)
    more = svg(plan(step("g", step("a"), selectionBehavior="one-or-more")))
    assert "course-check" in classes(more)
    could = svg(plan(step("a", requiredBehavior="could", cardinalityBehavior="multiple")))
    assert {"course-optional", "course-again"} <= classes(could)


@pytest.mark.parametrize(
    "fact, said",
    [
        ({"requiredBehavior": "must-unless-documented"}, "must be done, or the reason given"),
        ({"requiredBehavior": "could"}, "may be left out"),
        ({"precheckBehavior": "yes"}, "chosen beforehand"),
        ({"priority": "stat"}, "stat"),
        ({"timingDuration": {"value": 3, "unit": "wk"}}, "3 wk"),
        ({"condition": [{"kind": "stop", "expression": {"expression": 'L."Is done"'}}]},
         "Stops if Is done"),
        ({"trigger": [{"type": "named-event", "name": "order-sign"}]}, "On order-sign"),
        ({"trigger": [{"type": "data-added", "data": [{"type": "Observation"}]}]},
         "On Observation added"),
        ({"description": "See [the guide](http://x.org/a#b)."}, "See the guide."),
    ],
)  # fmt: skip
def test_facts_of_an_action_are_said(fact, said):
    assert said in words(svg(plan(step("a", **fact))))


def test_a_later_step_stands_further_down():
    made = plan(step("last", **after("first")), step("first"))
    first, last = (box.top for box in rectangles(svg(made), "card"))
    picture = words(svg(made))
    assert first < last
    assert picture.index("first") < picture.index("last")


def test_who_takes_part_has_a_letter_and_a_name():
    nurse = {"participant": [{"type": "practitioner", "role": {"text": "Nurse"}}]}
    picture = svg(plan(step("a", **nurse), step("b", participant=[{"type": "patient"}])))
    assert "A Nurse B Patient" in words(picture)
    narrow = words(svg(plan(step("a", **nurse)), width=400))
    assert "By Nurse" in narrow


def test_titles_come_from_what_an_action_refers_to():
    made = plan(
        {"definitionCanonical": "http://x.org/ActivityDefinition/one|2"},
        {"definitionCanonical": "#two"},
        {"definitionCanonical": "http://x.org/ActivityDefinition/order-it"},
        contained=[{"resourceType": "ActivityDefinition", "id": "two", "title": "Inside"}],
    )
    known = {"http://x.org/ActivityDefinition/one|2": {"title": "Outside"}}
    drawn = words(svg(made, known.get))
    assert all(title in drawn for title in ("Outside", "Inside", "Order it"))


@pytest.mark.parametrize(
    ("definition", "said"),
    [
        ({"dosage": [{"text": "40 mg, once a day"}]}, "40 mg, once a day"),
        ({"dosage": [{"doseAndRate": [{"doseQuantity": {"value": 2, "unit": "mg"}}]}]}, "2 mg"),
        ({"specimenRequirement": [{"display": "Synovium, in formalin"}]}, "Synovium, in formalin"),
        ({"dosage": "wrong", "specimenRequirement": [7]}, "Once"),
    ],
)
def test_doses_and_specimens_of_a_definition_are_said(definition, said):
    order = {"title": "Once", "definitionCanonical": "http://x.org/a"}
    made = {"resourceType": "ActivityDefinition", "id": "a", **definition}
    assert said in words(svg(plan(order), {"http://x.org/a": made}.get))


def test_alone_it_is_a_document_dark_on_white():
    picture = svg(OURS, is_alone=True)
    assert picture.startswith("<?xml")
    root = ET.fromstring(picture)
    assert root.get("color") == "#1a1a1a"
    assert root.find(f"{SVG}rect").get("fill") == "#ffffff"
    assert "color" not in ET.fromstring(svg(OURS)).attrib
