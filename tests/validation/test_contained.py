import pytest

from fhirpkg.validation.run import Settings
from fhirpkg.validation.validator import Validator

ORGANIZATION = {"resourceType": "Organization", "id": "o", "name": "x"}
DIV = '<div xmlns="http://www.w3.org/1999/xhtml"><p>x{}</p></div>'


@pytest.mark.parametrize(
    "patient, orphan",
    [
        ({"managingOrganization": {"reference": "#o"}}, False),
        ({"managingOrganization": {"display": "x"}}, True),
        ({"text": {"status": "generated", "div": DIV.format('<a href="#o">o</a>')}}, False),
        ({"text": {"status": "generated", "div": DIV.format("#o")}}, True),
        ({"implicitRules": "#o"}, False),
    ],
)
def test_a_contained_resource_is_referred_to(found, patient, orphan):
    patient = {"resourceType": "Patient", "contained": [ORGANIZATION], **patient}
    assert (("dom-3", "Patient.contained[0]") in found(patient)) is orphan


def test_it_may_refer_to_its_container_or_be_referred_to_by_another_contained(found):
    group = {"resourceType": "Group", "id": "g", "type": "person", "actual": True}
    group["managingEntity"] = {"reference": "#o"}
    group["member"] = [{"entity": {"reference": "#"}}]
    patient = {"resourceType": "Patient", "contained": [ORGANIZATION, group]}
    assert not {place for rule, place in found(patient) if rule == "dom-3"}


def test_one_that_refers_only_to_itself_is_an_orphan(found):
    organization = {**ORGANIZATION, "partOf": {"reference": "#o"}}
    assert ("dom-3", "Patient.contained[0]") in found(
        {"resourceType": "Patient", "contained": [organization]}
    )


def test_two_of_one_id_are_told(found):
    patient = {
        "resourceType": "Patient",
        "contained": [ORGANIZATION, {**ORGANIZATION, "id": "p"}, ORGANIZATION],
        "generalPractitioner": [{"reference": "#o"}, {"reference": "#p"}],
    }
    assert [at for rule, at in found(patient) if rule == "contained-id"] == ["Patient.contained[2]"]


def test_those_without_id_are_not_of_one_id(found):
    organization = {"resourceType": "Organization", "name": "x"}
    patient = {"resourceType": "Patient", "contained": [organization, organization]}
    assert "contained-id" not in {rule for rule, _ in found(patient)}


def test_none_of_it_is_told_where_inner_resources_are_not_checked():
    patient = {"resourceType": "Patient", "contained": [ORGANIZATION, ORGANIZATION]}
    validator = Validator(settings=Settings(inner=False))
    assert not validator.validate(patient).errors
