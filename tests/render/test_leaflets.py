"""The leaflets of every procedure: easy to read, short on paper, without legal text in the way."""

import base64
import json
import re
import shutil
import subprocess
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
import textstat

RESOURCES = Path(__file__).parent.parent.parent / "resources"
NAMESPACE = "{http://www.w3.org/1999/xhtml}"
CHROMIUM = shutil.which("chromium")
HIGHEST_GRADE = 6
FAIRLY_EASY = 70
"""On the scale of Fernández Huerta, which goes from 0 to 100 for what children read."""
MOST_PAGES = 2

NAMES = {
    "BoneTumorCryoablation": "Cryoablation",
    "UpperEndoscopy": "endoscopy",
    "InguinalHerniaRepair": "hernia",
}
"""What each procedure is called in the titles of its leaflets."""
FILES = {file.stem: file for file in sorted(RESOURCES.glob("*/fhir/DocumentReference-*.json"))}
IN_SPANISH = {name for name in FILES if name.endswith("Es")}
leaflets = pytest.mark.parametrize("name", FILES)


def leaflet(name):
    file = FILES[name]
    return base64.b64decode(json.loads(file.read_text())["content"][0]["attachment"]["data"])


def sentences(document):
    """What a patient reads, each item of a list as a sentence of its own."""
    main = ET.fromstring(document).find(f".//{NAMESPACE}main")
    tags = (f"{NAMESPACE}p", f"{NAMESPACE}li")
    texts = (" ".join("".join(e.itertext()).split()) for e in main.iter() if e.tag in tags)
    return " ".join(text if text[-1] in ".?!:" else f"{text}." for text in texts)


@leaflets
def test_a_leaflet_is_easy_to_read(name):
    text = sentences(leaflet(name))
    if name in IN_SPANISH:
        textstat.set_lang("es")
        try:
            assert textstat.fernandez_huerta(text) >= FAIRLY_EASY
        finally:
            textstat.set_lang("en_US")
    else:
        assert textstat.flesch_kincaid_grade(text) <= HIGHEST_GRADE


def test_the_measure_tells_hard_words_from_easy_ones():
    hard = "Administration of anticoagulative medication necessitates interdisciplinary evaluation."
    assert textstat.flesch_kincaid_grade(hard) > HIGHEST_GRADE


@leaflets
def test_a_leaflet_calls_the_procedure_by_its_name(name):
    title = ET.fromstring(leaflet(name)).find(f".//{NAMESPACE}h1").text
    (called,) = (said for procedure, said in NAMES.items() if procedure in name)
    assert ("Crioablación" if name in IN_SPANISH else called) in title


def test_each_procedure_has_its_leaflets():
    assert len(FILES) == 3 * len(NAMES) + 3  # those of cryoablation in Spanish too


@leaflets
@pytest.mark.servers  # test_pdf.py counts the pages of our own PDF at each run
@pytest.mark.skipif(not CHROMIUM, reason="no chromium to print with")
def test_a_leaflet_has_two_pages_at_most(name, tmp_path):
    page, printed = tmp_path / "page.xhtml", tmp_path / "page.pdf"
    page.write_bytes(leaflet(name))
    options = ["--headless", "--no-sandbox", "--disable-gpu", "--no-pdf-header-footer"]
    profile = f"--user-data-dir={tmp_path / 'profile'}"
    command = [CHROMIUM, *options, profile, f"--print-to-pdf={printed}", page.as_uri()]
    subprocess.run(command, capture_output=True, timeout=100, check=True)
    pages = len(re.findall(rb"/Type\s*/Page\b", printed.read_bytes()))
    assert 1 <= pages <= MOST_PAGES
