"""`fhirpkg codes`: look-ups, checks that a lock keeps, and a server's word for the rest."""

import json
import re
import shutil

import pytest
from click.testing import CliRunner

from fhirpkg.authoring.folder import read_folder
from fhirpkg.authoring.terms import sources
from fhirpkg.cli import ExitCode
from fhirpkg.cli.authoring import codes
from fhirpkg.cli.authoring.codes import command
from fhirpkg.client import looking_up
from fhirpkg.errors import ConfigError
from tests.authoring.terms.test_checks import RESOURCES, terms


def run(*arguments):
    return CliRunner().invoke(command, list(map(str, arguments)), standalone_mode=False)


@pytest.fixture
def folder(tmp_path):
    shutil.copytree(RESOURCES / "cpt-20983", tmp_path / "cpt-20983")
    shutil.copy(RESOURCES / "package.yaml", tmp_path)
    return tmp_path


@pytest.fixture
def only_core(monkeypatch):
    monkeypatch.setattr(sources, "global_patient_set", lambda: None)
    monkeypatch.setattr(sources, "icd_10_cm", lambda: None)


def test_codes_are_offered_the_most_alike_first(monkeypatch):
    monkeypatch.setattr(sources, "available", lambda _: [terms()])
    ran = run("search", "pneumonia", "--for", "diagnosis", "--output-format", "json")
    found = json.loads(ran.stdout)
    assert {row["code"] for row in found} == {"233604007", "155521007", "J18.9"}
    assert found[0]["score"] == 1
    assert run("search", "pneumonia", "--for", "person").return_value == 1


def test_what_is_known_is_named():
    rows = json.loads(run("sources", "--output-format", "json").stdout)
    assert {"FHIR R4"} <= {row["source"] for row in rows}
    assert all(row["codes"] > 0 for row in rows)


def test_a_lock_makes_a_build_independent_of_what_is_installed(folder, only_core):
    shutil.copy(RESOURCES / "codes.lock", folder)
    with_lock = read_folder(folder)
    of_codes = [issue.rule for issue in with_lock.issues if issue.rule.startswith("code-")]
    assert of_codes == ["code-not-verified"]
    (folder / "codes.lock").unlink()
    assert read_folder(folder).listed < with_lock.listed


def test_a_users_file_verifies_what_nothing_else_knows(folder, only_core):
    (folder / "cpt.tsv").write_text("20983\tBone tumor cryoablation\n20982\tBone tumor ablation\n")
    before = run("check", folder, "--output-format", "json")
    after = run("check", folder, "--codes", f"CPT={folder / 'cpt.tsv'}", "--output-format", "json")
    assert "CPT 20983" in before.stdout
    assert "CPT 20983" not in after.stdout
    kept = json.loads((folder / "codes.lock").read_text())["codes"]
    (ours,) = [each for each in kept if each["code"] == "20983"]
    assert "display" not in ours
    assert ours["source"] == "cpt.tsv"


def test_a_server_is_asked_for_what_nobody_knows(folder, only_core, monkeypatch):
    asked = []

    def answer(_client, _system, code, _language):
        asked.append(code)
        if code == "20983":
            return looking_up.Answer(exists=False)
        return looking_up.Answer(True, "Something else", is_active=code != "777-3")

    monkeypatch.setattr(looking_up, "look_up", answer)
    ran = run("check", folder, "--tx", "http://127.0.0.1:9/fhir", "--output-format", "json")
    assert ran.return_value == 1
    found = {issue["rule"] for file in json.loads(ran.stdout)["files"] for issue in file["issues"]}
    assert {"code-unknown", "code-inactive", "code-display-differs"} <= found
    assert "20983" in asked
    assert "363679005" not in asked or "363679005" not in {c for _, c in sources.of_core().codes}


class Client:
    def __init__(self, answers):
        self._answers = answers

    def url(self, path):
        return path

    def request(self, _method, path, params):
        return self._answers[path]


class Response:
    def __init__(self, status, resource):
        self.status, self.resource = status, resource
        self.ok, self.problem = status == 200, "no"


LOOKED_UP = {
    "resourceType": "Parameters",
    "parameter": [
        {"name": "display", "valueString": "Pneumonia"},
        {
            "name": "property",
            "part": [
                {"name": "code", "valueCode": "inactive"},
                {"name": "value", "valueBoolean": True},
            ],
        },
    ],
}
DENIED = {"resourceType": "OperationOutcome", "issue": [{"severity": "error", "code": "not-found"}]}


def test_an_answer_of_lookup_is_read():
    found = looking_up.look_up(Client({"CodeSystem/$lookup": Response(200, LOOKED_UP)}), "s", "c")
    assert found == looking_up.Answer(True, "Pneumonia", is_active=False)


def test_names_of_the_language_are_read_from_a_lookup():
    named = [
        {"name": "designation", "part": [
            {"name": "language", "valueCode": language}, {"name": "value", "valueString": text}]}
        for language, text in [("es-MX", "Neumonía"), ("de", "Pneumonie")]
    ]  # fmt: skip
    answer = {**LOOKED_UP, "parameter": [*LOOKED_UP["parameter"], *named]}
    client = Client({"CodeSystem/$lookup": Response(200, answer)})
    found = looking_up.look_up(client, "s", "c", "es")
    assert found.designations == (("es-MX", "Neumonía"),)
    assert not looking_up.look_up(client, "s", "c").designations


@pytest.mark.parametrize("total, exists", [(1, False), (0, None)])
def test_a_server_may_only_deny_codes_of_systems_that_it_has(total, exists):
    answers = {
        "CodeSystem/$lookup": Response(404, DENIED),
        "CodeSystem": Response(200, {"resourceType": "Bundle", "total": total}),
    }
    assert looking_up.look_up(Client(answers), "s", "c").exists is exists


NOT_FHIR = [
    Response(200, None),
    Response(200, {"resourceType": "OperationOutcome"}),
    Response(200, {"resourceType": "Bundle"}),
    Response(401, None),
    Response(404, None),
    Response(500, DENIED),
]


@pytest.mark.parametrize("answer", NOT_FHIR)
def test_what_does_not_answer_as_a_terminology_server_is_told(
    folder, only_core, monkeypatch, answer
):
    answers = {"CodeSystem/$lookup": answer, "ValueSet/$expand": answer}
    monkeypatch.setattr(codes, "_client", lambda url: Client(answers))
    ran = run("search", "chest", "--tx", "http://a.org", "--output-format", "json")
    assert ran.return_value == ExitCode.UNUSABLE
    assert "only what is known here" in ran.stderr
    assert {row["source"] for row in json.loads(ran.stdout)} == {sources.CORE}
    ran = run("check", folder, "--tx", "http://a.org")
    assert ran.return_value == ExitCode.UNUSABLE
    assert "remain unverified" in ran.stderr
    kept = json.loads((folder / "codes.lock").read_text())["codes"]
    assert not [each for each in kept if each["source"] == "http://a.org"]


def test_a_url_that_is_none_writes_nothing(folder):
    ran = run("check", folder, "--tx", "nonsense")
    assert isinstance(ran.exception, ConfigError)
    assert not (folder / "codes.lock").exists()


@pytest.mark.parametrize(
    "code", ["SNOMED 233604008", "ICD-10-CM JJ8.9", "CPT 3240", "LOINC 718-8", "SNOMED"]
)
def test_a_code_that_cannot_be_is_told(folder, only_core, code):
    file = folder / "cpt-20983/procedure.yaml"
    text = file.read_text()
    assert "  Bone pain: " in text
    file.write_text(re.sub("  Bone pain: .*", f"  Bone pain: {code}", text))
    ran = run("check", folder, "--output-format", "json")
    found = {issue["rule"] for file in json.loads(ran.stdout)["files"] for issue in file["issues"]}
    assert (ran.return_value, "source-code" in found) == (ExitCode.ISSUES, True)
