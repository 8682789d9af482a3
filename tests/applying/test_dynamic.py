"""dynamicValue: where a value goes, and what it becomes there."""

from decimal import Decimal

import pytest

from fhirpkg.applying.fitting import fit, type_of
from fhirpkg.applying.paths import set_path
from fhirpkg.cql.evaluating.values import Code, Concept
from fhirpkg.definitions.definitions import Definitions
from fhirpkg.errors import DefinitionError

TYPES = Definitions.core().types

PLACES = [
    ("Task", {}, "description", ["x"], {"description": "x"}),
    ("Task", {}, "input[1].valueString", ["x"], {"input": [{}, {"valueString": "x"}]}),
    ("Task", {}, "input[0].type", ["c"], {"input": [{"type": {"coding": [{"code": "c"}]}}]}),
    ("Task", {"code": {"text": "a"}}, "code.text", ["b"], {"code": {"text": "b"}}),
    (
        "ServiceRequest",
        {},
        "code",
        [{"system": "s", "code": "c"}],
        {"code": {"coding": [{"system": "s", "code": "c"}]}},
    ),
    ("ServiceRequest", {}, "note.text", ["x"], {"note": [{"text": "x"}]}),
    (
        "ServiceRequest",
        {"bodySite": [{"text": "a"}]},
        "bodySite[1]",
        [{"text": "b"}],
        {"bodySite": [{"text": "a"}, {"text": "b"}]},
    ),
    (
        "ServiceRequest",
        {},
        "bodySite",
        [{"text": "a"}, {"text": "b"}],
        {"bodySite": [{"text": "a"}, {"text": "b"}]},
    ),
    ("ServiceRequest", {}, "occurrence", ["2026-01-01"], {"occurrenceDateTime": "2026-01-01"}),
    (
        "ServiceRequest",
        {},
        "quantity",
        [{"value": 1, "unit": "mg"}],
        {"quantityQuantity": {"value": 1, "unit": "mg"}},
    ),
    (
        "ServiceRequest",
        {"occurrencePeriod": {}},
        "occurrenceDateTime",
        ["2026"],
        {"occurrenceDateTime": "2026"},
    ),
    (
        "ServiceRequest",
        {},
        "requester",
        ["Practitioner/d"],
        {"requester": {"reference": "Practitioner/d"}},
    ),
    (
        "CommunicationRequest",
        {},
        "payload[0].content.ofType(string)",
        ["x"],
        {"payload": [{"contentString": "x"}]},
    ),
    (
        "CommunicationRequest",
        {},
        "payload[0].content[x]",
        ["x"],
        {"payload": [{"contentString": "x"}]},
    ),
    (
        "Task",
        {},
        "extension('http://e.org/a').valueString",
        ["x"],
        {"extension": [{"url": "http://e.org/a", "valueString": "x"}]},
    ),
    (
        "Task",
        {"extension": [{"url": "b"}, {"url": "a", "valueString": "1"}]},
        'extension("a")[1].value',
        [True],
        {
            "extension": [
                {"url": "b"},
                {"url": "a", "valueString": "1"},
                {"url": "a", "valueBoolean": True},
            ]
        },
    ),
    (
        "Task",
        {"for": {"reference": "Patient/x"}},
        "for.extension('a').extension('b').valueCode",
        ["c"],
        {
            "for": {
                "reference": "Patient/x",
                "extension": [{"url": "a", "extension": [{"url": "b", "valueCode": "c"}]}],
            }
        },
    ),
    (
        "RequestGroup.action",
        {},
        "timingDuration.value",
        [Decimal(2)],
        {"timingDuration": {"value": Decimal(2)}},
    ),
]


@pytest.mark.parametrize("type_name, before, path, values, after", PLACES)
def test_a_value_is_put_where_the_path_says(type_name, before, path, values, after):
    target = dict(before)
    set_path(target, type_name, path, values, TYPES)
    assert target == after


def test_what_is_on_the_way_is_copied_not_changed():
    shared = {"coding": [{"code": "a"}]}
    target = {"code": shared}
    set_path(target, "Task", "code.coding[0].code", ["b"], TYPES)
    assert target == {"code": {"coding": [{"code": "b"}]}}
    assert shared == {"coding": [{"code": "a"}]}


@pytest.mark.parametrize(
    "path, words",
    [
        ("nonsense", "has no element 'nonsense'"),
        ("descripton", "did you mean 'description'"),
        ("input.where(a = 1)", "not a simple path"),
    ],
)
def test_a_path_that_the_type_does_not_have_is_an_error(path, words):
    with pytest.raises(DefinitionError, match=words):
        set_path({}, "Task", path, ["x"], TYPES)


GUESSES = [
    ({"system": "s", "code": "c"}, "valueCoding"),
    (Code("a", "s"), "valueCoding"),
    (Concept((Code("a", "s"),)), "valueCodeableConcept"),
    ({"value": Decimal(1), "unit": "mg"}, "valueQuantity"),
    ({"system": "s", "value": "1"}, "valueIdentifier"),
    ({"system": "phone", "value": "1", "rank": 1}, "valueContactPoint"),
    ({"family": "Doe"}, "valueHumanName"),
    ({"reference": "Patient/x"}, "valueReference"),
    ({"start": "2026"}, "valuePeriod"),
    ({"low": {"value": 1}}, "valueRange"),
    ({"numerator": {"value": 1}}, "valueRatio"),
    ("2026-01-02", "valueDate"),
    ("2026-01", "valueDateTime"),
    ("2026-01-02T10:00:00Z", "valueDateTime"),
    ("2026 was a year", "valueString"),
    (True, "valueBoolean"),
    (5, "valueInteger"),
    (Decimal("1.5"), "valueDecimal"),
]


@pytest.mark.parametrize("value, key", GUESSES, ids=str)
def test_a_choice_gets_the_type_that_its_value_shows(value, key):
    target = {}
    set_path(target, "Task", "input[0].value", [value], TYPES)
    assert list(target["input"][0]) == [key]


CONCEPT = Concept((Code("10828004", "http://snomed.info/sct", "Positive"),))
FITS = [
    (CONCEPT, "string", "Positive (http://snomed.info/sct 10828004)"),
    (CONCEPT, "code", "10828004"),
    (CONCEPT, "CodeableConcept", CONCEPT.as_json()),
    (Code("a", "s"), "Coding", {"system": "s", "code": "a"}),
    ({"value": 5, "unit": "mg"}, "string", "5 mg"),
    ({"resourceType": "Patient", "id": "x"}, "Reference", {"reference": "Patient/x"}),
    (Decimal("1.50"), "decimal", Decimal("1.50")),
    (True, "boolean", True),
    (5, "string", "5"),
    (True, "string", "true"),
    (Decimal("1.50"), "markdown", "1.50"),
]


@pytest.mark.parametrize("value, type_name, wanted", FITS)
def test_a_value_becomes_what_the_element_takes(value, type_name, wanted):
    assert fit(value, type_name, TYPES) == wanted


@pytest.mark.parametrize(
    "value, wanted",
    [
        ({"system": "urn:x", "value": "1"}, "Identifier"),
        ({"system": "urn:x", "value": 1}, "Quantity"),
        ({"system": "urn:x"}, "Quantity"),
        ({"type": {"text": "a"}}, "Identifier"),
    ],
)
def test_an_object_is_of_the_type_that_has_all_its_elements(value, wanted):
    assert type_of(value, ("Identifier", "Quantity"), TYPES) == wanted
