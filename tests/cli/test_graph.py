"""`fhirpkg graph`: a picture or Mermaid text of a plan, found as `apply` finds it."""

import json
from xml.etree import ElementTree as ET

import pytest
from click.testing import CliRunner

from fhirpkg.cli.graph import command
from fhirpkg.errors import FhirpkgError

PLAN = {
    "resourceType": "PlanDefinition",
    "id": "p",
    "url": "http://example.org/PlanDefinition/p",
    "title": "A plan",
    "action": [{"definitionCanonical": "http://example.org/ActivityDefinition/a"}],
}
ACTIVITY = {
    "resourceType": "ActivityDefinition",
    "id": "a",
    "url": "http://example.org/ActivityDefinition/a",
    "title": "Take blood",
}


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "p.json").write_text(json.dumps(PLAN))
    (tmp_path / "a.json").write_text(json.dumps(ACTIVITY))
    return tmp_path


def run(*arguments):
    return CliRunner().invoke(command, [str(each) for each in arguments], catch_exceptions=False)


@pytest.mark.parametrize("name", ["p", "PlanDefinition/p", PLAN["url"]])
def test_a_plan_is_found_by_id_and_by_url_and_its_definitions_with_it(folder, name):
    result = run(name, "--content", folder)
    assert result.exit_code == 0
    assert "Take blood" in "".join(ET.fromstring(result.stdout.encode()).itertext())


def test_a_file_is_drawn_from_itself_alone(folder):
    assert "flowchart TD" in run(folder / "p.json", "--format", "mermaid").stdout


def test_output_goes_to_a_file(folder):
    result = run(folder / "p.json", "--output", folder / "p.svg")
    assert result.stdout == ""
    assert ET.parse(folder / "p.svg").getroot().get("role") == "img"


def test_a_plan_that_is_not_there_is_named_with_the_nearest(folder):
    with pytest.raises(FhirpkgError, match="no such PlanDefinition"):
        run("q", "--content", folder)


def test_a_file_of_several_plans_needs_a_name(folder):
    entries = [{"resource": {**PLAN, "id": name}} for name in "pq"]
    file = folder / "bundle.json"
    file.write_text(json.dumps({"resourceType": "Bundle", "type": "collection", "entry": entries}))
    with pytest.raises(FhirpkgError, match="2 PlanDefinitions: p, q"):
        run(file)
    assert run("q", "--content", file).exit_code == 0
