"""Criteria on records in the forms that hospitals send: the same states from CQL and from ELM."""

import json
import pathlib

import pytest

from fhirpkg import fhirjson
from fhirpkg.applying.application import apply
from fhirpkg.repository import Layers, MemoryRepository, open_repository
from tests.applying.made_records import cases, record, wanted

CONTENT = open_repository(pathlib.Path(__file__).parents[2] / "resources" / "cpt-20983" / "fhir")
PLAN = "PlanDefinition/BoneTumorCryoablationPlan"
CASES = cases()


def only(content_type):
    """The content with one form of the logic, the other taken out."""
    resources = []
    for resource in CONTENT:
        parts = resource.get("content", ()) if resource["resourceType"] == "Library" else ()
        kept = [part for part in parts if part["contentType"] == content_type]
        resources.append(resource | {"content": kept} if parts else resource)
    return MemoryRepository(resources)


FORMS = {kind: only(kind) for kind in ("text/cql", "application/elm+json")}


def applied(case, content=CONTENT, **options):
    data, _ = fhirjson.read(json.dumps(record(case)).encode())
    return apply(PLAN, "Patient/p1", Layers(MemoryRepository(data), content), **options)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("case", CASES, ids=[case["name"] for case in CASES])
def test_a_record_gives_the_state_that_a_careful_reader_finds(case, form):
    result = applied(case, FORMS[form])
    assert result, result.outcomes
    assert {found["id"]: found["state"] for found in result.criteria} == wanted(case)
    noticed = any(w.action_id == "noticed-inr" and w.verdict == "applicable" for w in result.why)
    assert noticed == case.get("noticed", False)
