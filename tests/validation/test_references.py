import pytest

from fhirpkg.definitions.definitions import Definitions
from fhirpkg.validation.elements.references import literal
from fhirpkg.validation.run import Settings
from fhirpkg.validation.validator import Validator

FHIR = "http://hl7.org/fhir/StructureDefinition"
PATIENT = {"resourceType": "Patient", "id": "1"}


def errors(validator, **reference):
    patient = {"resourceType": "Patient", "managingOrganization": reference}
    return sorted(issue.rule for issue in validator.validate(patient).errors)


@pytest.mark.parametrize(
    "reference, rules",
    [
        ("Organization/1", []),
        ("Organization/1/_history/2", []),
        ("http://example.org/fhir/Organization/1", []),
        ("http://example.org/anything", []),
        ("urn:uuid:9e7ff1a5-5b0b-4d6e-9e0b-0c6a6c9b9a11", []),
        ("Organization?name=x", ["reference-conditional"]),
        ("Organization", ["reference-format"]),
        ("Organization/a_b", ["reference-format"]),
        ("Organization/a_b/$merge", ["reference-format"]),
        ("Organization/1/$merge me", ["reference-format"]),
        ("Organization/1/$merge?ac=x&b=y", []),
        ("Organization/$match", []),
        ("Organisation/1", ["reference-type-unknown"]),
        ("Patient/1", ["reference-target"]),
        ("http://example.org/fhir/Patient/1", ["reference-target"]),
        ("Patient?name=x", ["reference-conditional", "reference-target"]),
        ("Organization?name", ["reference-format"]),
        ("Organization?name=x&", ["reference-format"]),
    ],
)
def test_a_reference_is_written_well_and_to_an_allowed_type(validator, reference, rules):
    assert errors(validator, reference=reference) == rules


def test_a_guide_may_list_what_a_later_version_has(validator):
    guide = {
        "resourceType": "ImplementationGuide",
        "definition": {"resource": [{"reference": {"reference": "ActorDefinition/a"}}]},
    }
    told = [i for i in validator.validate(guide).issues if i.rule == "reference-type-unknown"]
    assert [str(i.severity) for i in told] == ["warning"]


@pytest.mark.parametrize(
    "reference, rules",
    [
        ({"type": "Organization", "identifier": {"value": "x"}}, []),
        ({"type": "Patient", "identifier": {"value": "x"}}, ["reference-target"]),
        ({"type": "Patient", "reference": "Organization/1"}, ["reference-type"]),
        ({"type": "Patient", "reference": "Patient/1"}, ["reference-target"]),
        ({"type": "Patient", "reference": "urn:oid:1.1"}, ["reference-target"]),
        ({"type": f"{FHIR}/Organization", "reference": "urn:oid:1.1"}, []),
        ({"type": f"{FHIR}/Organization", "reference": "Organization/1"}, ["reference-type"]),
        ({"display": "x"}, []),
    ],
)
def test_the_stated_type_agrees_with_the_url_and_is_allowed(validator, reference, rules):
    assert errors(validator, **reference) == rules


def test_the_stated_type_is_that_of_a_target_whose_url_does_not_tell(validator):
    patient = {
        "resourceType": "Patient",
        "contained": [{"resourceType": "Organization", "id": "o", "name": "x"}],
        "managingOrganization": {"reference": "#o", "type": "Patient"},
    }
    found = {(i.rule, i.expression) for i in validator.validate(patient).errors}
    assert found == {("reference-type", "Patient.managingOrganization.type")}


@pytest.mark.parametrize(
    "reference, rules",
    [
        ({"reference": "Patient/1"}, []),
        ({"reference": "Organisation/1"}, []),
        ({"reference": "Organization/a_b"}, []),
        ({"reference": "Organization/a b"}, ["reference-format"]),
        ({"type": "Patient", "identifier": {"value": "x"}}, []),
        ({"type": "Patient", "reference": "Patient/1"}, ["reference-target"]),
        ({"type": "Patient", "reference": "Organization/1"}, ["reference-type"]),
        ({"type": "Patient", "reference": "http://example.org/x"}, ["reference-target"]),
        ({"reference": "Organization?name=x"}, []),
        ({"reference": "Organization?name"}, ["reference-format"]),
        ({"reference": "#"}, ["ref-1", "reference-target"]),
    ],
)
def test_nothing_is_demanded_of_targets_outside_where_they_are_ignored(reference, rules):
    validator = Validator(settings=Settings(targets="ignore"), retrieve=lambda _: PATIENT)
    assert errors(validator, **reference) == rules


@pytest.mark.parametrize(
    "kind, reference, rules",
    [
        ("collection", "a_b", ["reference-format"]),
        ("batch", "a_b", ["reference-format"]),
        ("collection", "Organization?name=x", ["reference-conditional"]),
        ("batch", "Organization?name=x", []),
    ],
)
def test_a_reference_in_a_bundle_is_written_well_even_where_targets_are_ignored(
    kind, reference, rules
):
    patient = {"resourceType": "Patient", "managingOrganization": {"reference": reference}}
    entry = {"fullUrl": "urn:oid:1.1", "resource": patient}
    if kind == "batch":
        entry["request"] = {"method": "POST", "url": "Patient"}
    bundle = {"resourceType": "Bundle", "type": kind, "entry": [entry]}
    found = Validator(settings=Settings(targets="ignore")).validate(bundle).errors
    assert [error.rule for error in found] == rules


@pytest.mark.parametrize(
    "reference, rules",
    [
        ("Organization/1", ["reference-not-found"]),
        ("urn:oid:1.1", ["reference-not-found"]),
        ("http://there.example/Organization/1", ["reference-not-found"]),
        ("http://example.org/fhir/Organization/1", []),
        ("Organization?name=x", ["reference-conditional"]),
    ],
)
def test_targets_are_found_where_that_is_demanded_but_for_examples_and_searches(reference, rules):
    validator = Validator(settings=Settings(targets="exist"))
    assert errors(validator, reference=reference) == rules


def test_the_parts_of_a_literal_reference_are_told():
    match = literal("http://example.org/fhir/Patient/1/_history/2")
    assert match.groupdict() == {
        "base": "http://example.org/fhir/", "type": "Patient", "id": "1", "version": "2",
    }  # fmt: skip
    assert literal("urn:oid:1.1") is None


@pytest.mark.parametrize(
    "where, rule",
    [
        ({"url": "http://a.example/Measure/m"}, "reference-not-found"),
        ({"identifier": [{"system": "http://a.example/ids"}]}, "reference-not-found"),
        ({"url": "http://b.example/Measure/m"}, "not-checked-reference"),
    ],
)
def test_what_a_guide_among_the_inputs_refers_to_must_be_there(where, rule):
    validator = Validator(definitions=Definitions.core(), bases=("http://a.example",))
    measure = {"resourceType": "Measure", "subjectReference": {"reference": "Group/g"}, **where}
    rules = [issue.rule for issue in validator.validate(measure).issues if "ference" in issue.rule]
    assert rules == [rule]


def test_what_is_not_at_hand_is_mentioned_once_and_is_no_error(validator):
    patient = {"resourceType": "Patient", "managingOrganization": {"reference": "Organization/1"}}
    (issue,) = validator.validate(patient).issues
    assert (issue.rule, issue.severity) == ("not-checked-reference", "information")


PROFILE = "http://example.org/StructureDefinition/named"
NAMED = {
    "resourceType": "StructureDefinition",
    "url": PROFILE,
    "name": "Named",
    "status": "draft",
    "kind": "resource",
    "abstract": False,
    "type": "Organization",
    "baseDefinition": "http://hl7.org/fhir/StructureDefinition/Organization",
    "derivation": "constraint",
    "differential": {"element": [{"path": "Organization.name", "min": 1}]},
}
TO_NAMED = {
    **NAMED,
    "url": "http://example.org/StructureDefinition/to-named",
    "type": "Patient",
    "baseDefinition": "http://hl7.org/fhir/StructureDefinition/Patient",
    "differential": {
        "element": [
            {
                "path": "Patient.managingOrganization",
                "type": [{"code": "Reference", "targetProfile": [PROFILE]}],
            }
        ]
    },
}
NAMELESS = {"resourceType": "Organization", "id": "o", "identifier": [{"value": "x"}]}


def with_profiles(**options):
    definitions = Definitions.core().with_resources([NAMED, TO_NAMED])
    return Validator(definitions=definitions, **options)


def with_targets(*targets):
    """The profile on Patient, with other target profiles of its organization."""
    element = TO_NAMED["differential"]["element"][0]
    type_ = {"code": "Reference", "targetProfile": list(targets)}
    return {**TO_NAMED, "differential": {"element": [{**element, "type": [type_]}]}}


def test_a_contained_target_meets_the_target_profile():
    patient = {"resourceType": "Patient", "managingOrganization": {"reference": "#o"}}
    validator = with_profiles()
    good = {**patient, "contained": [{**NAMELESS, "name": "A clinic"}]}
    assert not validator.validate(good, [TO_NAMED["url"]]).errors
    bad = {**patient, "contained": [NAMELESS]}
    (error,) = validator.validate(bad, [TO_NAMED["url"]]).errors
    assert (error.rule, error.expression) == ("reference-profile", "Patient.managingOrganization")


@pytest.mark.parametrize("strict, severity", [(False, "information"), (True, "error")])
@pytest.mark.parametrize("unknown, count", [(f"{PROFILE}-none", 1), (f"{FHIR}/none", 0)])
def test_target_profiles_must_strictly_be_at_hand_but_for_those_of_hl7(
    strict, severity, unknown, count
):
    asked = with_targets(PROFILE, unknown)
    definitions = Definitions.core().with_resources([NAMED, asked])
    validator = Validator(definitions=definitions, settings=Settings(strict=strict))
    inner = [{**NAMELESS, "name": "A clinic"}]
    patient = {"resourceType": "Patient", "contained": inner}
    outside = {**patient, "contained": [], "managingOrganization": {"reference": "Organization/1"}}
    inside = {**patient, "managingOrganization": {"reference": "#o"}}
    rule = "reference-profile-unknown"
    issues = validator.validate(inside, [asked["url"]]).issues
    assert [i.severity for i in issues if i.rule == rule] == [severity] * count
    assert rule not in {i.rule for i in validator.validate(outside, [asked["url"]]).issues}


@pytest.mark.parametrize(
    "reference, known, count",
    [
        ("Practitioner/1", [PROFILE, f"{FHIR}/Group"], 1),
        ("Practitioner/1", [], 1),
        ("Organization/1", [PROFILE], 0),
        ("Group/1", [f"{FHIR}/Group"], 0),
    ],
)
def test_a_target_is_not_judged_by_the_known_ones_of_its_target_profiles(reference, known, count):
    asked = with_targets(*known, f"{FHIR}/none")
    validator = Validator(definitions=Definitions.core().with_resources([NAMED, asked]))
    patient = {"resourceType": "Patient", "managingOrganization": {"reference": reference}}
    found = validator.validate(patient, [asked["url"]]).issues
    found = [i for i in found if i.profile == asked["url"] and "target" in i.rule]
    assert [i.rule for i in found] == ["not-checked-target"] * count
    assert all(f"{FHIR}/none" in i.text for i in found)


def test_a_target_in_the_bundle_meets_the_target_profile():
    patient = {"resourceType": "Patient", "managingOrganization": {"reference": "urn:oid:1.1"}}
    patient["meta"] = {"profile": [TO_NAMED["url"]]}
    bundle = {
        "resourceType": "Bundle",
        "type": "collection",
        "entry": [
            {"fullUrl": "urn:oid:1.0", "resource": patient},
            {"fullUrl": "urn:oid:1.1", "resource": NAMELESS},
        ],
    }
    (error,) = with_profiles().validate(bundle).errors
    assert error.rule == "reference-profile"
    assert error.expression == "Bundle.entry[0].resource.managingOrganization"


@pytest.mark.parametrize("targets, rules", [("", []), ("valid", ["reference-profile"])])
def test_targets_outside_the_input_are_checked_where_asked(targets, rules):
    validator = with_profiles(settings=Settings(targets=targets), retrieve=lambda _: NAMELESS)
    patient = {"resourceType": "Patient", "managingOrganization": {"reference": "Organization/o"}}
    errors = validator.validate(patient, [TO_NAMED["url"]]).errors
    assert [error.rule for error in errors] == rules


@pytest.mark.parametrize(
    "canonical, rule",
    [
        ("http://hl7.org/fhir/ValueSet/administrative-gender", None),
        ("http://hl7.org/fhir/ValueSet/administrative-gender|4.0.1", None),
        ("http://hl7.org/fhir/StructureDefinition/Patient", "reference-target"),
        ("http://example.org/nothing", "not-checked-canonical"),
        ("#inner", None),
        ("#nothing", "canonical-fragment"),
        ("urn:uuid:9e7ff1a5", "primitive-format"),
        ("gender", "canonical-absolute"),
    ],
)
def test_a_canonical_leads_to_a_definition_of_the_allowed_type(validator, canonical, rule):
    library = {
        "resourceType": "Library",
        "status": "draft",
        "type": {"text": "x"},
        "contained": [{"resourceType": "ValueSet", "id": "inner", "status": "draft"}],
        "dataRequirement": [{"type": "Condition", "codeFilter": [{"path": "code"}]}],
    }
    library["dataRequirement"][0]["codeFilter"][0]["valueSet"] = canonical
    found = [i.rule for i in validator.validate(library).issues if i.rule != "dom-3"]
    assert (found[:1] or [None]) == [rule]


@pytest.mark.parametrize("canonical, count", [("#inner", 0), ("#nothing", 1)])
def test_a_profile_that_is_claimed_as_contained_is_there(validator, canonical, count):
    inner = {"resourceType": "StructureDefinition", "id": "inner"}
    library = {"resourceType": "Library", "meta": {"profile": [canonical]}, "contained": [inner]}
    found = [i for i in validator.validate(library).issues if i.rule == "canonical-fragment"]
    assert [i.expression for i in found] == ["Library.meta.profile[0]"] * count


@pytest.mark.parametrize(
    "bundle_type, rules", [("transaction", []), ("batch", ["reference-conditional"])]
)
def test_a_search_stands_for_a_reference_in_a_transaction_only(validator, bundle_type, rules):
    patient = {
        "resourceType": "Patient",
        "managingOrganization": {"reference": "Organization?identifier=x"},
    }
    entry = {"resource": patient, "request": {"method": "POST", "url": "Patient"}}
    bundle = {"resourceType": "Bundle", "type": bundle_type, "entry": [entry]}
    assert [issue.rule for issue in validator.validate(bundle).errors] == rules
    parameters = {
        "resourceType": "Parameters",
        "parameter": [{"name": "x", "resource": bundle}],
    }
    assert [issue.rule for issue in validator.validate(parameters).errors] == rules


def test_a_claimed_profile_is_absolute(validator):
    patient = {"resourceType": "Patient", "meta": {"profile": ["mine"]}}
    found = {(i.rule, i.expression) for i in validator.validate(patient).issues}
    assert ("canonical-absolute", "Patient.meta.profile[0]") in found


def test_what_is_known_of_one_target_is_not_taken_for_another_that_is_read_later():
    def read(reference):
        return NAMELESS if reference.endswith("/2") else {**NAMELESS, "name": "A clinic"}

    links = [{"other": {"reference": f"Organization/{n}"}, "type": "refer"} for n in range(4)]
    structure = {
        **TO_NAMED,
        "differential": {
            "element": [
                {
                    "path": "Patient.link.other",
                    "type": [{"code": "Reference", "targetProfile": [PROFILE]}],
                }
            ]
        },
    }
    validator = Validator(
        definitions=Definitions.core().with_resources([NAMED, structure]),
        settings=Settings(targets="valid"),
        retrieve=lambda reference: dict(read(reference)),
    )
    found = validator.validate({"resourceType": "Patient", "link": links}, [structure["url"]])
    places = [i.expression for i in found.issues if i.rule == "reference-profile"]
    assert places == ["Patient.link[2].other"]
