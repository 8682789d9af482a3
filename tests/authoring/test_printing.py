"""A drawing beside a procedure, and its documents as PDF where the package asks for them."""

import base64
import hashlib
import shutil
from pathlib import Path

import pytest

from fhirpkg import Validator
from fhirpkg.authoring import around as reading
from fhirpkg.authoring.build import build
from fhirpkg.authoring.folder import check_file, read_folder
from fhirpkg.cli import ExitCode
from fhirpkg.cli import _run as main
from fhirpkg.packages.freshness import stale
from fhirpkg.packages.installed import read_profiles

SECOND = Path(__file__).parent / "second"
PROFILES = read_profiles(Path(__file__).parent.parent.parent / "resources")
SVG = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9"><rect width="3" height="3"/></svg>'


@pytest.fixture
def package(tmp_path):
    shutil.copytree(SECOND, tmp_path / "p")
    return tmp_path / "p"


def draw(package, svg=SVG, said="drawing: {shows: A cup, labels: [The cup]}"):
    (package / "tea-pouring" / "drawing.svg").write_text(svg)
    file = package / "tea-pouring" / "procedure.yaml"
    file.write_text(f"{file.read_text()}{said}\n")
    return file


def wrong_in(package):
    return [issue for issue in read_folder(package).issues if issue.severity.rank < 2]


def documents(package):
    authored = read_folder(package)
    assert wrong_in(package) == []
    made = build(authored.package, authored.procedures, PROFILES, beside=authored.beside)
    return [r for r in made["tea-pouring"] if r["resourceType"] == "DocumentReference"]


def page(document):
    return base64.b64decode(document["content"][0]["attachment"]["data"]).decode()


def test_a_drawing_stands_in_the_leaflet_with_its_alternative_and_labels(package):
    before = [page(document) for document in documents(package)]
    assert not any("<svg" in text or "figure" in text for text in before)
    draw(package)
    (text,) = [page(d) for d in documents(package) if "<svg" in page(d)]
    assert "<title>A cup</title>" in text
    assert 'role="img"' in text
    assert "<li>The cup</li>" in text


BAD = {
    "script": SVG.replace("<rect", "<script>1</script><rect"),
    "a handler": SVG.replace("<rect", '<rect onclick="1"'),
    "a link": SVG.replace("<rect", '<rect xmlns:x="http://www.w3.org/1999/xlink" x:href="a"'),
    "a picture": SVG.replace("<rect", "<image/><rect"),
    "a paint from elsewhere": SVG.replace("<rect", '<rect fill="url(http://a.org/#b)"'),
    "a style": SVG.replace("<rect", '<rect style="fill: red"'),
    "no viewBox": SVG.replace('viewBox="0 0 9 9"', ""),
    "no SVG": "<html/>",
    "no XML": "<svg",
    "nothing": "",
    "too much": SVG.replace("<rect", "<rect />" * 20_000 + "<rect"),
}


@pytest.mark.parametrize("wrong", BAD)
def test_a_drawing_that_does_not_stand_alone_is_refused(package, wrong):
    file = draw(package, BAD[wrong])
    (found,) = wrong_in(package)
    lines = file.read_text().splitlines()
    line = next(number for number, text in enumerate(lines, 1) if text.startswith("drawing"))
    assert (found.rule, found.file, found.line) == ("source-drawing", str(file), line)
    assert found in check_file(file.name, file.read_bytes(), str(file))
    assert main(["build", str(package)]) == ExitCode.ISSUES
    assert not (package / "tea-pouring" / "fhir").exists()


def test_a_drawing_and_its_words_come_together(package):
    file = draw(package, said="")
    assert [issue.rule for issue in wrong_in(package)] == ["source-drawing"]
    file.write_text(f"{file.read_text()}drawing: {{shows: A cup}}\n")
    (package / "tea-pouring" / "drawing.svg").unlink()
    assert [issue.rule for issue in wrong_in(package)] == ["source-drawing"]


def test_a_drawing_that_was_changed_asks_for_a_build(package):
    draw(package)
    main(["build", str(package)])
    assert list(stale(package)) == []
    (package / "tea-pouring" / "drawing.svg").write_text(SVG.replace("3", "4"))
    assert any("drawing.svg was changed" in problem for problem in stale(package))


def ask(package):
    file = package / "package.yaml"
    file.write_text(f"{file.read_text()}pdf: A4\n")
    return file


def test_documents_carry_a_pdf_where_the_package_asks_for_it(package):
    ask(package)
    for document in documents(package):
        first, second = (content["attachment"] for content in document["content"])
        assert first["contentType"] == "application/xhtml+xml"
        data = base64.b64decode(second["data"])
        assert second["contentType"] == "application/pdf"
        assert data.startswith(b"%PDF-1.7")
        assert second["size"] == len(data)
        digest = hashlib.sha1(data, usedforsecurity=False).digest()
        assert second["hash"] == base64.b64encode(digest).decode()
        assert Validator().validate(document).errors == ()


def test_a_wrong_size_of_the_pdf_is_told(package):
    ask(package)
    document = documents(package)[0]
    document["content"][1]["attachment"]["size"] += 1
    found = {issue.rule: issue.expression for issue in Validator().validate(document).errors}
    assert "content[1]" in found["content-attachment-size"]


def test_where_it_is_asked_for_and_cannot_be_made_nothing_is_built(package, monkeypatch, capsys):
    file = ask(package)
    monkeypatch.setattr(reading, "is_installed", lambda: False)
    assert main(["build", str(package)]) == ExitCode.ISSUES
    line = len(file.read_text().splitlines())
    assert f"package.yaml:{line}:6: error source-pdf" in capsys.readouterr().out
    assert not (package / "tea-pouring" / "fhir").exists()
