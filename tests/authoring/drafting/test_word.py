"""Word documents: nothing that a reader of the page sees is lost, nothing deleted comes back."""

import io
import pathlib
import zipfile

import docx
from docx.oxml import parse_xml
from docx.oxml.ns import nsdecls

from fhirpkg.authoring.drafting.heading_table import table
from fhirpkg.authoring.drafting.reading import read
from fhirpkg.authoring.drafting.sorting import sort

W = nsdecls("w")
RELATIONS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
NOTES = "application/vnd.openxmlformats-officedocument.wordprocessingml.footnotes+xml"


def saved(document):
    content = io.BytesIO()
    document.save(content)
    return content.getvalue()


def found(content):
    monograph = sort(read(pathlib.Path("a.docx"), content, table()), table())
    told = [told.text for told in monograph.told if told.text]
    return {s: [f.text for f in monograph.of(s)] for s in monograph.counts}, told


def test_content_controls_and_tracked_changes_are_read_as_they_are_shown():
    document = docx.Document()
    document.add_heading("Contraindications", 1)
    run = "<w:r><w:t>{}</w:t></w:r>"
    control = f"<w:sdt {W}><w:sdtPr/><w:sdtContent><w:p>{run}</w:p></w:sdtContent></w:sdt>"
    document.element.body.insert(-1, parse_xml(control.format("Absent pulse")))
    added = f"<w:ins {W} w:id='1' w:author='x'>{run.format('Infected skin')}</w:ins>"
    document.add_paragraph(style="List Bullet")._p.append(parse_xml(added))
    paragraph = document.add_paragraph("Thrombo", style="List Bullet")
    inline = f"<w:sdt {W}><w:sdtContent>{run.format('lysis')}</w:sdtContent></w:sdt>"
    paragraph._p.append(parse_xml(inline))
    gone = "<w:del {} w:id='2' w:author='x'><w:r><w:delText>No pulse</w:delText></w:r></w:del>"
    paragraph._p.append(parse_xml(gone.format(W)))
    sections = {"contraindications": ["Absent pulse", "Infected skin", "Thrombolysis"]}
    assert found(saved(document)) == (sections, [])


def test_a_style_that_is_based_on_a_heading_makes_headings():
    document = docx.Document()
    style = document.styles.add_style("Chapter", docx.enum.style.WD_STYLE_TYPE.PARAGRAPH)
    style.base_style = document.styles["Heading 2"]
    for heading in ("Risks", "Who pays"):
        document.add_paragraph(heading, style="Chapter")
        document.add_paragraph(f"Text on {heading.lower()}", style="List Bullet")
    assert found(saved(document)) == ({"risks": ["Text on risks"]}, ["Text on who pays"])


def test_footnotes_are_told():
    document = docx.Document()
    document.add_heading("Risks", 1)
    document.add_paragraph("Bleeding", style="List Bullet")
    before, after = zipfile.ZipFile(io.BytesIO(saved(document))), io.BytesIO()
    note = "<w:footnotes {}><w:footnote w:id='2'><w:p><w:r><w:t>If on aspirin</w:t></w:r></w:p>"
    kind = f'<Override PartName="/word/footnotes.xml" ContentType="{NOTES}"/></Types>'
    relation = f'<Relationship Id="rId99" Type="{RELATIONS}/footnotes" Target="footnotes.xml"/>'
    parts = {
        "[Content_Types].xml": ("</Types>", kind),
        "word/_rels/document.xml.rels": ("</Relationships>", f"{relation}</Relationships>"),
    }
    with zipfile.ZipFile(after, "w") as archive:
        for name in before.namelist():
            old, new = parts.get(name, ("", ""))
            content = before.read(name)
            archive.writestr(name, content.replace(old.encode(), new.encode()) if old else content)
        archive.writestr("word/footnotes.xml", f"{note.format(W)}</w:footnote></w:footnotes>")
    assert found(after.getvalue()) == ({"risks": ["Bleeding"]}, ["If on aspirin"])


def test_a_heading_in_a_text_box_is_read_as_one():
    document = docx.Document()
    document.add_heading("Nasal packing", 0)
    head = "<w:p><w:r><w:rPr><w:b/></w:rPr><w:t>Aim</w:t></w:r></w:p>"
    text = "<w:p><w:r><w:t>It stops bleeding.</w:t></w:r></w:p>"
    box = f"<w:pict {W}><w:txbxContent>{head}{text}</w:txbxContent></w:pict>"
    document.add_paragraph().add_run()._r.append(parse_xml(box))
    assert found(saved(document)) == (
        {"name": ["Nasal packing"], "purpose": ["It stops bleeding."]},
        [],
    )


def test_a_cell_that_spans_rows_heads_all_of_them_and_is_there_once():
    document = docx.Document()
    document.add_paragraph("Nasal packing")
    rows = [
        ("Indications", "Nosebleed"),
        ("", "After surgery"),
        ("Risks", "Infection"),
        ("", "Pain"),
    ]
    grid = document.add_table(rows=0, cols=2)
    for row in rows:
        for cell, text in zip(grid.add_row().cells, row, strict=True):
            cell.text = text
    grid.cell(0, 0).merge(grid.cell(1, 0))
    grid.cell(2, 0).merge(grid.cell(3, 0))
    assert found(saved(document))[0] == {
        "name": ["Nasal packing"],
        "indications": ["Nosebleed", "After surgery"],
        "risks": ["Infection", "Pain"],
    }


def test_headings_in_bold_by_their_style_or_before_a_break_are_headings():
    document = docx.Document()
    style = document.styles.add_style("Leaflet head", docx.enum.style.WD_STYLE_TYPE.PARAGRAPH)
    style.font.bold = True
    for heading, text in (("Risks", "Bleeding"), ("What donors say", "Bruises")):
        document.add_paragraph(heading, style="Leaflet head")
        document.add_paragraph(text)
    for heading, text in (("Benefits", "Quick"), ("Parking", "Below the house")):
        run = document.add_paragraph().add_run(heading)
        run.underline = True
        run.add_break()
        document.paragraphs[-1].add_run(text)
    sections = {"risks": ["Bleeding"], "experience": ["Bruises"], "benefits": ["Quick"]}
    assert found(saved(document)) == (sections, ["Below the house"])


def test_words_in_bold_that_begin_a_paragraph_are_its_heading():
    document = docx.Document()
    parts = {"Risks": "Bleeding", "Benefits": "Quick", "Parking": "Below", "Recovery": "is short"}
    for heading, text in parts.items():
        paragraph = document.add_paragraph()
        paragraph.add_run(heading).bold = True
        paragraph.add_run(f" {text}")
    sections = {"risks": ["Bleeding"], "benefits": ["Quick"], "recovery": ["Recovery is short"]}
    assert found(saved(document)) == (sections, ["Below"])
