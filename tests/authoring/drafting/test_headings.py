"""The table of headings: what a heading names, and what must not be guessed."""

import pathlib

import pytest
import yaml

from fhirpkg.authoring.drafting.heading_table import table, taught
from fhirpkg.authoring.drafting.reading import read
from fhirpkg.authoring.drafting.sorting import sort
from fhirpkg.authoring.drafting.writing import ORDER
from fhirpkg.errors import SourceError

CASES = yaml.safe_load((pathlib.Path(__file__).parent / "headings.yaml").read_text("utf-8"))
TABLE = table().naming(["Colonoscopy", "Upper endoscopy", "Inguinal hernia repair"])


@pytest.mark.parametrize("section", CASES)
def test_a_heading_names_its_section_however_it_is_written(section):
    wanted = "" if section == "none" else section
    wrong = {
        text: TABLE.named(text).section
        for heading in CASES[section]
        for text in (heading, heading.upper(), heading.title(), f"3. {heading}", f"{heading}:")
        if TABLE.named(text).section != wanted
    }
    assert wrong == {}


@pytest.mark.parametrize(
    "fact",
    [
        "Quick recovery",
        "Short recovery time",
        "Pain after the procedure",
        "Risk of bleeding",
        "Return to work after two weeks",
        "Follow-up imaging at 3 months",
        "Contraindicated in pregnancy",
        "Preparation of the skin",
        "Side effects of sedation",
        "Other ablation techniques",
        "Before breakfast",
        "Surgery",
        "Time out",
    ],
)
def test_a_fact_on_a_line_of_its_own_is_not_taken_for_a_heading(fact):
    assert not TABLE.named(fact, strictly=True).is_known


def test_a_heading_of_two_sections_is_not_decided():
    assert TABLE.named("Risks, benefits and alternatives").sections == (
        "risks",
        "benefits",
        "alternatives",
    )
    assert TABLE.named("Risks, benefits and alternatives").section == ""


def test_a_user_teaches_headings(tmp_path):
    file = tmp_path / "headings.yaml"
    file.write_text("steps: [Anaesthesia]\nindications: Door to the procedure\n")
    found = taught(file, ORDER)
    assert found.named("3. ANAESTHESIA:").section == "steps"
    assert found.named("Door to the procedure").section == "indications"
    assert found.named("Reasons against").section == "contraindications"


@pytest.mark.parametrize("text", ["cooking: [Soup]", "- Soup", "a: [", "risks: [\n"])
def test_a_file_of_headings_that_cannot_be_used_is_refused(tmp_path, text):
    file = tmp_path / "headings.yaml"
    file.write_text(text)
    with pytest.raises(SourceError):
        taught(file, ORDER)


@pytest.mark.parametrize(
    ("heading", "section"),
    [
        ("Risks / Riesgos", "risks"),
        ("Gegenanzeigen | Contraindications", "contraindications"),
        ("Durchführung", "steps"),
        ("¿Quién no debe hacérsela?", "contraindications"),
        ("Avant l'intervention", "preparation"),
        ("Complicanze", "risks"),
        ("Risks / Benefits", ""),
        ("Risiken / Preparation", ""),
        ("Indications and patient selection", "indications"),
    ],
)
def test_a_heading_in_two_languages_names_what_both_say(heading, section):
    assert TABLE.named(heading).section == section


@pytest.mark.parametrize(
    ("sentence", "is_against"),
    [
        ("It is not recommended when the INR is above 3.", True),
        ("Colonoscopy should not be performed during acute diverticulitis.", True),
        ("The procedure is contraindicated in pregnancy.", True),
        ("Never inject into an infected joint.", False),
        ("Do not use it in children.", True),
        ("Patients in whom surgery is contraindicated.", False),
        ("It is not painful.", False),
        ("Bleeding that does not stop.", False),
        ("People for whom tablets are not suitable.", False),
    ],
)
def test_a_sentence_against_the_procedure_is_none_of_its_indications(sentence, is_against):
    assert TABLE.rejects_it(sentence) is is_against


def test_a_doubtful_heading_below_the_indications_does_not_go_on_with_them():
    text = "# Lens exchange\n## Indications\n- Glare\n### Think about risk in\n- Dry eyes\n"
    found = sort(read(pathlib.Path("a.md"), text.encode(), table()), table())
    assert [fact.text for fact in found.of("indications")] == ["Glare"]
    assert "Dry eyes" in [told.text for told in found.told]
