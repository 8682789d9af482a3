"""Cases of `$apply` from other engines, where they lie beside the checkout.

A case is a folder (case.json, parameters.json, data.json, content/, expected.json). Those in
known_apply_misses.txt may fail, and no others: a miss that passes must leave the list.
"""

import importlib.util
import json
import pathlib

import pytest

from fhirpkg.errors import FhirpkgError

HERE = pathlib.Path(__file__).parent
FOLDER = HERE.parents[2] / "shared" / "cases" / "apply"
MISSES = {
    line.split("#")[0].strip()
    for line in (HERE / "known_apply_misses.txt").read_text().splitlines()
    if line.split("#")[0].strip()
}
CASES = sorted(path.parent for path in FOLDER.glob("*/case.json"))

if not CASES:
    pytest.skip(f"no cases at {FOLDER}", allow_module_level=True)


def loaded():
    spec = importlib.util.spec_from_file_location("apply_case", HERE / "apply_case.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


APPLY_CASE = loaded()


def selected(value, path):
    """What lies at a path of the facts: `a.b[0].c[*].d[?k=v]`; lists are walked through."""
    found = [value]
    for part in path.replace("[", ".[").split("."):
        found = [item for value in found for item in step(value, part)] if part else found
    return [inner for item in found for inner in (item if isinstance(item, list) else [item])]


def step(value, part):
    items = value if isinstance(value, list) else [value]
    if part == "[*]":
        return items
    if part.startswith("[?"):
        key, _, wanted = part[2:-1].partition("=")
        return [item for item in items if str(item.get(key)) == wanted]
    if part.startswith("["):
        return items[int(part[1:-1]) : int(part[1:-1]) + 1]
    return [item[part] for item in items if isinstance(item, dict) and part in item]


CHECKS = {
    "exists": lambda got, _: bool(got),
    "absent": lambda got, _: not got,
    "count": lambda got, wanted: len(got) == wanted,
    "count>=": lambda got, wanted: len(got) >= wanted,
    "distinct": lambda got, _: len({json.dumps(item) for item in got}) == len(got) > 0,
    "contains": lambda got, wanted: any(wanted in item for item in got),
    "matches": lambda got, wanted: any(str(item).startswith(wanted[1:2]) for item in got),
    "eq": lambda got, wanted: got in ([wanted], wanted) or wanted in got,
}


def view(result):
    """A result as the facts see it."""
    entries = [entry["resource"] for entry in result.get("entry", ())]
    if result["resourceType"] == "CarePlan":
        entries = [result, *result.get("contained", ())]
    entries = entries or [result]
    groups = [r for r in entries if r["resourceType"] == "RequestGroup"]
    rest = [r for r in entries if r is not result and r not in groups[:1]]
    found = {"entries": entries, "resources": rest, "activity": result}
    return found | ({"requestgroup": groups[0]} if groups else {})


@pytest.mark.parametrize("folder", CASES, ids=lambda folder: folder.name)
def test_a_case_of_another_engine(folder):
    case = json.loads((folder / "case.json").read_text())
    expected = json.loads((folder / "expected.json").read_text())
    wrong = list(differences(folder, case, expected))
    if folder.name in MISSES:
        assert wrong, f"{folder.name} passes now: take it out of known_apply_misses.txt"
    else:
        assert wrong == []


def differences(folder, case, expected):
    try:
        result = APPLY_CASE.applied(folder, case)
    except FhirpkgError as error:
        if case["expected"] != "error" or expected.get("match", "") not in str(error):
            yield str(error)
        return
    if case["expected"] == "error":
        yield "there is no error"
    elif case["expected"] == "facts":
        yield from wrong_facts(expected["facts"], view(result))
    elif case["dialect"] == "reference":
        if result != APPLY_CASE.read(folder / "expected.json"):
            yield f"another result than the reference engine's: {types_of(result)}"
    elif types_of(result) != types_of(expected):
        yield f"{types_of(result)} where {types_of(expected)} are expected"


def wrong_facts(facts, found):
    for fact in facts:
        got = selected(found, fact["path"])
        if fact.get("portable", True) and not CHECKS[fact["op"]](got, fact.get("value")):
            yield f"{fact['path']} {fact['op']} {fact.get('value')}: {got}"


def types_of(result):
    """The types that came out, with the titles of the actions: what a clinician would notice."""
    entries = view(result)["entries"]
    types = sorted(r["resourceType"] for r in entries)
    group = view(result).get("requestgroup", {})
    return types, [action.get("title") for action in group.get("action", ())]
