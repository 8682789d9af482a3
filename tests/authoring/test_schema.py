"""The schema explains itself: each property says what it is and shows one; its patterns hold."""

import json
import re

import pytest

from fhirpkg.authoring.checking.authored import check_procedure
from fhirpkg.authoring.model.package_source import PackageSource
from fhirpkg.authoring.model.procedure import Procedure
from fhirpkg.authoring.model.values import frequency, length, moment
from fhirpkg.authoring.schema import schema_of
from fhirpkg.authoring.source import read


def properties(model):
    schema = model.model_json_schema(by_alias=True)
    for name, part in {model.__name__: schema, **schema.get("$defs", {})}.items():
        for key, value in part.get("properties", {}).items():
            yield f"{name}.{key}", value


PROPERTIES = dict([*properties(Procedure), *properties(PackageSource)])


@pytest.mark.parametrize("name", PROPERTIES)
def test_each_property_says_what_it_is_and_shows_one(name):
    found = PROPERTIES[name]
    assert found["description"]
    assert found["examples"]


def test_patterns_are_those_of_json_schema():
    """ECMA 262 knows no named groups and no look-behind; editors would refuse the schema."""
    text = json.dumps(Procedure.model_json_schema(by_alias=True))
    for pattern in re.findall(r'"pattern": "((?:[^"\\]|\\.)*)"', text):
        assert "(?P" not in pattern
        assert "(?<" not in pattern


MINIMAL = """
id: Tea
name: {text: Pouring of tea, added: an example}
code: {use: Pouring of tea, added: an example}
purpose: {text: To warm somebody., added: an example}
steps:
  - {id: pour, text: Pour the tea., added: an example}
codes:
  Pouring of tea: https://example.org/cs|tea
"""


def issues_of(text):
    return check_procedure(read(text.encode(), "procedure.yaml"))


def test_a_procedure_needs_only_what_every_procedure_has():
    procedure, issues = issues_of(MINIMAL)
    assert issues == ()
    assert procedure.risks == ()


@pytest.mark.parametrize("section", ["id", "name", "code", "steps"])
def test_what_every_procedure_has_is_required(section):
    lines = MINIMAL.strip().split("\n")
    starts = [at for at, line in enumerate(lines) if line.startswith(f"{section}:")]
    end = starts[0] + 2 if section == "steps" else starts[0] + 1
    issues = issues_of("\n".join(lines[: starts[0]] + lines[end:]))[1]
    assert ("source-missing", section) in {(i.rule, i.expression) for i in issues}


def test_only_a_draft_that_says_so_lacks_its_code():
    text = MINIMAL.partition("codes:")[0]
    assert [issue.rule for issue in issues_of(text)[1]] == ["source-unknown-code"]
    use = next(line for line in text.split("\n") if line.startswith("code:"))
    open_ = text.replace(use, use.replace("}", ", todo: its code}"))
    assert {issue.rule for issue in issues_of(open_)[1]} == {"source-no-code", "source-todo"}


def test_indications_or_a_purpose_say_what_it_is_for():
    text = MINIMAL.replace("purpose: {text: To warm somebody., added: an example}\n", "")
    (issue,) = issues_of(text)[1]
    assert "indications" in str(issue)
    assert "purpose" in str(issue)


@pytest.mark.parametrize(
    "text, expected",
    [
        ("7 d before", ("before-start", "", 7, 7, "")),
        ("5-7 d before", ("before-start", "", 5, 7, "")),
        ("2 h after closure", ("after-end", "closure", 2, 2, "")),
        ("before", ("before-start", "", None, None, "")),
        ("after skin-incision", ("after-end", "skin-incision", None, None, "")),
        ("during", ("concurrent", "", None, None, "")),
        ("at night", ("", "", None, None, "NIGHT")),
        ("before meals", ("", "", None, None, "AC")),
        ("1 d before in the evening", ("before-start", "", 1, 1, "EVE")),
    ],
)
def test_moments_are_read(text, expected):
    read_moment = moment(text)
    offset = read_moment.offset
    ends = (offset.least, offset.most) if offset else (None, None)
    assert (read_moment.relation, read_moment.step, *ends, read_moment.day_time) == expected


def test_spans_and_frequencies_are_read():
    assert (length("< 30 min").least, length("< 30 min").most) == (None, 30)
    assert (length("> 2 h").least, length("> 2 h").most) == (2, None)
    assert frequency("3-4 times daily") == (3, 4, "d")
    assert frequency("once") == (1, None, "")


NUMBERS = """
source: {title: notes, facts: {risks: 1}, numbers: {risks: ["1,000", 5]}}
"""


@pytest.mark.parametrize(
    "words, told",
    [
        ("Bleeding in 1 of 1,000", ["1"]),
        ("Bleeding in 5 of 1000", []),
        ("Loss of vitamin B12", []),
        ("A count below 50 10*9/L", ["50"]),
        ("A clearance below 30 mL/min/{1.73_m2}", ["30"]),
        ("25 mg/m2, 10 days", ["25", "10"]),
        ("A rise of CA 19-9 or HbA1c", []),
        ("COVID-19, or type 2 diabetes", []),
        ("An INR of 2-3", ["2", "3"]),
        ("More than 30 units", ["30"]),
    ],
)
def test_numbers_inside_names_need_no_source(words, told):
    risk = f'risks:\n  - {{id: r, text: "{words}", from: risks}}\n'
    issues = issues_of(MINIMAL + NUMBERS + risk)[1]
    assert [i.rule for i in issues] == ["source-number"] * len(told)
    assert [number for number in told if not any(f" {number} " in str(i) for i in issues)] == []


def test_a_comma_that_cuts_a_text_is_explained():
    risk = "risks:\n  - {id: r, text: Bleeding, often in the skin, added: made up}\n"
    (issue,) = issues_of(MINIMAL + risk)[1]
    assert issue.rule == "source-unknown-key"
    assert "quotes" in str(issue)
    assert "did you mean" not in str(issue)


def test_the_consequence_of_a_mistake_is_not_told():
    text = MINIMAL.replace("text: Pour the tea., added", "text: [Pour], added")
    (issue,) = issues_of(text)[1]
    assert issue.expression == "steps[0].text"


@pytest.mark.parametrize(
    "line, says",
    [
        ("RxNorm 11289", ""),
        ("ATC B01AA03", ""),
        ("ATC B1AA03", "ATC"),
        ("ICD-10 K40.9", ""),
        ("ICD-11 DD51", ""),
        ("ICD-10-PCS 0DJD8ZZ", ""),
        ("ICD-10-PCS 0DJD8ZO", "without I and O"),
        ("HCPCS G0105", ""),
        ("HCPCS G105", "a letter and four digits"),
        ("DICOM CT", ""),
        ("DICOM CTT", "has no code"),
        ("CVX 140", ""),
        ("OPS 1-650.2|2026", ""),
        ("OPS 1-650.2", "needs the year"),
        ("OPCS-4 H22.9", ""),
        ("CCAM HHQE002", ""),
        ("https://example.org/cs|A1", ""),
        ("https://example.org/cs A1", "does not begin with a code system"),
    ],
)
def test_codes_of_many_systems(line, says):
    text = MINIMAL.replace("https://example.org/cs|tea", line)
    issues = issues_of(text)[1]
    assert bool(issues) == bool(says)
    assert all(says in str(issue) for issue in issues)


@pytest.mark.parametrize("model", [Procedure, PackageSource])
def test_each_example_is_valid_by_its_own_schema(model):
    jsonschema = pytest.importorskip("jsonschema", reason="checks schemas, needed by nothing else")
    definitions = schema_of(model).get("$defs", {})
    parts = [schema_of(model), *definitions.values()]
    wrong = [
        (key, example)
        for part in parts
        for key, value in part.get("properties", {}).items()
        for example in value["examples"]
        if not jsonschema.Draft202012Validator({**value, "$defs": definitions}).is_valid(example)
    ]
    assert wrong == []
