"""Faults that nobody can mean, and what definitions state besides: each with its opposite."""

import pytest

from fhirpkg.definitions.definitions import Definitions
from fhirpkg.validation.validator import Validator
from tests.validation.test_kinds_structure import bundled, element, errors, profile

UCUM = "http://unitsofmeasure.org"


def told(resource, *severities, validator=None):
    issues = (validator or Validator()).validate(resource).issues
    return [(i.rule, i.expression) for i in issues if i.severity in severities]


def observation(**more):
    return {"resourceType": "Observation", "status": "final", "code": {"text": "x"}, **more}


def quantity(code):
    return {"value": 5, "unit": "x", "system": UCUM, "code": code}


AGED = [
    ("Condition.onset.ofType(Age)", lambda code: {
        "resourceType": "Condition", "subject": {"display": "x"}, "onsetAge": quantity(code)}),
    ("Patient.extension[0].value.ofType(Duration)", lambda code: {
        "resourceType": "Patient",
        "extension": [{"url": "http://example.org/e", "valueDuration": quantity(code)}]}),
    ("Bundle.entry[0].resource.dispenseRequest.expectedSupplyDuration", lambda code: bundled({
        "resourceType": "MedicationRequest", "status": "active", "intent": "order",
        "medicationCodeableConcept": {"text": "x"}, "subject": {"display": "x"},
        "dispenseRequest": {"expectedSupplyDuration": quantity(code)}})),
]  # fmt: skip


@pytest.mark.parametrize("place, made", AGED, ids=[place for place, _ in AGED])
@pytest.mark.parametrize("code", ["years", "dayz", "{", "mg/"])
def test_a_unit_that_is_none_is_an_error_where_units_are_bound(place, made, code):
    assert ("binding-required", place) in errors(made(code))


@pytest.mark.parametrize("place, made", AGED, ids=[place for place, _ in AGED])
@pytest.mark.parametrize("code", ["a", "wk", "min"])
def test_a_unit_of_time_is_right_there(place, made, code):
    assert errors(made(code)) == []


@pytest.mark.parametrize("strength", ["required", "extensible"])
@pytest.mark.parametrize("code, is_wrong", [("kilos", True), ("kg", False)])
def test_a_profile_binds_units_too(strength, code, is_wrong):
    units = {"resourceType": "ValueSet", "url": "http://acme.test/ValueSet/u", "status": "active",
             "compose": {"include": [{"system": UCUM, "concept": [{"code": "kg"}]}]}}  # fmt: skip
    binding = {"strength": strength, "valueSet": units["url"]}
    own = profile("u", "Observation", element("Observation.value[x]", type=[{"code": "Quantity"}],
                                              binding=binding))  # fmt: skip
    found = errors(observation(valueQuantity=quantity(code)), [units, own], own["url"])
    assert [rule for rule, _ in found] == ["binding-required"] * is_wrong


def test_a_unit_that_nothing_binds_is_only_warned_of():
    assert errors(observation(valueQuantity=quantity("kilos"))) == []
    found = told(observation(valueQuantity=quantity("kilos")), "warning")
    assert ("coding-form", "Observation.value.ofType(Quantity).code") in found


@pytest.mark.parametrize("around", [dict, bundled])
def test_a_modifier_extension_that_is_not_known_is_an_error(around):
    url = "http://somebody.test/StructureDefinition/e"
    modifier = [{"url": url, "valueBoolean": True}]
    found = errors(around(observation(modifierExtension=modifier)))
    assert [rule for rule, _ in found] == ["extension-unknown"]
    inside = {"code": {"text": "x"}, "modifierExtension": modifier}
    assert [r for r, _ in errors(around(observation(component=[inside])))] == ["extension-unknown"]
    assert errors(around(observation(extension=modifier))) == []
    example = [{"url": "http://example.org/e", "valueBoolean": True}]
    assert errors(around(observation(modifierExtension=example))) == []


DIV = '<div xmlns="http://www.w3.org/1999/xhtml">{}</div>'


@pytest.mark.parametrize("name", ["nbsp", "eacute", "copy", "mdash"])
def test_an_entity_of_html_is_an_error_in_narrative(name):
    patient = {"resourceType": "Patient",
               "text": {"status": "generated", "div": DIV.format(f"a&{name};b")}}  # fmt: skip
    assert errors(patient) == [("narrative-entity", "Patient.text.div")]


@pytest.mark.parametrize("text", ["&amp;", "&lt;", "&#160;", "&quot;", "\u00a0"])
def test_an_entity_of_xml_and_the_character_itself_are_right(text):
    patient = {"resourceType": "Patient",
               "text": {"status": "generated", "div": DIV.format(f"a{text}b")}}  # fmt: skip
    assert errors(patient) == []


@pytest.mark.parametrize("code", ["english", "en_US", "e", "xx", "en-", "de-CH-1"])
def test_a_language_that_cannot_be_one_is_an_error(code):
    assert errors({"resourceType": "Patient", "language": code}) != []
    spoken = {"language": {"coding": [{"system": "urn:ietf:bcp:47", "code": code}]}}
    assert errors({"resourceType": "Patient", "communication": [spoken]}) != []


@pytest.mark.parametrize("code", ["en", "de-CH", "zh-Hans-CN", "nds", "de-CH-1996", "x-own"])
def test_a_language_that_can_be_one_is_right(code):
    assert errors({"resourceType": "Patient", "language": code}) == []


BESIDE = {"extension": [{"url": "http://example.org/e", "valueString": "x"}]}


@pytest.mark.parametrize(
    "resource, place",
    [
        ({"deceasedBoolean": True, "_deceasedDateTime": BESIDE}, "deceased.ofType(dateTime)"),
        ({"_deceasedDateTime": BESIDE, "deceasedBoolean": True}, "deceased.ofType(dateTime)"),
        ({"_deceasedBoolean": BESIDE, "_deceasedDateTime": BESIDE}, "deceased.ofType(dateTime)"),
        ({"multipleBirthInteger": 2, "_multipleBirthBoolean": BESIDE},
         "multipleBirth.ofType(boolean)"),
        ({"extension": [{"url": "http://example.org/e", "valueString": "x", "_valueCode": BESIDE}]},
         "extension[0].value.ofType(code)"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("around", [dict, bundled])
def test_a_choice_is_given_once_also_where_one_form_is_an_extension(resource, place, around):
    found = errors(around({"resourceType": "Patient", **resource}))
    assert [rule for rule, _ in found if rule != "ext-1"] == ["structure-choice-many"]
    assert found[0][1].endswith(place)


@pytest.mark.parametrize(
    "resource",
    [{"deceasedBoolean": True, "_deceasedBoolean": BESIDE}, {"_deceasedDateTime": BESIDE},
     {"_deceasedBoolean": BESIDE, "_multipleBirthBoolean": BESIDE}],
)  # fmt: skip
def test_extensions_beside_the_one_form_of_a_choice_are_right(resource):
    assert errors({"resourceType": "Patient", **resource}) == []


# What profiles state besides ----------------------------------------------------------------------

OWN = "http://acme.test/CodeSystem/own"
LISTED = {"resourceType": "ValueSet", "id": "vs", "status": "active",
          "compose": {"include": [{"system": OWN, "concept": [{"code": "a"}]}]}}  # fmt: skip


def coded(code):
    return {**observation(), "code": {"coding": [{"system": OWN, "code": code}]}}


def containing(name="c", **more):
    binding = {"strength": "required", "valueSet": "#vs"}
    return profile(name, "Observation", element("Observation.code", binding=binding),
                   contained=[LISTED], **more)  # fmt: skip


def test_a_value_set_that_the_profile_contains_is_bound():
    own = containing()
    assert errors(coded("a"), [own], own["url"]) == []
    assert errors(coded("b"), [own], own["url"]) == [("binding-required", "Observation.code")]


def test_it_is_bound_for_those_who_derive_as_well():
    base = containing()
    own = profile("d", "Observation", element("Observation.method", max="0"),
                  baseDefinition=base["url"])  # fmt: skip
    assert errors(coded("a"), [base, own], own["url"]) == []
    assert errors(coded("b"), [base, own], own["url"]) == [("binding-required", "Observation.code")]


TOOLS = "http://hl7.org/fhir/tools/StructureDefinition/additional-binding"


def additional(purpose, strength="example", **usage):
    parts = [{"url": "purpose", "valueCode": purpose},
             {"url": "valueSet", "valueCanonical": "http://acme.test/ValueSet/vs"},
             *({"url": key, **value} for key, value in usage.items())]  # fmt: skip
    binding = {"strength": strength, "valueSet": "http://hl7.org/fhir/ValueSet/observation-codes",
               "extension": [{"url": TOOLS, "extension": parts}]}  # fmt: skip
    own = profile("a", "Observation", element("Observation.code", binding=binding))
    return [own, {**LISTED, "url": "http://acme.test/ValueSet/vs"}], own["url"]


@pytest.mark.parametrize("strength", ["example", "preferred"])
@pytest.mark.parametrize(
    "purpose, rules",
    [("required", ["binding-required"]), ("maximum", ["binding-max"]), ("extensible", []),
     ("candidate", []), ("ui", [])],
)  # fmt: skip
def test_an_additional_binding_binds_by_its_purpose(purpose, rules, strength):
    known, url = additional(purpose, strength)
    assert [rule for rule, _ in errors(coded("b"), known, url)] == rules
    assert errors(coded("a"), known, url) == []


def test_an_additional_binding_for_a_use_is_left_to_those_who_know_the_use():
    use = {"valueUsageContext": {"code": {"code": "x"}, "valueCodeableConcept": {"text": "x"}}}
    known, url = additional("required", usage=use)
    assert errors(coded("b"), known, url) == []


@pytest.mark.parametrize(
    "path", ["value.ofType(string)", "(value as string)", "value as string", "value.as(string)"]
)
def test_a_discriminator_may_cast(path):
    slicing = {"discriminator": [{"type": "value", "path": path}], "rules": "open"}
    own = profile(
        "t", "Observation", element("Observation.component", slicing=slicing),
        element("Observation.component:s", min=1),
        element("Observation.component:s.value[x]", min=1, type=[{"code": "string"}],
                fixedString="x"),
    )  # fmt: skip

    def with_value(**value):
        return observation(component=[{"code": {"text": "x"}, **value}])

    assert errors(with_value(valueString="x"), [own], own["url"]) == []
    for value in ({"valueString": "y"}, {"valueInteger": 1}):
        found = errors(with_value(**value), [own], own["url"])
        assert found == [("cardinality-min", "Observation")]


def test_definitions_are_taken_out_of_bundles():
    known = Definitions.core().with_resources([bundled(containing())])
    assert known.find("http://acme.test/StructureDefinition/c") is not None
