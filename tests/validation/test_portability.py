"""What HAPI drops, cannot compile or evaluates differently; only when it is asked for."""

import pathlib

import pytest

from fhirpkg.corpus.ignoring import read_ignore_file
from fhirpkg.validation.content.portability import not_portable
from fhirpkg.validation.run import Settings
from fhirpkg.validation.validator import Validator

RESOURCES = pathlib.Path(__file__).parents[2] / "resources"
PLAN = {"resourceType": "PlanDefinition", "status": "draft"}


@pytest.fixture(scope="module")
def check():
    asked = Validator(settings=Settings(portability=True))

    def found(resource, by=asked):
        issues = by.validate(resource).issues
        return [
            (i.rule.removeprefix("portability-"), i.expression, i.text)
            for i in issues
            if i.rule.startswith("portability-")
        ]

    return found


def expression(text, language="text/fhirpath", **more):
    found = {"language": language, "expression": text} | more
    return {"condition": [{"kind": "applicability", "expression": found}]}


DROPPED = {
    "prefix": "1.",
    "goalId": ["g"],
    "groupingBehavior": "logical-group",
    "requiredBehavior": "could",
    "precheckBehavior": "yes",
    "cardinalityBehavior": "single",
    "participant": [{"type": "patient"}],
    "reason": [{"text": "x"}],
}


def test_nothing_is_told_unless_it_is_asked_for(check):
    assert check(PLAN | {"action": [DROPPED]}, by=Validator()) == []


@pytest.mark.parametrize("element", DROPPED)
def test_what_is_lost_of_an_action_is_told_once_with_how_often(check, element):
    action = {element: DROPPED[element]}
    plan = PLAN | {"goal": [{"id": "g", "description": {"text": "x"}}]}
    ((rule, place, text),) = check(plan | {"action": [{"action": [action]}, action]})
    assert rule == "dropped"
    assert place.startswith(f"PlanDefinition.action[0].action[0].{element}")
    assert f"'{element}'" in text
    assert "2 time(s)" in text


def test_codes_after_the_first_and_parts_of_goals_are_lost(check):
    goal = {"description": {"text": "x"}, "addresses": [{"text": "y"}]}
    plan = PLAN | {"goal": [goal], "action": [{"code": [{"text": "a"}, {"text": "b"}]}]}
    places = {place for _, place, _ in check(plan)}
    assert places == {"PlanDefinition.action[0].code[1]", "PlanDefinition.goal[0].addresses"}


def test_what_survives_is_not_told(check):
    kept = {"title": "x", "priority": "stat", "selectionBehavior": "any", "code": [{"text": "a"}]}
    assert check(PLAN | {"action": [kept]}) == []


def test_what_is_lost_of_an_activity_is_told(check):
    activity = {
        "resourceType": "ActivityDefinition",
        "status": "draft",
        "kind": "ServiceRequest",
        "priority": "stat",
        "quantity": {"value": 1},
        "timingTiming": {"repeat": {"count": 1}},
    }
    places = [place for _, place, _ in check(activity)]
    assert places == [
        "ActivityDefinition.priority",
        "ActivityDefinition.quantity",
        "ActivityDefinition.timing.ofType(Timing)",
    ]
    supplied = check(activity | {"kind": "SupplyRequest"})
    assert "ActivityDefinition.quantity" not in [place for _, place, _ in supplied]


NOT_PORTABLE = [
    ("gender = 'female'", "no focus"),
    ("%patient.gender", "%patient is not known"),
    ("iif(true, 1, 2) = 1", "iif()"),
    ("%subject.name.given | %subject.name.family", "union"),
    ("%subject.name.given.join(',') = 'a'", "join()"),
    ("%subject.extension('x').exists()", "extension()"),
    ("%subject.gender.exists()", "exists() of a single value"),
    ("%subject.name.family.upper() = 'A'", "upper()"),
    ("%context.ofType(PlanDefinition).id = 'x'", "ofType(PlanDefinition)"),
]


@pytest.mark.parametrize("text, words", NOT_PORTABLE)
def test_an_expression_that_means_something_else_is_told(check, text, words):
    found = check(PLAN | {"action": [expression(text)]})
    assert any(rule == "fhirpath" and words in told for rule, _, told in found)


PORTABLE = [
    "%subject.gender = 'female'",
    "%subject.name.where(use = 'official').exists()",
    "%subject.name.exists(family = 'A')",
    "%subject.name[0].given.first() = 'A' and %subject.active.not()",
    "%subject.name.count() > 1 or %encounter.status.startsWith('fin')",
    "%context.title.length() > 3",
    "%subject.name.all(given contains 'A')",
    "1 +",
]


@pytest.mark.parametrize("text", PORTABLE)
def test_the_portable_subset_is_let_pass(text):
    assert not_portable(text) == []


def test_many_fhirpath_expressions_are_slow_there(check):
    plan = PLAN | {"action": [expression("%subject.active")] * 4}
    assert [rule for rule, *_ in check(plan)] == ["speed"]
    assert check(PLAN | {"action": [expression("%subject.active")] * 3}) == []


LIBRARY = {"library": ["http://example.org/Library/l"]}
CQL = [
    ("exists [Condition]", "text/cql", LIBRARY, {}, ["inline-cql"]),
    ("Is eligible", "text/cql", LIBRARY, {}, []),
    ("Is eligible", "text/cql-identifier", {}, {}, ["no-library"]),
    ("Is eligible", "text/cql-identifier", {}, {"reference": "http://example.org/L"}, []),
    ("exists [Condition]", "text/cql-expression", LIBRARY, {}, []),
]


@pytest.mark.parametrize("text, language, definition, more, rules", CQL)
def test_cql_is_checked_for_what_hapi_makes_of_it(check, text, language, definition, more, rules):
    plan = PLAN | definition | {"action": [expression(text, language, **more)]}
    assert [rule for rule, *_ in check(plan)] == rules


def test_a_library_with_elm_alone_is_told(check):
    content = [{"contentType": "application/elm+json", "data": "e30="}]
    kind = {"coding": [{"code": "logic-library"}]}
    library = {"resourceType": "Library", "status": "draft", "type": kind, "content": content}
    assert [rule for rule, *_ in check(library)] == ["no-cql"]
    both = [*content, {"contentType": "text/cql", "data": "eA=="}]
    assert check(library | {"content": both}) == []


def test_a_value_set_with_an_expansion_alone_is_told(check):
    value_set = {"resourceType": "ValueSet", "status": "draft"}
    expansion = {"timestamp": "2026-01-01", "contains": [{"system": "http://s", "code": "c"}]}
    assert [rule for rule, *_ in check(value_set | {"expansion": expansion})] == ["value-set"]


def test_the_second_hook_of_a_plan_is_told(check):
    trigger = {"type": "named-event", "name": "patient-view"}
    other = {"type": "named-event", "name": "order-sign"}
    plan = PLAN | {"action": [{"trigger": [trigger]}, {"trigger": [trigger, other]}]}
    ((rule, place, text),) = check(plan)
    assert (rule, place) == ("hooks", "PlanDefinition.action[1].trigger[1].name")
    assert "'order-sign' is lost" in text


def test_what_a_dynamic_value_says_too_is_not_lost(check):
    activity = {
        "resourceType": "ActivityDefinition",
        "status": "draft",
        "kind": "ServiceRequest",
        "participant": [{"type": "practitioner", "role": {"text": "x"}}],
        "timingTiming": {"repeat": {"frequency": 1, "period": 1, "periodUnit": "d"}},
    }
    lost = [text for rule, _, text in check(activity) if rule == "dropped"]
    assert [("'timing'" in text, "'participant'" in text) for text in lost] == [
        (False, True),
        (True, False),
    ]
    said = [
        {"path": path, "expression": {"language": "text/fhirpath", "expression": value}}
        for path, value in (
            ("occurrence", "%context.timing"),
            ("performerType", "%context.participant.select(role).first()"),
        )
    ]
    assert check(activity | {"dynamicValue": said}) == []


def test_what_is_not_portable_in_our_content_is_argued_in_one_file():
    """Nothing else is found, and nothing that is argued there is found no longer."""
    argued = read_ignore_file(RESOURCES / "portability.toml")
    asked = Validator(settings=Settings(portability=True))
    left = []
    for file in sorted(RESOURCES.glob("*/fhir/*.json")):
        found = asked.validate(file)
        left += [str(issue) for issue in argued.apply(found).issues if "portability" in issue.rule]
    assert left == []
    assert argued.unused().issues == ()
