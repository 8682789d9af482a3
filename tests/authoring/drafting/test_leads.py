"""Lines that lead in others, headings that reach one line, labels: what they say is never lost."""

import pathlib

import pytest

from fhirpkg.authoring.drafting import writing
from fhirpkg.authoring.drafting.heading_table import table
from fhirpkg.authoring.drafting.reading import read
from fhirpkg.authoring.drafting.sorting import sort


def read_as(text, name="a.md"):
    return sort(read(pathlib.Path(name), text.encode(), table()), table())


def found(text, name="a.md"):
    monograph = read_as(text, name)
    told = [told.text for told in monograph.told if told.text]
    return {s: [f.text for f in monograph.of(s)] for s in monograph.counts if s != "name"}, told


def test_a_heading_within_an_item_reaches_no_further_than_the_item():
    text = "# Sedation\n\n- Relative contraindications: old age\n\n- Use a small dose\n"
    assert found(text) == ({"contraindications": ["old age"]}, ["Use a small dose"])


def test_a_heading_within_a_paragraph_reaches_no_further_where_others_stand_alone():
    text = (
        "# A\n## Technique\nGive it.\n\nSide effects: pain\n\nTake pictures.\n## Benefits\n- Ease\n"
    )
    sections, told = found(text)
    assert sections["risks"] == ["pain"]
    assert sections["steps"] == ["Give it.", "Take pictures."]
    assert told == []


def test_the_sentences_before_a_lead_are_facts():
    text = "# A\n## Technique\nClean the skin. Then do this:\n\n- Cut\n"
    monograph = read_as(text)
    assert [(f.text, f.lead) for f in monograph.of("steps")] == [
        ("Clean the skin.", ""),
        ("Cut", "Then do this:"),
    ]


@pytest.mark.parametrize("below", ["- eat\n- drink", "Eat\nDrink", "Eat.\nDrink."])
def test_a_negation_leads_in_all_that_stands_below_it(below):
    monograph = read_as(f"Preparation:\nDo not:\n{below}\n\nRisks:\n- Pain\n", "a.txt")
    assert {fact.lead for fact in monograph.of("preparation")} == {"Do not:"}
    assert len(monograph.of("preparation")) == 2


def test_what_is_led_in_by_a_negation_stays_so_in_lists_within_it():
    text = (
        "# A\n## Preparation\nDo not have the test if:\n\n- you are pregnant\n- you have one of:\n"
        "    - a clip\n    - a pacemaker\n- you cannot lie still\n"
    )
    assert found(text)[0] == {
        "contraindications": ["you are pregnant", "a clip", "a pacemaker", "you cannot lie still"]
    }


def test_a_draft_of_ones_own_text_says_the_negation_with_the_fact():
    monograph = read_as("# A\n## Recovery\n- Rest\n### Do not\n- Drive\n")
    data = writing.draft(monograph, title="t", stem="a", given=(), rights="own")
    assert [item["text"] for item in data["recovery"]] == ["Rest", "Do not: Drive"]


def test_a_lead_without_a_list_is_kept():
    text = "# A\n## Technique\nThere are two ways:\n\nThe first is short. The second is long.\n"
    monograph = read_as(text)
    assert monograph.of("steps")[0].lead == "There are two ways:"
    told = read_as("# A\n## Parking\nStop here if:\n- it is full\n").told
    assert [each.text for each in told if each.text] == ["Stop here if:", "it is full"]


@pytest.mark.parametrize("name", ["a.txt", "a.md"])
def test_labels_divide_a_section_and_are_no_facts(name):
    text = "Contraindications\n\nAbsolute\n- Shock\nRelative\n- Fever\n\nRisks\n- Pain\n"
    text = (
        text.replace("Contra", "## Contra").replace("Risks", "## Risks") if "md" in name else text
    )
    assert found(text, name) == ({"contraindications": ["Shock", "Fever"], "risks": ["Pain"]}, [])


def test_an_item_with_items_is_a_label_or_a_fact_that_leads_them_in():
    text = "# A\n## Contraindications\n- Absolute\n    - Shock\n- Take care with falls\n    - Age\n"
    facts = read_as(text).of("contraindications")
    assert [(f.text, f.lead) for f in facts] == [
        ("Shock", "Absolute"),
        ("Take care with falls", ""),
        ("Age", "Take care with falls"),
    ]


def test_a_heading_that_says_not_never_goes_on_with_the_reasons_for():
    text = "# Stress test\n## Indications\n- Pain\n### Imaging not indicated\n- Low risk\n"
    assert found(text) == ({"indications": ["Pain"]}, ["Low risk"])


def test_what_is_to_be_avoided_is_read_with_its_heading():
    facts = read_as("# A\n## Recovery\n- Rest\n### Things to avoid\n- Driving\n").of("recovery")
    assert [(f.text, f.lead) for f in facts] == [("Rest", ""), ("Driving", "Things to avoid")]


def test_a_heading_of_another_time_does_not_go_on_with_what_is_above_it():
    text = "# A\n## Technique\n- Cut\n### Sterile field before skin\n- Drape\n"
    assert found(text) == ({"steps": ["Cut"]}, ["Drape"])


def test_objectives_of_a_lesson_are_no_purpose():
    text = (
        "# A\n**Objectives:**\n- Describe the anatomy.\n- Identify the risks.\n## Risks\n- Pain\n"
    )
    assert found(text) == ({"risks": ["Pain"]}, ["Describe the anatomy.", "Identify the risks."])
    text = "# A\n## Objectives\n- Relieve pain.\n- Identify the cause.\n## Risks\n- Pain\n"
    assert found(text)[0]["purpose"] == ["Relieve pain.", "Identify the cause."]


def test_html_within_markdown_is_read_as_html():
    text = (
        "# A\n<figure markdown>\n<figcaption markdown>[A film](https://example.org)</figcaption>\n"
        "</figure>\n\n## Risks\n\n<table>\n<tr><td>Bleeding</td><td>&lt; 1 %</td></tr>\n"
        "</table>\n\n- INR \\> 3 <br>\n"
    )
    assert found(text) == ({"risks": ["Bleeding: < 1 %", "INR > 3"]}, ["A film"])


def test_rows_are_told_apart_by_a_first_column_that_is_no_section():
    text = "# A\n\n| Vein | Benefits | Risks |\n|---|---|---|\n| Neck | Easy | Bleeding |\n"
    assert found(text) == ({"benefits": ["Neck: Easy"], "risks": ["Neck: Bleeding"]}, [])


def test_what_comes_after_a_heading_of_another_section_is_not_taken_for_the_one_above():
    text = (
        "# Scan\n\n# Technique\n\n**Positioning**\n\n- Lie down\n\n**Follow-up**\n\n- Rest\n\n"
        "**Images**\n\n- CT\n\n# Risks\n\n- Pain\n"
    )
    sections = {"steps": ["Lie down"], "recovery": ["Rest"], "risks": ["Pain"]}
    assert found(text) == (sections, ["CT"])


def test_a_lead_within_a_list_that_leads_nothing_in_is_a_fact_of_its_own_words():
    text = "# A\n## Indications\nThey include:\n\n- Skin:\n- Eye:\n    - Cataract\n"
    assert found(text) == ({"indications": ["Skin:", "Cataract"]}, [])


def test_a_line_broken_by_a_backslash_and_what_pandoc_writes_are_no_words_of_a_fact():
    head = "# Line change {#sec-line}\n\n::: {.note}\n\n## Technique\n\n"
    monograph = read_as(f"{head}* Clean the skin\\\nLet it dry.\n* Cut\n")
    assert [(fact.section, fact.text) for fact in monograph.facts] == [
        ("name", "Line change"),
        ("steps", "Clean the skin Let it dry."),
        ("steps", "Cut"),
    ]
    assert monograph.told == []


@pytest.mark.parametrize(
    ("lead", "section"),
    [
        ("The tube should not be changed when:", "contraindications"),
        ("Staff cannot begin without:", ""),
        ("Other tubes did not help:", "indications"),
    ],
)
def test_a_line_that_forbids_leads_nothing_into_the_indications(lead, section):
    text = f"# Changing a tube\n\n## Indications\n\n- Blocked\n\n{lead}\n\n- Young stoma\n"
    sections, told = found(text)
    assert [name for name, facts in sections.items() if "Young stoma" in facts] == (
        [section] if section else []
    )
    assert ("Young stoma" in told) == (not section)


@pytest.mark.parametrize(
    "above", ["Department of Radiology", "PATIENT INFORMATION", "Example NHS Foundation Trust"]
)
def test_a_letterhead_is_no_name(above):
    monograph = read_as(f"{above}\n\nNephrostomy\n\nRisks:\n- Bleeding\n", "a.txt")
    assert [fact.text for fact in monograph.of("name")] == ["Nephrostomy"]
    assert [told.text for told in monograph.told] == [above]


def test_a_label_procedure_gives_the_name_where_the_steps_stand_elsewhere():
    text = "NOTE\n\nProcedure: Drainage\nRisks: pain\n\nTechnique:\n- Cut\n- Close\n"
    monograph = read_as(text, "a.txt")
    assert [fact.text for fact in monograph.of("name")] == ["Drainage"]
    assert [fact.text for fact in monograph.of("steps")] == ["Cut", "Close"]
