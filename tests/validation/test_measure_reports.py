import copy

import pytest

from fhirpkg.definitions.definitions import Definitions
from fhirpkg.issues import Severity
from fhirpkg.validation.run import Settings
from fhirpkg.validation.validator import Validator

URL = "http://example.org/Measure/m"
SCORING = "http://terminology.hl7.org/CodeSystem/measure-scoring"
POPULATION = "http://terminology.hl7.org/CodeSystem/measure-population"


def coded(code, system=POPULATION):
    return {"code": {"coding": [{"system": system, "code": code}]}}


def measure(scoring="proportion", groups=1):
    criteria = {"criteria": {"language": "text/fhirpath", "expression": "true"}}
    group = {
        "population": [
            {**coded(code), **criteria}
            for code in ("numerator", "denominator", "measure-observation")
        ],
        "stratifier": [{"code": {"text": "sex"}, **criteria}],
    }
    groups = [{**coded(f"g{n}", "http://example.org/s"), **group} for n in range(groups)]
    return {
        "resourceType": "Measure",
        "url": URL,
        "status": "active",
        "scoring": {"coding": [{"system": SCORING, "code": scoring}]},
        "group": groups,
    }


def group(code="g0", **more):
    return {
        **coded(code, "http://example.org/s"),
        "population": [{**coded("numerator"), "count": 1}, {**coded("denominator"), "count": 2}],
        "measureScore": {"value": 0.5},
        "stratifier": [{"code": [{"text": "sex"}]}],
        **more,
    }


def found(groups, by=None, **more):
    report = {
        "resourceType": "MeasureReport",
        "status": "complete",
        "type": "summary",
        "measure": URL,
        "period": {"start": "2020"},
        "group": copy.deepcopy(groups),
        **more,
    }
    definitions = Definitions.core().with_resources([by or measure()])
    outcome = Validator(definitions=definitions).validate(report)
    return [
        (i.rule, i.expression.removeprefix("MeasureReport").removeprefix("."))
        for i in outcome.issues
        if i.rule.startswith(("measure-", "not-checked-measure"))
    ]


def test_a_report_of_all_parts_of_its_measure_is_right():
    assert found([group()]) == []
    assert found([group("g1"), group("g0")], measure(groups=2)) == []


def test_one_group_needs_no_code_but_has_no_other():
    bare = group()
    del bare["code"]
    assert found([bare]) == []
    assert found([group("x")]) == [("measure-report-part", "group[0]")]
    assert found([group(code={"text": "g0"})]) == [("measure-report-part", "group[0]")]


@pytest.mark.parametrize(
    "groups, rules",
    [
        ([group()], [("measure-report-missing", "")]),
        ([group(), group("g1"), group()], [("measure-report-part", "group[2]")]),
        ([group(), group("g1"), group("x")], [("measure-report-part", "group[2]")]),
    ],
)
def test_each_group_of_the_measure_is_there_once(groups, rules):
    assert found(groups, measure(groups=2)) == rules


@pytest.mark.parametrize(
    "codes, rules",
    [
        (["numerator"], [("measure-report-missing", "group[0]")]),
        (["numerator", "denominator", "measure-observation"], []),
        (["numerator", "denominator", "x"], [("measure-report-part", "group[0].population[2]")]),
        (
            ["numerator", "denominator", "numerator"],
            [("measure-report-part", "group[0].population[2]")],
        ),
    ],
)
def test_populations_are_those_of_the_measure(codes, rules):
    assert found([group(population=[coded(code) for code in codes])]) == rules


def test_a_population_of_an_id_of_the_measure_has_no_other_code():
    by = measure()
    by["group"][0]["population"][0]["id"] = "n"
    populations = [{**coded("numerator"), "id": "n"}, coded("denominator")]
    assert found([group(population=populations)], by) == []
    populations = [{**coded("denominator"), "id": "n"}, coded("numerator")]
    assert found([group(population=populations)], by)[0] == (
        "measure-report-part", "group[0].population[0]"
    )  # fmt: skip


def test_stratifiers_are_those_of_the_measure():
    assert found([group(stratifier=[])]) == [("measure-report-missing", "group[0]")]
    other = group(stratifier=[{"code": [{"text": "age"}]}])
    assert ("measure-report-part", "group[0].stratifier[0]") in found([other])


@pytest.mark.parametrize(
    "scoring, score, place",
    [
        ("proportion", {"value": 1}, None),
        ("proportion", {"value": 1.5}, "group[0].measureScore.value"),
        ("proportion", {"value": 1, "unit": "x"}, "group[0].measureScore"),
        ("proportion", {"unit": "x"}, "group[0].measureScore"),
        ("proportion", None, "group[0]"),
        ("cohort", {"value": 25}, None),
        ("cohort", {"value": -1}, "group[0].measureScore.value"),
        ("ratio", {"value": 25, "unit": "x"}, None),
        ("ratio", {"unit": "x"}, "group[0].measureScore"),
        ("composite", None, None),
    ],
)
def test_a_score_is_what_the_scoring_gives(scoring, score, place):
    made = group(measureScore=score)
    if score is None:
        del made["measureScore"]
    assert {at for _, at in found([made], measure(scoring))} == ({place} if place else set())


@pytest.mark.parametrize("scoring, is_error", [("cohort", False), ("proportion", True)])
@pytest.mark.parametrize("strict", [False, True])
def test_a_cohort_without_score_is_a_warning_unless_all_is_strict(scoring, is_error, strict):
    definitions = Definitions.core().with_resources([measure(scoring)])
    made = group()
    del made["measureScore"]
    report = {
        "resourceType": "MeasureReport", "status": "complete", "type": "summary", "measure": URL,
        "period": {"start": "2020"}, "group": [made],
    }  # fmt: skip
    outcome = Validator(definitions=definitions, settings=Settings(strict=strict)).validate(report)
    found = {issue.rule: issue.severity for issue in outcome.issues}
    wanted = Severity.ERROR if strict or is_error else Severity.WARNING
    assert found["measure-report-score"] is wanted


def test_a_data_collection_has_no_score():
    wanted = [("measure-report-score", "group[0].measureScore")]
    assert found([group()], type="data-collection") == wanted


def test_only_a_subject_list_lists_subjects():
    listed = [{**each, "subjectResults": {"reference": "List/1"}} for each in group()["population"]]
    places = [("measure-report-subjects", f"group[0].population[{n}]") for n in (0, 1)]
    assert found([group(population=listed)]) == places
    assert found([group(population=listed)], type="subject-list") == []


@pytest.mark.parametrize(
    "count, listed, is_right",
    [(2, "#l", True), (1, "#l", False), (5, "List/elsewhere", True), (0, "", True), (1, "", False)],
)
def test_a_population_counts_the_subjects_of_its_list(count, listed, is_right):
    subjects = {"subjectResults": {"reference": listed}} if listed else {}
    populations = [
        {**coded("numerator"), "count": count, **subjects},
        {**coded("denominator"), "count": 0},
    ]
    entries = [{"item": {"display": "x"}}] * 2
    inner = {"resourceType": "List", "id": "l", "status": "current", "entry": entries}
    expected = [] if is_right else [("measure-report-count", "group[0].population[0]")]
    made = found([group(population=populations)], type="subject-list", contained=[inner])
    assert made == expected


def test_a_group_may_have_a_scoring_of_its_own():
    by = measure()
    value = {"coding": [{"system": SCORING, "code": "ratio"}]}
    url = "http://hl7.org/fhir/uv/cqm/StructureDefinition/cqm-scoring"
    by["group"][0]["extension"] = [{"url": url, "valueCodeableConcept": value}]
    assert found([group(measureScore={"value": 5})], by) == []


def test_a_measure_that_is_not_at_hand_is_told():
    other = "http://example.org/Measure/other"
    assert found([group()], measure=other) == [("not-checked-measure", "measure")]


def linked():
    """A Measure as R5 has them, whose parts are known by their linkId."""
    criteria = {"criteria": {"language": "text/fhirpath", "expression": "true"}}
    parts = [
        {"linkId": "n", **coded("numerator"), **criteria},
        {"linkId": "n2", **coded("numerator"), **criteria},
    ]
    stratifier = [{"linkId": "s", **criteria}]
    return measure(groups=0) | {
        "group": [{"linkId": "g", "population": parts, "stratifier": stratifier}]
    }


@pytest.mark.parametrize(
    "more, told",
    [
        ({}, []),
        ({"linkId": "h"}, [("part", "group[0]"), ("missing", "")]),
        (
            {"population": [{"linkId": "n", "count": 1}, {"linkId": "m", "count": 1}]},
            [("part", "group[0].population[1]"), ("missing", "group[0]")],
        ),
        (
            {"population": [{"linkId": "n", "count": 1}, {"linkId": "n", "count": 1}]},
            [("part", "group[0].population[1]"), ("missing", "group[0]")],
        ),
        ({"stratifier": [{"linkId": "t"}]},
         [("part", "group[0].stratifier[0]"), ("missing", "group[0]")]),
        ({"measureScoreQuantity": {"value": 2}},
         [("score", "group[0].measureScoreQuantity.value")]),
        ({"measureScoreQuantity": None, "measureScoreRange": {"low": {"value": 0}}}, []),
        ({"measureScoreQuantity": None}, [("score", "group[0]")]),
    ],
)  # fmt: skip
def test_parts_of_r5_are_known_by_their_link_and_a_score_is_a_choice(more, told):
    whole = {
        "linkId": "g",
        "population": [{"linkId": "n2", "count": 1}, {"linkId": "n", "count": 1}],
        "stratifier": [{"linkId": "s"}],
        "measureScoreQuantity": {"value": 0.5},
        **more,
    }
    group_ = {key: value for key, value in whole.items() if value is not None}
    expected = [(f"measure-report-{rule}", place) for rule, place in told]
    assert sorted(found([group_], linked())) == sorted(expected)
