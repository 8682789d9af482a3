"""Build sheets: all that a team types in is there, once, in files that are safe and the same."""

import base64
import io
import json
import pathlib
import zipfile

import docx
import openpyxl
import pytest
from hypothesis import HealthCheck, given, settings
from lxml import html

from fhirpkg.languages.words import speaking
from fhirpkg.repository import open_repository
from fhirpkg.sheets.making import build_sheet
from fhirpkg.sheets.order_set import order_set
from fhirpkg.sheets.page import page
from fhirpkg.sheets.spreadsheet import workbook
from fhirpkg.sheets.tables import lines
from fhirpkg.sheets.word import document
from tests.course.plans import EXAMPLES, ODD_PLANS, PLANS, after, plan, step

ROOT = pathlib.Path(__file__).parent.parent.parent
FORMS = {"xlsx": workbook, "docx": document, "html": page}


@pytest.fixture(scope="module")
def ours():
    return build_sheet(open_repository(ROOT / "resources/cpt-20983/fhir"), "ours#1")


def told(form, data):
    """All the words of a file."""
    if form == "xlsx":
        book = openpyxl.load_workbook(io.BytesIO(data))
        cells = (cell.value for sheet in book for row in sheet.iter_rows() for cell in row)
        return "\n".join([*book.sheetnames, *(str(value) for value in cells if value is not None)])
    if form == "docx":
        body = docx.Document(io.BytesIO(data))
        tables = [c.text for t in body.tables for row in t.rows for c in row.cells]
        return "\n".join([*(p.text for p in body.paragraphs), *tables])
    return html.document_fromstring(data.decode()).text_content()


def rows(made, *definitions):
    known = {definition["url"]: definition for definition in definitions}
    table, alerts = order_set(made, known.get, "T")
    return {row["Item"]: row for row in [*table.rows, *alerts]}


@pytest.mark.parametrize("form", FORMS)
def test_every_item_code_and_alert_of_our_plan_is_in_each_form(ours, form):
    text = told(form, FORMS[form](ours))
    for words in (
        "Complete blood count", "58410-2", "20983", "General anesthesia", "INR: missing",
        "No INR is on record. Order the coagulation tests", "When did the patient last eat?",
        "C79.51", "how to prepare", "More than 2 points below the worst pain", "Clinical owner",
    ):  # fmt: skip
        assert words in text


@pytest.mark.parametrize("form", FORMS)
def test_the_same_content_gives_the_same_bytes_on_another_day(ours, form, monkeypatch):
    first = FORMS[form](ours)
    monkeypatch.setattr("time.time", lambda: 2_000_000_000.0)
    monkeypatch.setattr("time.localtime", lambda *_: (2033, 5, 18, 3, 33, 20, 2, 138, 0))
    assert FORMS[form](ours) == first


@pytest.mark.parametrize("form", ["xlsx", "docx"])
def test_office_files_have_the_day_of_their_content(ours, form):
    with zipfile.ZipFile(io.BytesIO(FORMS[form](ours))) as archive:
        core = archive.read("docProps/core.xml").decode()
        assert {entry.date_time[0] for entry in archive.infolist()} == {1980}
    assert core.count(f"{ours.date}T00:00:00Z") == 2


def test_words_that_look_like_formulas_stay_words():
    begin = ("=1+1", "+1", "-1", "@SUM(A1)")
    made = plan(*(step(words, description=f"{words} more") for words in begin))
    book = openpyxl.load_workbook(io.BytesIO(workbook(build_sheet([made], "x#1"))))
    cells = [cell for sheet in book for row in sheet.iter_rows() for cell in row if cell.value]
    odd = [cell for cell in cells if str(cell.value).startswith(("=", "+", "-", "@"))]
    assert len(odd) == 2 * len(begin)
    assert all(cell.data_type == "s" and cell.quotePrefix for cell in odd)


def test_a_worksheet_is_frozen_folds_and_prints_with_its_head(ours):
    book = openpyxl.load_workbook(io.BytesIO(workbook(ours)))
    sheet = book.worksheets[1]
    assert sheet.freeze_panes == "C2"
    assert sheet.print_title_rows == "$1:$1"
    assert sheet.page_setup.orientation == "landscape"
    levels = {n: sheet.row_dimensions[n].outline_level for n in range(2, sheet.max_row + 1)}
    assert set(levels.values()) == {0, 1, 2}
    deepest = next(n for n, level in levels.items() if level == 2)
    assert sheet[f"B{deepest}"].alignment.indent == 2
    assert all(cell.alignment.wrap_text for cell in sheet[3])


@pytest.mark.parametrize("language", ["en", "es"])
def test_each_worksheet_prints_one_page_wide_in_letters_that_can_be_read(language):
    with speaking(language):
        made = build_sheet(open_repository(ROOT / "resources/cpt-20983/fhir"), "ours#1")
    book = openpyxl.load_workbook(io.BytesIO(workbook(made)))
    for sheet in book:
        setup = sheet.page_setup
        assert sheet.sheet_properties.pageSetUpPr.fitToPage
        assert (setup.orientation, setup.fitToWidth, setup.fitToHeight) == ("landscape", 1, 0)
        widths = [sheet.column_dimensions[cell.column_letter].width for cell in sheet[1]]
        assert round(sum(widths)) <= 250
        assert min(widths) >= 6


def test_columns_share_one_where_a_page_is_too_narrow_and_each_keeps_its_head(ours):
    sheet = openpyxl.load_workbook(io.BytesIO(workbook(ours))).worksheets[1]
    heads, *below = sheet.iter_rows(values_only=True)
    assert {"No.", "Item", "Build as", "Codes", "Defaults", "Conditions", "Documents"} <= {*heads}
    assert {column.head for column in ours.tables[0].columns if column.to_fill_in} <= {*heads}
    row = dict(zip(heads, next(each for each in below if each[0] == "3.3.2"), strict=True))
    assert row["Item"].startswith("General anesthesia\nInstructions: ")
    assert row["Codes"] == "SNOMED CT: 50697003 General anesthesia"
    for cells, written in zip(ours.tables[0].rows, below, strict=True):
        assert all(text in "\n".join(filter(None, written)) for text in cells.values())


def test_names_of_worksheets_are_taken_by_excel_and_differ():
    plans = [plan(step("a"), title="History: what? [" + "x" * 40), plan(step("b"), title="History")]
    book = openpyxl.load_workbook(io.BytesIO(workbook(build_sheet(plans * 2, "x#1"))))
    assert len({name.lower() for name in book.sheetnames}) == 5
    assert not [name for name in book.sheetnames if len(name) > 31 or set(name) & set(":\\/?*[]")]


def test_long_words_and_control_characters_do_not_break_a_file():
    made = plan(step("a\x00b\x0bc\ud800\ufffe", description="x" * 40_000), title="\x01t")
    for form, written in FORMS.items():
        assert "abc" in told(form, written(build_sheet([made], "x#1"))).replace(" ", "")


def test_an_order_has_its_codes_by_system_and_its_defaults():
    definition = {
        "resourceType": "ActivityDefinition", "url": "http://x.org/a", "kind": "MedicationRequest",
        "productCodeableConcept": {"text": "Metoprolol 25 mg", "coding": [
            {"system": "http://www.nlm.nih.gov/research/umls/rxnorm", "code": "866924"},
            {"system": "http://snomed.info/sct", "code": "318475005", "display": "Metoprolol"}]},
        "dosage": [{"text": "1 tablet twice a day"}],
        "quantity": {"value": 60, "unit": "tablets"},
        "bodySite": [{"text": "Mouth"}],
        "location": {"reference": "#place"},
        "contained": [{"resourceType": "Location", "id": "place", "name": "Ward"}],
        "priority": "routine",
        "participant": [{"type": "practitioner", "role": {"text": "Nurse", "coding": [
            {"system": "http://nucc.org/provider-taxonomy", "code": "163W00000X"}]}}],
    }  # fmt: skip
    row = rows(plan(step("m", definitionCanonical="http://x.org/a", priority="urgent")), definition)
    assert row["m"] | {"No.": "", "Definition": ""} == {
        "No.": "", "Item": "m", "Build as": "Medication order", "Definition": "",
        "RxNorm": "866924 Metoprolol 25 mg", "SNOMED CT": "318475005 Metoprolol",
        "Dose": "1 tablet twice a day", "Amount": "60 tablets", "Body site": "Mouth",
        "Where": "Ward", "Priority": "urgent", "By": "Nurse (NUCC 163W00000X)",
    }  # fmt: skip


def test_choices_conditions_and_order_are_in_words():
    made = plan(
        step("first", step("x"), selectionBehavior="exactly-one"),
        step("then", step("y"), **after("first"), requiredBehavior="could", condition=[
            {"kind": "applicability", "expression": {
                "description": "Older than 65", "language": "text/cql", "expression": "IsOld"}}]),
    )  # fmt: skip
    found = rows(made)
    assert found["first"]["Select"] == "exactly one of these"
    assert found["then"]["After"] == "first"
    assert found["then"]["Required"] == "may be left out"
    assert found["then"]["Only if"] == "Older than 65"
    assert found["then"]["Logic"] == "IsOld (text/cql)"
    assert [found[name]["No."] for name in ("first", "x", "then", "y")] == ["1", "1.1", "2", "2.1"]


def test_what_shows_to_some_patients_is_an_alert_unless_it_is_all_there_is():
    alert = step("alert", condition=[{"kind": "applicability", "expression": {"expression": "e"}}])
    alert |= after("g", how="before-start")
    table, alerts = order_set(plan(alert, step("g", step("a"))), lambda _: None, "T")
    assert [row["No."] for row in table.rows] == ["1", "1.1"]
    assert [(row["No."], row["Before"]) for row in alerts] == [("A1", "g")]
    assert "After" not in table.rows[0]
    table, alerts = order_set(plan(alert), lambda _: None, "T")
    assert (len(table.rows), alerts) == (1, [])


def test_lists_forms_and_logic_come_with_the_plan():
    value_set = {"resourceType": "ValueSet", "title": "V", "compose": {"include": [
        {"system": "http://loinc.org", "concept": [{"code": "1-8", "display": "One"}]},
        {"system": "http://snomed.info/sct",
         "filter": [{"property": "concept", "op": "is-a", "value": "1"}]}]}}  # fmt: skip
    form = {"resourceType": "Questionnaire", "title": "Q", "item": [
        {"linkId": "a", "text": "Smoker?", "type": "choice", "required": True, "answerOption": [
            {"valueString": "Yes"}, {"valueCoding": {"code": "n", "display": "No"}}],
         "item": [{"linkId": "b", "text": "Since?", "type": "date", "enableWhen": [
             {"question": "a", "operator": "=", "answerString": "Yes"}]}]}]}  # fmt: skip
    cql = {"resourceType": "Library", "url": "http://x.org/L", "title": "L", "content": [{
        "contentType": "text/cql",
        "data": "bGlicmFyeSBMCmRlZmluZSAiQSI6IHRydWUKZGVmaW5lICJCIjogIkEiCg=="}]}  # fmt: skip
    made = plan(step("a"), library=["http://x.org/L|1"])
    sheet = build_sheet([made, value_set, form, cql], "x#1")
    tables = {table.title: table for table in sheet.tables}
    codes = tables["Lists of codes"].rows
    assert [(r["System"], r["Code"], r["Display"]) for r in codes] == [
        ("LOINC", "1-8", "One"), ("SNOMED CT", "", "concept is-a 1"),
    ]  # fmt: skip
    questions = tables["Forms"].rows
    assert questions[0]["Answers"] == "Yes\nNo (n)"
    assert questions[1]["Shown if"] == "'Smoker?' = Yes"
    assert [(row["Name"], row["CQL"]) for row in tables["Logic"].rows] == [
        ("A", 'define "A": true'), ("B", 'define "B": "A"'),
    ]  # fmt: skip


def logic(text):
    """The rows of the logic of a plan whose library is this text."""
    data = base64.b64encode(text.encode()).decode()
    library = {"resourceType": "Library", "url": "http://x.org/L", "title": "L",
               "content": [{"contentType": "text/cql", "data": data}]}  # fmt: skip
    sheet = build_sheet([plan(step("a"), library=["http://x.org/L"]), library], "x#1")
    found = [table for table in sheet.tables if table.title == "Logic"]
    return [(row["Name"], row["CQL"]) for table in found for row in table.rows]


def test_definitions_are_found_however_they_are_written():
    text = """library L
/* define "no": true */
  define private "say it": 'define "x": 1'
define fluent function f(a Integer):
  a // define g: 2
define   `odd name`: true
"""
    assert [name for name, _ in logic(text)] == ["say it", "f", "odd name"]
    assert "define g: 2" in logic(text)[1][1]
    assert logic("library L\n") == []


def test_logic_whose_header_cannot_be_read_stands_as_it_is():
    text = 'library L version 5 using ???\ndefine "A": true'
    ((name, cql),) = logic(text)
    assert name.startswith("not read: ")
    assert cql == text


def test_on_paper_a_list_is_one_row_and_facts_share_columns(ours):
    table = next(table for table in ours.tables if table.title == "Lists of codes")
    assert len(table.on_paper()) < len(table.rows)
    order = ours.tables[0]
    groups = order.grouped()
    assert list(groups)[:3] == ["No.", "Item", "Build as"]
    row = next(row for row in order.rows if row["Item"] == "Fasting")
    assert lines(row, groups["Item"])[0] == ("", "Fasting")
    assert "Instructions" in dict(lines(row, groups["Item"]))


@pytest.mark.examples
@pytest.mark.skipif(not EXAMPLES, reason="no official examples here: scripts/examples")
def test_the_data_that_an_action_needs_stand_beside_its_logic():
    """As in plans of reporting, whose actions take a Bundle of a profile."""
    bundle = {"type": "Bundle", "profile": ["http://e.org/report", 5]}
    made = rows(plan(step("report", input=[bundle], output=[{"type": "Task"}, 5])))
    assert made["report"]["Logic"].split("\n") == [
        "input: Bundle http://e.org/report", "output: Task",
    ]  # fmt: skip


def test_a_long_row_may_go_on_to_the_next_page():
    made = build_sheet([plan(step("a", description="x " * 900), step("b", description="y"))], "n")
    words = docx.Document(io.BytesIO(document(made))).tables[2]
    kept = ["cantSplit" in row._tr.xml for row in words.rows]
    assert kept == [True, False, True]


def test_official_examples_become_sheets_of_each_form():
    for file in EXAMPLES:
        sheet = build_sheet([json.loads(file.read_text())], "hl7.fhir.r4.examples#4.0.1")
        assert sheet.tables[0].rows, file.stem
        for form, written in FORMS.items():
            assert sheet.tables[0].rows[0]["Item"] in told(form, written(sheet)), file.stem


@given(PLANS | ODD_PLANS)
@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_any_plan_becomes_a_sheet(made):
    sheet = build_sheet([{**made, "resourceType": "PlanDefinition"}], "x#1")
    for written in FORMS.values():
        assert written(sheet)


@pytest.mark.parametrize("form", FORMS)
def test_a_sheet_in_spanish_has_no_english_words_of_ours(form):
    """What the content itself does not say in Spanish stays as it is: its codes, its logic."""
    folder = ROOT / "resources/cpt-20983/fhir"
    with speaking("es"):
        made = build_sheet(open_repository(folder), "ours#1")
        text = told(form, FORMS[form](made))
    for words in ("Hoja de configuración", "Firmas", "Mensaje", "Límite", "Avisos",
                  "Listas de códigos", "Formularios", "Objetivos", "Configurado",
                  "ninguna aprobación registrada", "Ayuno"):  # fmt: skip
        assert words in text
    english = {"Sign-off", "Build as", "Defaults", "Checked by", "Instructions", "Lists of codes",
               "Medication order", "Clinical owner", "Cover", "required"}  # fmt: skip
    assert english.isdisjoint(line.strip(" :") for line in text.replace(":", ":\n").splitlines())


def test_each_form_names_its_language():
    made = build_sheet([plan(step("a"))], "x#1")
    with speaking("es"):
        assert b'<html lang="es">' in page(made)
        word = docx.Document(io.BytesIO(document(made)))
    assert 'w:lang w:val="es"' in word.styles.element.xml
