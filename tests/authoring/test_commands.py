"""The verbs of authors: build, schema and coverage, as they are called."""

import hashlib
import json
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner

from fhirpkg.authoring.source import read
from fhirpkg.cli import ExitCode
from fhirpkg.cli import _run as main
from fhirpkg.cli.authoring.build import command as build
from fhirpkg.cli.authoring.coverage import command as coverage
from fhirpkg.cli.authoring.package import command as package
from fhirpkg.cli.authoring.schema import command as schema

RESOURCES = Path(__file__).parent.parent.parent / "resources"
SECOND = Path(__file__).parent / "second"


WIDE = Path(__file__).parent / "wide"


def run(command, *arguments):
    return CliRunner().invoke(command, [str(a) for a in arguments], standalone_mode=False)


def test_build_writes_below_the_output_and_leaves_the_source_alone(tmp_path):
    before = sorted(path.name for path in (SECOND / "tea-pouring").iterdir())
    result = run(build, SECOND, "--output", tmp_path)
    assert result.return_value == ExitCode.DONE
    assert sorted(path.name for path in (SECOND / "tea-pouring").iterdir()) == before
    names = [path.name for path in (tmp_path / "tea-pouring" / "fhir").iterdir()]
    assert "PlanDefinition-TeaPouringPlan.json" in names
    assert f"{len(names)} resources" in result.stderr


def test_build_moves_all_urls_to_another_base(tmp_path):
    run(build, SECOND, "--output", tmp_path, "--canonical", "https://hospital.example/fhir/")
    plan = json.loads(
        (tmp_path / "tea-pouring" / "fhir" / "PlanDefinition-TeaPouringPlan.json").read_text()
    )
    assert plan["url"] == "https://hospital.example/fhir/PlanDefinition/TeaPouringPlan"


@pytest.mark.parametrize("command", [build, coverage])
def test_a_mistake_is_told_and_nothing_is_made(tmp_path, command):
    folder = tmp_path / "resources"
    shutil.copytree(SECOND, folder)
    file = folder / "tea-pouring" / "procedure.yaml"
    file.write_text(file.read_text().replace("takes: 30 min", "takes: long"))
    result = run(command, folder)
    assert result.return_value == ExitCode.ISSUES
    assert "procedure.yaml:24:" in result.output
    assert not (folder / "tea-pouring" / "fhir").exists()


def test_a_built_folder_can_be_packaged(tmp_path):
    run(build, SECOND, "--output", tmp_path / "built")
    (tmp_path / "dist" / "xml").mkdir(parents=True)
    (tmp_path / "dist" / "xml" / "Library-OfAnEarlierContent.xml").write_text("<Library/>")
    result = run(package, tmp_path / "built", "--output", tmp_path / "dist")
    assert result.exit_code == 0
    names = sorted(path.name for path in (tmp_path / "dist").iterdir())
    assert names == [
        "SHA256SUMS",
        "TeaPouringPlan.xhtml",
        "example.second-1.0.0-collection.json",
        "example.second-1.0.0-transaction.json",
        "example.second-1.0.0.ndjson",
        "example.second-1.0.0.tgz",
        "xml",
    ]
    lines = (tmp_path / "dist" / "example.second-1.0.0.ndjson").read_text().splitlines()
    resources = [json.loads(line) for line in lines]
    bundle = json.loads((tmp_path / "dist" / "example.second-1.0.0-collection.json").read_text())
    assert resources == [entry["resource"] for entry in bundle["entry"]]
    for line in (tmp_path / "dist" / "SHA256SUMS").read_text().splitlines():
        digest, _, name = line.partition("  ")
        assert hashlib.sha256((tmp_path / "dist" / name).read_bytes()).hexdigest() == digest
    xml = [path.name for path in (tmp_path / "dist" / "xml").iterdir()]
    assert "PlanDefinition-TeaPouringPlan.xml" in xml
    assert "Library-OfAnEarlierContent.xml" not in xml


def printed_schema(*arguments):
    jsonschema = pytest.importorskip("jsonschema", reason="checks schemas, needed by nothing else")
    found = json.loads(run(schema, *arguments).stdout)
    jsonschema.Draft202012Validator.check_schema(found)
    return jsonschema.Draft202012Validator(found)


@pytest.mark.parametrize("file", [*RESOURCES.glob("*/procedure.yaml"), *SECOND.glob("*/*.yaml")])
def test_the_schema_takes_our_procedures(file):
    data = json.loads(json.dumps(read(file.read_bytes(), "").data, default=float))
    assert list(printed_schema().iter_errors(data)) == []


def test_the_schema_refuses_what_the_model_refuses():
    data = read((SECOND / "tea-pouring" / "procedure.yaml").read_bytes(), "").data
    data = json.loads(json.dumps(data, default=float))
    data["risks"][0]["gaol"] = "No burn"
    assert len(list(printed_schema().iter_errors(data))) == 1


def test_the_schema_of_the_package_takes_ours():
    data = read((RESOURCES / "package.yaml").read_bytes(), "").data
    assert list(printed_schema("--package").iter_errors(data)) == []


@pytest.mark.parametrize("inside", [False, True])
def test_the_folder_of_one_procedure_is_taken_by_each_verb(tmp_path, monkeypatch, capfd, inside):
    shutil.copytree(WIDE, tmp_path / "wide")
    one, home = tmp_path / "wide/hernia-repair", tmp_path / "wide"
    monkeypatch.chdir(one if inside else tmp_path)
    place = "." if inside else str(one)
    main(["codes", "check", str(home)])
    before = (home / "codes.lock").read_text()
    main(["codes", "check", place])
    assert (home / "codes.lock").read_text() == before
    assert not (one / "codes.lock").exists()
    assert main(["build", place]) == 0
    assert (one / "fhir").is_dir()
    assert (home / "cataract/fhir").is_dir()
    sheet = tmp_path / "sheet.html"
    capfd.readouterr()
    assert main(["review", place, "--output", str(sheet)]) == 0
    assert "of 1 procedure" in capfd.readouterr().err
