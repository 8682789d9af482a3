"""dynamicValue: where a value goes, and what it becomes there."""

from decimal import Decimal

import pytest

from fhirpkg.applying.dynamic import fit, set_path
from fhirpkg.applying.elm.values import Code, Concept
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
]


@pytest.mark.parametrize("value, type_name, wanted", FITS)
def test_a_value_becomes_what_the_element_takes(value, type_name, wanted):
    assert fit(value, type_name, TYPES) == wanted
