import pytest

from fhirpkg.definitions.definitions import Definitions
from fhirpkg.definitions.terminology.valuesets import Terminology
from fhirpkg.issues import Severity
from fhirpkg.validation.elements.rules import STRUCTURE_EMPTY, STRUCTURE_NULL
from fhirpkg.validation.places import flat
from fhirpkg.validation.run import Run, contained

INNER = {"resourceType": "Organization", "id": "org"}
PATIENT = {"resourceType": "Patient", "id": "p", "contained": [INNER]}
OBSERVATION = {"resourceType": "Observation", "subject": {"reference": "Patient/p"}}
BUNDLE = {
    "resourceType": "Bundle",
    "entry": [
        {"fullUrl": "http://example.org/Patient/p", "resource": PATIENT},
        {"fullUrl": "http://example.org/Observation/o", "resource": OBSERVATION},
    ],
}


@pytest.fixture
def run():
    definitions = Definitions.core()
    elsewhere = {"Device/d": {"resourceType": "Device"}}
    return Run(BUNDLE, definitions, Terminology(definitions), retrieve=elsewhere.get)


@pytest.mark.parametrize(
    "trail, path",
    [
        ((), ()),
        (("entry", 0), ("entry", 0)),
        (((), "entry", 0), ("entry", 0)),
        ((((), "entry", 0), "resource"), ("entry", 0, "resource")),
    ],
)
def test_a_trail_becomes_a_path(trail, path):
    assert flat(trail) == path


def test_references_are_followed_from_where_they_stand(run):
    place = ("entry", 1, "resource", "subject")
    assert run.resolve("Patient/p", place) is PATIENT
    assert run.resolve("#org", ("entry", 0, "resource", "managingOrganization")) is INNER
    assert run.resolve("#org", place) is None
    assert run.resolve("Device/d", place) == {"resourceType": "Device"}
    assert run.resolve("Device/e", place) is None


def test_the_owner_of_a_place_is_the_resource_that_is_contained_in_none(run):
    assert run.owner(("entry", 0, "resource", "contained", 0, "name")) is PATIENT
    assert run.owner(("entry", 0)) is BUNDLE


def test_a_bundled_target_is_told_from_others(run):
    assert run.is_bundled("Patient/p", ("entry", 1, "resource"))
    assert not run.is_bundled("Device/d", ("entry", 1, "resource"))


def test_a_contained_resource_is_found_by_its_id():
    assert contained(PATIENT, "org") is INNER
    assert contained(PATIENT, "") is PATIENT
    assert contained({"contained": "x"}, "org") is None


def test_what_a_trial_finds_is_kept_apart(run):
    run.report(STRUCTURE_NULL, ())
    with run.trial() as found:
        run.report(STRUCTURE_EMPTY, (), found="list")
        assert run.depth == 1
    assert [finding.rule.id for finding in found] == ["structure-empty"]
    assert [finding.rule.id for finding in run.findings] == ["structure-null"]
    assert run.depth == 0


def test_a_profile_is_entered_once_for_a_value_and_again_in_a_trial_of_another(run):
    assert run.enter("p", PATIENT)
    assert not run.enter("p", PATIENT)
    with run.trial():
        assert run.enter("q", PATIENT)
    assert run.enter("q", PATIENT)


def test_the_severity_of_a_finding_is_its_own_or_that_of_its_rule(run):
    run.report(STRUCTURE_NULL, ())
    run.report(STRUCTURE_NULL, (), severity=Severity.WARNING)
    assert list(map(run.severity_of, run.findings)) == [Severity.ERROR, Severity.WARNING]


def test_fhirpath_sees_the_resource_and_its_container(run):
    with run.inside(INNER, ("entry", 0, "resource", "contained", 0)):
        assert run.environment.resource is INNER
        assert run.environment.root_resource is PATIENT
    assert run.environment.resource is None


def test_a_visited_resource_is_its_own_container(run):
    stranger = {"resourceType": "Patient", "contained": [{"resourceType": "Group", "id": "g"}]}
    with run.inside(stranger, (), visited=True):
        assert run.resolve("#g", ("entry", 0))["resourceType"] == "Group"
    assert run.resolve("#g", ("entry", 0)) is None


def test_few_of_the_resources_that_references_lead_to_are_held():
    asked = []

    def retrieve(reference):
        asked.append(reference)
        return {"resourceType": "Device", "id": reference[7:]}

    definitions = Definitions.core()
    run = Run(PATIENT, definitions, Terminology(definitions), retrieve=retrieve)
    for number in range(1000):
        assert run.resolve(f"Device/{number}", ())["id"] == str(number)
        assert run.resolve(f"Device/{number}", ())["id"] == str(number)
    assert len(asked) == 1000
    assert run.resolve("Device/0", ())["id"] == "0"
    assert len(asked) == 1001, "the first is not held any more"
