"""The official CQL tests and published measures, scored as they are beside the checkout."""

import json
import pathlib
import subprocess
import sys

import pytest

HERE = pathlib.Path(__file__).parent
SHARED = HERE.parents[2] / "shared"
CASES = SHARED / "cases/cql/tests-given.jsonl"
MEASURES = SHARED / "cases/measures"
FORMS = {"cql": 915, "elm": 906}


def known_misses(name, form):
    lines = (HERE / name).read_text().splitlines()
    found = [line.split(": ")[0] for line in lines if line and not line.startswith("#")]
    return {each.partition(" ")[2] for each in found if each.startswith(form + " ")}


def scored(tool, *arguments):
    command = [sys.executable, SHARED / "tools" / tool, *arguments]
    subprocess.run(command, check=True, timeout=300, stdout=subprocess.DEVNULL)


@pytest.mark.skipif(not CASES.is_file(), reason=f"the official cases are not at {CASES}")
@pytest.mark.parametrize("form", FORMS)
def test_all_but_the_known_misses_pass_and_every_known_miss_still_fails(tmp_path, form):
    out = tmp_path / "detail.json"
    scored("score_cql.py", CASES, "--engine", "cql_engine:evaluate", "--path", HERE,
           "--form", form, "--out", out)  # fmt: skip
    tests = [t for t in json.loads(out.read_text()) if t["verdict"] != "no ELM"]
    assert len(tests) == FORMS[form]
    assert not [t["id"] for t in tests if t["verdict"] == "crash"]
    missed = {t["id"] for t in tests if t["verdict"] != "pass"}
    assert missed == known_misses("known_misses_cql.txt", form)


@pytest.mark.skipif(not MEASURES.is_dir(), reason=f"the measures are not at {MEASURES}")
@pytest.mark.parametrize("form", FORMS)
def test_every_patient_of_the_measures_agrees(tmp_path, form):
    out = tmp_path / "detail.json"
    command = f"{sys.executable} {HERE / 'measure_job.py'} {{job}}"
    scored("score_measures.py", MEASURES, "--cmd", command, "--form", form, "--out", out)
    patients = json.loads(out.read_text())
    assert len(patients) == 168
    assert [p for p in patients if not p["verdict"].startswith("agree")] == []


def test_the_list_of_known_misses_is_short_enough():
    assert [len(known_misses("known_misses_cql.txt", form)) <= 3 for form in FORMS] == [True, True]
