"""Lines of NDJSON checked apart from each other are checked as `validate` checks them together."""

import json

import pytest

import fhirpkg
from fhirpkg.bulk import Checker, Line
from fhirpkg.errors import ConfigError

PROFILE = {
    "resourceType": "StructureDefinition", "id": "p", "url": "http://example.org/p", "name": "P",
    "version": "1", "status": "draft", "kind": "resource", "abstract": False, "type": "Observation",
    "baseDefinition": "http://hl7.org/fhir/StructureDefinition/Observation",
    "derivation": "constraint",
    "differential": {"element": [
        {"id": "Observation", "path": "Observation"},
        {"id": "Observation.method", "path": "Observation.method", "min": 1}]},
}  # fmt: skip


def observation(number, **more):
    return {"resourceType": "Observation", "id": f"o{number}", "status": "final",
            "code": {"text": "a"}, "subject": {"reference": "Patient/p1"}, **more}  # fmt: skip


RESOURCES = [
    {"resourceType": "Patient", "id": "p1", "gender": "female"},
    observation(1),
    observation(2, status="finished"),
    observation(3, colour="red"),
    observation(4, subject={"reference": "Patient/nobody"}),
    observation(5, subject={"reference": "Observation/o1"}),
    observation(6, meta={"profile": ["http://example.org/p"]}),
    PROFILE,
    {"resourceType": "Questionnaire", "id": "q", "url": "http://example.org/q", "status": "active",
     "item": [{"linkId": "1", "text": "Pain?", "type": "boolean", "required": True}]},
    {"resourceType": "QuestionnaireResponse", "id": "r", "status": "completed",
     "questionnaire": "http://example.org/q", "item": [{"linkId": "2"}]},
]  # fmt: skip


@pytest.fixture
def lines():
    return [*map(json.dumps, RESOURCES), "", "{broken", "[]"]


@pytest.fixture
def file(tmp_path, lines):
    path = tmp_path / "all.ndjson"
    path.write_text("\n".join(lines) + "\n")
    return path


def validated(file, **options):
    return [
        (i.file, i.line, str(i.severity), i.rule, i.expression, i.text)
        for checked in fhirpkg.validate_all([file], **options)
        for i in checked.outcome.issues
    ]


def test_with_an_index_the_findings_are_those_of_validate(file, lines):
    rows = list(fhirpkg.findings(lines, index=fhirpkg.index_of(lines), file=str(file)))
    assert [(row.line, row.rule) for row in rows] == [
        (3, "binding-required"), (4, "structure-unknown-element"), (5, "not-checked-reference"),
        (6, "reference-target"), (7, "cardinality-min"), (10, "response-required"),
        (10, "response-unknown-item"), (12, "parse-json"), (13, "parse-no-resource"),
    ]  # fmt: skip
    assert [tuple(row) for row in rows] == validated(file)


def test_parts_of_an_index_made_apart_are_the_whole(lines):
    parts = [fhirpkg.index_of(lines[at::3]) for at in range(3)]
    whole = fhirpkg.index_of(lines)
    merged = parts[0].merged(parts[1:])
    assert (merged.names, merged.kept, merged.defines) == (whole.names, whole.kept, whole.defines)
    assert list(fhirpkg.findings(lines, index=merged)) == list(fhirpkg.findings(lines, index=whole))


def test_without_an_index_a_line_knows_no_other(lines):
    found = [r for r in fhirpkg.findings(lines) if r.rule == "not-checked-reference"]
    assert {row.line for row in found} >= {2, 3, 4}


def test_lines_may_come_from_anywhere_and_say_where_from(lines):
    checker = Checker(index=fhirpkg.index_of(lines))
    found = list(checker.findings([Line("b.ndjson", 9, lines[3]), Line("a.ndjson", 7, lines[2])]))
    assert [(r.file, r.line) for r in found if r.severity == "error"] == [
        ("b.ndjson", 9), ("a.ndjson", 7)
    ]  # fmt: skip


def test_a_profile_asked_for_is_one_of_the_lines_and_definitions_do_not_meet_it(lines):
    profile = "http://example.org/p"
    rows = list(fhirpkg.findings(lines, profiles=[profile], index=fhirpkg.index_of(lines)))
    assert {row.line for row in rows if "Observation.method" in row.text} == {2, 3, 4, 5, 6, 7}
    assert not [row for row in rows if row.line == 8]


def test_a_profile_that_is_not_loaded_is_named(lines):
    with pytest.raises(ConfigError, match="nowhere is not loaded"):
        fhirpkg.findings(lines, profiles=["http://example.org/nowhere"])
