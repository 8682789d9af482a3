"""`scripts/differ`: what only one of two validators refuses is reported, and needs a verdict."""

import json
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
JOBS = ROOT / "tests/conformance/validator_jobs.py"
PATIENT = {"resourceType": "Patient", "id": "p", "gender": "female"}
BROKEN = {**PATIENT, "id": "q", "gender": "f"}


def differ(folder, other, *options):
    return subprocess.run(
        [sys.executable, ROOT / "scripts/differ", "--other", other, *options, folder],
        capture_output=True, text=True, check=False, timeout=100,
    )  # fmt: skip


def guide(folder):
    for resource in (PATIENT, BROKEN):
        (folder / f"{resource['id']}.json").write_text(json.dumps(resource))
    return folder


def test_two_of_one_mind_differ_in_nothing(tmp_path):
    done = differ(guide(tmp_path), shlex.join([sys.executable, str(JOBS)]), "--mutants", "2")
    assert done.returncode == 0, done.stderr
    assert "no differences" in done.stdout


def test_what_only_we_refuse_needs_a_verdict(tmp_path):
    answers = tmp_path / "other.py"
    answers.write_text(
        "import json, sys\n"
        "answers = [{'id': job['id'], 'outcome': {'issue': []}} for job in json.load(sys.stdin)]\n"
        "json.dump(answers, sys.stdout)\n"
    )
    (tmp_path / "guide").mkdir()
    folder = guide(tmp_path / "guide")
    done = differ(folder, shlex.join([sys.executable, str(answers)]))
    assert done.returncode == 1
    assert "only we refuse: q.json: NO VERDICT" in done.stdout
    assert "binding-required" in done.stdout
    assert "p.json" not in done.stdout


OF_MIME_TYPES = "'text/plain' was not found in http://hl7.org/fhir/ValueSet/mimetypes|4.0.1"
OF_PUBLISHING = "HL7 Implementation Guides must state who publishes them"
NEW = "nobody has judged this"


@pytest.mark.parametrize("said, is_settled", [
    ([OF_MIME_TYPES, OF_PUBLISHING], True),
    ([OF_MIME_TYPES, OF_PUBLISHING, NEW], False),
])  # fmt: skip
def test_a_difference_is_settled_when_each_thing_that_is_said_has_a_verdict(
    tmp_path, said, is_settled
):
    place = "Bundle.entry[0].resource"
    issues = [{"severity": "error", "diagnostics": w, "expression": [place]} for w in said]
    answers = tmp_path / "other.py"
    answers.write_text(
        "import json, sys\n"
        f"outcome = {{'issue': {issues!r}}}\n"
        "json.dump([{'id': j['id'], 'outcome': outcome} for j in json.load(sys.stdin)], sys.stdout)"
    )
    (tmp_path / "guide").mkdir()
    (tmp_path / "guide" / "p.json").write_text(json.dumps(PATIENT))
    done = differ(tmp_path / "guide", shlex.join([sys.executable, str(answers)]))
    assert done.returncode == (0 if is_settled else 1), done.stderr
    assert ("NO VERDICT" in done.stdout) != is_settled
    assert (NEW in done.stdout) != is_settled
    assert (OF_MIME_TYPES in done.stdout) == is_settled  # only what is open is shown of the others


def test_a_resource_without_an_id_is_no_difference(tmp_path):
    for number, gender in enumerate(("female", "male")):
        nameless = {"resourceType": "Patient", "gender": gender}
        (tmp_path / f"{number}.json").write_text(json.dumps(nameless))
    other = tmp_path / "other.py"
    other.write_text(
        "import json, sys\n"
        "jobs = json.load(sys.stdin)\n"
        "urls = [e['fullUrl'] for j in jobs for e in json.load(open(j['file']))['entry']]\n"
        "assert len(set(urls)) == 2\n"
        "json.dump([{'id': j['id'], 'outcome': {'issue': []}} for j in jobs], sys.stdout)"
    )
    done = differ(tmp_path, shlex.join([sys.executable, str(other)]))
    assert done.returncode == 0, done.stdout + done.stderr
