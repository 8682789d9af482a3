"""However many definitions are among the inputs, few are held, and what is found is the same."""

import gc
import json

import pytest

from fhirpkg.corpus.checking import validate_all
from fhirpkg.definitions import definitions
from fhirpkg.definitions.terminology import contents, valuesets

BASE = "http://example.org/fhir"
COUNT = 400


@pytest.fixture
def folder(tmp_path):
    """Value sets of 40 kB, each made of the one before, and their code systems."""
    for number in range(COUNT):
        system = f"{BASE}/CodeSystem/c{number}"
        include = [{"system": system, "concept": [{"code": "a", "display": "A"}]}]
        if number:
            include.append({"valueSet": [f"{BASE}/ValueSet/v{number - 1 - number % 2}"]})
        write(tmp_path, "ValueSet", f"v{number}", compose={"include": include})
        more = {"content": "complete", "caseSensitive": True, "compositional": False}
        concept = [{"code": "a" if number % 100 else "b", "display": "A"}]
        write(tmp_path, "CodeSystem", f"c{number}", concept=concept, **more)
    return tmp_path


def write(folder, kind, name, **more):
    text = "A description of some length. " * 1300
    known = {"resourceType": kind, "id": name, "url": f"{BASE}/{kind}/{name}", "version": "1"}
    known |= {"name": name.upper(), "status": "draft", "description": text.strip()}
    (folder / f"{kind}-{name}.json").write_text(json.dumps(known | more))


def test_few_of_the_definitions_among_the_inputs_are_held(folder):
    before = held()
    checked = validate_all([folder])
    at_most = max(held() - before for number, _ in enumerate(checked) if number % 200 == 199)
    assert at_most < 400, "of 800"


def test_what_is_found_does_not_depend_on_how_many_are_held(folder, monkeypatch):
    expected = found(folder)
    assert {place for place, _, rule in expected if rule == "value-set-concept"} == {
        f"ValueSet-v{number}.json" for number in range(0, COUNT, 100)
    }
    monkeypatch.setattr(definitions, "_MOST_HELD", 1)
    monkeypatch.setattr(contents, "MOST_KEPT", 1)
    monkeypatch.setattr(valuesets, "MOST_KEPT", 1)
    assert found(folder) == expected


def found(folder):
    return [
        (each.file.rpartition("/")[2], issue.expression, issue.rule)
        for each in validate_all([folder])
        for issue in each.outcome.issues
    ]


def held():
    """How many value sets and code systems there are, read."""
    gc.unfreeze()
    gc.collect()
    kinds = {"ValueSet", "CodeSystem"}
    dicts = (each for each in gc.get_objects() if type(each) is dict)
    found = (each for each in dicts if str(each.get("resourceType")) in kinds)
    return sum(str(each.get("url")).startswith(BASE) for each in found)
