"""Validation on Spark, `local[2]` with real PySpark: the findings of `validate`, line by line."""

import json
import os
import pickle
import random
import shutil
import signal
import sys
import threading
import time
from pathlib import Path
from types import SimpleNamespace

import pytest

import fhirpkg

if not shutil.which("java"):
    pytest.skip("Spark needs Java", allow_module_level=True)
pytest.importorskip("pyspark", reason="needs the extra `spark`")
pytest.importorskip("pandas", reason="needs the extra `spark`")
pytestmark = [
    pytest.mark.servers,
    pytest.mark.timeout(3000),
    pytest.mark.filterwarnings("ignore"),  # those of Spark and pandas are not ours
]

COUNT = int(os.environ.get("COUNT", "20000"))
PROFILE = {
    "resourceType": "StructureDefinition", "id": "p", "url": "http://example.org/p", "name": "P",
    "version": "1", "status": "draft", "kind": "resource", "abstract": False, "type": "Observation",
    "baseDefinition": "http://hl7.org/fhir/StructureDefinition/Observation",
    "derivation": "constraint",
    "differential": {"element": [
        {"id": "Observation", "path": "Observation"},
        {"id": "Observation.method", "path": "Observation.method", "min": 1}]},
}  # fmt: skip
FAULTS = (
    {"status": "finished"}, {"colour": "red"}, {"subject": {"reference": "Patient/nobody"}},
    {"subject": {"reference": "Observation/o1"}}, {"code": {}}, {"effectiveDateTime": "yesterday"},
    {"meta": {"profile": ["http://example.org/p"]}}, {"valueQuantity": {"code": "mg"}},
)  # fmt: skip


@pytest.fixture(scope="module")
def spark():
    os.environ["PYSPARK_PYTHON"] = sys.executable
    os.environ["SPARK_LOCAL_IP"] = "127.0.0.1"
    from pyspark.sql import SparkSession

    session = (
        SparkSession.builder.master("local[2,4]")  # a task may fail three times
        .config("spark.ui.enabled", "false")
        .config("spark.driver.bindAddress", "127.0.0.1")
        .config("spark.sql.files.maxPartitionBytes", str(max(200 * COUNT // 12, 4096)))
        .getOrCreate()
    )
    session.sparkContext.setLogLevel("OFF")
    yield session
    session.stop()


def observation(number, chance):
    made = {
        "resourceType": "Observation", "id": f"o{number}", "status": "final",
        "code": {"coding": [{"system": "http://loinc.org", "code": "6301-6"}]},
        "subject": {"reference": f"Patient/p{chance.randrange(COUNT // 10)}"},
        "effectiveDateTime": "2026-01-01",
        "valueQuantity": {"value": 1.1, "system": "http://unitsofmeasure.org", "code": "{INR}"},
    }  # fmt: skip
    return made | (chance.choice(FAULTS) if chance.random() < 0.05 else {})


@pytest.fixture(scope="module")
def export(tmp_path_factory):
    """Resources with planted faults, empty and broken lines among them."""
    folder, chance = tmp_path_factory.mktemp("an export"), random.Random(20983)
    patients = [{"resourceType": "Patient", "id": f"p{n}"} for n in range(COUNT // 10)]
    lines = [json.dumps(observation(n, chance)) for n in range(COUNT - len(patients) - 1)]
    for number in range(0, len(lines), 701):
        lines[number] += chance.choice(["\n", "\r", "}", "\n\n"])
    (folder / "Patient.ndjson").write_text("".join(json.dumps(p) + "\n" for p in patients))
    (folder / "Observation.ndjson").write_text("\n".join(lines), newline="")
    (folder / "StructureDefinition.ndjson").write_text(json.dumps(PROFILE))
    return folder


@pytest.fixture(scope="module")
def wanted(export):
    return sorted(
        (i.file, i.line, str(i.severity), i.rule, i.expression, i.text)
        for checked in fhirpkg.validate_all([export])
        for i in checked.outcome.issues
    )


def found(frame):
    return sorted(tuple(row) for row in frame.collect())


def test_the_findings_are_those_of_validate_line_by_line(spark, export, wanted):
    from fhirpkg.spark import validate

    assert len({rule for _, _, _, rule, _, _ in wanted}) >= 7
    assert found(validate(str(export / "*.ndjson"), spark=spark)) == wanted


def test_parquet_has_its_places_in_columns(spark, export, wanted, tmp_path):
    from fhirpkg.spark import validate

    rows = [
        (line, str(file), number)
        for file in sorted(export.glob("*.ndjson"))
        for number, line in enumerate(file.read_bytes().decode().split("\n"), 1)
    ]
    frame = spark.createDataFrame(rows[:2000] + rows[-2000:], "value string, file string, line int")
    frame.write.parquet(str(tmp_path / "all.parquet"))
    places = {(file, number) for _, file, number in rows[:2000] + rows[-2000:]}
    kept = {row for row in wanted if row[:2] in places and row[3] != "not-checked-reference"}
    made = found(validate(tmp_path / "all.parquet", spark=spark))
    assert {row for row in made if row[3] != "not-checked-reference"} == kept


def test_a_worker_that_is_killed_changes_nothing(spark, export, wanted):
    from fhirpkg.spark import validate

    frame = validate(str(export / "*.ndjson"), spark=spark)
    killed = []
    killer = threading.Thread(target=kill_one, args=(spark, killed))
    killer.start()
    assert found(frame) == wanted
    killer.join()
    assert killed, "no worker was at work"


def test_the_checker_of_a_process_is_kept_for_its_next_task(monkeypatch):
    import pyarrow as pa
    from pyspark import cloudpickle

    from fhirpkg import spark as module

    made, checker = [], module.Checker
    monkeypatch.setattr(module, "Checker", lambda **given: made.append(given) or checker(**given))
    given = SimpleNamespace(value=pickle.dumps(({}, None, {})))
    row = {"text": '{"resourceType": "Patient"}', "file": "a", "line": 1, "block": ""}
    for _ in range(2):
        task = cloudpickle.loads(cloudpickle.dumps(module._checking("one", given)))
        list(task(iter([pa.RecordBatch.from_pylist([row])])))
    assert len(made) == 1


def kill_one(spark, killed):
    """Kill a Python worker once a task of the stage that checks has ended and others go on."""
    tracker = spark.sparkContext.statusTracker()
    while True:
        stages = [tracker.getStageInfo(stage) for stage in tracker.getActiveStageIds()]
        if any(s and s.numCompletedTasks and s.numActiveTasks for s in stages):
            break
        time.sleep(0.02)
    busy = [pid for pid in workers() if not children(pid)]
    os.kill(busy[0], signal.SIGKILL)
    killed.append(busy[0])


def workers():
    """The processes below this one that Spark started to run Python."""
    waiting, below = [os.getpid()], []
    while waiting:
        below += (new := children(waiting.pop()))
        waiting += new
    return [pid for pid in below if "pyspark" in command(pid) and "daemon" in command(pid)]


def children(pid):
    try:
        return [int(child) for task in Path(f"/proc/{pid}/task").iterdir()
                for child in (task / "children").read_text().split()]  # fmt: skip
    except OSError:
        return []


def command(pid):
    try:
        return Path(f"/proc/{pid}/cmdline").read_text()
    except OSError:
        return ""
