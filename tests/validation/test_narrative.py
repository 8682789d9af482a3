"""Narrative is XHTML that is well-formed, harmless and not empty."""

import gc

import pytest

from fhirpkg import rules as catalogue
from fhirpkg.definitions.definitions import Definitions
from fhirpkg.definitions.terminology.valuesets import Terminology
from fhirpkg.validation.narrative.narrative import check_narrative
from fhirpkg.validation.run import Run, Settings
from fhirpkg.validation.validator import Validator

DEFINITIONS = Definitions.core()
XHTML = 'xmlns="http://www.w3.org/1999/xhtml"'


def check(resource, **settings):
    """(rule, path) of each finding and what was found."""
    run = Run(resource, DEFINITIONS, Terminology(DEFINITIONS), Settings(**settings))
    check_narrative(resource, (), run)
    assert all(catalogue.issue(f.rule, **f.found).text for f in run.findings)
    return run.findings


def rules(inner, root=f"<div {XHTML}>"):
    div = f"{root}{inner}</{root[1:].split()[0].rstrip('>')}>"
    found = check({"resourceType": "Patient", "text": {"status": "generated", "div": div}})
    assert all(f.path == ("text", "div") for f in found)
    return [f.rule.id for f in found]


@pytest.mark.parametrize(
    "inner",
    [
        "words",
        "<p>a</p><ul><li>b</li></ul>",
        "<table class='grid' border='1'><tr><td colspan='2' style='color: red'>x</td></tr></table>",
        "<img src='http://example.org/a.png' alt='a'/>",
        "<img src='data:image/png;base64,AAAA' alt='dot'/>",
        "<img src='cid:part1' alt='x'/>x",
        "<img src='data: image/png;base64,AAAA' alt='dot'/>",
        "<a href='http://example.org'>x</a> <a href='mailto:a@example.org'>y</a>",
        "<p id='here'>x</p><a href='#here'>back</a><a name='n'/><a href='#n'>n</a>",
        "<span lang='de' xml:lang='de' dir='ltr' title='t'>x</span>",
        "<!-- a comment --><p>x</p>",
        "<table><caption>c</caption><colgroup><col/></colgroup></table>",
        "<table>\n<thead><tr><th>x</th></tr></thead></table>",
        "<table><tr> <td><ul><li><p>x</p></li></ul></td></tr></table>",
        "<dl><dt>x<b><i>y</i></b></dt><dd><p>z</p></dd></dl><p xml:space='preserve'> x </p>",
        "<map name='m'><area href='#m' alt='x'/></map>x",
        "\u00a0",
        "<b><blockquote>x</blockquote></b><i><dl><dt>y</dt></dl></i>",
        "<b><p>x</p></b><a href='http://example.org'><p>y</p></a><code><p>z</p></code>",
        "<a href='http://example.org/é|x?a=(b)&amp;c=%20#[d]'>x</a><a href='page.html'>y</a>",
        "<a href='data:text/plain;charset=utf-8;base64,aGk='>x</a><a href='data:,hi'>y</a>",
    ],
)
def test_ordinary_narrative_is_let_pass(inner):
    assert rules(inner) == []


@pytest.mark.parametrize(
    "inner, rule",
    [
        *((f"x<{name}/>", "narrative-element") for name in (
            "script", "style", "iframe", "object", "form", "input", "font", "center", "body",
            "head", "svg", "video", "base", "link", "embed", "DIV",
        )),
        ("x<b xmlns='http://example.org'/>", "narrative-element"),
        ("x<?php run?>", "narrative-element"),
        ("<p onclick='run()'>x</p>", "narrative-attribute"),
        ("<p bgcolor='red'>x</p>", "narrative-attribute"),
        ("<p href='http://example.org'>x</p>", "narrative-attribute"),
        ("<a href='javascript:run()'>x</a>", "narrative-link"),
        ("<a href=' JaVa&#10;Script:run()'>x</a>", "narrative-link"),
        ("<a href='data:text/html,x'>x</a>", "narrative-link"),
        ("<a href='data:image/svg+xml,x'>x</a>", "narrative-link"),
        ("<img src='vbscript:run()' alt='x'/>x", "narrative-link"),
        ("<p style='width: expression(run())'>x</p>", "narrative-link"),
        ("<p style='background: url(javascript:run())'>x</p>", "narrative-link"),
        ("<a href='#nowhere'>x</a>", "narrative-dead-link"),
        ("<img src='#nowhere' alt='x'/>x", "narrative-dead-link"),
        ("<img src='data:image/svg+xml;base64,AAAA' alt='x'/>x", "narrative-link"),
        ("<a href=''>x</a>", "narrative-url"), ("<img src='' alt='x'/>x", "narrative-url"),
        ("<a href='http://example.org/a b'>x</a>", "narrative-url"),
        ("<a href='http://example.org/{a}'>x</a>", "narrative-url"),
        ("<a href='urn:oid:1.2.840'>x</a>", "narrative-url"),
        ("<img src='data:image/png;base64,!' alt='x'/>x", "narrative-url"),
        ("<img src='data:image/png' alt='x'/>x", "narrative-url"),
        ("<table><tr><th nowrap='nowrap'>x</th></tr></table>", "narrative-attribute"),
        ("<p><b><p>x</p></b></p>", "narrative-nesting"),
        ("<p><b><dl><dt>x</dt></dl></b></p>", "narrative-nesting"),
        ("<ins>x</ins>", "narrative-element"), ("<del>x</del>", "narrative-element"),
        ("<p><div>x</div></p>", "narrative-nesting"),
        ("<b><table><tr><td>x</td></tr></table></b>", "narrative-nesting"),
        ("<h1>x<span><ul><li>y</li></ul></span></h1>", "narrative-nesting"),
        ("<a href='http://x.org'>x<b><a href='http://y.org'>y</a></b></a>", "narrative-nesting"),
        ("<ul><p>x</p></ul>", "narrative-nesting"), ("<ul>x</ul>", "narrative-nesting"),
        ("<li>x</li>", "narrative-nesting"), ("<table><td>x</td></table>", "narrative-nesting"),
        ("<table><tr><td>x</td></tr>y</table>", "narrative-nesting"),
        ("<div><tr><td>x</td></tr></div>", "narrative-nesting"),
        ("x<br>y</br>", "narrative-nesting"), ("<dl><dd>x</dd><b>y</b></dl>", "narrative-nesting"),
        ("", "narrative-empty"),
        ("<p> \n </p><br/>", "narrative-empty"),
        ("a&nbsp;b", "narrative-entity"),
        ("a & b", "narrative-syntax"),
        ("<p>a", "narrative-syntax"),
        ("a</div><div>b", "narrative-syntax"),
        ("&bogus;", "narrative-syntax"),
        ("\ud800", "narrative-syntax"),
    ],
)  # fmt: skip
def test_what_narrative_may_not_have_is_told(inner, rule):
    expected = [rule] if inner != "&bogus;" else ["narrative-entity", rule]
    assert rules(inner) == expected


@pytest.mark.parametrize(
    "root, rule",
    [
        ("<div>", "narrative-root"),
        ("<div xmlns='http://hl7.org/fhir'>", "narrative-root"),
        (f"<p {XHTML}>", "narrative-root"),
        (f"<!DOCTYPE div [<!ENTITY a 'aaaa'>]><div {XHTML}>", "narrative-syntax"),
    ],
)
def test_narrative_begins_with_a_div_of_xhtml(root, rule):
    div = f"{root}x</{'p' if root.startswith('<p') else 'div'}>"
    found = check({"resourceType": "Patient", "text": {"div": div}})
    assert [f.rule.id for f in found] == [rule]


def test_a_prefix_may_stand_for_the_namespace():
    div = '<h:div xmlns:h="http://www.w3.org/1999/xhtml"><h:p>x</h:p></h:div>'
    assert check({"resourceType": "Patient", "text": {"div": div}}) == []


def test_the_place_inside_the_narrative_is_told():
    div = f"<div {XHTML}><p>x</p><table><tr><td/><td><script/></td></tr></table></div>"
    (found,) = check({"resourceType": "Patient", "text": {"div": div}})
    assert found.found == {"name": "script", "place": "div/table/tr/td[2]/script"}


def test_a_link_may_lead_to_a_contained_resource():
    text = {"div": f"<div {XHTML}><a href='#o'>x</a></div>"}
    resource = {"resourceType": "Patient", "contained": [{"id": "o"}], "text": text}
    assert check(resource) == []


def test_sections_of_a_composition_have_narratives_too():
    bad = {"div": f"<div {XHTML}/>"}
    sections = [{"text": bad, "section": [{"section": []}, {"text": bad}]}]
    found = check({"resourceType": "Composition", "section": sections})
    assert [f.path for f in found] == [
        ("section", 0, "text", "div"),
        ("section", 0, "section", 1, "text", "div"),
    ]


@pytest.mark.parametrize(
    "text, is_html",
    [
        ("a <b>c</b>", True),
        ("a<br/>b", True),
        ("<http://a.example/x>", False),
        ("<mailto:a@b.example>", False),
        ("<a.b@c.example>", False),
        ("a < b", False),
    ],
)
def test_an_address_in_brackets_is_markdown_and_no_tag(text, is_html):
    resource = {"resourceType": "Basic", "code": {"text": "x"}}
    resource["extension"] = [{"url": "http://a.example", "valueMarkdown": text}]
    found = [finding.rule.id for finding in check(resource, html_in_text=False)]
    assert ("text-html" in found) is is_html


def test_html_in_strings_and_markdown_is_told_only_when_asked_for():
    resource = {
        "resourceType": "Communication",
        "note": [{"text": "good"}, {"text": "a <b"}],
        "topic": {"text": "1 < 2 and 3 > 2"},
        "reasonCode": [{"text": "<b>bold</b>"}],
    }
    assert check(resource) == []
    found = check(resource, html_in_text=False)
    assert {f.path: f.found["found"] for f in found} == {
        ("note", 1, "text"): "<b",
        ("reasonCode", 0, "text"): "<b>",
    }


@pytest.mark.parametrize("text", [None, 5, [], {"div": 5}, {"div": ""}, {"div": ["x"]}])
def test_what_is_no_narrative_at_all_is_left_to_the_structure(text):
    assert (
        check({"resourceType": "Composition", "text": text, "section": [5, {"text": text}]}) == []
    )


def test_the_mark_of_hl7s_publisher_is_refused_by_the_letter_only():
    marked = f"<div {XHTML} data-fhir='generated'>"
    assert rules("x", marked) == ["narrative-mark"]
    assert rules("<p data-more='x'>x</p>") == ["narrative-attribute"]
    text = {"status": "generated", "div": f"{marked}x</div>"}
    for strict, severity in ((False, "information"), (True, "error")):
        validator = Validator(settings=Settings(strict=strict))
        found = validator.validate({"resourceType": "Patient", "text": text}).issues
        assert [(i.rule, i.severity) for i in found] == [("narrative-mark", severity)]


def test_a_check_leaves_no_parser_behind():
    rules("<p>a</p>")
    gc.collect()
    gc.disable()
    try:
        for _ in range(3):
            rules("<p>a</p>")
        assert not [each for each in gc.get_objects() if type(each).__name__ == "xmlparser"]
    finally:
        gc.enable()
