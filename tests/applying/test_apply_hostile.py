"""Definitions with one part replaced by what does not belong there: applied, or an error in words.

The definitions are those of apply_cases.yaml; a third of the values replaces each of their parts.
"""

import copy

import pytest

from fhirpkg import fhirjson
from fhirpkg.applying.application import apply
from fhirpkg.applying.shapes import misshapen
from fhirpkg.cli.reports.applied import told
from fhirpkg.errors import DefinitionError, FhirpkgError
from fhirpkg.repository import MemoryRepository
from tests.applying.test_apply_cases import CASES, PATIENT, TYPES, applied
from tests.applying.test_hooks_hostile import VALUES, places, replaced

HELD = ("plan", "actions", "activity", "more")
OTHERS = [
    *VALUES,
    "2026-13-45",
    [{}],
    {"value": "x"},
    "#",
    "http://e|",
    "|",
    "%",
    {"language": "x"},
]
OURS = {"definitionCanonical", "cql", "contained"}
"""What the cases themselves fill in."""


def parts():
    """Each case with one of its parts to replace, and the values to replace it with."""
    number = 0
    for case in CASES.values():
        held = {name: case[name] for name in HELD if name in case}
        for way in places(held):
            if len(way) < (2 if way[:1] in {("plan",), ("activity",)} else 3) or OURS & {*way}:
                continue
            number += 1
            yield case | copy.deepcopy(held), way, OTHERS[number % 3 :: 3]


def test_a_definition_that_is_none_is_applied_or_refused_in_words():
    refused = done = 0
    for case, way, values in parts():
        for value in values:
            try:
                result = applied(replaced(case, way, value))
            except FhirpkgError:
                refused += 1
                continue
            except Exception as error:
                raise AssertionError(f"{way}: {str(value)[:60]}") from error
            assert fhirjson.dump(result.result)
            done += 1
            actions = {"resourceType": "RequestGroup", "action": list(result.actions)}
            if not misshapen([*result.resources, actions], TYPES):
                assert list(told(result, "Patient/x", PATIENT, verbose=True))
    assert refused > 100
    assert done > 100


class Elsewhere:
    """A repository that cannot be looked through, as a server is."""

    def __init__(self, resources):
        memory = MemoryRepository(resources)
        self.read, self.search, self.resolve = memory.read, memory.search, memory.resolve


def test_a_definition_of_a_server_that_is_not_fhir_is_named():
    url = "http://example.org/ActivityDefinition/a"
    activity = {"resourceType": "ActivityDefinition", "id": "a", "url": url, "kind": "Task"}
    activity["dynamicValue"] = [{"path": ["x"], "expression": {}}]
    plan = {"resourceType": "PlanDefinition", "id": "p", "action": [{"definitionCanonical": url}]}
    with pytest.raises(DefinitionError, match="ActivityDefinition/a: dynamicValue: path"):
        apply(plan, "Patient/x", Elsewhere([PATIENT, activity]))
