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


def test_the_start_page_lists_procedures_and_types_and_says_what_it_is(server, page):
    assert "Nothing is stored yet" in page("").text
    server.put(with_narrative(HARMLESS))
    start = page("")
    assert '<a href="/procedure/p">Cryo &lt;b&gt;ablation&lt;/b&gt;</a>' in start.text
    assert '<a href="/type/PlanDefinition">PlanDefinition</a> <span class="count">1</span>' in (
        start.text
    )
    assert "development and small sites" in start.text
    assert "HAPI" in start.text


@pytest.mark.parametrize("path", ["type/PlanDefinition", "search?q=ABLATION+cryo", "search?q=77"])
def test_lists_and_the_search_lead_to_what_is_there(server, page, path):
    code = {"coding": [{"system": "http://www.ama-assn.org/go/cpt", "code": "77"}]}
    server.put(with_narrative(HARMLESS) | {"topic": [code]})
    assert '<a href="/procedure/p">' in page(path).text


def test_a_search_needs_all_its_words(server, page):
    server.put(with_narrative(HARMLESS))
    found = page("search?q=ablation+heat")
    assert "/procedure/p" not in found.text
    assert 'value="ablation heat"' in found.text


def test_the_page_of_a_resource_shows_its_narrative_and_its_json(server, page):
    server.put(with_narrative(HARMLESS))
    shown = page("show/PlanDefinition/p")
    assert "<p>First</p>" in shown.text
    assert ">Steps</h3>" in shown.text  # its headings go below those of the page
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
        '<div style="position: fixed; top: 0">covers</div>',
        "<script>alert(1)</script>",
    ],
)
def test_what_could_do_harm_in_a_narrative_is_left_out(server, endpoint, page, bad):
    endpoint.store.write(with_narrative(bad), "PUT")  # an older server may have taken it
    shown = page("show/PlanDefinition/p").text
    narrative = shown.partition("<main")[2].partition('<pre class="json"')[0]
    for harm in ("<script", "onclick", "javascript:", "<iframe", "<form", "<input", "style="):
        assert harm not in narrative


@pytest.mark.parametrize(
    "path",
    ["", "search", "type/PlanDefinition", "show/PlanDefinition/p", "procedure/p", "procedure/q"],
)
def test_the_browser_is_told_to_run_nothing(server, page, path):
    server.put(with_narrative(HARMLESS))
    policy = page(path).headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "script-src" not in policy
    assert "unsafe" not in policy
    assert "<script" not in page(path).text


def test_what_is_not_there_is_told_as_a_page(server, page):
    for path in ("show/PlanDefinition/p", "show/%3Cscript%3E/x", "procedure/p", "type/Patient"):
        missing = page(path)
        assert missing.status_code == 404
        assert "<script>" not in missing.text
