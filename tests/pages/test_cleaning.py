"""HTML of others: what is kept, what goes, and that nothing of it can run, load or cover."""

import base64

import pytest

from fhirpkg.pages.cleaning import cleaned


@pytest.mark.parametrize(
    "text, kept",
    [
        ("<p>Fast from <b>midnight</b></p>", "<p>Fast from <b>midnight</b></p>"),
        ('<td colspan="2" bgcolor="red">x', "x"),  # no table around it
        ('<a href="https://example.org/?a=1&amp;b=2">x</a>',
         '<a href="https://example.org/?a=1&amp;b=2" rel="noopener noreferrer">x</a>'),
        ('<img src="data:image/png;base64,AAAA" alt="knee">',
         '<img src="data:image/png;base64,AAAA" alt="knee">'),
        ("<font color=red><blink>x</blink></font>", "x"),
        ("a &lt;script&gt; b", "a &lt;script&gt; b"),
        ("<?xml version='1.0' encoding='UTF-8'?><html><head><title>t</title></head><body>x", "x"),
    ],
)  # fmt: skip
def test_what_says_something_is_kept(text, kept):
    markup, left_out = cleaned(text)
    assert kept in markup
    assert not left_out


@pytest.mark.parametrize(
    "bad",
    [
        "<script>alert(1)</script>",
        "<p onclick=alert(1)>x</p>",
        "<SCRIPT SRC=//x></SCRIPT>",
        "<iframe src='https://x'></iframe>",
        "<object data=x></object><embed src=x>",
        "<form action=/fhir><input name=a><button>Send</button></form>",
        "<img src=x onerror=alert(1)>",
        "<img src='https://example.org/pixel.png' alt=''>",
        "<img src='data:text/html;base64,AAAA' alt=''>",
        "<math><mtext><script>alert(1)</script></mtext></math>",
        "<noscript><p title='</noscript><script>alert(1)</script>'></p></noscript>",
    ],
)
def test_what_could_run_or_load_is_left_out_and_that_is_said(bad):
    markup, left_out = cleaned(f"<p>before</p>{bad}<p>after</p>")
    assert left_out
    assert "before" in markup
    for harm in ("<script", "onclick", "onerror", "<iframe", "<object", "<form", "src="):
        assert harm not in markup.lower()


@pytest.mark.parametrize(
    "bad",
    [
        "<a href='javascript:alert(1)'>x</a>",
        "<a href=' java\tscript:alert(1)'>x</a>",
        "<a href='data:text/html,x'>x</a>",
        "<div style='position:fixed;top:0'>x</div>",
        "<div id=main class=top>x</div>",
        "<style>body { display: none }</style>",
        "<link rel=stylesheet href=https://x><meta http-equiv=refresh content='0;url=https://x'>",
        "<base href=https://x>",
    ],
)
def test_what_could_cover_rename_or_lead_away_is_left_out(bad):
    markup, _ = cleaned(f"<p>{bad}</p>")
    for harm in ("href", "style", "id=", "class=", "<link", "<meta", "<base", "display"):
        assert harm not in markup


def test_a_drawing_becomes_a_picture_with_its_words():
    markup, left_out = cleaned(
        "<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'><title>The probe</title>"
        "<script>alert(1)</script><circle r='1'/></svg>after"
    )
    assert markup.startswith('<img src="data:image/svg+xml;base64,')
    assert 'alt="The probe"' in markup
    assert markup.endswith("after")
    assert "script" not in markup
    assert not left_out


def test_a_drawing_in_xhtml_keeps_its_scale():
    markup, _ = cleaned(
        '<div xmlns="http://www.w3.org/1999/xhtml">x<svg xmlns="http://www.w3.org/2000/svg"'
        ' viewBox="0 0 9 9"><desc>How it works</desc></svg></div>'
    )
    drawing = base64.b64decode(markup.partition("base64,")[2].partition('"')[0]).decode()
    assert 'viewBox="0 0 9 9"' in drawing
    assert 'alt="How it works"' in markup


def test_headings_go_below_those_of_the_page_and_skip_no_level():
    text = "<h1>One</h1><h4>Deep</h4><h2>Two</h2>"
    assert cleaned(text, below=3)[0] == "<h4>One</h4><h5>Deep</h5><h5>Two</h5>"


def test_nesting_without_end_does_no_harm():
    markup, left_out = cleaned("<div>" * 5000 + "x")
    assert len(markup) < 5000
    assert left_out


@pytest.mark.parametrize("text", ["", " ", "\x00", "<", "<!--", "<![CDATA[x]]>", "\ud800"])
def test_what_is_no_html_gives_no_error(text):
    cleaned(text)
