"""Leaflets as PDF: tagged, with language and title, the same bytes on any day, one font of ours."""

import io
import os
import re
import subprocess
import sys
from pathlib import Path

import pikepdf
import pytest

from fhirpkg.cli import ExitCode
from fhirpkg.cli import _run as main
from fhirpkg.errors import ConfigError
from fhirpkg.render import pdf as printing
from fhirpkg.render.document import Document, Drawing, Section, xhtml
from fhirpkg.render.pdf import pdf

RESOURCES = Path(__file__).parent.parent.parent / "resources"
SVG = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9" role="img"><title>A round '
    'thing</title><circle cx="4" cy="4" r="3"/><text x="1" y="8" '
    'font-weight="bold">1</text></svg>'
)
TEXT = xhtml(
    Document(
        "How to wait",
        (
            Section("First", "Sit down & wait.", items=("a chair", "Phone: ____"), numbered=True),
            Section("How it works", drawing=Drawing(SVG, ("The thing",))),
        ),
        notices=("made up, 2031-01-01",),
        language="de",
    )
)
MOST_PAGES = 2
POINTS = {"A4": (595, 842), "Letter": (612, 792)}


def made(**more):
    return pdf(TEXT, **({"paper": "A4", "created": "2031-01-01"} | more))


def opened(data):
    return pikepdf.open(io.BytesIO(data))


def tags(document):
    """The kinds of all structure elements, and their alternative texts."""
    kinds, alternatives, todo = [], [], [document.Root.StructTreeRoot]
    while todo:
        node = todo.pop()
        if isinstance(node, pikepdf.Array):
            todo += list(node)
        elif isinstance(node, pikepdf.Dictionary):
            kinds += [str(node.S)] if "/S" in node else []
            alternatives += [str(node.Alt)] if "/Alt" in node else []
            todo += [node.K] if "/K" in node else []
    return kinds, alternatives


def fonts(document):
    found = (page.get("/Resources", {}).get("/Font", {}) for page in document.pages)
    return {str(font.BaseFont) for each in found for font in each.values()}


def test_it_is_tagged_and_says_its_language_and_title():
    document = opened(made())
    assert document.Root.MarkInfo.Marked
    assert str(document.Root.Lang) == "de"
    assert str(document.docinfo.Title) == "How to wait"
    assert document.Root.ViewerPreferences.DisplayDocTitle
    with document.open_metadata() as metadata:
        assert metadata["pdfuaid:part"] == "1"
    kinds, alternatives = tags(document)
    assert {"/Document", "/H1", "/H2", "/P", "/L", "/LI", "/Figure"} <= set(kinds)
    assert alternatives == ["A round thing"]


def test_all_letters_are_of_the_font_of_the_package():
    names = {name.partition("+")[2] for name in fonts(opened(made()))}
    assert names
    assert all(name.startswith("Leaflet") for name in names)


@pytest.mark.parametrize("large_print", [False, True])
def test_lines_to_fill_in_are_fields_that_say_what_they_are(large_print):
    blanks = ("Date & time: ________", "Phone: ____", "no line: to fill in")
    text = xhtml(Document("How to wait", (Section("To fill in", items=blanks),)))
    document = opened(pdf(text, paper="A4", created="2031-01-01", large_print=large_print))
    fields = list(document.Root.AcroForm.Fields)
    assert [str(field.TU) for field in fields] == ["Date & time", "Phone"]
    assert {str(field.FT) for field in fields} == {"/Tx"}
    assert len({str(field.T) for field in fields}) == len(fields)
    right, top = (float(number) for number in document.pages[0].MediaBox[2:])
    for field in fields:
        x, high, end, low = (float(number) for number in field.Rect)
        assert 0 < x < end < right
        assert 0 < low < high < top
    assert tags(document)[0].count("/Form") == len(fields)


def test_each_sign_has_its_letter_for_those_who_hear_it():
    """PDF/UA-1, 7.21.7; a ligature had none where a font is kept whole for fields."""
    text = xhtml(Document("T", (Section("S", "after fluffy office", items=("A: _____",)),)))
    document = opened(pdf(text, paper="A4", created="2031-01-01"))
    fonts = document.pages[0].Resources.Font
    known = {
        name: {int(code, 16) for code in re.findall(rb"<(\w+)> <\w+>", font.ToUnicode.read_bytes())}
        for name, font in fonts.items()
    }
    name = ""
    for operands, operator in pikepdf.parse_content_stream(document.pages[0]):
        if str(operator) == "Tf":
            name = str(operands[0])
        if str(operator) == "TJ":
            shown = b"".join(bytes(p) for p in operands[0] if isinstance(p, pikepdf.String))
            codes = {int.from_bytes(shown[at : at + 2]) for at in range(0, len(shown), 2)}
            assert codes <= known[name]


@pytest.mark.parametrize("paper", POINTS)
def test_paper_and_large_print(paper):
    plain, large = (opened(made(paper=paper, large_print=is_)) for is_ in (False, True))
    for document in (plain, large):
        box = [float(number) for number in document.pages[0].MediaBox]
        assert (round(box[2]), round(box[3])) == POINTS[paper]
    assert sizes(plain).issubset(range(6, 19))
    assert 18 in sizes(large)


def sizes(document):
    """The sizes of letters on the first page, in points of CSS's scale."""
    found, scale = set(), 1.0
    for operands, operator in pikepdf.parse_content_stream(document.pages[0]):
        if str(operator) == "cm" and scale == 1.0:
            scale = abs(float(operands[0]))
        if str(operator) == "Tf":
            found.add(round(float(operands[1]) * scale))
    return found


SCRIPT = """
import sys, time
real = time.time
time.time = lambda: real() + float(sys.argv[1])
from fhirpkg.render.pdf import pdf
sys.stdout.buffer.write(pdf(sys.stdin.read(), paper="A4", created="2031-01-01"))
"""


def test_the_same_document_gives_the_same_bytes_on_another_day_in_another_place():
    changed = {"SOURCE_DATE_EPOCH": "1", "PYTHONHASHSEED": "7", "TZ": "Asia/Tokyo", "LC_ALL": "C"}
    ran = subprocess.run(
        [sys.executable, "-c", SCRIPT, "90000000"],
        input=TEXT.encode(), capture_output=True, check=True, env=os.environ | changed,
    )  # fmt: skip
    assert ran.stdout == made()


def test_another_document_has_another_identifier():
    days = ("2031-01-01", "2031-01-02")
    first, second = (opened(made(created=day)).trailer.ID[0] for day in days)
    assert bytes(first) != bytes(second)


def test_a_sign_that_the_font_lacks_is_told_and_no_other_font_taken():
    with pytest.raises(ConfigError, match="no sign for '骨'"):
        pdf(TEXT.replace("Sit down", "骨"), paper="A4", created="2031-01-01")


def test_a_document_loads_nothing(tmp_path, caplog):
    secret = tmp_path / "secret.svg"
    secret.write_text(SVG)
    text = TEXT.replace("<figure>", f'<figure><img alt="x" src="{secret.as_uri()}"/>')
    pdf(text, paper="A4", created="2031-01-01")
    assert "disallowed protocol" in caplog.text


def test_without_the_extra_it_says_what_to_install(monkeypatch, capsys, tmp_path):
    monkeypatch.setattr(printing, "is_installed", lambda: False)
    printing._weasyprint.cache_clear()
    arguments = ["leaflets", str(RESOURCES), "--output", str(tmp_path / "out")]
    assert main(arguments) == ExitCode.UNUSABLE
    assert "pip install 'fhirpkg[pdf]'" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
    printing._weasyprint.cache_clear()


@pytest.mark.parametrize("paper", POINTS)
def test_our_leaflets_have_two_pages_at_most(tmp_path, paper):
    assert main(["leaflets", str(RESOURCES), "--paper", paper, "--output", str(tmp_path)]) == 0
    files = sorted(tmp_path.glob("BoneTumorCryoablation*.pdf"))
    assert len(files) >= 3
    for file in files:
        document = pikepdf.open(file)
        assert len(document.pages) <= MOST_PAGES, file.name
        assert document.Root.MarkInfo.Marked
    education = pikepdf.open(tmp_path / "BoneTumorCryoablationEducation.pdf")
    assert any("probe goes through the skin" in words for words in tags(education)[1])
