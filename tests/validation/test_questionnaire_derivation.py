"""Questionnaires derived from others."""

import pytest

from fhirpkg import rules
from fhirpkg.definitions.definitions import Definitions
from fhirpkg.definitions.terminology.valuesets import Terminology
from fhirpkg.validation.questionnaires.derivation import check_derivation
from fhirpkg.validation.run import Run

CORE = Definitions.core()
URL = "http://example.org/Questionnaire/base"
GENDER = "http://hl7.org/fhir/ValueSet/administrative-gender"
CODE = {"system": "http://x.org", "code": "a", "display": "A"}


def item(link, kind="string", **more):
    return {"linkId": link, "type": kind, **more}


def options(*values):
    return [{f"value{key}": value} for key, value in values]


BASE = [
    item("s", maxLength=10, required=True),
    item("i", "integer"),
    item("c", "choice", answerOption=options(("Coding", CODE), ("Integer", 1), ("String", "x"))),
    item("r", "choice", answerOption=options(("Reference", {"reference": "Patient/1"}))),
    item("v", "choice", answerValueSet=GENDER),
    item("g", "group", repeats=True, item=[item("x", repeats=True)]),
]


def derivation(code, system="http://hl7.org/fhir/questionnaire-derivationType"):
    url = "http://hl7.org/fhir/StructureDefinition/questionnaire-derivationType"
    return {"extension": [{"url": url, "valueCoding": {"system": system, "code": code}}]}


def check(items, how="compliesWith", **more):
    base = {"resourceType": "Questionnaire", "url": URL, "item": BASE}
    made = {"resourceType": "Questionnaire", "derivedFrom": [URL], "item": items}
    made |= {"_derivedFrom": [derivation(how)]} if how else {}
    made |= more
    definitions = CORE.with_resources([base])
    run = Run(made, definitions, Terminology(definitions))
    check_derivation(made, (), run)
    assert all(rules.issue(f.rule, **f.found).text for f in run.findings)
    return [(f.rule.id, "/".join(map(str, f.path)), f.found.get("problem")) for f in run.findings]


def test_an_item_may_be_narrower_than_the_one_it_is_derived_from():
    items = [
        item("s", maxLength=5, required=True),
        item("s", maxLength=10),
        item("c", "choice", answerOption=options(("Coding", CODE | {"display": "B"}))),
        item("c", "choice", answerOption=options(("Integer", 1), ("String", "x"))),
        item("r", "choice", answerOption=options(("Reference", {"reference": "Patient/1"}))),
        item("v", "choice", answerValueSet="http://example.org/vs"),
        item("g", "group", item=[item("x", repeats=True)]),
    ]
    assert check(items) == []


@pytest.mark.parametrize(
    "changed, place, problem",
    [
        (item("i", "decimal"), "item/0/type", "is of type integer there"),
        (item("i", "integer", repeats=True), "item/0/repeats", "does not repeat there"),
        (item("s", maxLength=9, required=False), "item/0/required", "is required there"),
        (item("s", maxLength=11), "item/0/maxLength", "has at most 10 characters there"),
        (item("s"), "item/0", "has at most 10 characters there"),
        (item("c", "choice"), "item/0", "has options there, which are missing here"),
        (
            item("c", "choice", answerValueSet=GENDER),
            "item/0/answerValueSet",
            "has options there, not a value set",
        ),
        (
            item("v", "choice", answerOption=options(("String", "x"))),
            "item/0/answerOption",
            "has a value set there, not options",
        ),
        (item("new"), "item/0", "is not there"),
    ],
)
def test_an_item_that_is_wider_is_told(changed, place, problem):
    assert check([changed]) == [("questionnaire-derived", place, problem)]


@pytest.mark.parametrize(
    "option",
    [("Coding", CODE | {"code": "b"}), ("Integer", 2), ("String", "y"), ("Date", "2020")],
)
def test_an_option_that_is_new_is_told(option):
    items = [item("c", "choice", answerOption=options(("Integer", 1), option))]
    problem = "does not have this option there"
    assert check(items) == [("questionnaire-derived", "item/0/answerOption/1", problem)]


def test_items_inside_groups_are_compared_as_well():
    (found,) = check([item("g", "group", item=[item("x", "integer")])])
    assert found[:2] == ("questionnaire-derived", "item/0/item/0/type")


@pytest.mark.parametrize("how, count", [("compliesWith", 1), ("extends", 0), ("inspiredBy", 0)])
def test_what_extends_another_may_have_items_of_its_own(how, count):
    assert len(check([item("new")], how)) == count


def test_what_is_only_inspired_by_another_may_differ():
    assert check([item("i", "decimal")], "inspiredBy") == []


@pytest.mark.parametrize(
    "changes, problem",
    [
        ({"derivedFrom": ["http://example.org/none"]}, "it is not loaded"),
        ({"_derivedFrom": [None]}, "the kind of derivation is not stated"),
        ({"_derivedFrom": [derivation("nonsense")]}, "the kind of derivation is not stated"),
        (
            {"_derivedFrom": [derivation("extends", "http://x.org")]},
            "the kind of derivation is not stated",
        ),
    ],
)
def test_what_cannot_be_compared_is_said(changes, problem):
    found = check([item("i", "decimal")], **changes)
    assert found == [("not-checked-derivation", "derivedFrom/0", problem)]


@pytest.mark.parametrize("bad", [{"derivedFrom": "x"}, {"derivedFrom": [5]}, {"item": [5]}])
def test_content_of_the_wrong_shape_is_left_to_the_structure(bad):
    assert check([item("i", "integer")], **bad) == []
