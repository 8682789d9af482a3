"""ELM as JSON and XML, value sets, and libraries found through Library resources."""

import base64
import datetime as dt
import json

import pytest

from fhirpkg.applying.application import apply
from fhirpkg.cql.evaluating.evaluator import open_session
from fhirpkg.cql.evaluating.library import Library, from_elm
from fhirpkg.cql.evaluating.values import Code, Concept
from fhirpkg.cql.reading import xml
from fhirpkg.definitions.definitions import Definitions
from fhirpkg.definitions.terminology.contents import Resolved
from fhirpkg.definitions.terminology.valuesets import Terminology
from fhirpkg.definitions.terminology.verdicts import Verdict
from fhirpkg.errors import FhirpkgError
from fhirpkg.repository import MemoryRepository

R4 = Definitions.core().types
NOW = dt.datetime(2026, 6, 15, 12, tzinfo=dt.UTC)
TYPES = "{urn:hl7-org:elm-types:r1}"


def literal(value, type_name="Boolean"):
    return {"type": "Literal", "valueType": TYPES + type_name, "value": value}


DOCUMENT = {
    "library": {
        "identifier": {"id": "Logic", "version": "1.0.0"},
        "usings": {"def": [{"localIdentifier": "FHIR", "uri": "http://hl7.org/fhir"}]},
        "includes": {"def": [{"localIdentifier": "H", "path": "FHIRHelpers", "version": "4.0.1"}]},
        "valueSets": {"def": [{"name": "Bone", "id": "http://example.org/ValueSet/bone"}]},
        "statements": {
            "def": [
                {
                    "name": "Patient",
                    "expression": {"type": "SingletonFrom", "operand": {"type": "Retrieve"}},
                },
                {
                    "name": "Female",
                    "expression": {
                        "type": "Equal",
                        "operand": [
                            {
                                "type": "FunctionRef",
                                "libraryName": "H",
                                "name": "ToString",
                                "operand": [
                                    {
                                        "type": "Property",
                                        "path": "gender",
                                        "source": {"type": "ExpressionRef", "name": "Patient"},
                                    }
                                ],
                            },
                            literal("female", "String"),
                        ],
                    },
                },
                {
                    "name": "Bone tumor",
                    "expression": {
                        "type": "Exists",
                        "operand": {
                            "type": "Query",
                            "source": [
                                {
                                    "alias": "C",
                                    "expression": {
                                        "type": "Retrieve",
                                        "dataType": "{http://hl7.org/fhir}Condition",
                                        "codes": {"type": "ValueSetRef", "name": "Bone"},
                                        "codeProperty": "code",
                                        "codeComparator": "in",
                                    },
                                }
                            ],
                            "where": {
                                "type": "Not",
                                "operand": {
                                    "type": "IsNull",
                                    "operand": {"type": "Property", "path": "onset", "scope": "C"},
                                },
                            },
                        },
                    },
                },
                {
                    "name": "Half",
                    "type": "FunctionDef",
                    "operand": [{"name": "n", "operandType": f"{TYPES}Integer"}],
                    "expression": {
                        "type": "Divide",
                        "operand": [
                            {"type": "OperandRef", "name": "n"},
                            literal("2", "Integer"),
                        ],
                    },
                },
                {
                    "name": "Uses function",
                    "expression": {
                        "type": "Less",
                        "operand": [
                            {
                                "type": "FunctionRef",
                                "name": "Half",
                                "operand": [literal("3", "Integer")],
                            },
                            literal("2.0", "Decimal"),
                        ],
                    },
                },
                {"name": "New", "expression": {"type": "Telepathy", "operand": []}},
            ]
        },
    }
}
XML = b"""<library xmlns="urn:hl7-org:elm:r1" xmlns:t="urn:hl7-org:elm-types:r1"
  xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xmlns:fhir="http://hl7.org/fhir">
  <identifier id="Logic" version="1.0.0"/>
  <statements><def name="Female"><annotation><x/></annotation>
    <expression xsi:type="And">
      <operand xsi:type="Exists">
        <operand xsi:type="Retrieve" dataType="fhir:Condition"/>
      </operand>
      <operand xsi:type="In">
        <operand xsi:type="Literal" valueType="t:Integer" value="2"/>
        <operand xsi:type="Interval" lowClosed="true" highClosed="false">
          <low xsi:type="Literal" valueType="t:Integer" value="1"/>
          <high xsi:type="Literal" valueType="t:Integer" value="3"/>
        </operand>
      </operand>
    </expression></def></statements></library>"""
VALUE_SET = {
    "resourceType": "ValueSet",
    "url": "http://example.org/ValueSet/bone",
    "compose": {"include": [{"system": "http://s", "concept": [{"code": "1"}]}]},
}
CONDITION = {
    "resourceType": "Condition",
    "id": "c",
    "subject": {"reference": "Patient/x"},
    "code": {"coding": [{"system": "http://s", "code": "1"}]},
    "onsetDateTime": "2026-01-01",
}
PATIENT = {"resourceType": "Patient", "id": "x", "gender": "female"}


def library(*contents, **more):
    parts = [
        {"contentType": kind, "data": base64.b64encode(text).decode()} for kind, text in contents
    ]
    made = {"resourceType": "Library", "id": "l", "name": "Logic", "content": parts}
    return made | {"url": "http://example.org/Library/Logic"} | more


def verdict(name, *resources, language="text/cql-identifier", **more):
    expression = {"language": language, "expression": name}
    plan = {
        "resourceType": "PlanDefinition",
        "id": "p",
        "library": ["http://example.org/Library/Logic"],
        "action": [{"condition": [{"kind": "applicability", "expression": expression | more}]}],
    }
    (why,) = apply(plan, "x", MemoryRepository([PATIENT, CONDITION, *resources])).why
    return str(why.verdict), why.reason


JSON = ("application/elm+json", json.dumps(DOCUMENT).encode())
RESULTS = [
    ("Female", "applicable"),
    ("Bone tumor", "applicable"),
    ("Uses function", "applicable"),
    ("Logic.Female", "applicable"),
    ("New", "not evaluated"),
    ("Femal", "not evaluated"),
]


@pytest.mark.parametrize("name, wanted", RESULTS)
def test_a_definition_in_elm_is_evaluated(name, wanted):
    assert verdict(name, library(JSON), VALUE_SET)[0] == wanted


def test_an_operator_that_is_not_known_is_told_with_its_definition():
    reason = verdict("New", library(JSON))[1]
    assert reason == "Telepathy is not supported, so this is not evaluated (in Logic.New)"


def test_a_name_that_is_not_there_is_told_with_the_nearest():
    assert "did you mean 'Female'" in verdict("Femal", library(JSON))[1]


def test_a_missing_value_set_is_an_error_never_false():
    found, reason = verdict("Bone tumor", library(JSON))
    assert found == "not evaluated"
    assert "http://example.org/ValueSet/bone is not loaded" in reason


PARTIAL = [
    {"total": 500},
    {
        "extension": [
            {
                "url": "http://hl7.org/fhir/StructureDefinition/valueset-toocostly",
                "valueBoolean": True,
            }
        ]
    },
    {"offset": 100},
]


@pytest.mark.parametrize("part", PARTIAL)
def test_a_partial_expansion_is_never_taken_for_the_whole_value_set(part):
    listed = {"contains": [{"system": "http://example.org/s", "code": "other"}], **part}
    value_set = {"resourceType": "ValueSet", "url": VALUE_SET["url"], "id": "v"}
    assert verdict("Bone tumor", library(JSON), value_set | {"expansion": listed})[0] == (
        "not evaluated"
    )
    whole = {"contains": listed["contains"]}
    assert verdict("Bone tumor", library(JSON), value_set | {"expansion": whole})[0] == (
        "not applicable"
    )


def test_an_unknown_membership_counts_again_where_a_definition_is_used_twice():
    text = b"""library Logic valueset "V": 'http://example.org/none'
    define "In": exists [Condition: "V"]
    define "Uses": "In" and false
    define "Twice": "In" or "Uses" """
    assert verdict("Uses", library(("text/cql", text)))[0] == "not evaluated"
    assert verdict("Twice", library(("text/cql", text)))[0] == "not evaluated"


def test_elm_as_xml_is_the_same_tree():
    assert verdict("Female", library(("application/elm+xml", XML)))[0] == "applicable"
    tree = from_elm(xml.read(XML)).definition("Female").tree
    assert tree["operand"][0]["operand"]["dataType"] == "{http://hl7.org/fhir}Condition"
    assert tree["operand"][1]["operand"][1]["highClosed"] is False


def test_types_in_xml_are_named_by_the_prefixes_of_the_document():
    text = b"""<library xmlns="urn:hl7-org:elm:r1" xmlns:s="urn:hl7-org:elm-types:r1"
        xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"><identifier id="T"/><statements>
        <def name="Is" context="Unfiltered"><expression xsi:type="Is">
        <operand xsi:type="Literal" valueType="s:Decimal" value="5.0"/>
        <isTypeSpecifier xsi:type="NamedTypeSpecifier" name="s:Decimal"/>
        </expression></def></statements></library>"""
    tree = from_elm(xml.read(text)).definition("Is").tree
    assert tree["operand"]["valueType"] == "{urn:hl7-org:elm-types:r1}Decimal"
    assert tree["isTypeSpecifier"]["name"] == "{urn:hl7-org:elm-types:r1}Decimal"
    assert verdict("Is", library(("application/elm+xml", text)))[0] == "applicable"


@pytest.mark.parametrize(
    "text, words",
    [
        ("<!DOCTYPE library [<!ENTITY a 'b'>]><library/>".encode("utf-16"), "in UTF-8"),
        (b"<!DOCTYPE library [<!ENTITY a 'b'>]><library/>", "must not declare"),
        (b"<library", "well-formed XML"),
        (b"<other/>", "the root is not a library"),
    ],
)
def test_xml_that_is_unsafe_or_no_elm_is_refused(text, words):
    with pytest.raises(FhirpkgError, match=words):
        xml.read(text)


def test_json_that_is_no_elm_is_not_evaluated():
    assert "not JSON" in verdict("A", library(("application/elm+json", b"{")))[1]
    assert "not ELM" in verdict("A", library(("application/elm+json", b"{}")))[1]


def test_a_library_without_logic_says_what_it_holds():
    assert "it holds text/plain" in verdict("A", library(("text/plain", b"x")))[1]


def test_elm_goes_before_cql_and_both_give_the_same():
    cql = b"library Logic define \"Female\": Patient.gender = 'male'"
    both = library(JSON, ("text/cql", cql))
    assert verdict("Female", both)[0] == "applicable"
    assert verdict("Female", library(("text/cql", cql)))[0] == "not applicable"


def test_a_reference_in_the_expression_wins_over_the_library_of_the_plan():
    other = library(
        ("text/cql", b'library Other define "A": true'),
        url="http://example.org/Library/Other",
        id="o",
        name="Other",
    )
    reference = "http://example.org/Library/Other"
    assert verdict("A", library(JSON), other, reference=reference)[0] == "applicable"


def test_an_included_library_is_found_by_name_and_version():
    text = b"""library Logic include Common version '2' called C
    define "A": C."Yes" define "B": C.Twice(2) = 4"""
    common = b"""library Common version '2' define "Yes": true
    define function Twice(n Integer): n * 2"""
    found = library(("text/cql", common), name="Common", id="c", url="http://example.org/c")
    main = library(("text/cql", text))
    assert verdict("A", main, found | {"version": "2"})[0] == "applicable"
    assert verdict("B", main, found | {"version": "2"})[0] == "applicable"
    assert "Common version '2'" in verdict("A", main, found | {"version": "3"})[1]


@pytest.mark.parametrize("language", ["text/cql-expression", "text/cql.expression", "text/cql"])
def test_cql_may_stand_in_the_expression_itself(language):
    assert verdict("exists [Condition]", library(JSON), language=language)[0] == "applicable"


VALUE_SETS = [
    ({"expansion": {"contains": [{"system": "http://s", "code": "1"}]}}, True),
    ({"expansion": {"contains": [{"contains": [{"system": "http://s", "code": "1"}]}]}}, True),
    ({"expansion": {"contains": [{"system": "http://s", "code": "2"}]}}, False),
    ({"compose": {"include": [{"system": "http://s"}]}}, True),
    ({"compose": {"include": [{"valueSet": ["http://example.org/ValueSet/bone"]}]}}, True),
    (
        {
            "compose": {
                "include": [{"system": "http://s", "concept": [{"code": "1"}]}],
                "exclude": [{"system": "http://s", "concept": [{"code": "1"}]}],
            }
        },
        False,
    ),
]


def value_sets(content):
    url = "http://example.org/ValueSet/x"
    concepts = [{"code": "0", "concept": [{"code": "1"}]}]
    system = {"resourceType": "CodeSystem", "content": "complete", "concept": concepts}
    repository = MemoryRepository(
        [
            {"resourceType": "ValueSet", "url": url} | content,
            VALUE_SET,
            system | {"url": "http://s"},
        ]
    )
    return Terminology(Resolved(repository.resolve, Definitions.core()))


@pytest.mark.parametrize("content, wanted", VALUE_SETS)
def test_a_value_set_is_its_expansion_or_its_compose(content, wanted):
    found = value_sets(content).any_in("http://example.org/ValueSet/x", [("http://s", "1")])
    assert found.verdict is (Verdict.YES if wanted else Verdict.NO)


UNKNOWN = [
    ({}, "neither compose nor expansion"),
    ({"compose": {"include": [{"system": "http://t"}]}}, "http://t"),
    ({"compose": {"include": [{"system": "http://s", "filter": [{}]}]}}, "cannot be evaluated"),
    (
        {"compose": {"include": [{"valueSet": ["http://example.org/ValueSet/x"]}]}},
        "includes itself",
    ),
]


@pytest.mark.parametrize("content, words", UNKNOWN)
def test_codes_that_cannot_be_told_are_an_error_never_an_empty_set(content, words):
    system = "http://t" if "http://t" in str(content) else "http://s"
    found = value_sets(content).any_in("http://example.org/ValueSet/x", [(system, "1")])
    assert found.verdict is Verdict.UNKNOWN
    assert words in found.reason


def test_a_plain_code_has_the_system_of_the_value_set():
    bone = "http://example.org/ValueSet/bone"
    listed = next(c["code"] for c in VALUE_SET["compose"]["include"][0]["concept"])
    assert value_sets({}).any_in(bone, [("", listed)]).verdict is Verdict.YES


def evaluated(node):
    include = {"system": "http://example.org/s", "concept": [{"code": "1"}]}
    value_set = {"resourceType": "ValueSet", "url": "http://example.org/v"}
    repository = MemoryRepository([value_set | {"compose": {"include": [include]}}])
    session = open_session(repository, "Patient/x", {}, lambda *_: None, R4, NOW)
    library = Library("", code_systems={"S": {"name": "S", "id": "http://example.org/s"}})
    library.value_sets["V"] = {"name": "V", "id": "http://example.org/v"}
    return session.evaluate(node, library)


def text(value):
    return literal(value, "String")


def number(value):
    return literal(str(value), "Integer")


def parts(**given):
    return {name: number(value) for name, value in given.items()}


ONE_TO_THREE = {"type": "List", "element": [number(1), number(2), number(3)]}
NODES = [
    ({"type": "Round", "operand": literal("3.14159", "Decimal"), "precision": number(2)}, "3.14"),
    ({"type": "PositionOf", "pattern": text("b"), "string": text("abc")}, "1"),
    ({"type": "LastPositionOf", "pattern": text("a"), "string": text("aba")}, "2"),
    ({"type": "Split", "stringToSplit": text("a,b"), "separator": text(",")}, "['a', 'b']"),
    (
        {
            "type": "SplitOnMatches",
            "stringToSplit": text("a1b"),
            "separatorPattern": text("[0-9]"),
        },
        "['a', 'b']",
    ),
    ({"type": "Slice", "source": ONE_TO_THREE, "startIndex": number(1)}, "[2, 3]"),
    (
        {
            "type": "Slice",
            "source": ONE_TO_THREE,
            "startIndex": number(0),
            "endIndex": number(2),
        },
        "[1, 2]",
    ),
    ({"type": "Collapse", "operand": [{"type": "List"}, {"type": "Null"}]}, "[]"),
    ({"type": "Time"} | parts(hour=10, minute=30), "10:30"),
    ({"type": "DateTime"} | parts(year=2020, month=5), "2020-05"),
    (
        {"type": "DateTime"} | parts(year=2020, month=5, day=6, hour=10, timezoneOffset=-7),
        "2020-05-06T10-07:00",
    ),
    (
        {
            "type": "InCodeSystem",
            "code": {"type": "Code", "code": "1", "system": {"name": "S"}},
            "codesystem": {"name": "S"},
        },
        "True",
    ),
    ({"type": "MaxValue", "valueType": f"{TYPES}Integer"}, "2147483647"),
    (
        {
            "type": "ProperContains",
            "operand": [
                {"type": "Interval", "low": number(1), "high": number(5)},
                number(5),
            ],
        },
        "False",
    ),
]


@pytest.mark.parametrize("node, wanted", NODES, ids=lambda value: str(value)[:40])
def test_a_node_has_its_value_however_elm_names_its_operands(node, wanted):
    assert str(evaluated(node)) == wanted


IN_XML = [
    (
        """<expression xsi:type="InValueSet">
             <code xsi:type="Literal" valueType="t:String" value="1"/>
             <valuesetExpression xsi:type="ValueSetRef" name="V"/>
           </expression>""",
        "True",
    ),
    (
        """<expression xsi:type="TimezoneOffsetFrom">
             <operand xsi:type="Literal" valueType="t:DateTime" value="2020-01-01T10:00:00Z"/>
           </expression>""",
        "0",
    ),
    (
        """<expression xsi:type="Concept"><code code="1"><system name="S"/></code></expression>""",
        f"{Concept((Code('1', 'http://example.org/s'),))}",
    ),
]


@pytest.mark.parametrize("expression, wanted", IN_XML, ids=lambda value: str(value)[:40])
def test_elm_as_xml_has_one_or_many_where_json_has(expression, wanted):
    head = XML[: XML.index(b">") + 1].decode()
    body = f'<identifier id="X"/><statements><def name="D">{expression}</def></statements>'
    tree = from_elm(xml.read(f"{head}{body}</library>")).definition("D").tree
    assert str(evaluated(tree)) == wanted
