"""Our pages in a real browser: every page of a site, and those of the server beside them.

Of each page: no error on the console, no dead link, nothing that axe-core finds against WCAG at
level AA, and no sideways scrolling on a phone. In the larger site axe looks at each procedure and
one page of each other kind, and at contrast, which takes longest, on one page of a kind alone.
"""

import contextlib
import html
import json
import pathlib
import re
import subprocess
import sys
from urllib.parse import unquote

import pytest

from fhirpkg import fhirjson
from fhirpkg.bundling.reading import read_content
from fhirpkg.pages.site import site_files
from fhirpkg.pages.writing import write
from tests.server.client import FHIR, Client
from tests.servers.browser import CHROMIUM, browsing
from tests.servers.embedded import running

ROOT = pathlib.Path(__file__).parents[2]
PLAN = "BoneTumorCryoablationPlan"
PHONE = 360
pytestmark = [
    pytest.mark.servers,
    pytest.mark.timeout(3000),
    pytest.mark.skipif(not CHROMIUM, reason="there is no chromium on this machine"),
]


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    with browsing(tmp_path_factory.mktemp("browser")) as opened:
        yield opened


@pytest.fixture(scope="module")
def ours(tmp_path_factory):
    """The site of CPT 20983, made by the verb."""
    folder = tmp_path_factory.mktemp("ours") / "site"
    fhirpkg("site", ROOT / "resources", "--output", folder)
    return folder


@pytest.fixture(scope="module")
def fifty(tmp_path_factory):
    """The site of a package of 50 procedures."""
    folder = tmp_path_factory.mktemp("fifty")
    types = [r["resourceType"] for r in read_content(ROOT / "resources").resources]
    own = sum(each not in {"ImplementationGuide", "StructureDefinition"} for each in types)
    count = -(-50 // types.count("PlanDefinition")) * own + 1  # and the guide
    script = [sys.executable, ROOT / "scripts" / "multiply", str(count), folder / "content"]
    subprocess.run(script, check=True, capture_output=True)
    write(site_files(read_content(folder / "content")), folder / "site")
    return folder / "site"


def fhirpkg(*arguments):
    done = subprocess.run(
        [sys.executable, "-m", "fhirpkg", *map(str, arguments)],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr


def dead_links(site):
    """The links of a folder of pages that lead to no file or no id in it."""
    pages = {page: page.read_text() for page in site.rglob("*.html")}
    ids = {page: set(map(html.unescape, re.findall(r' id="([^"]*)"', text)))
           for page, text in pages.items()}  # fmt: skip
    for page, text in pages.items():
        for link in re.findall(r'(?:href|src)="([^"]*)"', text):
            path, _, fragment = html.unescape(link).partition("#")
            if re.match(r"(https?|data|mailto|tel):", path):
                continue
            target = (page.parent / unquote(path)).resolve() if path else page
            if not target.is_file() or (fragment and unquote(fragment) not in ids[target]):
                yield f"{page.relative_to(site)}: {link}"


def problems(browser, url, *, with_axe=True, with_contrast=True):
    """What is wrong with one page."""
    browser.open(url)
    found = [f"console: {error}" for error in browser.errors]
    if with_axe:
        found += [f"axe: {each}" for each in browser.violations(with_contrast=with_contrast)]
    browser.resize(PHONE)
    width = browser.run("document.documentElement.scrollWidth")
    found += [f"{width} wide on a phone"] if width > PHONE else []
    return [f"{url}: {each}" for each in found]


def test_every_page_of_our_site(browser, ours):
    assert list(dead_links(ours)) == []
    pages = sorted(ours.rglob("*.html"))
    assert len(pages) > 40
    assert [each for page in pages for each in problems(browser, page.as_uri())] == []


def test_every_page_of_a_site_of_fifty_procedures(browser, fifty):
    assert list(dead_links(fifty)) == []
    pages = sorted(fifty.rglob("*.html"))
    assert len([page for page in pages if page.parent.name == "procedure"]) >= 50
    kinds = set()
    found = []
    for page in pages:
        folder = page.parent.name
        kind = (folder, page.name.partition("-")[0] if folder == "resource" else "")
        is_new = kind not in kinds
        found += problems(
            browser, page.as_uri(), with_axe=is_new or folder == "procedure", with_contrast=is_new
        )
        kinds.add(kind)
    assert found == []


def test_the_search_narrows_the_lists_down(browser, ours):
    browser.open((ours / "index.html").as_uri())
    shown = "[...document.querySelectorAll('[data-list] > li')].filter(e => !e.hidden).length"
    typed = "(t => {const f = document.querySelector('[name=q]'); f.value = t;"
    typed += "f.dispatchEvent(new Event('input'))})"
    assert browser.run(shown) > 1
    browser.run(f"{typed}('no such thing')")
    assert browser.run(shown) == 0
    said = "document.querySelector('[data-found]').textContent"
    assert browser.run(said).startswith("0 of ")
    browser.run(f"{typed}('')")
    assert browser.run(said) == ""
    for query in ("20983", "CRYO bone", "  Cr\u00fdo bone", "cpt 20983"):
        browser.run(f"{typed}({json.dumps(query)})")
        assert browser.run(shown) == 1, query
    browser.submit("document.querySelector('form[role=search]').submit()")
    assert "search.html?q=cpt" in browser.run("location.href")
    assert browser.run(shown) == 1
    assert browser.run("document.querySelector('[data-found]').textContent").startswith("1 of ")


@contextlib.contextmanager
def served():
    """The server with our content on it, and the content."""
    content = read_content(ROOT / "resources")
    with running() as base:
        client = Client(base)
        for resource in content.resources:
            path, text = f"{resource['resourceType']}/{resource['id']}", fhirjson.dump(resource)
            answer = client("PUT", path, text.encode(), Content_Type=FHIR)
            assert answer.status_code in {200, 201}, answer.text
        yield client, content


def test_a_patient_is_tried_by_the_form(browser):
    with served() as (client, _):
        root = client.base.removesuffix("fhir")
        browser.open(f"{root}procedure/{PLAN}")
        browser.submit("document.querySelector('a.action').click()")
        browser.run("document.querySelector('[name=example]').value = 'inr-above-limit'")
        browser.submit("document.querySelector('[value=example]').click()")
        page = browser.run("document.body.innerText")
        assert "INR 2.4 on 2 Nov 2026: above 1.8 (SIR 2019)" in page
        assert browser.errors == []
        assert browser.violations() == []
        browser.resize(PHONE)
        assert browser.run("document.documentElement.scrollWidth") <= PHONE


def test_every_kind_of_page_of_the_server(browser):
    with served() as (client, _):
        root = client.base.removesuffix("fhir")
        document = "show/DocumentReference/BoneTumorCryoablationEducation"
        for path in ("", "search?q=cryo", f"procedure/{PLAN}", f"try/{PLAN}", "type/Library",
                     "feedback", document):  # fmt: skip
            assert problems(browser, root + path) == []


def told(text):
    """A page without what may differ: its addresses, the head, the search and the server's own."""
    text = text.partition("<body>")[2]
    text = re.sub(r'<section aria-labelledby="server">.*?</section>', "", text, flags=re.DOTALL)
    text = re.sub(r'<p class="screen"><a class="action".*?</p>', "", text, flags=re.DOTALL)
    text = re.sub(r'(href|action)="[^"]*"', r"\1", text)
    return [line for line in map(str.strip, text.splitlines()) if line]


def entries(text):
    """The entries of the lists of a page: what each is called, its codes and its words."""
    found = re.findall(r"<li data-words=.*?</li>", text, flags=re.DOTALL)
    return {re.sub(r'href="[^"]*"', "", each) for each in found}


def headings(text):
    """The headings of a page, but its title and what is told of the server."""
    found = re.findall(r'<h2 id="(\w+)">(.*?)</h2>', text)
    return [each for each in found if each[0] != "server"]


def as_it_was(text):
    """JSON and downloads without what the server notes in `meta`, which is its own."""
    return re.sub(r'<pre class="json".*?</pre>', "", text, flags=re.DOTALL)


def test_the_pages_of_server_and_site_differ_in_links_search_and_trying_only():
    with served() as (client, content):
        site = {name: data.decode() for name, data in site_files(content)
                if name.endswith(".html")}  # fmt: skip
        compared = 0
        for name, text in site.items():
            folder, _, rest = name.removesuffix(".html").rpartition("/")
            if folder == "resource":
                path = f"show/{rest.replace('-', '/', 1)}"
            elif folder:
                path = f"{folder}/{rest}"
            else:
                path = {"index": "", "search": "search?q=/"}[rest]
            answer = client("GET", f"../{path}")
            assert answer.status_code == 200, path
            if folder:
                assert told(as_it_was(answer.text)) == told(as_it_was(text)), path
            else:  # the start has a title of its own; a search says what it was asked and found
                assert entries(answer.text) <= entries(text), path
                assert headings(answer.text) == headings(text), path
            compared += 1
        assert compared > 40
