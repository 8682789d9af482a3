"""XML becomes the Resource that JSON gives, and what only XML has wrong is told at its place."""

from decimal import Decimal

import pytest

from fhirpkg import fhirxml
from fhirpkg.definitions.definitions import Definitions

MODEL = Definitions.core().types
NS = 'xmlns="http://hl7.org/fhir"'
DIV = '<div xmlns="http://www.w3.org/1999/xhtml">'


def read(text):
    resource, issues, _ = fhirxml.read(text.encode() if isinstance(text, str) else text, MODEL)
    return resource, issues


def patient(inner, attributes=""):
    return f"<Patient {NS}{attributes}>{inner}</Patient>"


@pytest.mark.parametrize(
    "inner, expected",
    [
        ('<id value="a"/>', {"id": "a"}),
        ('<active value="true"/>', {"active": True}),
        ('<active value="yes"/>', {"active": "yes"}),
        ('<multipleBirthInteger value="2"/>', {"multipleBirthInteger": 2}),
        ('<multipleBirthInteger value="two"/>', {"multipleBirthInteger": "two"}),
        (
            '<name id="n"><given value="A"/><given value="B"/></name>',
            {"name": [{"id": "n", "given": ["A", "B"]}]},
        ),
        (
            """<birthDate id="b" value="2020-01-01"><extension url="http://x.org">
               <valueDecimal value="1.50"/></extension></birthDate>""",
            {
                "birthDate": "2020-01-01",
                "_birthDate": {
                    "id": "b",
                    "extension": [{"url": "http://x.org", "valueDecimal": Decimal("1.50")}],
                },
            },
        ),
        (
            '<name><given value="A"/><given id="g"/><given value="C"/></name>',
            {"name": [{"given": ["A", None, "C"], "_given": [None, {"id": "g"}, None]}]},
        ),
        ('<name><given id="g"/></name>', {"name": [{"_given": [{"id": "g"}]}]}),
        (
            '<contained><Organization><id value="o"/></Organization></contained>',
            {"contained": [{"resourceType": "Organization", "id": "o"}]},
        ),
        (
            f'<text><status value="empty"/>{DIV}a<b>c</b>&amp;<!-- kept --></div></text>',
            {"text": {"status": "empty", "div": f"{DIV}a<b>c</b>&amp;<!-- kept --></div>"}},
        ),
        ("<!-- dropped --><active value='true'/>", {"active": True}),
    ],
)
def test_content_is_what_json_gives(inner, expected):
    assert read(patient(inner)) == ({"resourceType": "Patient"} | expected, [])


@pytest.mark.parametrize("number", ["1.50", "1e2", "-0.0", "100000000000000000000.1"])
def test_decimals_keep_the_digits_that_were_written(number):
    text = (
        f'<Observation {NS}><valueQuantity><value value="{number}"/></valueQuantity></Observation>'
    )
    assert str(read(text)[0]["valueQuantity"]["value"]) == number


@pytest.mark.parametrize("number", ["1.", "+1", "01", ".5", "NaN", "1e9999", "9" * 2000, ""])
def test_what_json_could_not_hold_as_number_stays_text(number):
    text = (
        f'<Observation {NS}><valueQuantity><value value="{number}"/></valueQuantity></Observation>'
    )
    assert read(text)[0]["valueQuantity"]["value"] == number


def test_an_element_that_repeats_against_its_definition_becomes_a_list():
    resource, _ = read(patient('<birthDate value="2020"/><birthDate value="2021"/>'))
    assert resource["birthDate"] == ["2020", "2021"]


def test_unknown_elements_are_kept_for_the_engine_to_tell():
    resource, issues = read(patient('<colour><x value="1"/></colour><birthDay value="a"/>'))
    assert resource == {"resourceType": "Patient", "colour": {"x": "1"}, "birthDay": "a"}
    assert issues == []


def test_a_narrative_under_a_prefix_declares_only_what_it_uses():
    text = (
        f'<Patient {NS} xmlns:h="http://www.w3.org/1999/xhtml" xmlns:u="http://unused.org"><text>'
        "<h:div><h:p>x</h:p></h:div></text></Patient>"
    )
    div = read(text)[0]["text"]["div"]
    assert div == '<h:div xmlns:h="http://www.w3.org/1999/xhtml"><h:p>x</h:p></h:div>'


@pytest.mark.parametrize(
    "inner, rule, expression, words",
    [
        (
            '<birthDate value="2020"/><active value="true"/>',
            "xml-order",
            "Patient.active",
            "birthDate",
        ),
        ('<active value="true" x="1"/>', "xml-attribute", "Patient.active", "'x'"),
        ('<name vale="x"/>', "xml-attribute", "Patient.name[0]", "'vale'"),
        ('<active value="true">no</active>', "xml-text", "Patient.active", "'no'"),
        ("stray<active value='true'/>", "xml-text", "Patient", "'stray'"),
        ("<active value='true'/>stray", "xml-text", "Patient", "'stray'"),
        ("<name><given/></name>", "xml-empty", "Patient.name[0].given[0]", "'given'"),
        ("<?php x?><active value='true'/>", "xml-processing-instruction", "Patient", "<?php?>"),
        ("<name><id value='x'/></name>", "xml-attribute-as-element", "Patient.name[0].id", "'id'"),
        ("\u00a0<active value='true'/>", "xml-text", "Patient", "'\u00a0'"),
        ("<contained/>", "xml-one-resource", "Patient.contained[0]", "0 resources"),
        (
            "<contained><Group><id value='a'/></Group><Group/></contained>",
            "xml-one-resource", "Patient.contained[0]", "2 resources",
        ),
        ('<active xmlns="" value="true"/>', "xml-namespace", "Patient.active", "no namespace"),
        (
            "<text><status value='empty'/><div>x</div></text>",
            "xml-namespace", "Patient.text.div", "http://www.w3.org/1999/xhtml",
        ),
    ],
)  # fmt: skip
def test_what_is_wrong_is_told_at_its_place(inner, rule, expression, words):
    _, issues = read(patient("\n  " + inner))
    assert [(i.rule, i.expression) for i in issues] == [(rule, expression)]
    assert words in issues[0].text
    assert issues[0].line in {1, 2}


def test_an_issue_has_the_line_and_column_of_its_element():
    _, issues = read(patient('\n <name>\n  <given value="A" lang="x"/>\n </name>'))
    assert [(i.line, i.column) for i in issues] == [(3, 3)]


def test_the_schema_location_is_no_part_of_a_resource():
    xsi = ' xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:schemaLocation="a b"'
    _, issues = read(patient("", xsi))
    assert [i.rule for i in issues] == ["xml-attribute"]
    assert "xsi:schemaLocation" in issues[0].text


@pytest.mark.parametrize("text", ["<?php x?>{}", "{}<?php x?>", "<!-- a --><?php x?>\n{}"])
def test_instructions_beside_the_resource_are_told_too(text):
    resource, issues = read(text.format(patient("")))
    assert resource == {"resourceType": "Patient"}
    assert [(i.rule, i.expression) for i in issues] == [("xml-processing-instruction", "Patient")]


def test_an_issue_has_a_line_even_where_the_second_reader_gives_up():
    _, issues = read("<?\u8c48ml x?>\n" + patient("<active x='1' value='true'/>"))
    assert [(i.rule, i.line) for i in issues] == [
        ("xml-processing-instruction", 2),
        ("xml-attribute", 2),
    ]


BOMB = '<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;&a;">]>'


@pytest.mark.parametrize(
    "text, rule",
    [
        (BOMB + patient("&b;"), "xml-doctype"),
        ("<?xml version='1.0'?>\n<!-- <a> -->" + BOMB + patient(""), "xml-doctype"),
        (f'<!DOCTYPE x SYSTEM "file:///etc/passwd">{patient("")}', "xml-doctype"),
        (patient("&nbsp;"), "xml-syntax"),
        (patient("<name>"), "xml-syntax"),
        ("", "xml-syntax"),
        ("{}", "xml-syntax"),
        (patient("").encode("utf-16"), "xml-encoding"),
        ('<?xml version="1.0" encoding="ISO-8859-1"?>' + patient(""), "xml-encoding"),
        ('<?xml version="1.0" encoding="US-ASCII"?>' + patient(""), "xml-encoding"),
        (b"<Patient>\xff</Patient>", "xml-syntax"),
        ("<Patient/>", "xml-namespace"),
        (f'<h:html xmlns:h="http://www.w3.org/1999/xhtml" {NS}/>', "xml-namespace"),
    ],
)
def test_text_that_is_no_fhir_xml_gives_no_resource_but_an_issue(text, rule):
    resource, issues = read(text)
    assert resource is None
    assert [i.rule for i in issues] == [rule]
    assert issues[0].line >= 1


def test_many_comments_before_the_resource_are_passed_over_quickly():
    assert read("<!-- x -->" * 20_000 + patient(""))[1] == []


def test_deep_nesting_ends_in_an_issue():
    deep = '<extension url="x">' * 1500 + "</extension>" * 1500
    resource, issues = read(patient(deep))
    assert resource["extension"][0]["url"] == "x"
    assert [i.rule for i in issues] == ["xml-depth"]


def test_nesting_beyond_what_a_parser_takes_is_no_xml():
    assert [i.rule for i in read(patient("<a>" * 100_000))[1]] == ["xml-syntax"]


def test_a_large_attachment_is_read():
    data = "QUJD" * 3_000_000
    text = f'<Binary {NS}><contentType value="a/b"/><data value="{data}"/></Binary>'
    assert read(text)[0]["data"] == data


def test_a_byte_order_mark_is_passed_over():
    assert read(b"\xef\xbb\xbf" + patient("").encode()) == ({"resourceType": "Patient"}, [])
