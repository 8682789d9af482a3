"""`$apply` by the text of R4: apply_cases.yaml holds definitions, what comes out, what is told."""

import base64
import datetime as dt
import pathlib

import pytest
import yaml

from fhirpkg.applying.application import apply
from fhirpkg.definitions.definitions import Definitions
from fhirpkg.fhirpath import Environment, compile_expression
from fhirpkg.repository import MemoryRepository

CASES = yaml.safe_load((pathlib.Path(__file__).parent / "apply_cases.yaml").read_text())
BASE = "http://example.org"
TYPES = Definitions.core().types
PATIENT = {"resourceType": "Patient", "id": "x"}
PARTIES = ["Patient/x", "Encounter/e", "Practitioner/d", "Organization/o"]


def with_logic(resource):
    """A resource whose libraries have their CQL as content."""
    made = dict(resource)
    if cql := made.pop("cql", None):
        data = base64.b64encode(cql.encode()).decode()
        made |= {"name": cql.split()[1], "content": [{"contentType": "text/cql", "data": data}]}
    if "contained" in made:
        made["contained"] = [with_logic(inner) for inner in made["contained"]]
    return made


def resource(name, elements):
    kind, identity = name.split("/")
    return {"resourceType": kind, "id": identity, "url": f"{BASE}/{name}"} | with_logic(elements)


def action(elements):
    """An action; the activity of a case by its id alone, with a version or without."""
    canonical = elements.get("definitionCanonical", "#")
    if canonical[0] == "#" or "/" in canonical:
        return elements
    return elements | {"definitionCanonical": f"{BASE}/ActivityDefinition/{canonical}"}


def applied(case):
    default = [{"title": "t", "definitionCanonical": "a"}] if "activity" in case else []
    actions = [action(elements) for elements in case.get("actions", default)]
    plan = resource("PlanDefinition/p", {"action": actions} | case.get("plan", {}))
    named = {"ActivityDefinition/a": case["activity"]} if "activity" in case else {}
    data = [{"resourceType": n.split("/")[0], "id": n.split("/")[1]} for n in PARTIES]
    data += [resource(name, elements) for name, elements in (named | case.get("more", {})).items()]
    given = dict(case.get("given", {}))
    given |= {"now": dt.datetime.fromisoformat(case["now"])} if "now" in case else {}
    subject = case.get("subject", "Patient/x")
    return apply(plan, subject, MemoryRepository(data), form="bundle", **given)


def found(bundle, expression):
    """The values of an expression that begins with a type, over all resources of a Bundle."""
    kind, _, rest = expression.partition(".")
    text = f"entry.resource.ofType({kind}).{rest}"
    environment = Environment(resource=bundle, root_resource=bundle)
    return compile_expression(text, TYPES).evaluate(bundle, environment)


@pytest.mark.parametrize("name", CASES)
def test_a_definition_gives_what_r4_says_and_what_is_lost_is_told(name):
    case = CASES[name]
    result = applied(case)
    bundle = {"resourceType": "Bundle", "entry": [{"resource": r} for r in result.resources]}
    wanted = case.get("holds", {})
    assert {expression: found(bundle, expression) for expression in wanted} == wanted
    told = [issue["diagnostics"] for o in result.outcomes for issue in o["issue"]]
    assert len(told) == len(case.get("told", [])), told
    for part, text in zip(case.get("told", []), told, strict=True):
        assert part in text
