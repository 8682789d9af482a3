"""Limits that the items of a Questionnaire set."""

import pytest

from fhirpkg import rules
from fhirpkg.definitions.definitions import Definitions
from fhirpkg.definitions.terminology.valuesets import Terminology
from fhirpkg.validation.questionnaires.questionnaires import check_questionnaire
from fhirpkg.validation.run import Run

CORE = Definitions.core()
STRUCTURE = "http://hl7.org/fhir/StructureDefinition"
SDC = "http://hl7.org/fhir/uv/sdc/StructureDefinition/sdc-questionnaire"


def limit(name, **value):
    base = SDC if name.endswith("Quantity") else STRUCTURE
    joint = "-" if base == SDC else "/"
    return {"url": f"{base}{joint}{name}", **value}


def check(kind, *limits, **more):
    made = {"resourceType": "Questionnaire"}
    made["item"] = [{"linkId": "a", "type": kind, "extension": list(limits), **more}]
    run = Run(made, CORE, Terminology(CORE))
    check_questionnaire(made, (), run)
    assert all(rules.issue(f.rule, **f.found).text for f in run.findings)
    assert {(f.rule.id, f.path) for f in run.findings} <= {("questionnaire-limit", ("item", 0))}
    return [f.found["problem"] for f in run.findings]


@pytest.mark.parametrize(
    "kind, name, value",
    [
        ("integer", "minValue", {"valueInteger": 1}),
        ("date", "maxValue", {"valueDate": "2020"}),
        ("text", "minLength", {"valueInteger": 1}),
        ("decimal", "maxDecimalPlaces", {"valueInteger": 1}),
        ("attachment", "mimeType", {"valueCode": "text/plain"}),
        ("quantity", "minQuantity", {"valueQuantity": {"value": 1}}),
    ],
)
def test_a_limit_is_set_where_it_applies(kind, name, value):
    assert check(kind, limit(name, **value)) == []
    assert check("boolean", limit(name, **value)) == [
        f"{_shown(name)} limits no answer of type boolean"
    ]


def _shown(name):
    return f"sdc-questionnaire-{name}" if name.endswith("Quantity") else name


@pytest.mark.parametrize(
    "kind, least, most, count",
    [
        ("integer", ("minValue", {"valueInteger": 5}), ("maxValue", {"valueInteger": 3}), 1),
        ("integer", ("minValue", {"valueInteger": 3}), ("maxValue", {"valueInteger": 3}), 0),
        ("date", ("minValue", {"valueDate": "2021"}), ("maxValue", {"valueDate": "2020-05"}), 1),
        (
            "quantity",
            ("minQuantity", {"valueQuantity": {"value": 50, "code": "km"}}),
            ("maxQuantity", {"valueQuantity": {"value": 5000, "code": "m"}}),
            1,
        ),
        (
            "string",
            ("questionnaire-minOccurs", {"valueInteger": 3}),
            ("questionnaire-maxOccurs", {"valueInteger": 2}),
            1,
        ),
    ],
)
def test_the_least_is_not_above_the_most(kind, least, most, count):
    found = check(kind, limit(least[0], **least[1]), limit(most[0], **most[1]))
    assert len(found) == count
    assert all("is above" in problem for problem in found)


def test_a_text_may_be_as_long_as_it_must_be():
    shortest = limit("minLength", valueInteger=4)
    assert check("string", shortest, maxLength=4) == []
    assert check("string", shortest, maxLength=3) == ["the least, 4, is above the most, 3"]


@pytest.mark.parametrize("pattern, count", [("[a-z]+", 0), ("[a-z", 1)])
def test_a_pattern_is_a_regular_expression(pattern, count):
    assert len(check("string", limit("regex", valueString=pattern))) == count
