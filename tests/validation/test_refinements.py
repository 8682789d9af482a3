import pytest
import yaml

from fhirpkg import Definitions
from fhirpkg.validation.run import Settings
from fhirpkg.validation.validator import Validator

CORE = "http://hl7.org/fhir/StructureDefinition/"
BY_SYSTEM = {"discriminator": [{"type": "value", "path": "system"}], "rules": "open"}
BASE = {
    "resourceType": "StructureDefinition", "url": "http://a.example/base", "name": "Base",
    "status": "draft", "kind": "resource", "abstract": False, "type": "Patient",
    "baseDefinition": f"{CORE}Patient", "derivation": "constraint",
    "differential": {"element": [
        {"id": "Patient.identifier", "path": "Patient.identifier",
         "slicing": {**BY_SYSTEM, "ordered": False, "rules": "closed"}},
        {"id": "Patient.identifier:a", "path": "Patient.identifier", "sliceName": "a"},
        {"id": "Patient.name", "path": "Patient.name", "min": 1, "mustSupport": True},
        {"id": "Patient.managingOrganization", "path": "Patient.managingOrganization",
         "type": [{"code": "Reference", "targetProfile": [f"{CORE}Organization|4.0.1"]}]},
    ]},
}  # fmt: skip


def profile(*elements, **more):
    named = [{"id": e["path"], **e} for e in elements]
    return {
        **BASE,
        "url": "http://example.org/StructureDefinition/p",
        "differential": {"element": named},
        **more,
    }


def told(structure, *, strict=True):
    """The rules of this family that a definition breaks, with their places."""
    definitions = Definitions.core().with_resources([BASE])
    validator = Validator(definitions=definitions, settings=Settings(strict=strict))
    return [
        (issue.rule.removeprefix("structure-definition-"), issue.expression.partition(".")[2])
        for issue in validator.validate(structure).errors
        if issue.rule.startswith("structure-definition-")
    ]


def pytest_generate_tests(metafunc):
    if "case" in metafunc.fixturenames:
        path = metafunc.definition.path.with_name("differentials.yaml")
        cases = yaml.safe_load(path.read_text(encoding="utf-8"))
        metafunc.parametrize("case", cases, ids=[case["case"] for case in cases])


def test_a_differential_is_told_of_where_it_leaves_its_base(case):
    base = {"baseDefinition": BASE["url"]} if case.get("of") == "base" else {}
    found = told(profile(*case["elements"], **base))
    expected = [tuple(each) for each in case.get("told", ())]
    summary = [("snapshot", "")] if any(rule != "slice-unannounced" for rule, _ in expected) else []
    assert sorted(found) == sorted([*summary, *expected])


def test_an_unannounced_slice_is_let_pass_outside_strict_checking_as_r4_has_some():
    named = profile({"path": "Patient.birthDate", "sliceName": "a"})
    assert told(named, strict=False) == []


@pytest.mark.parametrize(
    "more, place",
    [
        ({"kind": "complex-type"}, "kind"),
        ({"context": [{"type": "element", "expression": "Patient"}]}, "context[0]"),
    ],
)
def test_a_constraint_keeps_its_kind_and_has_no_context(more, place):
    assert ("refinement", place) in told(profile({"path": "Patient"}, **more))


def test_a_base_that_leads_back_to_the_profile_is_told_of_the_whole():
    url = "http://example.org/StructureDefinition/p"
    structure = profile({"path": "Patient.name", "min": 1}, baseDefinition=url)
    definitions = Definitions.core().with_resources([structure])
    errors = Validator(definitions=definitions).validate(structure).errors
    assert "structure-definition-snapshot" in {issue.rule for issue in errors}


def test_the_invariants_of_a_context_can_be_read(validator):
    definition = profile(
        {"path": "Extension"},
        type="Extension",
        kind="complex-type",
        baseDefinition=f"{CORE}Extension",
        contextInvariant=["use.exists()", "use.("],
    )
    found = {(i.rule, i.expression) for i in validator.validate(definition).issues}
    assert ("definition-expression", "StructureDefinition.contextInvariant[1]") in found
    assert ("definition-expression", "StructureDefinition.contextInvariant[0]") not in found


@pytest.mark.parametrize("missing", ["http://a.example/none", f"{CORE}Nothing"])
def test_what_stands_on_a_base_that_is_not_loaded_is_not_checked(missing):
    base = BASE | {"url": "http://a.example/between", "baseDefinition": missing}
    child = profile({"path": "Patient.name", "min": 1}, baseDefinition=base["url"])
    definitions = Definitions.core().with_resources([base])
    issues = Validator(definitions=definitions).validate(child).issues
    found = {issue.rule for issue in issues}
    assert "not-checked-profile" in found
    assert "structure-definition-snapshot" not in found
