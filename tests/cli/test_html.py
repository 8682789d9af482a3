"""The HTML report: whole without its script, sends nothing, escapes, searches in a browser."""

import json
import shutil
import subprocess

import pytest
from lxml import html

from fhirpkg.cli.reports.formats import render
from fhirpkg.corpus.checking import Checked
from fhirpkg.issues import Issue, Outcome, Severity

BAD = Issue(Severity.ERROR, "value", "binding-required", "the code 'x<y>'", "Patient.gender",
            "a&b.json", 3, 7, advice="take another")  # fmt: skip
HINT = Issue(Severity.INFORMATION, "value", "dom-6", "no narrative", "Patient", "c.json", 1, 1)
ODD = Issue(Severity.ERROR, "value", 'p-1 "<x>', "<script>alert(1)</script>", "Patient", "c.json")
MANY = [Issue(Severity.WARNING, "value", "r-m", "many", "Patient", "m.ndjson", n) for n in
        range(1, 20_001)]  # fmt: skip
ALL = [
    Checked("a&b.json", Outcome((BAD,))),
    Checked("c.json", Outcome((HINT, ODD))),
    Checked("m.ndjson", Outcome(tuple(MANY))),
    Checked("clean.json", Outcome()),
]


@pytest.fixture(scope="module")
def page():
    return html.document_fromstring(render("html", ALL))


def sections(page, is_rule):
    return {
        section.find("summary").text.rpartition(" (")[0].split(" (")[0]: section
        for section in page.iter("details")
        if (section.get("class") == "rule") == is_rule
    }


def test_findings_stand_below_their_file_and_below_their_rule(page):
    files, rules = sections(page, is_rule=False), sections(page, is_rule=True)
    assert list(files) == ["a&b.json", "c.json", "m.ndjson"]
    assert set(rules) == {"binding-required", "dom-6", 'p-1 "<x>', "r-m"}
    for section in (files["a&b.json"], rules["binding-required"]):
        text = section.text_content()
        assert "the code 'x<y>'" in text
        assert "3:7" in text
        assert "Patient.gender" in text
        assert "take another" in text


def test_rules_have_their_words_and_the_specification(page):
    rules = sections(page, is_rule=True)
    links = [link.get("href") for link in rules["binding-required"].iter("a")]
    assert any(link.startswith("http://hl7.org/fhir/R4/") for link in links)
    assert "narrative" in rules["dom-6"].findtext("p")


def test_each_link_inside_leads_somewhere(page):
    ids = {element.get("id") for element in page.iter() if element.get("id")}
    fragments = {a.get("href")[1:] for a in page.iter("a") if a.get("href").startswith("#")}
    assert fragments <= ids
    assert len(fragments) == 6


def test_nothing_is_loaded_or_run_from_the_content(page):
    assert len(list(page.iter("script"))) == 1
    assert "alert" not in page.find(".//script").text
    assert not [e for e in page.iter() if e.get("src") or e.tag in {"link", "img", "iframe"}]
    [policy] = [m for m in page.iter("meta") if m.get("http-equiv") == "Content-Security-Policy"]
    assert "default-src 'none'" in policy.get("content")


def test_equal_findings_are_one_with_a_count(page):
    section = sections(page, is_rule=False)["m.ndjson"]
    assert len(section.findall(".//li")) == 1
    assert "20,000 times" in section.text_content()


SEARCHES = [
    ("gender", None, ["a&b.json"]),
    ("C.JSON dom-6", None, ["c.json"]),
    ("nothing at all", None, []),
    ("", "error", ["c.json", "m.ndjson"]),
]
DRIVE = """<script>
const results = [];
for (const [words, level] of SEARCHES) {
  form.querySelector("input[type=search]").value = words;
  for (const box of form.querySelectorAll("[type=checkbox]")) box.checked = box.value !== level;
  form.dispatchEvent(new Event("input"));
  const files = [...document.querySelectorAll("details:not(.rule)")].filter(d => !d.hidden);
  results.push(files.map(d => d.querySelector("summary").textContent.split(" (")[0]));
}
document.body.textContent = JSON.stringify(results);
</script></body>"""


@pytest.mark.skipif(not shutil.which("chromium"), reason="there is no chromium here")
def test_the_search_hides_what_does_not_fit(tmp_path):
    drive = DRIVE.replace("SEARCHES", json.dumps([case[:2] for case in SEARCHES]))
    file = tmp_path / "report.html"
    file.write_text(render("html", ALL).replace("</body>", drive))
    dumped = subprocess.run(
        ["chromium", "--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={tmp_path}/c",
         "--dump-dom", file.as_uri()], capture_output=True, text=True, check=True, timeout=120,
    ).stdout  # fmt: skip
    found = json.loads(html.document_fromstring(dumped).findtext("body"))
    assert found == [case[2] for case in SEARCHES]
