"""Slices, snapshots, contexts and what is contained: each kind with its opposite."""

import pytest

from fhirpkg.definitions.definitions import Definitions
from fhirpkg.validation.run import Settings
from fhirpkg.validation.validator import Validator

BASE = "http://acme.test/StructureDefinition"
CORE = "http://hl7.org/fhir/StructureDefinition"


def profile(name, type_, *elements, **more):
    found = {
        "resourceType": "StructureDefinition",
        "url": f"{BASE}/{name}",
        "name": "P",
        "status": "active",
        "kind": "resource" if type_[0].isupper() and type_ not in COMPLEX else "complex-type",
        "abstract": False,
        "type": type_,
        "baseDefinition": f"{CORE}/{type_}",
        "derivation": "constraint",
        "differential": {"element": [{"id": type_, "path": type_}, *elements]},
    }
    return found | more


COMPLEX = {"Address", "Extension", "HumanName", "Identifier"}


def element(id_, **more):
    path = ".".join(step.partition(":")[0] for step in id_.split("."))
    name = id_.rpartition(".")[2].partition(":")[2]
    return {"id": id_, "path": path, **({"sliceName": name} if name else {}), **more}


def errors(resource, definitions=(), *profiles, **settings):
    known = Definitions.core().with_resources(definitions)
    validator = Validator(definitions=known, settings=Settings(**settings))
    return [(i.rule, i.expression) for i in validator.validate(resource, profiles).errors]


# A reference to the container -------------------------------------------------------------------

INNER = [
    {"resourceType": "Provenance", "id": "v", "target": [{"reference": "#"}],
     "recorded": "2024-01-01T00:00:00Z", "agent": [{"who": {"display": "x"}}]},
    {"resourceType": "Observation", "id": "v", "status": "final", "code": {"text": "x"},
     "subject": {"reference": "#"}},
    {"resourceType": "Consent", "id": "v", "status": "active", "scope": {"text": "x"},
     "category": [{"text": "x"}], "patient": {"reference": "#"}, "policyRule": {"text": "x"}},
    {"resourceType": "Basic", "id": "v", "code": {"text": "x"},
     "extension": [{"url": "http://example.org/e", "valueReference": {"reference": "#"}}]},
]  # fmt: skip


def bundled(resource):
    url = "urn:uuid:0f14d0ab-9605-4a62-a9e4-5ed26688389b"
    return {
        "resourceType": "Bundle",
        "type": "collection",
        "entry": [{"fullUrl": url, "resource": resource}],
    }


@pytest.mark.parametrize("inner", INNER, ids=[each["resourceType"] for each in INNER])
@pytest.mark.parametrize("around", [dict, bundled], ids=["alone", "in a Bundle"])
def test_what_is_contained_may_refer_to_its_container(inner, around):
    assert errors(around({"resourceType": "Patient", "contained": [inner]})) == []


def test_by_the_letter_it_may_not():
    found = errors({"resourceType": "Patient", "contained": [INNER[1]]}, by_letter=True)
    assert found == [("ref-1", "Patient.contained[0].subject")]


@pytest.mark.parametrize("around", [dict, bundled], ids=["alone", "in a Bundle"])
def test_a_resource_of_its_own_does_not_refer_to_itself_so(around):
    found = errors(around({"resourceType": "Observation", "status": "final",
                           "code": {"text": "x"}, "focus": [{"reference": "#"}]}))  # fmt: skip
    assert [rule for rule, _ in found] == ["ref-1"]


def test_a_fragment_that_leads_nowhere_is_an_error_in_what_is_contained():
    inner = {**INNER[1], "subject": {"reference": "#"}, "focus": [{"reference": "#w"}]}
    found = errors({"resourceType": "Patient", "contained": [inner]})
    assert found == [("ref-1", "Patient.contained[0].focus[0]")]


# Where extensions may stand ----------------------------------------------------------------------


def extension(name, *contexts, **more):
    url = f"{BASE}/{name}"
    value = element("Extension.value[x]", type=[{"code": "string"}])
    fixed = element("Extension.url", fixedUri=url)
    found = profile(name, "Extension", fixed, value, **more)
    return found | {"context": [{"type": "element", "expression": each} for each in contexts]}


def with_extension(resource, name="e"):
    return {**resource, "extension": [{"url": f"{BASE}/{name}", "valueString": "x"}]}


GRAPH = {"resourceType": "GraphDefinition", "name": "G", "status": "draft", "start": "Patient"}
NAMING = {
    "resourceType": "NamingSystem", "name": "N", "status": "draft", "kind": "root",
    "date": "2024-01-01", "uniqueId": [{"type": "oid", "value": "1.2.3"}],
}  # fmt: skip
LIBRARY = {"resourceType": "Library", "status": "draft", "type": {"text": "x"}}


@pytest.mark.parametrize("resource", [GRAPH, NAMING, LIBRARY])
def test_a_canonical_resource_is_one_by_its_type(resource):
    known = [extension("e", "CanonicalResource")]
    assert errors(with_extension(resource), known) == []
    inside = {"resourceType": "Basic", "code": {"text": "x"}, "contained": [
        {**with_extension(resource), "id": "c"}
    ], "extension": [{"url": "http://e.t/x", "valueReference": {"reference": "#c"}}]}  # fmt: skip
    assert errors(inside, known) == []


@pytest.mark.parametrize(
    "resource, place",
    [
        ({"resourceType": "Patient"}, "Patient"),
        ({"resourceType": "Device", "url": "http://a.test/d"}, "Device"),
        ({"resourceType": "Contract", "url": "http://a.test/c"}, "Contract"),
    ],
)
def test_other_resources_are_none_whatever_url_they_have(resource, place):
    found = errors(with_extension(resource), [extension("e", "CanonicalResource")])
    assert found == [("extension-context", f"{place}.extension[0]")]


def test_an_element_of_a_canonical_resource_is_none():
    related = with_extension({"type": "citation", "url": "http://a.test/x"})
    found = errors({**LIBRARY, "url": "http://a.test/l", "relatedArtifact": [related]},
                   [extension("e", "CanonicalResource")])  # fmt: skip
    assert found == [("extension-context", "Library.relatedArtifact[0].extension[0]")]


@pytest.mark.parametrize(
    "context, is_right",
    [("CanonicalResource.contact", True), ("MetadataResource.relatedArtifact", False),
     ("CanonicalResource.useContext", False)],
)  # fmt: skip
def test_an_element_of_a_later_type_is_that_of_the_types_of_r4(context, is_right):
    resource = {**LIBRARY, "contact": [with_extension({"name": "x"})]}
    assert (errors(resource, [extension("e", context)]) == []) is is_right


VALUES = [
    ("Address.line", {"example": [{"label": "l", "valueString": "x", "_valueString": None}]}),
    ("Address.line", {"patternString": "x", "_patternString": None}),
    ("Address.line", {"fixedString": "x", "_fixedString": None}),
]


@pytest.mark.parametrize("path, stated", VALUES)
@pytest.mark.parametrize("context, is_right", [("Address.line", True), ("Address.city", False)])
def test_a_value_in_a_definition_is_one_of_the_element_that_is_defined(
    path, stated, context, is_right
):
    beside = {"extension": [{"url": f"{BASE}/e", "valueString": "x"}]}

    def filled(value):
        if isinstance(value, list):
            return [filled(each) for each in value]
        if isinstance(value, dict):
            return {k: beside if v is None else filled(v) for k, v in value.items()}
        return value

    defined = profile("a", "Address", element(path, **filled(stated)))
    found = errors(defined, [extension("e", context)])
    assert [rule for rule, _ in found] == ["extension-context"] * (not is_right)


@pytest.mark.parametrize(
    "context, is_right",
    [("Patient.maritalStatus", True), ("CodeableConcept", True), ("Coding", False),
     ("Patient.communication.language", False)],
)  # fmt: skip
def test_a_pattern_of_parts_is_one_of_the_element_too(context, is_right):
    pattern = with_extension({"text": "x"})
    defined = profile("a", "Patient", element("Patient.maritalStatus",
                                              patternCodeableConcept=pattern))  # fmt: skip
    found = errors(defined, [extension("e", context)])
    assert [rule for rule, _ in found] == ["extension-context"] * (not is_right)


def test_a_part_of_a_pattern_is_a_part_of_the_element():
    pattern = {"coding": [with_extension({"code": "x"})]}
    defined = profile("a", "Patient", element("Patient.maritalStatus",
                                              patternCodeableConcept=pattern))  # fmt: skip
    assert errors(defined, [extension("e", "Coding")]) == []
    found = errors(defined, [extension("e", "Patient.maritalStatus")])
    assert [rule for rule, _ in found] == ["extension-context"]


# Slices of extensions, and what slices may say ----------------------------------------------------


def sliced_extension(path, most, name="e"):
    type_ = [{"code": "Extension", "profile": [f"{BASE}/{name}"]}]
    return [
        element(path, max=most),
        element(f"{path}:{name}", min=1, max="1", type=type_),
    ]


@pytest.mark.parametrize("most", ["1", "2", "*"])
@pytest.mark.parametrize(
    "path, resource",
    [
        ("Account.coverage.extension", {"coverage": [{"coverage": {"display": "x"}}]}),
        ("Account.extension", {}),
        ("Account.owner.extension", {"owner": {"display": "x"}}),
    ],
)
def test_extensions_are_sliced_by_url_whatever_their_number(path, resource, most):
    known = [extension("e", "Element"), extension("f", "Element")]
    own = profile("am", "Account", *sliced_extension(path, most))
    assert errors(own, known) == []
    account = {"resourceType": "Account", "status": "active", **resource}
    step = path.split(".")[1]

    def holding(name):
        if step == "extension":
            return with_extension(account, name)
        inner = account[step]
        changed = [with_extension(inner[0], name)] if isinstance(inner, list) else None
        return {**account, step: changed or with_extension(inner, name)}

    assert errors(holding("e"), [*known, own], own["url"]) == []
    found = errors(holding("f"), [*known, own], own["url"])
    assert [rule for rule, _ in found] == ["cardinality-min"]


BY_SYSTEM = {"discriminator": [{"type": "value", "path": "system"}], "rules": "open"}


def of_identifiers(whole, part, base=None):
    return profile(
        "ids", "Patient",
        element("Patient.identifier", slicing=BY_SYSTEM, **whole),
        element("Patient.identifier:a", **part),
        element("Patient.identifier:a.system", fixedUri="http://a.test"),
        **({"baseDefinition": base} if base else {}),
    )  # fmt: skip


REQUIRED = {"strength": "required", "valueSet": "http://hl7.org/fhir/ValueSet/identifier-type"}
LOOSE = {"strength": "preferred", "valueSet": "http://hl7.org/fhir/ValueSet/identifier-type"}


def test_a_slice_refines_the_base_and_not_its_siblings_element():
    assert errors(of_identifiers({"mustSupport": True, "min": 1}, {"mustSupport": False})) == []


def test_a_slice_of_a_base_keeps_what_that_supports():
    base = of_identifiers({}, {"mustSupport": True})
    own = profile("own", "Patient", element("Patient.identifier:a", mustSupport=False),
                  baseDefinition=base["url"])  # fmt: skip
    found = errors(own, [base])
    assert "structure-definition-refinement" in [rule for rule, _ in found]


def test_an_element_that_the_base_supports_stays_so():
    base = profile("base", "Patient", element("Patient.identifier", mustSupport=True))
    own = of_identifiers({"mustSupport": False}, {}, base["url"])
    found = errors(own, [base])
    assert "structure-definition-refinement" in [rule for rule, _ in found]


def test_a_new_slice_of_what_the_base_supports_keeps_it():
    base = profile("base", "Patient", element("Patient.identifier", mustSupport=True))
    own = of_identifiers({}, {"mustSupport": False}, base["url"])
    assert "structure-definition-refinement" in [rule for rule, _ in errors(own, [base])]


# Discriminators that a pattern above them fixes ---------------------------------------------------

V2 = "http://terminology.hl7.org/CodeSystem/v2-0203"
CODING = {"system": V2, "code": "MR"}
FIXING = [
    ("type.coding", {"patternCoding": CODING}),
    ("type.coding", {"fixedCoding": CODING}),
    ("type", {"patternCodeableConcept": {"coding": [CODING]}}),
    ("", {"patternIdentifier": {"type": {"coding": [CODING]}}}),
    ("type.coding.code", {"fixedCode": "MR"}),
]


def by_type(kind, path, stated, where="type.coding.code"):
    slicing = {"discriminator": [{"type": kind, "path": where}], "rules": "open"}
    part = "Patient.identifier:MR"
    inner = element(f"{part}.{path}", **stated) if path else None
    slice_ = element(part, min=1, max="1", **({} if path else stated))
    return profile(
        "q", "Patient", element("Patient.identifier", slicing=slicing, min=1), slice_,
        *([inner] if inner else []), element(f"{part}.assigner", min=1),
    )  # fmt: skip


def patient(code, **more):
    coding = {"system": V2, "code": code}
    return {"resourceType": "Patient", "identifier": [{"type": {"coding": [coding]}, **more}]}


@pytest.mark.parametrize("kind", ["pattern", "value"])
@pytest.mark.parametrize("path, stated", FIXING, ids=[f"{p}{list(s)}" for p, s in FIXING])
def test_a_pattern_above_the_place_of_a_discriminator_tells_slices_apart(kind, path, stated):
    own = by_type(kind, path, stated)
    whole = {"assigner": {"display": "x"}}
    assert errors(patient("MR", **whole), [own], own["url"]) == []
    assert [r for r, _ in errors(patient("SS", **whole), [own], own["url"])] == ["cardinality-min"]
    assert errors(patient("MR"), [own], own["url"]) == [
        ("cardinality-min", "Patient.identifier[0]")
    ]


def test_a_pattern_that_says_nothing_of_the_place_tells_nothing():
    own = by_type("value", "type", {"patternCodeableConcept": {"text": "x"}})
    known = Validator(definitions=Definitions.core().with_resources([own]))
    found = {i.rule for i in known.validate(patient("MR"), [own["url"]]).issues}
    assert "slice-discriminator" in found


def test_a_binding_above_the_codes_tells_slices_apart():
    values = {"resourceType": "ValueSet", "url": "http://acme.test/ValueSet/mr", "status": "active",
              "compose": {"include": [{"system": V2, "concept": [{"code": "MR"}]}]}}  # fmt: skip
    binding = {"binding": {"strength": "required", "valueSet": values["url"]}}
    own = by_type("value", "type", binding, "type.coding")
    whole = {"assigner": {"display": "x"}}
    assert errors(patient("MR", **whole), [own, values], own["url"]) == []
    assert [r for r, _ in errors(patient("SS"), [own, values], own["url"])] == ["cardinality-min"]


# Profiles that stand on what is not loaded --------------------------------------------------------

LEAF = profile("leaf", "Patient", baseDefinition="http://missing.test/StructureDefinition/base")
BROKEN = profile("broken", "Patient", element("Patient.nothing", min=1))


@pytest.mark.parametrize("leaf", [LEAF, BROKEN], ids=["missing base", "no such element"])
@pytest.mark.parametrize(
    "path", ["Observation.subject", "Observation.component.extension.value[x]", "Observation.focus"]
)
def test_a_target_that_cannot_be_used_leaves_the_rest_of_a_profile_be(leaf, path):
    types = [{"code": "Reference", "targetProfile": [leaf["url"]]}]
    own = profile("own", "Observation", element("Observation.method", min=1),
                  element(path, type=types))  # fmt: skip
    resource = {"resourceType": "Observation", "status": "final", "code": {"text": "x"}}
    assert ("cardinality-min", "Observation") in errors(resource, [leaf, own], own["url"])


def test_a_target_of_another_type_is_refused_whatever_its_profile_lacks():
    types = [{"code": "Reference", "targetProfile": [LEAF["url"]]}]
    own = profile("own", "Observation", element("Observation.subject", type=types))
    resource = {"resourceType": "Observation", "status": "final", "code": {"text": "x"},
                "subject": {"reference": "Group/1"}}  # fmt: skip
    assert errors(resource, [LEAF, own], own["url"]) == [
        ("reference-target", "Observation.subject")
    ]
