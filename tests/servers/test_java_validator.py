"""HL7's own validator finds no error in what we build, and no warning that is not argued."""

import json
import re
import subprocess
from pathlib import Path

import pytest

from fhirpkg import fhirjson
from fhirpkg.bundling.reading import read_content

HERE = Path(__file__).parent
RESOURCES = HERE.parent.parent / "resources"

pytestmark = pytest.mark.servers
OFFLINE = re.compile(r"valueset-mimetypes|ValueSet/mimetypes|hl7\.org/fhir/uv/(?:cpg|sdc)/")
"""Without a terminology server it may know no MIME type at all, by what its cache holds. The guides
CPG and SDC, whose extensions fill in and collect the checklist, are not loaded."""


def validated(folder, resources):
    """The issues of each resource by its file name, without those that only inform."""
    files = []
    for resource in resources:
        file = folder / f"{resource['resourceType']}-{resource['id']}.json"
        file.write_text(fhirjson.dump(resource, indent=2))
        files.append(file)
    run = HERE / "java_validator" / "run"
    done = subprocess.run([run, *files], capture_output=True, text=True, check=False)
    lines = done.stdout.splitlines()
    assert len(lines) == len(files), done.stderr[-2000:]
    return {
        file.name: [
            (issue["severity"], issue["details"]["text"])
            for issue in json.loads(line).get("issue", ())
            if issue["severity"] != "information" and not OFFLINE.search(issue["details"]["text"])
        ]
        for file, line in zip(files, lines, strict=True)
    }


BROKEN = "PlanDefinition-Broken.json"


@pytest.fixture(scope="module")
def everything(tmp_path_factory):
    resources = list(read_content(RESOURCES).resources)
    plan = next(r for r in resources if r["resourceType"] == "PlanDefinition")
    broken = {**plan, "id": "Broken", "useContext": plan["useContext"][1:]}
    return validated(tmp_path_factory.mktemp("content"), [*resources, broken])


@pytest.fixture
def found(everything):
    return {name: issues for name, issues in everything.items() if name != BROKEN}


def test_what_is_broken_is_found(everything):
    errors = [words for severity, words in everything[BROKEN] if severity == "error"]
    assert any("useContext:procedure" in words for words in errors)


def test_there_is_no_error(found):
    errors = {name: [w for s, w in issues if s != "warning"] for name, issues in found.items()}
    assert {name: words for name, words in errors.items() if words} == {}


def test_each_warning_is_argued_and_each_argument_is_needed(found):
    text = (HERE / "java_validator_warnings.md").read_text()
    headings = re.findall(r"^## (.+)$", text, re.MULTILINE)
    warnings = {words for issues in found.values() for _, words in issues}
    argued = {heading: [w for w in warnings if w.startswith(heading)] for heading in headings}
    assert warnings - {w for each in argued.values() for w in each} == set()
    assert [heading for heading, each in argued.items() if not each] == []
