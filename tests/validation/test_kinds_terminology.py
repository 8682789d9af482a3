"""Displays, supplements, filters, grammars and errata of bindings, each with its opposite."""

import itertools

import pytest

from fhirpkg.definitions.definitions import Definitions
from fhirpkg.validation.run import Settings
from fhirpkg.validation.validator import Validator

BASE = "http://acme.test"
LOINC, SNOMED = "http://loinc.org", "http://snomed.info/sct"
KINDS = {
    "resourceType": "CodeSystem",
    "url": f"{BASE}/CodeSystem/kinds",
    "status": "active",
    "content": "complete",
    "caseSensitive": True,
    "concept": [
        {
            "code": "a",
            "display": "Alpha",
            "designation": [{"language": "de", "value": "Anton"}],
            "concept": [{"code": "aa", "display": "Alpha two"}],
        },
        {"code": "b", "display": "Beta"},
    ],
}
SYSTEM = KINDS["url"]


def value_set(name, compose=None, **more):
    url = f"{BASE}/ValueSet/{name}"
    found = {"resourceType": "ValueSet", "url": url, "status": "active", **more}
    return found if compose is None else {**found, "compose": compose}


def bound(name, path="Observation.code", strength="required"):
    binding = {"strength": strength, "valueSet": f"{BASE}/ValueSet/{name}"}
    kind = path.partition(".")[0]
    return {
        "resourceType": "StructureDefinition",
        "url": f"{BASE}/StructureDefinition/{name}",
        "status": "active",
        "kind": "resource",
        "abstract": False,
        "type": kind,
        "baseDefinition": f"http://hl7.org/fhir/StructureDefinition/{kind}",
        "derivation": "constraint",
        "differential": {"element": [{"id": path, "path": path, "binding": binding}]},
    }


def errors(resource, definitions, *profiles, settings=None):
    known = Definitions.core().with_resources(definitions)
    outcome = Validator(definitions=known, settings=settings).validate(resource, profiles)
    return [(issue.rule, issue.expression) for issue in outcome.errors]


def observation(system, code, display=None, **more):
    coding = {"system": system, "code": code}
    if display is not None:
        coding["display"] = display
    return {
        "resourceType": "Observation",
        "status": "final",
        "code": {"coding": [coding]},
        **more,
    }


LISTED = {"code": "a", "display": "Alfa", "designation": [{"language": "nl", "value": "Aap"}]}
SETS = {
    "listed": value_set("listed", {"include": [{"system": SYSTEM, "concept": [LISTED]}]}),
    "nested": value_set("nested", {"include": [{"valueSet": [f"{BASE}/ValueSet/listed"]}]}),
    "expanded": value_set(
        "expanded",
        {"include": [{"system": SYSTEM}]},
        expansion={
            "timestamp": "2024-01-01",
            "contains": [{"abstract": True, "contains": [{"system": SYSTEM, **LISTED}]}],
        },
    ),
}
ELSEWHERE = [
    {},
    {"subject": {"reference": "Patient/1"}},
    {"performer": [{"reference": "Practitioner/2"}], "note": [{"text": "x"}]},
]


@pytest.mark.parametrize(
    "name, display, more",
    list(itertools.product(SETS, ["Alpha", "alfa", "Aap", "Anton"], ELSEWHERE)),
)
def test_a_value_set_gives_displays_whatever_stands_elsewhere(name, display, more):
    profile = bound(name)
    found = errors(
        observation(SYSTEM, "a", display, **more), [KINDS, *SETS.values(), profile], profile["url"]
    )
    assert found == []


@pytest.mark.parametrize("name, more", list(itertools.product(SETS, ELSEWHERE)))
def test_a_display_that_neither_system_nor_value_set_gives_is_wrong(name, more):
    profile = bound(name)
    found = errors(
        observation(SYSTEM, "a", "Omega", **more), [KINDS, *SETS.values(), profile], profile["url"]
    )
    assert found == [("coding-display", "Observation.code.coding[0].display")]


def test_a_display_of_the_value_set_is_wrong_where_that_is_not_bound():
    profile = bound("listed", "Observation.method")
    resource = observation(
        SYSTEM, "a", "Alfa", method={"coding": [{"system": SYSTEM, "code": "a"}]}
    )
    found = errors(resource, [KINDS, SETS["listed"], profile], profile["url"])
    assert found == [("coding-display", "Observation.code.coding[0].display")]


@pytest.mark.parametrize("inside", ["contained", "entry"])
def test_displays_of_value_sets_count_in_resources_inside_others(inside):
    profile = bound("listed")
    inner = {**observation(SYSTEM, "a", "Alfa"), "meta": {"profile": [profile["url"]]}}
    outer = {
        "contained": {
            "resourceType": "DiagnosticReport",
            "status": "final",
            "code": {"text": "x"},
            "contained": [{**inner, "id": "o"}],
            "result": [{"reference": "#o"}],
        },
        "entry": {
            "resourceType": "Bundle",
            "type": "collection",
            "entry": [
                {"fullUrl": "urn:uuid:0f14d0ab-9605-4a62-a9e4-5ed26688389b", "resource": inner}
            ],
        },
    }[inside]
    assert errors(outer, [KINDS, SETS["listed"], profile]) == []


SUPPLEMENT = {
    "resourceType": "CodeSystem",
    "url": f"{BASE}/CodeSystem/s",
    "status": "active",
    "content": "supplement",
}


@pytest.mark.parametrize(
    "system, code, display",
    [
        (LOINC, "2339-0", "Glucose [Mass/volume] in Blood"),
        (SNOMED, "22298006", "Myocardial infarction"),
        ("urn:iso:std:iso:3166", "DE", "Germany"),
        ("http://unitsofmeasure.org", "mg", "milligram"),
        (f"{BASE}/CodeSystem/nowhere", "x", "X"),
    ],
)
@pytest.mark.parametrize("language", [None, "de-DE", "en"])
def test_a_supplement_alone_tells_no_display(system, code, display, language):
    concept = {"code": code, "designation": [{"language": "de-DE", "value": "Etwas"}]}
    supplement = {**SUPPLEMENT, "supplements": system, "concept": [concept]}
    resource = observation(system, code, display)
    if language:
        resource["language"] = language
    assert errors(resource, [supplement]) == []


def test_with_its_base_a_supplement_adds_displays_and_others_stay_wrong():
    concept = {"code": "b", "designation": [{"language": "de", "value": "Berta"}]}
    supplement = {**SUPPLEMENT, "supplements": SYSTEM, "concept": [concept]}
    for display in ("Beta", "Berta"):
        assert errors(observation(SYSTEM, "b", display), [KINDS, supplement]) == []
    found = errors(observation(SYSTEM, "b", "Gamma"), [KINDS, supplement])
    assert [rule for rule, _ in found] == ["coding-display"]


@pytest.mark.parametrize("content, wrong", [("example", []), ("fragment", ["coding-display"])])
def test_an_example_of_a_system_tells_no_display_and_a_fragment_does(content, wrong):
    system = {**KINDS, "content": content}
    found = errors(observation(SYSTEM, "a", "Anything"), [system])
    assert [rule for rule, _ in found] == wrong


def filtered(system, name, operator, value):
    asked = {"property": name, "op": operator, "value": value}
    return value_set("f", {"include": [{"system": system, "filter": [asked]}]})


UNTOLD = [
    (SNOMED, "86044005", ("concept", "in", "31000147101")),
    (SNOMED, "86044005", ("concept", "in", "^31000147101")),
    (SNOMED, "86044005", ("constraint", "=", "< 404684003")),
    (SNOMED, "86044005", ("concept", "is-a", "404684003")),
    (SNOMED, "86044005", ("concept", "not-in", "31000147101")),
    (LOINC, "2339-0", ("concept", "in", "LL1001-8")),
    (LOINC, "2339-0", ("parent", "=", "LP14559-6")),
]


@pytest.mark.parametrize("system, code, asked", UNTOLD)
@pytest.mark.parametrize("held", ["nothing", "fragment", "example"])
def test_a_filter_that_needs_the_whole_system_is_not_decided(system, code, asked, held):
    part = {**KINDS, "url": system, "content": held, "concept": [{"code": code}]}
    known = [filtered(system, *asked), bound("f"), *([] if held == "nothing" else [part])]
    assert errors(observation(system, code), known, f"{BASE}/StructureDefinition/f") == []


@pytest.mark.parametrize(
    "system, code, asked",
    [
        (SNOMED, "86044005", ("concept", "=", "22298006")),
        (LOINC, "2339-0", ("code", "=", "2340-8")),
        (f"{BASE}/s", "x", ("concept", "in", "y,z")),
        (f"{BASE}/s", "x", ("code", "regex", "y.*")),
        (SYSTEM, "b", ("concept", "is-a", "a")),
        (SYSTEM, "a", ("concept", "descendent-of", "a")),
        (SYSTEM, "aa", ("concept", "is-not-a", "a")),
    ],
)
def test_a_filter_on_the_code_itself_is_decided(system, code, asked):
    known = [KINDS, filtered(system, *asked), bound("f")]
    found = errors(observation(system, code), known, f"{BASE}/StructureDefinition/f")
    assert found == [("binding-required", "Observation.code")]


def test_a_part_of_a_system_tells_what_lies_below_what():
    part = {**KINDS, "content": "fragment"}
    known = [part, filtered(SYSTEM, "concept", "is-a", "a"), bound("f")]
    assert errors(observation(SYSTEM, "aa"), known, f"{BASE}/StructureDefinition/f") == []
    negative = [part, filtered(SYSTEM, "concept", "is-not-a", "a"), bound("f")]
    found = errors(observation(SYSTEM, "aa"), negative, f"{BASE}/StructureDefinition/f")
    assert found == [("binding-required", "Observation.code")]


CPT = "http://www.ama-assn.org/go/cpt"


@pytest.mark.parametrize("code", ["25", "59", "P1", "1P", "XE", "99213", "0001F", "0202U"])
def test_codes_and_modifiers_of_cpt_may_be_ones(code):
    known = [value_set("c", {"include": [{"system": CPT}]}), bound("c")]
    assert errors(observation(CPT, code), known, f"{BASE}/StructureDefinition/c") == []


@pytest.mark.parametrize("code", ["2", "123", "p1", "9921", "ABCDE", "992133"])
def test_what_no_code_of_cpt_looks_like_is_refused(code):
    known = [value_set("c", {"include": [{"system": CPT}]}), bound("c")]
    found = errors(observation(CPT, code), known, f"{BASE}/StructureDefinition/c")
    assert ("binding-required", "Observation.code") in found


UCUM = "http://unitsofmeasure.org"


def pressure(unit):
    def part(code, value, code_of_unit):
        return {
            "code": {"coding": [{"system": LOINC, "code": code}]},
            "valueQuantity": {
                "value": value, "unit": "x", "system": UCUM, "code": code_of_unit,
            },
        }  # fmt: skip

    resource = observation(LOINC, "85354-9")
    category = {
        "system": "http://terminology.hl7.org/CodeSystem/observation-category",
        "code": "vital-signs",
    }
    return {
        **resource,
        "meta": {"profile": ["http://hl7.org/fhir/StructureDefinition/bp"]},
        "category": [{"coding": [category]}],
        "subject": {"reference": "Patient/1"},
        "effectiveDateTime": "2024-01-01",
        "component": [
            part("8480-6", 120, "mm[Hg]"),
            part("8462-4", 80, "mm[Hg]"),
            part("8478-0", 93, unit),
        ],
    }


@pytest.mark.parametrize("unit", ["kPa", "L/min", "mmol/L", "mm[Hg]"])
def test_a_component_of_a_vital_sign_may_have_another_unit(unit):
    assert errors(pressure(unit), []) == []


def test_by_the_letter_it_may_not():
    found = errors(pressure("kPa"), [], settings=Settings(by_letter=True))
    assert found == [("binding-required", "Observation.component[2].value.ofType(Quantity)")]


def test_the_units_that_a_profile_fixes_stay_fixed():
    resource = pressure("kPa")
    resource["component"][0]["valueQuantity"]["code"] = "kPa"
    assert [rule for rule, _ in errors(resource, [])] == ["value-fixed"]


@pytest.mark.parametrize("type_, letter", [("Bundle", True), ("Claim", True), ("Reference", False)])
def test_a_parameter_that_is_a_resource_may_have_a_profile(type_, letter):
    parameter = {"name": "r", "use": "in", "min": 1, "max": "1", "type": type_}
    operation = {
        "resourceType": "OperationDefinition",
        "name": "Op",
        "status": "draft",
        "kind": "operation",
        "code": "x",
        "system": False,
        "type": True,
        "instance": False,
        "parameter": [{**parameter, "targetProfile": ["http://a.test/p"]}],
    }
    assert errors(operation, []) == []
    found = errors(operation, [], settings=Settings(by_letter=True))
    assert [rule for rule, _ in found] == ["opd-3"] * letter


@pytest.mark.parametrize("type_", ["string", "Identifier", "uri"])
def test_a_parameter_of_another_type_may_not(type_):
    parameter = {"name": "r", "use": "in", "min": 1, "max": "1", "type": type_}
    operation = {
        "resourceType": "OperationDefinition",
        "name": "Op",
        "status": "draft",
        "kind": "operation",
        "code": "x",
        "system": False,
        "type": True,
        "instance": False,
        "parameter": [{"name": "p", "use": "in", "min": 0, "max": "1", "part": [
            {**parameter, "targetProfile": ["http://a.test/p"]}
        ]}],
    }  # fmt: skip
    assert errors(operation, []) == [("opd-3", "OperationDefinition.parameter[0].part[0]")]
