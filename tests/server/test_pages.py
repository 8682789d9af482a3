"""Pages for a browser, which show what others wrote and run nothing of it."""

import pytest

HARMLESS = '<div xmlns="http://www.w3.org/1999/xhtml"><h1>Steps</h1><p>First</p></div>'


@pytest.fixture
def page(server):
    def get(path):
        return server("GET", f"../{path}")

    return get


def with_narrative(div):
    return {
        "resourceType": "PlanDefinition",
        "id": "p",
        "title": "Cryo <b>ablation</b>",
        "status": "draft",
        "text": {"status": "generated", "div": div},
    }


def test_the_start_page_lists_what_is_there_and_says_what_it_is(server, page):
    assert "Nothing is stored yet" in page("").text
    server.put(with_narrative(HARMLESS))
    start = page("")
    assert '<a href="/show/PlanDefinition/p">p</a>' in start.text
    assert "PlanDefinition (1)" in start.text
    assert "development and small sites" in start.text
    assert "HAPI" in start.text


def test_a_narrative_cannot_cover_the_page_around_it(server, page):
    """`contain: paint` clips what a style of the narrative places elsewhere."""
    server.put(with_narrative(HARMLESS))
    shown = page("show/PlanDefinition/p").text
    assert f'<div class="narrative">{HARMLESS}</div>' in shown
    assert ".narrative { contain: paint; isolation: isolate; overflow: auto; }" in shown


def test_the_page_of_a_resource_shows_its_narrative_and_its_json(server, page):
    server.put(with_narrative(HARMLESS))
    shown = page("show/PlanDefinition/p")
    assert HARMLESS in shown.text
    assert "Cryo &lt;b&gt;ablation&lt;/b&gt;" in shown.text
    assert "<b>ablation" not in shown.text


@pytest.mark.parametrize(
    "bad",
    [
        '<div xmlns="http://www.w3.org/1999/xhtml"><script>alert(1)</script></div>',
        '<div xmlns="http://www.w3.org/1999/xhtml"><p onclick="alert(1)">x</p></div>',
        '<div xmlns="http://www.w3.org/1999/xhtml"><a href="javascript:alert(1)">x</a></div>',
        '<div xmlns="http://www.w3.org/1999/xhtml"><iframe src="http://x"/></div>',
        '<div xmlns="http://www.w3.org/1999/xhtml"><form action="/fhir"><input/></form></div>',
        "<div>alert(1)</div><script>alert(1)</script>",
        '<div xmlns="http://www.w3.org/1999/xhtml"><p>not closed</div>',
        "<script>alert(1)</script>",
    ],
)
def test_a_narrative_that_could_do_harm_is_not_shown(server, endpoint, page, bad):
    endpoint.store.write(with_narrative(bad), "PUT")  # an older server may have taken it
    shown = page("show/PlanDefinition/p")
    assert "Its narrative is not shown" in shown.text
    assert bad not in shown.text


@pytest.mark.parametrize("path", ["", "show/PlanDefinition/p", "show/PlanDefinition/q"])
def test_the_browser_is_told_to_run_nothing(server, page, path):
    server.put(with_narrative(HARMLESS))
    policy = page(path).headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "script-src" not in policy
    assert "<script" not in page(path).text


def test_what_is_not_there_is_told_as_a_page(server, page):
    for path in ("show/PlanDefinition/p", "show/%3Cscript%3E/x"):
        missing = page(path)
        assert missing.status_code == 404
        assert "<script>" not in missing.text
