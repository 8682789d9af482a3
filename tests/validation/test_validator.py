import gc
import json
import subprocess
import sys
import weakref

import pytest

from fhirpkg.definitions.definitions import Definitions
from fhirpkg.errors import SourceError
from fhirpkg.issues import Severity
from fhirpkg.packages.package import read_package
from fhirpkg.packages.packing import write_package
from fhirpkg.validation.run import Settings
from fhirpkg.validation.validator import Validator

PATIENT = {"resourceType": "Patient", "gender": "nobody", "name": [{"famly": "Roe"}]}
TEXT = b'{\n  "resourceType": "Patient",\n  "gender": "nobody",\n  "name": [{"famly": "Roe"}]\n}\n'


def test_bytes_dictionaries_and_files_give_the_same_findings(validator, tmp_path):
    file = tmp_path / "patient.json"
    file.write_bytes(TEXT)
    rules = [
        [issue.rule for issue in validator.validate(given).errors]
        for given in (PATIENT, TEXT, file)
    ]
    assert [sorted(found) for found in rules] == [
        ["binding-required", "structure-unknown-element"]
    ] * 3


def test_findings_have_file_line_column_and_expression(validator, tmp_path):
    file = tmp_path / "patient.json"
    file.write_bytes(TEXT)
    gender, name = validator.validate(file).errors
    assert (gender.file, gender.line, gender.column) == (str(file), 3, 3)
    assert (name.line, name.column, name.expression) == (4, 13, "Patient.name[0].famly")
    assert "did you mean 'family'?" in name.text


def test_a_name_can_be_given_for_what_is_no_file(validator):
    assert validator.validate(TEXT, file="-").errors[0].file == "-"


def test_xml_gives_the_same_findings_with_their_lines(validator):
    text = (
        b'<Patient xmlns="http://hl7.org/fhir">\n  <gender value="nobody"/>\n'
        b'  <name><famly value="Roe"/></name>\n</Patient>'
    )
    found = {(issue.rule, issue.line) for issue in validator.validate(text).errors}
    assert ("binding-required", 2) in found
    assert any(line == 3 for _, line in found)


@pytest.mark.parametrize(
    "text",
    [
        '{"resourceType": "Patient"}',
        '{"resourceType": "Patient", "gender": "femal"}',
        '{"resourceType": "Patient", "gender": "male", "gender": "male"}',
        '{"resourceType": "Patient", "maritalStatus": {"text": "x"}, "extension": []}',
        '{"resourceType": "Patient", "extension": [{"url": "http://a.org/x", "valueCode": "a"}]}',
        '{"resourceType": "Patien"}',
        '{"resourceType": "Patient"',
        '<Patient xmlns="http://hl7.org/fhir"><gender value="femal"/></Patient>',
    ],
)
def test_the_verdict_is_that_of_the_issues(validator, text):
    assert bool(validator.validate(text)) is not bool(validator.validate(text).errors)


def test_a_file_that_is_not_there_is_raised(validator, tmp_path):
    with pytest.raises(SourceError, match="none"):
        validator.validate(tmp_path / "none.json")


def test_asked_profiles_are_checked_besides_the_type(validator):
    profile = "http://hl7.org/fhir/StructureDefinition/bodyweight"
    observation = {"resourceType": "Observation", "status": "final", "code": {"text": "x"}}
    assert not validator.validate(observation).errors
    errors = validator.validate(observation, [profile]).errors
    assert {error.profile for error in errors} == {profile}


def test_a_profile_that_is_not_loaded_is_told_and_no_error(validator):
    claimed = {"resourceType": "Patient", "meta": {"profile": ["http://example.org/none"]}}
    outcome = validator.validate(claimed, ["http://example.org/other"])
    told = {(issue.rule, issue.severity) for issue in outcome.issues}
    assert told == {("not-checked-profile", Severity.INFORMATION)}
    assert len(outcome.issues) == 2


def test_the_verdict_does_not_depend_on_what_was_checked_before(content):
    some = content[::3]  # a new validator for each takes its time
    fresh = [Validator().validate(resource) for resource in some]
    one = Validator()
    again = [one.validate(resource) for resource in reversed(some)][::-1]
    assert again == fresh


def test_definitions_go_with_the_validator_that_used_them():
    profile = {
        "resourceType": "StructureDefinition",
        "url": "http://example.org/p",
        "type": "Patient",
        "kind": "resource",
        "derivation": "constraint",
        "baseDefinition": "http://hl7.org/fhir/StructureDefinition/Patient",
        "differential": {
            "element": [
                {
                    "path": "Patient",
                    "constraint": [{"key": "x", "severity": "error", "expression": "id.exists()"}],
                }
            ]
        },
    }
    definitions = Definitions.core().with_resources([profile])
    extension = {"url": "http://hl7.org/fhir/StructureDefinition/patient-birthPlace"}
    patient = PATIENT | {"extension": [extension]}
    rules = {
        i.rule
        for i in Validator(definitions=definitions).validate(patient, [profile["url"]]).issues
    }
    assert "x" in rules
    kept = weakref.ref(definitions.types)
    del definitions
    gc.collect()
    assert kept() is None


def test_the_input_is_left_as_it_was(validator, content):
    before = json.dumps(content)
    for resource in content:
        validator.validate(resource)
    assert json.dumps(content) == before


def test_packages_and_resources_beside_the_core_are_used():
    value_set = {
        "resourceType": "ValueSet",
        "url": "http://hl7.org/fhir/ValueSet/administrative-gender",
        "version": "4.0.1",
        "status": "active",
        "compose": {"include": [{"system": "http://example.org/s", "concept": [{"code": "x"}]}]},
    }
    validator = Validator(definitions=Definitions.core().with_resources([value_set]))
    assert not validator.validate({"resourceType": "Patient", "gender": "x"}).errors
    assert validator.validate({"resourceType": "Patient", "gender": "female"}).errors


def test_profiles_of_a_package_count_in_xml_as_well():
    url = "http://example.org/StructureDefinition/p"
    text = (
        '<StructureDefinition xmlns="http://hl7.org/fhir">'
        f'<url value="{url}"/><name value="P"/><status value="draft"/><kind value="resource"/>'
        '<abstract value="false"/><type value="Patient"/>'
        '<baseDefinition value="http://hl7.org/fhir/StructureDefinition/Patient"/>'
        '<derivation value="constraint"/><differential><element><path value="Patient.birthDate"/>'
        '<min value="1"/></element></differential></StructureDefinition>'
    )
    manifest = {"name": "a.b", "version": "1.0.0", "fhirVersions": ["4.0.1"]}
    broken = b"<StructureDefinition"
    files = {"p.xml": text.encode(), "broken.xml": broken, "other/q.xml": text.encode()}
    package = read_package(write_package(manifest, files))
    outcome = Validator([package]).validate({"resourceType": "Patient"}, [url])
    assert [(i.rule, i.expression) for i in outcome.errors] == [("cardinality-min", "Patient")]


def test_global_profiles_of_a_loaded_guide_apply_to_every_resource_of_the_type():
    profile = "http://hl7.org/fhir/StructureDefinition/bodyweight"
    guide = {
        "resourceType": "ImplementationGuide",
        "url": "http://example.org/ImplementationGuide/ig",
        "global": [{"type": "Observation", "profile": profile}],
    }
    validator = Validator(definitions=Definitions.core().with_resources([guide]))
    observation = {"resourceType": "Observation", "status": "final", "code": {"text": "x"}}
    assert validator.validate(observation).errors
    assert not validator.validate({"resourceType": "Patient", "active": True}).errors


def test_targets_outside_the_input_are_asked_for():
    asked = []

    def retrieve(reference):
        asked.append(reference)
        return {"resourceType": "Medication"}

    patient = {"resourceType": "Patient", "managingOrganization": {"reference": "Organization/1"}}
    issues = Validator(retrieve=retrieve).validate(patient).issues
    assert asked == ["Organization/1"]
    assert [issue.rule for issue in issues] == ["reference-target"]


def test_best_practice_is_asked_for():
    patient = {"resourceType": "Patient", "active": True}
    assert not Validator().validate(patient).issues
    settings = Settings(best_practice=Severity.WARNING)
    issues = Validator(settings=settings).validate(patient).issues
    assert [(issue.rule, issue.severity) for issue in issues] == [("dom-6", Severity.WARNING)]


@pytest.mark.parametrize(
    "resource, rule",
    [
        ({"extension": [{"url": "http://a.test/e", "valueString": "x"}]}, "extension-unknown"),
        ({"meta": {"profile": ["x"]}}, "canonical-absolute"),
        ({"identifier": [{"system": "urn:ietf:rfc:3986", "value": "x"}]}, "identifier-uri"),
        ({"implicitRules": "x"}, None),
    ],
)
def test_strict_checking_makes_errors_of_what_examples_do(resource, rule):
    resource = {"resourceType": "Patient", **resource}
    assert not Validator().validate(resource).errors
    errors = Validator(settings=Settings(strict=True)).validate(resource).errors
    assert [error.rule for error in errors] == ([rule] if rule else [])


def test_demanded_targets_that_are_nowhere_are_errors():
    patient = {"resourceType": "Patient", "managingOrganization": {"reference": "Organization/1"}}
    errors = Validator(settings=Settings(targets="exist")).validate(patient).errors
    assert [error.rule for error in errors] == ["reference-not-found"]


def test_the_validator_needs_the_standard_library_alone():
    program = (
        'import sys; from fhirpkg import Validator; Validator().validate(b\'{"resourceType":'
        ' "Patient", "active": true}\'); print(sorted({n.partition(\'.\')[0] for n in sys.modules}'
        " - set(sys.stdlib_module_names) - {'fhirpkg', '__main__', '__mp_main__'}))"
    )
    done = subprocess.run(
        [sys.executable, "-S", "-c", f"import sys; sys.path.insert(0, '.'); {program}"],
        check=True, capture_output=True, text=True,
    )  # fmt: skip
    assert done.stdout.strip() == "[]"


def test_a_large_bundle_is_checked_with_each_reference_found(validator):
    entries = []
    for n in range(3000):
        patient = {"resourceType": "Patient", "id": f"p{n}", "active": True}
        task = {"resourceType": "Basic", "id": f"b{n}", "code": {"text": "x"}}
        task["subject"] = {"reference": f"Patient/p{n}"}
        entries += [
            {"fullUrl": f"http://example.org/Patient/p{n}", "resource": patient},
            {"fullUrl": f"http://example.org/Basic/b{n}", "resource": task},
        ]
    bundle = {"resourceType": "Bundle", "type": "collection", "entry": entries}
    assert not validator.validate(bundle).issues


def test_what_a_guide_among_the_inputs_should_define_must_be_there():
    plan = {
        "resourceType": "PlanDefinition",
        "status": "draft",
        "library": ["http://example.org/ig/Library/none", "http://elsewhere.test/Library/none"],
    }
    issues = Validator(bases=["http://example.org/ig"]).validate(plan).issues
    assert [(i.rule, i.expression) for i in issues] == [
        ("reference-not-found", "PlanDefinition.library[0]"),
        ("not-checked-canonical", "PlanDefinition.library[1]"),
    ]


@pytest.mark.parametrize(
    "version, found", [("", []), ("|1.0", ["not-checked-canonical"]), ("|2.0", [])]
)
def test_a_guide_may_refer_to_an_older_version_of_what_it_defines(version, found):
    library = {
        "resourceType": "Library", "url": "http://example.org/ig/Library/a", "version": "2.0",
        "status": "draft", "type": {"text": "x"},
    }  # fmt: skip
    plan = {
        "resourceType": "PlanDefinition",
        "status": "draft",
        "library": [library["url"] + version],
    }
    definitions = Definitions.core().with_resources([library])
    validator = Validator(definitions=definitions, bases=["http://example.org/ig"])
    assert [issue.rule for issue in validator.validate(plan).issues] == found


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be"])
@pytest.mark.parametrize(
    "text, rule",
    [('<Patient xmlns="http://hl7.org/fhir"/>', "xml-encoding"), ('{"a": 1}', "parse-json")],
)
def test_utf_16_is_refused_as_what_it_is(validator, encoding, text, rule):
    [issue] = validator.validate(text.encode(encoding)).issues
    assert (issue.rule, "UTF-16" in issue.text) == (rule, True)


def test_a_target_that_is_known_to_be_elsewhere_is_not_read():
    def retrieve(reference):
        raise AssertionError(reference)

    patient = {"resourceType": "Patient", "managingOrganization": {"reference": "Organization/1"}}
    validator = Validator(retrieve=retrieve, knows="Organization/1".__eq__)
    assert not validator.validate(patient).issues
    patient["managingOrganization"] = {"reference": "Device/1"}
    errors = Validator(retrieve=retrieve, knows=lambda _: True).validate(patient).errors
    assert [error.rule for error in errors] == ["reference-target"]


def test_an_entry_meets_the_profile_that_the_settings_give_it():
    profile = {
        "resourceType": "StructureDefinition",
        "url": "http://example.org/StructureDefinition/active",
        "status": "draft",
        "kind": "resource",
        "type": "Patient",
        "baseDefinition": "http://hl7.org/fhir/StructureDefinition/Patient",
        "derivation": "constraint",
        "differential": {"element": [{"path": "Patient.active", "min": 1}]},
    }
    patient = {"resourceType": "Patient", "name": [{"text": "x"}]}
    entries = [{"fullUrl": f"urn:oid:1.{n}", "resource": patient} for n in range(3)]
    bundle = {"resourceType": "Bundle", "type": "collection", "entry": entries}
    settings = Settings(entry_profiles=(("Patient:1", profile["url"]),))
    definitions = Definitions.core().with_resources([profile])
    errors = Validator(definitions=definitions, settings=settings).validate(bundle).errors
    assert [(e.rule, e.expression) for e in errors] == [
        ("cardinality-min", "Bundle.entry[1].resource")
    ]


@pytest.mark.parametrize(
    "lets_pass, experimental, count", [(True, True, 0), (False, True, 1), (False, False, 0)]
)
def test_experimental_definitions_pass_unless_the_settings_refuse_them(
    lets_pass, experimental, count
):
    library = {"resourceType": "Library", "status": "draft", "type": {"text": "x"}}
    library["experimental"] = experimental
    errors = Validator(settings=Settings(experimental=lets_pass)).validate(library).errors
    assert [(e.rule, e.expression) for e in errors] == [
        ("definition-experimental", "Library")
    ] * count


@pytest.mark.parametrize("inner, count", [(True, 1), (False, 0)])
def test_only_the_type_of_inner_resources_is_checked_where_that_is_asked(inner, count):
    entry = {"fullUrl": "urn:oid:1.1", "resource": {"resourceType": "Patient", "gender": "x"}}
    bundle = {"resourceType": "Bundle", "type": "collection", "entry": [entry]}
    validator = Validator(settings=Settings(inner=inner))
    assert [e.rule for e in validator.validate(bundle).errors] == ["binding-required"] * count
    entry["resource"] = {"resourceType": "Patiens"}
    assert [e.rule for e in validator.validate(bundle).errors] == ["structure-resource-type"]


def profile(name, *elements, **more):
    """A profile on Patient."""
    return {
        "resourceType": "StructureDefinition",
        "url": f"http://example.org/StructureDefinition/{name}",
        "type": "Patient",
        "kind": "resource",
        "derivation": "constraint",
        "baseDefinition": "http://hl7.org/fhir/StructureDefinition/Patient",
        "differential": {"element": [{"id": "Patient", "path": "Patient"}, *elements]},
        **more,
    }


def test_profiles_that_a_profile_imposes_apply_with_it():
    named = profile("named", {"id": "Patient.name", "path": "Patient.name", "min": 1})
    imposes = "http://hl7.org/fhir/StructureDefinition/structuredefinition-imposeProfile"
    more = {"extension": [{"url": imposes, "valueCanonical": named["url"]}]}
    asked = profile("asked", **more)
    validator = Validator(definitions=Definitions.core().with_resources([named, asked]))
    outcome = validator.validate({"resourceType": "Patient"}, [asked["url"]])
    assert [(i.rule, i.profile) for i in outcome.errors] == [("cardinality-min", named["url"])]


def test_a_type_may_be_claimed_by_the_version_of_fhir(validator):
    url = "http://hl7.org/fhir/4.0/StructureDefinition/Patient"
    content = {"resourceType": "Patient", "meta": {"profile": [url]}}
    assert not [i for i in validator.validate(content).issues if "profile" in i.rule]
    outcome = validator.validate({**content, "resourceType": "Basic"})
    assert "profile-type" in {issue.rule for issue in outcome.errors}


def test_a_profile_that_a_definition_demands_must_strictly_be_at_hand():
    element = {"id": "Patient.name", "path": "Patient.name"}
    type_ = {"code": "HumanName", "profile": ["http://example.org/StructureDefinition/none"]}
    asked = profile("asked", {**element, "type": [type_]})
    definitions = Definitions.core().with_resources([asked])
    patient = {"resourceType": "Patient", "name": [{"family": "x"}]}
    for strict, severity in ((False, Severity.INFORMATION), (True, Severity.ERROR)):
        validator = Validator(definitions=definitions, settings=Settings(strict=strict))
        issues = validator.validate(patient, [asked["url"]]).issues
        assert [i.severity for i in issues if i.rule == "profile-unknown"] == [severity]


@pytest.mark.parametrize(
    "change, strict, severity",
    [
        ({"baseDefinition": "http://a.example/nope"}, True, Severity.ERROR),
        ({"baseDefinition": "http://a.example/nope"}, False, Severity.WARNING),
        ({"baseDefinition": "http://a.example/broken"}, True, Severity.ERROR),
        ({"differential": {"element": "x"}}, True, Severity.ERROR),
        ({"differential": {"element": [{"path": "Patient.nope"}]}}, True, Severity.WARNING),
    ],
)
def test_a_claimed_profile_that_cannot_be_used_is_told(change, strict, severity):
    profile = {
        "resourceType": "StructureDefinition", "url": "http://a.example/broken", "name": "B",
        "status": "draft", "kind": "resource", "abstract": False, "type": "Patient",
        "baseDefinition": "http://hl7.org/fhir/StructureDefinition/Patient",
        "derivation": "constraint", "differential": {"element": [{"path": "Patient"}]}, **change,
    }  # fmt: skip
    definitions = Definitions.core().with_resources([profile])
    validator = Validator(definitions=definitions, settings=Settings(strict=strict))
    patient = {"resourceType": "Patient", "active": True, "meta": {"profile": [profile["url"]]}}
    told = {issue.rule: issue.severity for issue in validator.validate(patient).issues}
    assert told["not-checked-profile"] == severity


def test_an_unknown_form_of_a_choice_is_told_with_the_element_and_its_types(validator):
    observation = {"resourceType": "Observation", "status": "final", "code": {"text": "x"}}
    (error,) = validator.validate({**observation, "effectiveString": "x"}).errors
    for word in ("effectiveString", "effective[x]", "dateTime, Period, Timing, instant"):
        assert word in error.text
