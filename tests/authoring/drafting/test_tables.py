"""Tables: sections in rows, sections in columns, or one fact a row."""

import pathlib

import pytest

from fhirpkg.authoring.drafting.heading_table import table
from fhirpkg.authoring.drafting.reading import read
from fhirpkg.authoring.drafting.sorting import sort


def found(html):
    content = f"<h1>Test of tables</h1>{html}".encode()
    monograph = sort(read(pathlib.Path("a.html"), content, table()), table())
    told = [told.text for told in monograph.told if told.text]
    return {s: [f.text for f in monograph.of(s)] for s in monograph.counts if s != "name"}, told


def rows(*cells, head=()):
    made = [f"<tr>{''.join(f'<th>{h}</th>' for h in head)}</tr>"] if head else []
    made += [f"<tr>{''.join(f'<td>{c}</td>' for c in row)}</tr>" for row in cells]
    return f"<table>{''.join(made)}</table>"


def test_a_table_of_steps_has_a_fact_a_row_whatever_its_columns_are_called():
    html = rows(
        ("Cut", "The skin is cut."), ("Close", "It is closed."), head=("Step", "What happens")
    )
    assert found(f"<h2>Technique</h2>{html}") == (
        {"steps": ["Cut: The skin is cut.", "Close: It is closed."]},
        [],
    )


def test_columns_that_name_sections_are_read_one_by_one():
    html = rows(("Pain", "Relief"), ("Bleeding", ""), head=("Risks", "Benefits"))
    assert found(html) == ({"risks": ["Pain", "Bleeding"], "benefits": ["Relief"]}, [])


def test_rows_that_name_sections_hold_their_facts():
    html = rows(
        ("Indications", "Pain<br>Fever"), ("Where to park", "North"), ("Risks", "Bleeding"),
        head=("Topic", "Text"),
    )  # fmt: skip
    assert found(html) == ({"indications": ["Pain", "Fever"], "risks": ["Bleeding"]}, ["North"])


def test_what_follows_a_table_stands_below_the_heading_before_it():
    html = rows(("Indications", "Pain"), ("Risks", "Bleeding"))
    sections, told = found(f"<h2>Parking</h2>{html}<p>North.</p>")
    assert sections == {"indications": ["Pain"], "risks": ["Bleeding"]}
    assert told == ["North."]


@pytest.mark.parametrize("above", ["<h2>Risks</h2>", "<p><b>Risks</b></p>"])
def test_a_table_of_numbers_is_a_fact_a_row(above):
    html = rows(("Bleeding", "1 %"), ("Infection", "2 %"), head=("Complication", "How often"))
    other = "<p><b>Benefits</b></p><ul><li>Relief</li></ul>" if "<b>" in above else ""
    assert found(above + html + other)[0]["risks"] == ["Bleeding: 1 %", "Infection: 2 %"]


def test_tables_within_tables_are_read_once():
    inner = rows(("Bleeding",), ("Infection",))
    sections, told = found(rows(("Risks", inner), ("Indications", "Pain")))
    assert sections == {"risks": ["Bleeding", "Infection"], "indications": ["Pain"]}
    assert told == []


def test_what_stands_around_a_page_is_told_and_what_holds_its_title_is_read():
    page = (
        '<body class="menu"><div class="menu"><a>Home</a> <a>Risks</a></div>'
        '<div class="sidebar"><h1>Test of tables</h1><h2>Risks</h2><p>Bleeding.</p></div>'
        '<div id="cookie-banner"><p>Cookies are used.</p></div></body>'
    )
    monograph = sort(read(pathlib.Path("a.html"), page.encode(), table()), table())
    assert [(fact.section, fact.text) for fact in monograph.facts] == [
        ("name", "Test of tables"),
        ("risks", "Bleeding."),
    ]
    assert [told.text for told in monograph.told] == ["Home Risks", "Cookies are used."]


@pytest.mark.parametrize("head", [("No.", "Step", "Who", "Time"), ("#", "Risk", "Who", "Rate")])
def test_columns_that_say_who_and_when_belong_to_the_fact_of_their_row(head):
    html = rows(("1", "Cut", "Surgeon", "5 min"), ("2", "Close", "Nurse", "4 min"), head=head)
    section = {"Step": "steps", "Risk": "risks"}[head[1]]
    assert found(html) == ({section: ["Cut: Surgeon: 5 min", "Close: Nurse: 4 min"]}, [])
