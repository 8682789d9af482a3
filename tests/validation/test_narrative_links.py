"""The parts of narrative that textLink names, and the data they are linked with, are there."""

import pytest

from fhirpkg.validation.run import Settings
from fhirpkg.validation.validator import Validator

DIV = '<div xmlns="http://www.w3.org/1999/xhtml"><p id="part">x <a name="anchor">y</a></p></div>'
BASE = "http://example.org/fhir"


def found(part, data, *, strict=False, alone=False):
    """(rule, severity) of what is said of one textLink in a Patient that may be in a Bundle."""
    link = {
        "url": "http://hl7.org/fhir/StructureDefinition/textLink",
        "extension": [
            {"url": "htmlid", "valueString": part},
            {"url": "data", "valueUri": data},
        ],
    }
    patient = {
        "resourceType": "Patient",
        "id": "1",
        "text": {"extension": [link], "status": "generated", "div": DIV},
        "contained": [{"resourceType": "Organization", "id": "inner", "name": "x"}],
        "managingOrganization": {"reference": "#inner"},
        "name": [{"id": "name", "family": "x"}],
    }
    other = {"resourceType": "Organization", "id": "2", "name": "x"}
    entries = [(f"{BASE}/Patient/1", patient), (f"{BASE}/Organization/2", other)]
    bundle = {
        "resourceType": "Bundle",
        "type": "collection",
        "entry": [{"fullUrl": url, "resource": resource} for url, resource in entries],
    }
    validator = Validator(settings=Settings(strict=strict))
    issues = validator.validate(patient if alone else bundle).issues
    return [(i.rule, i.severity, i.expression) for i in issues if i.rule.startswith("narrative-")]


@pytest.mark.parametrize(
    "data", ["#name", "#inner", "Organization/2", f"{BASE}/Organization/2", "Organization/2#x"]
)
def test_data_is_an_element_by_its_id_or_a_resource_in_reach(data):
    assert found("part", data, strict=True) == []


@pytest.mark.parametrize("part", ["#part", "anchor", "other"])
def test_a_part_is_an_id_in_the_narrative(part):
    place = "Bundle.entry[0].resource.text.extension[0]"
    assert found(part, "#name") == [("narrative-part", "error", place)]


@pytest.mark.parametrize("data", ["#other", "#"])
def test_an_id_that_no_element_has_is_an_error(data):
    place = "Patient.text.extension[0]"
    assert found("part", data, alone=True) == [("narrative-data", "error", place)]


@pytest.mark.parametrize("strict, severity", [(False, "warning"), (True, "error")])
@pytest.mark.parametrize("data", ["Organization/2", f"{BASE}/Organization/2", "urn:uuid:1"])
def test_data_that_may_lie_elsewhere_is_an_error_under_strict_checking(data, strict, severity):
    place = "Patient.text.extension[0]"
    issues = found("part", data, strict=strict, alone=True)
    assert issues == [("narrative-data", severity, place)]
