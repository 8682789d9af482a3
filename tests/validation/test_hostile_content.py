"""Whatever stands in a resource, the rule families find something or nothing, and end."""

from hypothesis import given
from hypothesis import strategies as st

from fhirpkg import fhirxml
from fhirpkg.definitions.definitions import Definitions
from fhirpkg.definitions.terminology.valuesets import Terminology
from fhirpkg.errors import SourceError
from fhirpkg.validation.narrative.narrative import check_narrative
from fhirpkg.validation.questionnaires.questionnaires import check_questionnaire
from fhirpkg.validation.questionnaires.responses import check_questionnaire_response
from fhirpkg.validation.resources.bundles import check_bundle
from fhirpkg.validation.run import Run, Settings
from tests.damage import damaged

CORE = Definitions.core()
BASE = "http://example.org/fhir"
DIV = '<div xmlns="http://www.w3.org/1999/xhtml"><p id="p">x</p><a href="#p">y</a></div>'
TEXT = {"status": "generated", "div": DIV}
COMPOSITION = {
    "resourceType": "Composition",
    "id": "c",
    "text": TEXT,
    "subject": {"reference": "Patient/p"},
    "attester": [{"party": {"reference": "Patient/p"}}],
    "section": [{"text": TEXT, "entry": [{"reference": "Patient/p/_history/1"}]}],
}
BUNDLES = [
    {
        "resourceType": "Bundle",
        "type": "document",
        "link": [{"relation": "stylesheet", "url": "Binary/css"}],
        "entry": [
            {"fullUrl": f"{BASE}/Composition/c", "resource": COMPOSITION},
            {
                "fullUrl": f"{BASE}/Patient/p",
                "resource": {"resourceType": "Patient", "id": "p", "meta": {"versionId": "1"}},
            },
        ],
    },
    {
        "resourceType": "Bundle",
        "type": "transaction",
        "entry": [
            {
                "resource": {"resourceType": "Patient", "id": "p"},
                "request": {"method": "PUT", "url": "Patient/p"},
            },
            {"request": {"method": "DELETE", "url": "Patient/p"}},
        ],
    },
]
QUESTIONNAIRE = {
    "resourceType": "Questionnaire",
    "url": f"{BASE}/q",
    "effectivePeriod": {"start": "2020", "end": "2021"},
    "item": [
        {
            "linkId": "q",
            "type": "quantity",
            "required": True,
            "maxLength": 3,
            "extension": [
                {"url": "http://hl7.org/fhir/StructureDefinition/minValue", "valueInteger": 1}
            ],
        },
        {
            "linkId": "c",
            "type": "choice",
            "enableWhen": [{"question": "q", "operator": ">", "answerQuantity": {"value": 1}}],
            "answerOption": [{"valueCoding": {"code": "a"}}],
            "answerValueSet": "http://hl7.org/fhir/ValueSet/administrative-gender",
            "item": [{"linkId": "g", "type": "group", "repeats": True}],
        },
    ],
}
RESPONSE = {
    "resourceType": "QuestionnaireResponse",
    "questionnaire": f"{BASE}/q",
    "status": "completed",
    "authored": "2020",
    "item": [
        {"linkId": "q", "text": "?", "answer": [{"valueQuantity": {"value": 1, "code": "m"}}]},
        {"linkId": "c", "answer": [{"valueCoding": {"code": "a"}, "item": [{"linkId": "g"}]}]},
    ],
}


def run_on(resource, definitions=CORE):
    return Run(resource, definitions, Terminology(definitions), Settings(html_in_text=False))


@given(damaged([*BUNDLES, COMPOSITION]))
def test_a_damaged_bundle(resource):
    run = run_on(resource)
    check_narrative(resource, (), run)
    if resource["resourceType"] == "Bundle":
        check_bundle(resource, (), run)
    assert all(finding.rule for finding in run.findings)


@given(damaged([QUESTIONNAIRE], kept=("resourceType", "url")), damaged([RESPONSE]))
def test_a_damaged_response_to_a_damaged_questionnaire(questionnaire, response):
    run = run_on(response, CORE.with_resources([questionnaire]))
    check_questionnaire(questionnaire, (), run)
    check_questionnaire_response(response, (), run)
    assert all(finding.rule for finding in run.findings)


@given(
    damaged([*BUNDLES, RESPONSE]),
    st.integers(0, 3000),
    st.text(st.characters(codec="utf-8"), max_size=5),
)
def test_damaged_xml(resource, at, junk):
    try:
        text = fhirxml.dump(resource, CORE.types).decode()
    except SourceError:
        return
    at = min(at, len(text))
    data = (text[:at] + junk + text[at + len(junk) :]).encode()
    found, issues, locate = fhirxml.read(data, CORE.types)
    assert found is not None or issues
    assert all(issue.line >= 1 and issue.column >= 1 for issue in issues)
    assert locate([("entry", 0, "resource")])[("entry", 0, "resource")] >= (1, 1)
