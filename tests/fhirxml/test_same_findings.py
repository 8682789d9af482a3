"""The same mistakes are found in XML as in JSON, at the same places."""

import pytest

from fhirpkg import fhirjson, fhirxml
from fhirpkg.validation.validator import Validator

VALIDATOR = Validator()
DIV = '<div xmlns="http://www.w3.org/1999/xhtml">{}</div>'


def patient(**more):
    return {"resourceType": "Patient", **more}


RESOURCES = {
    "valid": patient(name=[{"given": ["A", "B"], "_given": [None, {"id": "x"}]}], active=True),
    "unknown element": patient(tilte="x", name=[{"gven": ["A"]}]),
    "wrong primitive": patient(birthDate="2020-13-45", active="perhaps", multipleBirthInteger="2a"),
    "wrong code": patient(gender="f", contact=[{"gender": "m"}]),
    "too many": patient(birthDate=["2020", "2021"]),
    "missing": {"resourceType": "Observation", "code": {"text": "x"}},
    "two choices": patient(deceasedBoolean=True, deceasedDateTime="2020"),
    "bad choice": {"resourceType": "Observation", "status": "final", "valueAddress": {}},
    "narrative": patient(text={"status": "generated", "div": DIV.format("<script/>")}),
    "extension": patient(
        extension=[{"url": "relative", "valueString": "x"}, {"url": "http://x.org"}]
    ),
    "extension on a primitive": patient(_birthDate={"extension": [{"url": "http://x.org"}]}),
    "contained": patient(
        contained=[{"resourceType": "Organization", "id": "o", "activ": True}],
        managingOrganization={"reference": "#p"},
    ),
    "bundle": {
        "resourceType": "Bundle",
        "type": "collection",
        "entry": [
            {"fullUrl": "Patient/a", "resource": patient(id="a", gender="f")},
            {"resource": {"resourceType": "Group", "quantity": "many"}},
        ],
    },
}


@pytest.mark.parametrize("name", RESOURCES)
def test_findings_in_xml_are_those_in_json(name):
    resource = RESOURCES[name]
    texts = (fhirjson.dump(resource).encode(), fhirxml.dump(resource, VALIDATOR.definitions.types))
    json, xml = (
        sorted(
            (i.rule, str(i.severity), i.expression, i.text) for i in VALIDATOR.validate(text).issues
        )
        for text in texts
    )
    assert xml == json
    assert bool([found for found in json if found[1] == "error"]) == (name != "valid")


def test_findings_in_xml_stand_on_their_lines():
    resource = patient(name=[{"given": ["A"]}, {"use": "nonsense"}])
    (found,) = VALIDATOR.validate(fhirxml.dump(resource, VALIDATOR.definitions.types)).issues
    assert (found.line, found.column) == (7, 5)
