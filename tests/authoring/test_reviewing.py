"""Sheets for readers go out and come back; the readers and the verdicts here are made up."""

import csv
import datetime as dt
import io
import json
import re
import shutil
import subprocess
from pathlib import Path

import openpyxl
import pytest
import yaml
from click.testing import CliRunner
from openpyxl.comments import Comment

from fhirpkg.authoring.folder import check_file, read_folder
from fhirpkg.authoring.reviewing import form
from fhirpkg.authoring.reviewing.sheet import JUDGED, SIGNED
from fhirpkg.authoring.reviewing.verdicts import reviewed
from fhirpkg.cli import ExitCode
from fhirpkg.cli import _run as main
from fhirpkg.cli.authoring.review import command as review
from fhirpkg.languages.words import gettext, known_languages, speaking
from fhirpkg.packages.freshness import stale

SECOND = Path(__file__).parent / "second"
READER = "Made-up Reader (of a test, nobody)"
WHO = ("--by", READER, "--on", "2031-02-03")
FACTS = 13
SOFFICE = shutil.which("soffice")


@pytest.fixture
def package(tmp_path):
    shutil.copytree(SECOND, tmp_path / "package")
    return tmp_path / "package"


def run(*arguments):
    return CliRunner().invoke(review, [str(a) for a in arguments], standalone_mode=False)


def sent(package, name="sheet.xlsx", language="en"):
    file = package.parent / name
    assert run(package, "--output", file, "--language", language).return_value == ExitCode.DONE
    return file


def cells(page):
    """The cells of a worksheet by fact and column."""
    rows = list(page.iter_rows())
    head = next(row for row in rows if row[0].value == "Fact")
    names = [cell.value for cell in head]
    below = rows[rows.index(head) + 1 :]
    return {row[0].value: dict(zip(names, row, strict=True)) for row in below}


def filled(file, change):
    book = openpyxl.load_workbook(file)
    change(cells(book.worksheets[0]), book.worksheets[0])
    book.save(file)
    return file


def judged_all(rows, _page):
    for label, row in rows.items():
        row["Verdict"].value = "approved" if label == "sign-off" else "same"


def text_of(package):
    return (package / "tea-pouring" / "review.yaml").read_text()


def state(package):
    authored = read_folder(package)
    assert [i for i in authored.issues if i.severity.rank < 2] == []
    return reviewed(authored.procedures["tea-pouring"], authored.reviews["tea-pouring"])


def test_a_line_has_all_that_a_reader_needs(tmp_path):
    resources = Path(__file__).parent.parent.parent / "resources"
    assert run(resources, "--output", tmp_path / "s.xlsx").return_value == ExitCode.DONE
    book = openpyxl.load_workbook(tmp_path / "s.xlsx")
    page = next(page for page in book.worksheets if page["B1"].value == "BoneTumorCryoablation")
    rows = {
        label: {n: str(c.value or "") for n, c in r.items()} for label, r in cells(page).items()
    }
    tests = rows["preparation-4"]
    assert "Your blood is tested." in tests["Words"]
    assert "ActivityDefinition/BoneTumorCryoablationCoagulation" in tests["Elements"]
    assert "SNOMED 396451008" in tests["Codes"] or "LOINC 58410-2" in tests["Codes"]
    assert "INR: limit: above 1.8" in tests["Criteria"]
    assert "SIR 2019" in tests["Sources"]
    assert tests["Earlier verdict"].startswith("added words")
    assert not tests["Verdict"]
    assert "Excision of neoplasm" in rows["alternatives-1"]["Codes"]
    assert "CIRSE 2022" in rows["+preparation.case-discussion"]["Sources"]
    assert list(rows)[-1] == "sign-off"
    offered = {str(each.sqref): each.formula1 for each in page.data_validations.dataValidation}
    assert '"same,weaker,stronger,added words"' in offered.values()


def test_displays_come_from_what_knows_the_code(package):
    (package.parent / "terms.csv").write_text("code,display\nCOMM,Community place\n")
    codes = f"RoleCode={package.parent / 'terms.csv'}"
    file = package.parent / "s.html"
    assert run(package, "--output", file, "--codes", codes).return_value == ExitCode.DONE
    assert "Kitchen: RoleCode COMM" in file.read_text()
    assert "CPT 1234Z (no display known here)" in file.read_text()


@pytest.mark.parametrize("kind", ["xlsx", "html"])
def test_format_says_what_a_file_of_any_name_is(package, kind):
    file = package.parent / "sheet"
    assert run(package, "--output", file, "--format", kind).return_value == ExitCode.DONE
    assert file.read_bytes().startswith(b"PK" if kind == "xlsx" else b"<!DOCTYPE html>")


@pytest.mark.parametrize("kind", ["xlsx", "html", "txt"])
def test_a_round_of_a_made_up_reviewer_and_a_change_after_it(package, kind):
    file = back(package, kind)
    result = run(package, "--read", file, *WHO)
    assert result.return_value == ExitCode.DONE, result.output
    states = state(package)
    assert len(states) == FACTS
    assert {(s.verdict.verdict, s.by, s.on) for s in states.values()} == {
        ("same", READER, "2031-02-03")
    }
    assert main(["build", str(package)]) == ExitCode.DONE
    plan = built(package, "PlanDefinition-TeaPouringPlan")
    assert (plan["approvalDate"], plan["lastReviewDate"]) == ("2031-02-03", "2031-02-03")
    assert plan["reviewer"] == [{"name": READER}]
    assert "no clinician" not in plan["purpose"]
    procedure = package / "tea-pouring" / "procedure.yaml"
    text = procedure.read_text()
    procedure.write_text(text.replace("text: Boil the water.", "text: Boil water."))
    assert [fact for fact, s in state(package).items() if s.is_stale] == ["steps-1"]
    assert main(["build", str(package)]) == ExitCode.DONE
    changed = built(package, "PlanDefinition-TeaPouringPlan")
    assert {"approvalDate", "lastReviewDate", "reviewer", "endorser"}.isdisjoint(changed)
    assert "no clinician" in changed["purpose"]


def back(package, kind):
    """A sheet that a made-up reader filled in, in one of its forms."""
    file = sent(package, "sheet.html" if kind == "html" else "sheet.xlsx")
    if kind == "xlsx":
        return filled(file, judged_all)
    if kind == "html":
        text = file.read_text()
        for verdict in ("same", "approved"):
            text = text.replace(
                f'<option value="{verdict}">', f'<option value="{verdict}" selected="">'
            )
        file.write_text(text)
        return file
    rows = cells(openpyxl.load_workbook(file).worksheets[0])
    lines = ["# as typed from paper", ""]
    for label, row in rows.items():
        verdict = "approved" if label == "sign-off" else "Same"
        lines.append(f"TeaPouring {label} {row['Digest'].value} {verdict}: well said")
    typed = file.with_suffix(".txt")
    typed.write_text("\n".join(lines))
    return typed


SPANISH = {"same": "igual", "approved": "aprobado"}


def test_a_spanish_worksheet_comes_back_as_an_english_one(package):
    """Its heads, its verdicts to choose from and its mark are Spanish; the facts' words are not."""
    file = sent(package, language="es")
    book = openpyxl.load_workbook(file)
    page = book.worksheets[0]
    rows = list(page.iter_rows())
    head = next(row for row in rows if row[0].value == "Dato")
    place = {cell.value: at for at, cell in enumerate(head)}
    offered = {each.formula1 for each in page.data_validations.dataValidation}
    judged, signed = "igual,más débil,más fuerte,palabras añadidas", "revisado,aprobado,respaldado"
    assert offered == {f'"{judged}"', f'"{signed}"'}
    for row in rows[rows.index(head) + 1 :]:
        signs = row[0].value == "sign-off"
        row[place["Dictamen"]].value = "Aprobado" if signs else "Palabras añadidas."
    book.save(file)
    assert run(package, "--read", file, *WHO).return_value == ExitCode.DONE
    kept = yaml.safe_load(text_of(package))
    assert {each["verdict"] for each in kept["facts"].values()} == {"added words"}
    assert [each["verdict"] for each in kept["sign-off"]] == ["approved"]
    assert not [s for s in state(package).values() if s.is_stale]


def test_a_spanish_page_comes_back_as_an_english_one(package):
    file = sent(package, "sheet.html", "es")
    text = file.read_text()
    assert '<html lang="es">' in text
    assert '<td class="words" lang="en">' in text
    for verdict, words in SPANISH.items():
        option = f'<option value="{verdict}">{words}'
        assert option in text
        text = text.replace(option, option.replace(">", " selected>"))
    file.write_text(text)
    assert run(package, "--read", file, *WHO).return_value == ExitCode.DONE
    assert {s.verdict.verdict for s in state(package).values()} == {"same"}


def test_a_line_typed_in_spanish_is_read(package):
    row = cells(openpyxl.load_workbook(sent(package)).worksheets[0])["name"]
    file = package.parent / "typed.txt"
    file.write_text(f"TeaPouring name {row['Digest'].value} más  débil: falta la hora")
    assert run(package, "--read", file, *WHO).return_value == ExitCode.DONE
    assert state(package)["name"].verdict.verdict == "weaker"


def test_words_of_sheets_differ_so_that_they_can_be_read_back():
    for words in (form.COLUMNS, JUDGED, SIGNED):
        for tag in known_languages():
            with speaking(tag):
                assert len(set(map(gettext, words))) == len(words)


def built(package, name):
    return json.loads((package / "tea-pouring" / "fhir" / f"{name}.json").read_text())


def test_each_kind_of_sign_off_has_its_elements_and_no_others(package):
    for verdict, by, on in (
        ("reviewed", "Made-up A", "2031-01-01"),
        ("approved", "Made-up B", "2031-01-03"),
        ("endorsed", "Made-up C", "2031-01-09"),
    ):
        file = filled(sent(package), set_("sign-off", "Verdict", verdict))
        assert run(package, "--read", file, "--by", by, "--on", on).return_value == ExitCode.DONE
    main(["build", str(package)])
    plan = built(package, "PlanDefinition-TeaPouringPlan")
    assert plan["approvalDate"] == plan["lastReviewDate"] == "2031-01-03"
    assert plan["reviewer"] == [{"name": "Made-up A"}, {"name": "Made-up B"}]
    assert plan["endorser"] == [{"name": "Made-up C"}]
    value_set = built(package, "ValueSet-TeaPouringIndications")
    assert {"approvalDate", "reviewer"}.isdisjoint(value_set)  # R4 has neither there


def test_content_in_use_needs_an_approval_and_all_facts_read(package):
    file = package / "package.yaml"
    file.write_text(file.read_text().replace("status: draft", "status: active"))

    def refused():
        line = next(n for n, t in enumerate(file.read_text().splitlines(), 1) if "status:" in t)
        found = [i for i in read_folder(package).issues if i.rule == "source-sign-off"]
        checked = check_file(file.name, file.read_bytes(), str(file))
        assert [i for i in checked if i.rule == "source-sign-off"] == found
        assert {(i.file, i.line) for i in found} <= {(str(file), line)}
        return found

    assert "nobody has approved" in refused()[0].text
    assert main(["build", str(package)]) == ExitCode.ISSUES
    file.write_text(file.read_text().replace("status: active", "status: draft"))
    sheet = sent(package)
    filled(sheet, set_("sign-off", "Verdict", "approved"))
    file.write_text(file.read_text().replace("status: draft", "status: active"))
    draft = file.read_text()
    file.write_text(draft.replace("status: active", "status: draft"))
    assert run(package, "--read", sheet, *WHO).return_value == ExitCode.DONE
    file.write_text(draft)
    assert "name, code" in refused()[0].text
    file.write_text(draft.replace("status: active", "status: draft"))
    assert run(package, "--read", filled(sheet, judged_all), *WHO).return_value == ExitCode.DONE
    file.write_text(draft)
    assert refused() == []
    assert main(["build", str(package)]) == ExitCode.DONE
    procedure = package / "tea-pouring" / "procedure.yaml"
    procedure.write_text(procedure.read_text().replace("RoleCode COMM", "RoleCode HOSP"))
    assert "has changed since" in refused()[0].text  # a code is no word of a fact


def test_lines_left_empty_and_the_head_of_the_file_stay(package):
    run(package, "--read", filled(sent(package), judged_all), *WHO)
    file = package / "tea-pouring" / "review.yaml"
    file.write_text("# Made up.\n\n" + file.read_text())
    before = text_of(package)

    def one(rows, _):
        rows["risks"]["Verdict"].value = "Weaker"
        rows["risks"]["Comment"].value = 'it "burns":\nmore'
        rows["+steps.pour.with-milk"]["Verdict"].value = "added words"

    run(package, "--read", filled(sent(package), one), "--by", "Made-up B", "--on", "2032-01-01")
    assert text_of(package).startswith("# Made up.\n\n")
    changed = set(text_of(package).splitlines()) - set(before.splitlines())
    assert {re.split(r"[: ]+", line.strip())[0] for line in changed} == {
        "risks",
        "steps.pour.with-milk",
    }
    risks = state(package)["risks"]
    assert (risks.by, risks.on, risks.verdict.note) == (
        "Made-up B",
        "2032-01-01",
        'it "burns":\nmore',
    )
    assert [s.by for fact, s in state(package).items() if fact != "risks"] == [READER] * (FACTS - 1)
    authored = read_folder(package)
    assert authored.reviews["tea-pouring"].additions["steps.pour.with-milk"].by == "Made-up B"


def test_a_verdict_on_a_sheet_of_older_words_is_taken_as_stale(package):
    sheet = filled(sent(package), judged_all)
    procedure = package / "tea-pouring" / "procedure.yaml"
    procedure.write_text(procedure.read_text().replace("Boil the water.", "Boil water."))
    result = run(package, "--read", sheet, *WHO)
    assert result.return_value == ExitCode.DONE
    assert "stale: TeaPouring steps-1, TeaPouring sign-off" in result.stderr
    assert [fact for fact, s in state(package).items() if s.is_stale] == ["steps-1"]
    assert main(["build", str(package)]) == ExitCode.DONE
    assert "approvalDate" not in built(package, "PlanDefinition-TeaPouringPlan")


def test_a_new_verdict_asks_for_a_build(package):
    main(["build", str(package)])
    assert list(stale(package)) == []
    run(package, "--read", filled(sent(package), judged_all), *WHO)
    assert any("review.yaml was changed" in problem for problem in stale(package))


def set_(label, column, value):
    return lambda rows, _page: rows[label][column].__setattr__("value", value)


def delete_column(rows, page):
    page.delete_cols(rows["name"]["Verdict"].column)


def comment_alone(rows, _page):
    rows["risks"]["Verdict"].value, rows["risks"]["Comment"].value = None, "no"


def doubled(rows, page):
    page.append([cell.value for cell in rows["name"].values()])


def merged(rows, page):
    at = rows["risks"]["Verdict"]
    page.merge_cells(start_row=at.row, end_row=at.row + 1, start_column=at.column,
                     end_column=at.column)  # fmt: skip


def second_column(rows, page):
    page.cell(rows["name"]["Fact"].row - 1, 12).value = "Verdict"


MISTAKES = {
    "a column is gone": (delete_column, "review-columns", "Verdict"),
    "another procedure": (
        lambda _rows, page: page.__setitem__("B1", "TeaPourin"),
        "review-procedure",
        "did you mean 'TeaPouring'",
    ),
    "an unknown fact": (set_("risks", "Fact", "risk"), "review-fact", "did you mean 'risks'"),
    "a misspelt verdict": (
        set_("risks", "Verdict", "sme"),
        "review-verdict",
        "did you mean 'same'",
    ),
    "a verdict of the whole": (set_("risks", "Verdict", "approved"), "review-verdict", "weaker"),
    "a verdict of a fact": (set_("sign-off", "Verdict", "same"), "review-verdict", "approved"),
    "a comment alone": (comment_alone, "review-no-verdict", "'risks'"),
    "a formula": (set_("risks", "Comment", "=1+1"), "review-formula", "Comment"),
    "a formula for a verdict": (set_("risks", "Verdict", "=A1"), "review-formula", "Verdict"),
    "edited words": (set_("risks", "Words", "Burnt lip\nNo burn"), "review-words", "'risks'"),
    "a digest of other words": (set_("risks", "Digest", "0" * 12), "review-words", "'risks'"),
    "a line twice": (doubled, "review-twice", "'name'"),
    "one verdict for several lines": (merged, "review-merged", "are merged"),
    "a cell that failed": (set_("risks", "Verdict", "#N/A"), "review-verdict", "#n/a"),
    "a verdict beside no fact": (set_("risks", "Fact", None), "review-fact", "''"),
    "a second column of verdicts": (second_column, "review-columns", "Verdict appears twice"),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_in_a_sheet_is_told_at_its_row_and_nothing_is_taken(package, mistake):
    change, rule, says = MISTAKES[mistake]
    file = filled(filled(sent(package), judged_all), change)
    result = run(package, "--read", file, *WHO)
    assert result.return_value == ExitCode.ISSUES
    told = [line for line in result.stdout.splitlines() if f" {rule}: " in line]
    assert told, result.output
    assert says in told[0]
    assert re.search(r"sheet\.xlsx:\d+: error .* sheet 'tea-pouring', row \d+", told[0])
    assert not (package / "tea-pouring" / "review.yaml").exists()


def rearranged(rows, page):
    """The same sheet as people leave it: sorted, with gaps, its columns in another order."""
    head = rows["name"]["Fact"].row - 1
    lines = [[cell.value for cell in row] for row in page.iter_rows(min_row=head)]
    page.delete_rows(head, page.max_row)
    order = [7, 9, 0, 1, 8, 2, 3, 4, 5, 6]
    first, *below = [[line[at] for at in order] for line in lines]
    page.append(first)
    for line in reversed(below):
        page.append([])
        page.append(line)


def as_written(rows, _page):
    for label, row in rows.items():
        row["Verdict"].value = " Approved\n" if label == "sign-off" else "ADDED \u00a0 Words "
    rows["risks"]["Comment"].value = dt.datetime(2031, 2, 1)  # noqa: DTZ001 - Excel has no zones
    rows["name"]["Comment"].value = 12


def more_than_asked(_rows, page):
    pinned = next(row[0] for row in page.iter_rows(min_row=2) if row[2].value == "code")
    pinned.comment = Comment("Jo:\nwhich\ncode?", "Jo")
    page.parent.create_sheet("My notes", 0).append(["Fact", "Verdict", "sme"])


def by_libreoffice(file):
    """The file as LibreOffice saves it."""
    folder = file.parent / "office"
    home = f"-env:UserInstallation={(file.parent / 'home').as_uri()}"
    ran = [SOFFICE, home, "--headless", "--convert-to", "xlsx", "--outdir", folder, file]
    subprocess.run(ran, check=True, capture_output=True, timeout=120)
    return folder / file.name


@pytest.mark.parametrize(
    "office",
    [
        False,
        pytest.param(
            True, marks=pytest.mark.skipif(not SOFFICE, reason="there is no LibreOffice here")
        ),
    ],
)
def test_a_sheet_is_read_as_people_leave_it(package, office):
    file = filled(filled(sent(package), as_written), rearranged)
    book = openpyxl.load_workbook(file)
    more_than_asked({}, book.worksheets[0])
    book.save(file)
    result = run(package, "--read", by_libreoffice(file) if office else file, *WHO)
    assert result.return_value == ExitCode.DONE, result.output
    kept = yaml.safe_load(text_of(package))
    verdicts = {**kept["facts"], **kept.get("additions", {})}
    assert {each["verdict"] for each in verdicts.values()} == {"added words"}
    assert kept["facts"]["risks"]["note"] == "2031-02-01"
    assert kept["facts"]["name"]["note"] == "12"
    assert "which code?" in kept["facts"]["code"]["note"]
    assert [each["verdict"] for each in kept["sign-off"]] == ["approved"]


@pytest.mark.parametrize("name", ["sheet.xlsx", "sheet.html"])
def test_a_sheet_without_a_verdict_is_told(package, name):
    result = run(package, "--read", sent(package, name), *WHO)
    assert result.return_value == ExitCode.ISSUES
    assert "no verdict" in result.stderr
    assert ("with the button" in result.stderr) is name.endswith("html")
    assert not (package / "tea-pouring" / "review.yaml").exists()


def test_a_mistake_stands_at_the_row_it_is_in(package):
    file = filled(sent(package), set_("risks", "Verdict", "sme"))
    row = cells(openpyxl.load_workbook(file).worksheets[0])["risks"]["Fact"].row
    assert f"sheet.xlsx:{row}: error review-verdict" in run(package, "--read", file, *WHO).stdout


def test_words_may_begin_like_a_formula(package):
    procedure = package / "tea-pouring" / "procedure.yaml"
    procedure.write_text(procedure.read_text().replace("text: Pleasant", "text: =nice"))
    result = run(package, "--read", filled(sent(package), judged_all), *WHO)
    assert result.return_value == ExitCode.DONE, result.output


@pytest.mark.parametrize(
    "name, data, says",
    [
        ("s.xlsx", b"PK nothing", "not an Excel workbook"),
        ("s.html", b"<p>nothing</p>", "no table of a review"),
        ("s.html", b"", "not HTML"),
        ("s.txt", b"\xff\xfe", "not text"),
        ("s.doc", b"", "must end in one of"),
        ("s.csv", b"Fact,Verdict", "none of its sheets begins"),
        ("s.csv", b"\xff\xfe", "not CSV in UTF-8"),
        ("s.ods", b"", "save it as .xlsx"),
        ("s.html", "<p>\u00e9</p>".encode("utf-16"), "not HTML"),
    ],
)
def test_what_is_no_sheet_is_refused(package, capsys, name, data, says):
    file = package.parent / name
    file.write_bytes(data)
    assert main(["review", str(package), "--read", str(file), *WHO]) == ExitCode.UNUSABLE
    assert says in capsys.readouterr().err


def test_another_workbook_is_refused(package, capsys):
    data = io.BytesIO()
    openpyxl.Workbook().save(data)
    file = package.parent / "s.xlsx"
    file.write_bytes(data.getvalue())
    assert main(["review", str(package), "--read", str(file), *WHO]) == ExitCode.UNUSABLE
    assert "begins with" in capsys.readouterr().err


def test_a_line_of_text_that_cannot_be_read_is_told(package):
    file = package.parent / "s.txt"
    file.write_text("TeaPouring risks same: good\n")
    result = run(package, "--read", file, *WHO)
    assert result.return_value == ExitCode.ISSUES
    assert "review-line" in result.stdout


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        ("--output", "a.xlsx", "--read", "b.xlsx"),
        ("--read", "b.xlsx", "--by", "Made-up"),
        ("--read", "b.xlsx", "--by", "Made-up", "--on", "2031-02-30"),
        ("--output", "sheet"),
    ],
)
def test_wrong_use_is_told(package, arguments):
    assert main(["review", str(package), *arguments]) == ExitCode.UNUSABLE


def saved_as_csv(file, delimiter):
    page = openpyxl.load_workbook(file).worksheets[0]
    text = io.StringIO()
    rows = [[cell.value for cell in row] for row in page.iter_rows()]
    csv.writer(text, delimiter=delimiter).writerows(rows)
    saved = file.with_suffix(".csv")
    saved.write_bytes(b"\xef\xbb\xbf" + text.getvalue().encode())
    return saved


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_a_worksheet_that_was_saved_as_csv_is_read(package, delimiter):
    file = saved_as_csv(filled(sent(package), judged_all), delimiter)
    assert run(package, "--read", file, *WHO).return_value == ExitCode.DONE
    assert {s.verdict.verdict for s in state(package).values()} == {"same"}


@pytest.mark.parametrize("written", ["SAME", ' "same". ', "Same!", "\u2018same\u2019", "Igual"])
def test_a_verdict_may_be_spelled_with_marks_and_capitals(package, written):
    def change(rows, page):
        judged_all(rows, page)
        rows["steps-1"]["Verdict"].value = written
        rows["steps-2"]["Verdict"].value = "Added-words"
        for cell in next(row for row in page.iter_rows() if row[0].value == "Fact"):
            cell.value = f" {cell.value.upper()}"

    result = run(package, "--read", filled(sent(package), change), *WHO)
    assert result.return_value == ExitCode.DONE, result.output
    verdicts = {fact: s.verdict.verdict for fact, s in state(package).items()}
    assert (verdicts["steps-1"], verdicts["steps-2"]) == ("same", "added words")


@pytest.mark.parametrize("written", ["gleich", "ok", "same: but colder", "x"])
def test_another_word_is_no_verdict(package, written):
    def change(rows, _page):
        rows["steps-1"]["Verdict"].value = written

    result = run(package, "--read", filled(sent(package), change), *WHO)
    assert result.return_value == ExitCode.ISSUES
    assert "review-verdict" in result.output


@pytest.mark.parametrize("head", ["Second reader", None])
def test_a_column_that_a_second_reader_has_added_is_told(package, head):
    def change(rows, page):
        judged_all(rows, page)
        where = rows["steps-1"]["Digest"]
        page.cell(next(r[0].row for r in page.iter_rows() if r[0].value == "Fact"),
                  where.column + 1).value = head  # fmt: skip
        page.cell(where.row, where.column + 1).value = "weaker"

    result = run(package, "--read", filled(sent(package), change), *WHO)
    assert result.return_value == ExitCode.ISSUES
    assert "review-columns" in result.output
    assert (head or "column K") in result.output


def test_a_second_readers_other_verdict_is_told_when_it_replaces_the_first(package, capsys):
    file = sent(package)
    assert main(["review", str(package), "--read", str(filled(file, judged_all)), *WHO]) == 0
    assert "other verdicts" not in capsys.readouterr().err

    def change(rows, page):
        judged_all(rows, page)
        rows["steps-1"]["Verdict"].value = "weaker"

    other = ("--by", "Another made-up reader", "--on", "2031-02-04")
    assert main(["review", str(package), "--read", str(filled(file, change)), *other]) == 0
    told = capsys.readouterr().err
    assert f"TeaPouring steps-1, 'same' by {READER}" in told
    assert told.count(f"by {READER}") == 1
