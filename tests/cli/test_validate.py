"""`fhirpkg validate` from the outside: inputs, formats, exit codes, processes."""

import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tarfile
import time

import pytest
from click.testing import CliRunner

from fhirpkg.cli.validate import command
from fhirpkg.definitions.cores import definitions_of
from fhirpkg.errors import ConfigError, PackageError
from fhirpkg.releases import R5
from tests.cores import make_core
from tests.servers.scripted import Reply, scripted

PATIENT = {"resourceType": "Patient", "id": "a", "gender": "female"}
BAD = {"resourceType": "Patient", "id": "b", "gender": "f"}


def validate(*arguments, text=None):
    return CliRunner().invoke(
        command, [str(argument) for argument in arguments], input=text, catch_exceptions=False,
        standalone_mode=False,
    )  # fmt: skip


def findings(*arguments, text=None):
    result = validate(*arguments, "--output-format", "json", text=text)
    document = json.loads(result.stdout)
    return [issue for file in document["files"] for issue in file["issues"]]


def write(path, value):
    path.write_text(value if isinstance(value, str) else json.dumps(value, indent=1))
    return path


def test_a_clean_file_is_silent_on_standard_output_and_gives_0(tmp_path):
    result = validate(write(tmp_path / "a.json", PATIENT))
    assert (result.stdout, result.return_value) == ("", 0)
    assert "1 input checked; no issues" in result.stderr


def test_an_error_is_one_line_with_its_place_and_gives_1(tmp_path):
    file = write(tmp_path / "b.json", BAD)
    result = validate(file)
    assert result.return_value == 1
    [line] = result.stdout.splitlines()
    assert line.startswith(f"{file}:4:2: error binding-required: Patient.gender: ")


@pytest.mark.parametrize("fail_on, code", [("error", 0), ("warning", 1), ("never", 0)])
def test_warnings_fail_only_when_asked_for(tmp_path, fail_on, code):
    file = write(tmp_path / "w.json", "\ufeff" + json.dumps(PATIENT))
    assert validate(file, "--fail-on", fail_on).return_value == code


def test_malformed_json_is_a_finding_with_its_line(tmp_path):
    file = write(tmp_path / "m.json", '{\n "resourceType": "Patient",\n}')
    [issue] = findings(file)
    assert (issue["rule"], issue["line"]) == ("parse-json", 3)


def test_malformed_xml_is_a_finding_with_its_line(tmp_path):
    file = write(tmp_path / "m.xml", '<Patient xmlns="http://hl7.org/fhir">\n<id>\n</Patient>')
    assert [issue["line"] for issue in findings(file)] == [3]


def test_what_is_no_resource_is_passed_over_in_a_folder_and_an_error_when_named(tmp_path):
    write(tmp_path / "a.json", PATIENT)
    file = write(tmp_path / "settings.json", {"a": 1})
    write(tmp_path / "signed.json", '\ufeff{"openapi": "3.0.2"}')
    result = validate(tmp_path)
    assert result.return_value == 0
    assert "2 files skipped" in result.stderr
    assert [issue["rule"] for issue in findings(file)] == ["parse-no-resource"]


def test_ndjson_findings_stand_on_their_lines(tmp_path):
    lines = [json.dumps(PATIENT), "", json.dumps(BAD), "{"]
    file = write(tmp_path / "a.ndjson", "\n".join(lines))
    assert [issue["line"] for issue in findings(file)] == [3, 4]


def test_standard_input_is_checked():
    assert [i["rule"] for i in findings("-", text=json.dumps(BAD))] == ["binding-required"]


def test_a_package_is_checked_member_by_member(tmp_path):
    (tmp_path / "package").mkdir()
    write(tmp_path / "package" / "Patient-b.json", BAD)
    write(tmp_path / "package" / "package.json", {"name": "a.b", "version": "1.0.0"})
    archive = tmp_path / "a.tgz"
    with tarfile.open(archive, "w:gz") as tar:
        tar.add(tmp_path / "package", "package")
    result = validate(archive)
    assert result.return_value == 1
    assert f"{archive}:package/Patient-b.json" in result.stdout


def test_two_processes_find_what_one_finds_in_the_same_order(tmp_path):
    for number in range(20):
        write(tmp_path / f"{number:02}.json", BAD if number % 3 else PATIENT)
    assert findings(tmp_path) == findings(tmp_path, "--jobs", "2")
    assert len(findings(tmp_path)) == 13


def test_a_reference_to_another_input_is_followed(tmp_path):
    observation = {
        "resourceType": "Observation", "id": "o", "status": "final", "code": {"text": "t"},
        "subject": {"reference": "Patient/a"},
    }  # fmt: skip
    write(tmp_path / "o.json", observation)
    alone = [i["rule"] for i in findings(tmp_path / "o.json")]
    write(tmp_path / "p.json", PATIENT)
    together = [i["rule"] for i in findings(tmp_path)]
    assert len(together) < len(alone)


def test_a_profile_among_the_inputs_is_used(tmp_path):
    profile = {
        "resourceType": "StructureDefinition", "id": "p", "url": "http://a.example/p",
        "name": "P", "status": "draft", "kind": "resource", "abstract": False, "type": "Patient",
        "baseDefinition": "http://hl7.org/fhir/StructureDefinition/Patient",
        "derivation": "constraint",
        "differential": {"element": [
            {"id": "Patient.birthDate", "path": "Patient.birthDate", "min": 1}]},
    }  # fmt: skip
    claimed = {**PATIENT, "meta": {"profile": ["http://a.example/p"]}}
    write(tmp_path / "a.json", claimed)
    alone = {issue["rule"] for issue in findings(tmp_path)}
    assert "not-checked-profile" in alone
    write(tmp_path / "p.json", profile)
    rules = {(i["rule"], i["expression"]) for i in findings(tmp_path) if i["severity"] == "error"}
    assert rules == {("cardinality-min", "Patient")}


def test_a_terminology_server_is_asked_what_is_not_known_here(tmp_path):
    coding = {"system": "http://snomed.info/sct", "code": "94222008"}
    condition = {
        "resourceType": "Condition",
        "subject": {"reference": "Patient/a"},
        "code": {"coding": [coding]},
    }
    no = [{"name": "result", "valueBoolean": False}, {"name": "message", "valueString": "retired"}]
    reply = Reply(body={"resourceType": "Parameters", "parameter": no})
    file = write(tmp_path / "c.json", condition)
    with scripted(lambda *_: reply) as server:
        told = findings(file, "--tx", server.base_url)
    assert any("retired" in issue["text"] for issue in told)
    assert not any("retired" in issue["text"] for issue in findings(file))
    assert all("/$validate-code?" in request.path for request in server.seen)


def test_an_ignored_finding_does_not_fail_and_is_counted(tmp_path):
    file = write(tmp_path / "b.json", BAD)
    ignore = write(
        tmp_path / "i.toml", '[[ignore]]\nrule = "binding-required"\nreason = "a known fault"\n'
    )
    result = validate(file, "--ignore-file", ignore)
    assert (result.return_value, result.stdout) == (0, "")
    assert "1 ignored" in result.stderr


def test_our_own_content_and_one_file_of_it_elsewhere_are_clean(tmp_path):
    assert [i for i in findings("resources", "profiles") if i["severity"] != "information"] == []
    from fhirpkg.packages.installed import content_root

    for plan in content_root().glob("resources/*/fhir/PlanDefinition-*.json"):
        shutil.copy(plan, tmp_path)
    assert findings(tmp_path) == []


def test_xml_of_another_namespace_is_passed_over_in_a_folder_and_an_error_by_name(tmp_path):
    file = write(tmp_path / "pom.xml", '<project xmlns="http://maven.apache.org/POM/4.0.0"/>')
    write(tmp_path / "a.json", PATIENT)
    result = validate(tmp_path)
    assert (result.return_value, result.stdout) == (0, "")
    assert "1 file skipped" in result.stderr
    assert [issue["rule"] for issue in findings(file)] == ["xml-namespace"]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_all_processes_without_a_traceback(tmp_path, number, unmeasured):
    write(tmp_path / "a.ndjson", "\n".join([json.dumps(BAD)] * 50_000))
    arguments = [sys.executable, "-m", "fhirpkg", "validate", "--jobs", "2", tmp_path]
    with subprocess.Popen(
        arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    ) as process:
        children = pathlib.Path(f"/proc/{process.pid}/task/{process.pid}/children")
        while not children.read_text().strip():  # the processes that check
            time.sleep(0.05)
        if number == signal.SIGINT:  # the terminal sends Ctrl-C to all of them
            os.killpg(process.pid, number)
        else:
            process.send_signal(number)
        _, errors = process.communicate(timeout=60)
    assert (process.returncode, errors.strip()) == (130, "interrupted")


def test_strict_makes_an_error_of_an_extension_that_is_not_known(tmp_path):
    extended = {**PATIENT, "extension": [{"url": "http://a.example/x", "valueString": "y"}]}
    file = write(tmp_path / "a.json", extended)
    assert validate(file).return_value == 0
    assert validate(file, "--strict").return_value == 1


def test_a_profile_that_is_asked_for_and_not_loaded_is_wrong_use(tmp_path):
    file = write(tmp_path / "a.json", PATIENT)
    with pytest.raises(ConfigError, match=r"http://a\.example/none is not loaded"):
        validate(file, "--profile", "http://a.example/none")


def test_another_release_of_fhir_needs_its_core(tmp_path, monkeypatch):
    monkeypatch.setenv("FHIRPKG_CACHE", str(tmp_path / "none"))
    definitions_of.cache_clear()
    path = write(tmp_path / "a.json", PATIENT)
    with pytest.raises(PackageError, match=r"fhirpkg install hl7\.fhir\.r5\.core#5\.0\.0"):
        validate("--fhir-version", "R5", path)
    with pytest.raises(ConfigError, match="R4B"):
        validate("--fhir-version", "DSTU2", path)


def test_another_release_of_fhir_is_checked_with_its_core(tmp_path, monkeypatch):
    monkeypatch.setenv("FHIRPKG_CACHE", str(tmp_path / "packages"))
    definitions_of.cache_clear()
    make_core(tmp_path / "packages", R5)
    path = write(tmp_path / "a.json", {"resourceType": "Transport", "code": {"text": "x"}})
    assert findings("--fhir-version", "5.0.0", path) == []
    media = write(tmp_path / "b.json", {"resourceType": "Media", "status": "completed"})
    with pytest.raises(ConfigError, match=r"R5 \(5\.0\.0\)"):
        validate("--fhir-version", "5.0.0", media)
    definitions_of.cache_clear()
