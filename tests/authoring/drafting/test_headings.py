"""The table of headings: what a heading names, and what must not be guessed."""

import pathlib

import pytest
import yaml

from fhirpkg.authoring.drafting.heading_table import table, taught
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
