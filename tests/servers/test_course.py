"""Pictures of courses in a real browser, and Mermaid text in Mermaid itself."""

import json
import re
import shutil
import subprocess

import pytest

from fhirpkg.course import mermaid, svg
from fhirpkg.course.measure import width
from tests.course.plans import EXAMPLES, OURS, ROOT, after, plan, step
from tests.servers.browser import CHROMIUM, browsing

MERMAID = ROOT / ".examples" / "clients" / "mermaid"
VERSION = "11.17.2"
SCRIPTS = plan(
    step("Операция на костях ЩЖШ"), step("Ελληνικά ΩΨ"), step("हड्डी के ट्यूमर"),
    step("การรักษา ניתוח 🧊🦴👩‍⚕️ ẞæœ№™ →≥±µ½"), step("骨腫瘍の凍結療法" * 30),
    step("جراحة العظام والعلاج بالتبريد " * 9), step("WWWmmm@@@%%% iiillljjj" * 20),
)  # fmt: skip
HOSTILE = [
    plan(step(words, step("inner", **after(words)), **after(words)), title=words)
    for words in ('"`x`"', "end", "%%{init: {}}%%", "a\nsubgraph b", "<b>", "**x** _y_", "#quot;")
]
pytestmark = [
    pytest.mark.servers,
    pytest.mark.timeout(600),
    pytest.mark.skipif(not CHROMIUM, reason="there is no chromium on this machine"),
    pytest.mark.skipif(not EXAMPLES, reason="no official examples here: scripts/examples"),
]


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    with browsing(tmp_path_factory.mktemp("browser")) as opened:
        yield opened


@pytest.fixture(scope="module")
def plans():
    return [OURS, SCRIPTS, *(json.loads(file.read_text()) for file in EXAMPLES)]


LENGTHS = """[...document.querySelectorAll('text')].flatMap(text =>
  (text.querySelector('tspan') ? [...text.querySelectorAll('tspan')] : [text]).map(line => [
    line.textContent, +text.getAttribute('font-size'), text.getAttribute('font-weight') === 'bold',
    line.getComputedTextLength()]))"""


@pytest.mark.parametrize("font", ["", "DejaVu Sans", "Liberation Sans"])
def test_no_text_is_wider_than_its_room(browser, plans, font, tmp_path):
    pictures = "".join(svg(each, prefix=f"p{n}") for n, each in enumerate(plans))
    if font:
        pictures = re.sub(r'font-family="[^"]*"', f'font-family="{font}"', pictures)
    page = f"<!doctype html><meta charset=utf-8>{pictures}"
    (tmp_path / "p.html").write_text(page.replace('width="100%"', 'width="1000"'))
    browser.open((tmp_path / "p.html").as_uri())
    lines = browser.run(LENGTHS)
    assert len(lines) > 500
    wide = [line for *line, long in lines if long > width(*line[:2], bold=line[2]) + 0.5]
    assert not wide


def library():
    """Mermaid for a page, from npm; the test is skipped where there is none."""
    file = MERMAID / "node_modules" / "mermaid" / "dist" / "mermaid.min.js"
    if not file.exists():
        if not shutil.which("npm"):
            pytest.skip("there is no npm on this machine, which Mermaid comes with")
        MERMAID.mkdir(parents=True, exist_ok=True)
        done = subprocess.run(
            ["npm", "install", "--silent", "--prefix", str(MERMAID), f"mermaid@{VERSION}"],
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr
    return file


def test_mermaid_draws_every_text(browser, plans, tmp_path):
    page = f'<!doctype html><meta charset=utf-8><script src="{library().as_uri()}"></script>'
    (tmp_path / "m.html").write_text(page)
    browser.open((tmp_path / "m.html").as_uri())
    browser.run("mermaid.initialize({startOnLoad: false}); undefined")
    for number, each in enumerate([*plans, *HOSTILE]):
        text = json.dumps(mermaid(each))
        drawn = browser.run(
            f"mermaid.render('m{number}', {text}).then(r => r.svg, e => 'failed: ' + e)"
        )
        assert drawn.startswith("<svg"), (each.get("title"), drawn[:300])


def test_mermaid_refuses_what_is_not_its_own(browser, tmp_path):
    page = f'<!doctype html><meta charset=utf-8><script src="{library().as_uri()}"></script>'
    (tmp_path / "m.html").write_text(page)
    browser.open((tmp_path / "m.html").as_uri())
    assert browser.run("mermaid.parse('flowchart TD\\n a[\"x --> b').then(() => 1, () => 0)") == 0
