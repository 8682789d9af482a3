import base64

import pytest

from fhirpkg.definitions.definitions import Definitions
from fhirpkg.validation.run import Settings
from fhirpkg.validation.validator import Validator

URL = "http://example.org/Library/l"
CQL = (
    'library L\ndefine "Ages Up": true\ndefine public Init: true\ndefine function Old(x Integer): x'
)
XML = (
    '<library xmlns="urn:hl7-org:elm:r1"><statements><def xsi:type="x" name="Ages Up"/>'
    "<def name='Init'/><def\n name=\"Old\"/></statements></library>"
)
JSON = (
    '{"library": {"statements": {"def": [{"name": "Ages Up"}, {"name": "Init"}, {"name": "Old"}]}}}'
)


def library(kind="text/cql", text=CQL, **more):
    data = base64.b64encode(text.encode()).decode()
    content = [{"contentType": kind, "data": data}]
    return {"resourceType": "Library", "url": URL, "name": "L", "content": content, **more}


def measure(expression, language="text/cql", part="stratifier", libraries=(URL,)):
    criteria = {"criteria": {"language": language, "expression": expression}}
    made = {"resourceType": "Measure", "status": "draft", "library": list(libraries)}
    if part == "supplementalData":
        return made | {part: [criteria]}
    if part == "component":
        return made | {"group": [{"stratifier": [{"component": [criteria]}]}]}
    return made | {"group": [{part: [criteria]}]}


def found(made, *libraries, strict=True):
    definitions = Definitions.core().with_resources(libraries)
    outcome = Validator(definitions=definitions, settings=Settings(strict=strict)).validate(made)
    return [
        (issue.rule.removeprefix("measure-"), str(issue.severity), issue.expression)
        for issue in outcome.issues
        if issue.rule.startswith("measure-")
    ]


PLACE = "Measure.group[0].stratifier[0].criteria"


@pytest.mark.parametrize(
    "kind, text",
    [("text/cql", CQL), ("application/elm+xml", XML), ("application/elm+json", JSON)],
)
@pytest.mark.parametrize(
    "expression, is_right",
    [("L.Init", True), ("Init", True), ('L."Ages Up"', True), ("L.Old", True), ("L.Foo", False),
     ("Foo", False), ("M.Init", False)],
)  # fmt: skip
def test_criteria_name_what_the_library_defines(kind, text, expression, is_right):
    expected = [] if is_right else [("criteria", "error", PLACE)]
    assert found(measure(expression), library(kind, text)) == expected


@pytest.mark.parametrize(
    "part, severity, place",
    [
        ("population", "warning", "Measure.group[0].population[0].criteria"),
        ("component", "error", "Measure.group[0].stratifier[0].component[0].criteria"),
        ("supplementalData", "error", "Measure.supplementalData[0].criteria"),
    ],
)
def test_of_populations_one_is_warned_only_unless_one_is_strict(part, severity, place):
    made = measure("L.Foo", part=part)
    assert found(made, library(), strict=False) == [("criteria", severity, place)]
    assert found(made, library()) == [("criteria", "error", place)]


@pytest.mark.parametrize("strict, severity", [(True, "error"), (False, "warning")])
def test_there_is_a_library_where_there_is_cql(strict, severity):
    wanted = [("library", severity, PLACE)]
    assert found(measure("L.Init", libraries=[]), library(), strict=strict) == wanted
    assert found(measure("L.Init", libraries=[f"{URL}x"]), library(), strict=strict) == wanted


@pytest.mark.parametrize(
    "expression, language",
    [
        ("Patient.gender", "text/fhirpath"),
        ("Foo", "text/cql-expression"),
        ("exists [Encounter]", "text/cql"),
        ("", "text/cql"),
    ],
)
def test_only_names_in_cql_are_looked_for(expression, language):
    assert found(measure(expression, language), library()) == []


def test_of_two_libraries_the_name_tells_which():
    other = f"{URL}2"
    both = library(), library(url=other, name="M", text="define Other: 1")
    assert found(measure("M.Other", libraries=(URL, other)), *both) == []
    assert found(measure("Init", libraries=(URL, other)), *both) == [("criteria", "error", PLACE)]


@pytest.mark.parametrize(
    "content",
    [[], [{"contentType": "text/cql", "url": "http://example.org/x"}], [{"contentType": "a/b"}],
     [{"contentType": "text/cql", "data": "%%%"}], "x"],
)  # fmt: skip
def test_a_library_whose_text_is_not_at_hand_may_define_anything(content):
    assert found(measure("L.Foo"), library(content=content)) == []


def test_elm_that_is_none_defines_nothing():
    assert found(measure("Init"), library("application/elm+json", "[]"))
    assert found(measure("Init"), library("application/elm+xml", "<x/>"))
