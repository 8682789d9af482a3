"""What profiles ask of narrative: language sections and sources."""

import pytest

from fhirpkg.definitions.definitions import Definitions
from fhirpkg.validation.run import Settings
from fhirpkg.validation.validator import Validator

URL = "http://example.org/StructureDefinition/p"
CONTROL = "http://hl7.org/fhir/StructureDefinition/narrative-"


def check(inner, settings=None, **control):
    extensions = [
        {"url": f"{CONTROL}{name}-control", "valueCode": code} for name, code in control.items()
    ]
    profile = {
        "resourceType": "StructureDefinition",
        "url": URL,
        "name": "P",
        "status": "draft",
        "kind": "resource",
        "abstract": False,
        "type": "Patient",
        "baseDefinition": "http://hl7.org/fhir/StructureDefinition/Patient",
        "derivation": "constraint",
        "differential": {
            "element": [{"id": "Patient.text", "path": "Patient.text", "extension": extensions}]
        },
    }
    div = f'<div xmlns="http://www.w3.org/1999/xhtml">{inner}</div>'
    text = {"status": "generated", "div": div}
    patient = {"resourceType": "Patient", "language": "en", "text": text}
    definitions = Definitions.core().with_resources([profile])
    validator = Validator(definitions=definitions, settings=settings)
    return [
        (str(issue.severity), issue.rule, issue.expression)
        for issue in validator.validate(patient, [URL]).issues
        if issue.rule in {"narrative-languages", "narrative-source"}
    ]


def section(language):
    return f'<div lang="{language}" xml:lang="{language}">words</div>'


@pytest.mark.parametrize(
    "control, inner, count",
    [
        ("_yes", section("de"), 0),
        ("_yes", "words", 1),
        ("_yes", f"<p>{section('de')}</p>", 1),
        ("_no", "words", 0),
        ("_no", section("de"), 1),
        ("_resource", section("de") + section("en"), 0),
        ("_resource", section("de"), 1),
        ("de", section("de"), 0),
        ("de", section("en"), 1),
    ],
)
def test_narrative_has_the_language_sections_that_are_wanted(control, inner, count):
    expected = [("error", "narrative-languages", "Patient.text")] * count
    assert check(inner, language=control) == expected


@pytest.mark.parametrize(
    "inner, count",
    [
        ('<p class="generated">a <b>b</b></p>', 0),
        ('<div class="big original"><p>a</p></div>', 0),
        ("a<p>b</p>", 2),
        ('<p class="big">a</p>', 1),
        (" <br/> ", 0),
    ],
)
@pytest.mark.parametrize("severity", ["error", "warning"])
def test_texts_tell_their_source_with_the_severity_that_is_stated(inner, count, severity):
    expected = [(severity, "narrative-source", "Patient.text")] * min(count, 1)
    assert sorted(set(check(inner, source=severity))) == expected
    assert len(check(inner, source=severity)) == count


@pytest.mark.parametrize("severity", ["error", "warning", "hint"])
def test_a_text_without_source_is_an_error_under_strict_whatever_is_stated(severity):
    found = check("a", Settings(strict=True), source=severity)
    assert found == [("error", "narrative-source", "Patient.text")]


def test_without_control_anything_goes():
    assert check("words") == []
