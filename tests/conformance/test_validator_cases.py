"""The official validator cases, scored as they lie beside the checkout: known misses only."""

import json
import pathlib
import shlex
import subprocess
import sys

import pytest

HERE = pathlib.Path(__file__).parent
SHARED = HERE.parents[2] / "shared"
CASES = SHARED / "cases/validator"
PACKAGES = HERE.parents[1] / ".examples"
KNOWN_MISSES = HERE / "known_misses_validator.txt"


def known_misses():
    """The runs that we miss; those that need a package only where it was not fetched."""
    lines = KNOWN_MISSES.read_text().splitlines()
    found = (line.split(": ") for line in lines if line and not line.startswith("#"))
    return {run for run, why in found if not is_fetched(why)}


def is_fetched(why):
    return why.startswith("needs ") and (PACKAGES / why.removeprefix("needs ")).is_dir()


@pytest.mark.skipif(not CASES.is_dir(), reason=f"the official cases are not at {CASES}")
def test_we_agree_on_all_runs_but_the_known_misses(tmp_path):
    jobs = shlex.join([sys.executable, str(HERE / "validator_jobs.py")])
    subprocess.run(
        [sys.executable, SHARED / "tools/score_validator.py", CASES, "--batch", jobs,
         "--out", tmp_path / "detail.json"],
        check=True, timeout=110, stdout=subprocess.DEVNULL,
    )  # fmt: skip
    runs = json.loads((tmp_path / "detail.json").read_text())
    assert runs
    assert {run["id"] for run in runs if not run["agree"]} == known_misses()


def test_the_list_of_known_misses_is_short_enough():
    lacking = KNOWN_MISSES.read_text().count(": needs ")
    assert len(known_misses()) <= 7 + lacking


def test_a_file_that_is_not_there_is_an_answer(tmp_path):
    job = {"id": "x", "file": str(tmp_path / "none.json"), "format": "json"}
    done = subprocess.run(
        [sys.executable, HERE / "validator_jobs.py"], check=True, input=json.dumps([job]),
        capture_output=True, text=True,
    )  # fmt: skip
    assert json.loads(done.stdout)[0]["id"] == "x"
    assert "none.json" in json.loads(done.stdout)[0]["error"]


def test_settings_of_a_job_change_what_is_an_error(tmp_path):
    file = tmp_path / "patient.json"
    url = "http://somebody.test/extension"
    file.write_text(
        json.dumps({"resourceType": "Patient", "extension": [{"url": url, "valueString": "x"}]})
    )
    domain = {"allowed-extension-domain": "http://somebody.test"}
    jobs = [{"id": "a", "file": str(file)}, {"id": "b", "file": str(file), "settings": domain}]
    done = subprocess.run(
        [sys.executable, HERE / "validator_jobs.py"], check=True, input=json.dumps(jobs),
        capture_output=True, text=True,
    )  # fmt: skip
    issues = [answer["outcome"]["issue"][0] for answer in json.loads(done.stdout)]
    assert [issue["severity"] for issue in issues] == ["error", "information"]
