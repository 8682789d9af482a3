"""The CQL of Library resources: read definition by definition, mistakes with their line."""

import base64

import pytest

from fhirpkg import Validator

VALIDATOR = Validator()


def findings(cql, content_type="text/cql"):
    library = {
        "resourceType": "Library",
        "status": "draft",
        "name": "Logic",
        "type": {"coding": [{"code": "logic-library"}]},
        "content": [
            {"contentType": content_type, "data": base64.b64encode(cql.encode()).decode()},
        ],
    }
    found = VALIDATOR.validate(library).issues
    return [issue for issue in found if issue.rule == "library-cql"]


GOOD = "library Logic version '1'\nusing FHIR version '4.0.1'\ncontext Patient\n"


@pytest.mark.parametrize(
    "definitions, lines",
    [
        ('define "A": exists [Condition]', []),
        ('define "A": 1 +\ndefine "B": true', ["4"]),
        ('define "A": true\ndefine "B": (1\ndefine "C": [', ["5", "6"]),
        ("define \"A\": 'define B: (' = 'x' // define (", []),
        ('define "First": "Later" + 1\ndefine "Later": 2', []),
        ('define "First": "Later" + 1\ndefine "Later": "Last"\ndefine "Last": (3', ["6"]),
        ('define "First": twice(4)\ndefine function twice(n Integer): n * 2', []),
    ],
)
def test_each_definition_is_read_and_mistakes_have_their_line(definitions, lines):
    for _ in ("at first", "again"):
        found = findings(GOOD + definitions)
        places = [issue.text.partition("CQL at ")[2].split(":")[1] for issue in found]
        assert places == lines
        assert {issue.expression for issue in found} <= {"Library.content[0].data"}


def test_a_header_that_cannot_be_read_is_reported_once():
    assert len(findings("library\nusing\ndefine A: 1 +")) == 1


def test_content_of_another_type_is_not_read():
    assert not findings("this is not CQL", "text/plain")
    assert len(findings("this is not CQL", "text/cql; charset=utf-8")) == 1
