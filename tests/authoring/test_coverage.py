"""Each fact of the source is held by the resources, and comes back out of them."""

import html
import json
import re
from pathlib import Path

import pytest
from click.testing import CliRunner

from fhirpkg.authoring.build import build
from fhirpkg.authoring.checking.authored import check_procedure
from fhirpkg.authoring.coverage import coverage, sayings
from fhirpkg.authoring.folder import read_folder
from fhirpkg.authoring.source import read
from fhirpkg.cli import ExitCode
from fhirpkg.cli.authoring.coverage import command
from fhirpkg.render.document import xhtml
from fhirpkg.render.procedure import procedure_document

RESOURCES = Path(__file__).parent.parent.parent / "resources"
SECOND = Path(__file__).parent / "second"
WIDE = Path(__file__).parent / "wide"
FHIR = RESOURCES / "cpt-20983" / "fhir"


@pytest.fixture(scope="module")
def procedure():
    return read_folder(RESOURCES).procedures["cpt-20983"]


@pytest.fixture(scope="module")
def committed():
    return [json.loads(file.read_text()) for file in sorted(FHIR.glob("*.json"))]


def test_the_source_has_42_facts_and_none_is_lost(procedure, committed):
    facts = coverage(procedure, committed)
    assert len(facts) == 42
    assert [fact.fact for fact in facts if fact.is_lost] == []


def test_the_facts_are_the_sections_of_the_source(procedure):
    assert procedure.source.facts == {
        "name": 1,
        "code": 1,
        "summary": 1,
        "purpose": 1,
        "indications": 4,
        "preparation": 4,
        "steps": 6,
        "duration": 1,
        "setting": 1,
        "personnel": 4,
        "risks": 4,
        "benefits": 4,
        "recovery": 5,
        "alternatives": 4,
        "experience": 1,
    }


def test_a_fact_whose_element_is_gone_is_found_lost(procedure, committed):
    text = json.dumps(committed).replace("Bleeding because of the procedure", "Nothing")
    lost = [fact.fact for fact in coverage(procedure, json.loads(text)) if fact.is_lost]
    assert lost == ["risks-2"]


def test_narrative_and_attachments_do_not_count(procedure, committed):
    rest = [
        {key: resource[key] for key in ("resourceType", "id", "text", "content") if key in resource}
        for resource in committed
    ]
    assert all(fact.is_lost for fact in coverage(procedure, rest))


def test_elements_are_named_by_their_place(procedure, committed):
    facts = {fact.fact: fact for fact in coverage(procedure, committed)}
    (saying,) = facts["setting"].sayings
    assert saying.elements == (
        ("ActivityDefinition/BoneTumorCryoablation", "contained[0].description"),
    )
    saying, words = sorted(facts["code"].sayings, key=lambda said: len(said.words))
    assert saying.elements[0][1] == "code.coding[0]"
    assert words.elements[0][1] == "description"


def test_the_document_made_of_fhir_alone_holds_every_fact(procedure, committed):
    (plan,) = [r for r in committed if r["resourceType"] == "PlanDefinition"]
    text = xhtml(procedure_document(plan, committed))
    words = html.unescape(re.sub(r"<[^>]+>", "", text))
    code = "http://www.ama-assn.org/go/cpt|20983"
    missing = [said for said in sayings(procedure) if said not in words and said != code]
    assert missing == []
    assert "CPT 20983" in words


def test_the_table_has_a_line_for_each_thing_said():
    result = CliRunner().invoke(command, [str(RESOURCES)], standalone_mode=False)
    assert result.return_value == ExitCode.DONE
    assert "104 facts, 0 lost" in result.stderr  # 42, 35 and 27
    lines = result.stdout.splitlines()
    assert {line.split()[0] for line in lines} >= {"name", "code", "risks-1", "alternatives-4"}
    width = max(len(line.split()[0]) for line in lines)
    assert all(line[width : width + 2] == "  " and line[width + 2] != " " for line in lines)


def test_json_names_resource_and_element():
    arguments = [str(RESOURCES), "--output-format", "json"]
    result = CliRunner().invoke(command, arguments, standalone_mode=False)
    facts = json.loads(result.stdout)["cpt-20983"]
    assert len(facts) == 42
    duration = next(fact for fact in facts if fact["fact"] == "duration")
    assert duration["lost"] is False
    assert "timingTiming.code.text" in duration["said"][0]["elements"][0]["element"]


def test_a_second_procedure_is_covered_too():
    authored = read_folder(Path(__file__).parent / "second")
    made = build(authored.package, authored.procedures)["tea-pouring"]
    facts = coverage(authored.procedures["tea-pouring"], made)
    assert [fact.fact for fact in facts if fact.is_lost] == []
    assert len(facts) == 13


def test_a_fact_that_is_left_out_with_a_reason_is_not_lost():
    text = (SECOND / "tea-pouring" / "procedure.yaml").read_text()
    text = text.replace("experience: {text: Pleasant, from: experience}\n", "")
    text = text.replace("  numbers:", "  left-out: {experience: said elsewhere}\n  numbers:")
    procedure, issues = check_procedure(read(text.encode(), "procedure.yaml"))
    assert [i for i in issues if i.severity.rank < 2] == []
    (fact,) = [f for f in coverage(procedure, []) if f.fact == "experience"]
    assert (fact.left_out, fact.is_lost) == ("said elsewhere", False)
    others = [f for f in coverage(procedure, []) if f.fact != "experience"]
    assert all(f.is_lost for f in others)


def test_no_fact_of_other_kinds_of_procedures_is_lost():
    authored = read_folder(WIDE)
    made = build(authored.package, authored.procedures)
    for name, procedure in authored.procedures.items():
        assert [f.fact for f in coverage(procedure, made[name]) if f.is_lost] == [], name


def test_a_contraindication_that_the_resources_do_not_hold_is_lost():
    authored = read_folder(WIDE)
    made = build(authored.package, authored.procedures)["upper-endoscopy"]
    without = [r for r in made if not r["id"].endswith(("Plan", "Counseling"))]
    lost = {
        f.fact
        for f in coverage(authored.procedures["upper-endoscopy"], without)
        if f.is_lost and f.fact.startswith("contraindications")
    }
    assert lost == {f"contraindications-{number}" for number in range(1, 5)}


@pytest.mark.parametrize("name", ["upper-endoscopy", "hernia-repair"])
def test_a_procedure_below_its_package_is_covered_alone(name, monkeypatch):
    run = CliRunner().invoke
    whole = run(command, [str(WIDE), "--output-format", "json"])
    alone = run(command, [str(WIDE / name), "--output-format", "json"])
    assert alone.exit_code == ExitCode.DONE
    ((found, facts),) = json.loads(alone.stdout).items()
    assert found == name
    told = [(fact["fact"], fact["lost"]) for fact in json.loads(whole.stdout)[name]]
    assert [(fact["fact"], fact["lost"]) for fact in facts] == told
    monkeypatch.chdir(WIDE / name)
    assert run(command, [".", "--output-format", "json"]).stdout == alone.stdout


def test_a_folder_with_neither_a_package_nor_one_above_has_no_coverage(tmp_path):
    (tmp_path / "procedure.yaml").write_text("id: X\n")
    result = CliRunner().invoke(command, [str(tmp_path)])
    assert result.exit_code != ExitCode.DONE
    assert "package.yaml" in str(result.exception)
