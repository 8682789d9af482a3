"""What cannot be drafted is refused in a sentence, before anything is written."""

import pytest

from fhirpkg.cli import ExitCode
from fhirpkg.cli import _run as main

TEXT = "Knee injection\n\nCPT code: 20610\n\nIndications\n- pain\n\nProcedure\n- inject\n"


def refused(folder, capsys, *options, name="a.txt", content=TEXT):
    data = content if isinstance(content, bytes) else content.encode()
    (folder / name).write_bytes(data)
    out = folder / "out"
    code = main(["draft", str(folder / name), "--output", str(out), *options])
    assert code == ExitCode.UNUSABLE
    assert not out.exists()
    return capsys.readouterr().err


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("a.txt", b"%PDF-1.4\n%\xe2\xe3", "a PDF"),
        ("a.md", b"{\\rtf1\\ansi Risks}", "RTF"),
        ("a.docx", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "before 2007"),
        ("a.html", b"PK\x03\x04....", "zip"),
        ("a.docx", b"no archive at all", "Word document"),
        ("a.txt", b"", "empty"),
        ("a.txt", b" \r\n\t\n", "empty"),
        ("a.pdf", b"%PDF-1.4", "'.pdf' cannot be read"),
    ],
)
def test_another_format_is_named(tmp_path, capsys, name, content, says):
    assert says in refused(tmp_path, capsys, name=name, content=content)


@pytest.mark.parametrize("code", ["20610", "Foo 20610", "CPT", "CPT 2061", "SNOMED 174430001"])
def test_a_code_that_could_not_be_built_is_told_at_once(tmp_path, capsys, code):
    assert code.split()[-1] in refused(tmp_path, capsys, "--code", code)


@pytest.mark.parametrize("headings", ["steps: 5", "steps: {a: b}", "stepz: [Foo]", "a: [", "- b"])
def test_headings_that_teach_nothing_are_told(tmp_path, capsys, headings):
    (tmp_path / "headings.yaml").write_text(headings)
    found = refused(tmp_path, capsys, "--headings", str(tmp_path / "headings.yaml"))
    assert "headings.yaml" in found


def test_more_facts_than_a_section_may_have_are_told(tmp_path, capsys):
    content = TEXT + "\nRisks\n" + "".join(f"- harm {n}\n" for n in range(1001))
    assert "1001 facts under risks" in refused(tmp_path, capsys, content=content)


@pytest.mark.parametrize(
    "name", ["PDF-1.4 test", "L4-5 discectomy", "C1-C2 fusion", "5-FU infusion"]
)
def test_a_number_in_a_name_keeps_nothing_from_being_built(tmp_path, name):
    (tmp_path / "a.txt").write_text(TEXT.replace("Knee injection", name))
    options = ["--rights", "own", "--output", str(tmp_path / "out")]
    assert main(["draft", str(tmp_path / "a.txt"), *options]) == ExitCode.DONE
