"""Parameters of logic that come from a command line or from the context of a hook."""

import base64
import json

import pytest
from click.testing import CliRunner

from fhirpkg.applying.given import of_orders, of_words
from fhirpkg.applying.hooks.responses import respond
from fhirpkg.applying.hooks.services import services
from fhirpkg.cli.apply import command
from fhirpkg.errors import ConfigError
from fhirpkg.fhirpath.temporal import Temporal
from fhirpkg.repository import MemoryRepository
from tests.applying.test_hooks import PATIENT, request

BASE = "http://example.org"
DRUG = {"resourceType": "MedicationRequest", "id": "m", "status": "draft"}
TEST = {"resourceType": "ServiceRequest", "id": "s", "status": "draft"}
LOGIC = """
library Logic
using FHIR version '4.0.1'
parameter ContextPrescriptions List<MedicationRequest>
parameter "Context Tests" List<FHIR.ServiceRequest>
parameter Limit Integer
parameter Kept List<MedicationRequest> default {}
context Patient
define "Some drug": exists ContextPrescriptions
define "Few": Count(ContextPrescriptions) < Limit
define "Kept some": exists Kept
"""


def library(text=LOGIC, **more):
    data = base64.b64encode(text.encode()).decode()
    made = {"resourceType": "Library", "id": "l", "url": f"{BASE}/Library/l", "name": "Logic"}
    return made | {"content": [{"contentType": "text/cql", "data": data}]} | more


def plan(text, **more):
    expression = {"language": "text/cql-identifier", "expression": text}
    event = {"type": "named-event", "name": "order-sign"}
    action = {"title": "A", "trigger": [event]}
    action["condition"] = [{"kind": "applicability", "expression": expression}]
    made = {"resourceType": "PlanDefinition", "id": "p", "library": [f"{BASE}/Library/l"]}
    return made | {"action": [action]} | more


def test_lists_of_orders_are_those_of_the_hook():
    found = of_orders(plan("x"), [DRUG, TEST], MemoryRepository([library()]))
    assert found["ContextPrescriptions"] == [DRUG]
    assert found["draftOrders"] == [DRUG, TEST]
    assert "Limit" not in found
    assert "Kept" not in found


@pytest.mark.parametrize(
    "use, most, bound", [("in", "*", True), ("out", "*", False), ("in", "1", False)]
)
def test_a_parameter_that_a_library_declares_is_bound(use, most, bound):
    declared = {"name": "Orders", "use": use, "max": most, "type": "MedicationRequest"}
    found = of_orders(plan("x"), [DRUG], MemoryRepository([library("", parameter=[declared])]))
    assert ("Orders" in found) == bound


@pytest.mark.parametrize("orders, cards", [([DRUG], ["A"]), ([TEST], []), ([], [])])
def test_the_cards_of_order_sign_hang_on_the_orders_that_are_signed(orders, cards):
    definition = plan("Some drug")
    repository = MemoryRepository([definition, library()])
    body = request("order-sign", prefetch={"patient": PATIENT})
    entries = [{"resource": order} for order in orders]
    body["context"]["draftOrders"] = {"resourceType": "Bundle", "entry": entries}
    answer = respond("p-order-sign", body, services([definition], repository), repository)
    assert [card["summary"] for card in answer["cards"]] == cards


@pytest.mark.parametrize("limit, mark", [("2", "+"), ("1", "-"), (None, "?")])
def test_a_parameter_can_be_given_to_apply(tmp_path, limit, mark):
    prescriptions = f"ContextPrescriptions={json.dumps(DRUG)}"
    entries = [{"resource": r} for r in (PATIENT, library(), plan("Few"))]
    bundle = {"resourceType": "Bundle", "type": "collection", "entry": entries}
    (tmp_path / "data.json").write_text(json.dumps(bundle))
    options = [
        "--subject",
        "x",
        "--data",
        str(tmp_path / "data.json"),
        "--parameter",
        prescriptions,
    ]
    options += ["--parameter", f"Limit={limit}"] if limit else []
    printed = CliRunner().invoke(command, ["PlanDefinition/p", *options]).stdout
    assert f"\n  {mark} A" in printed
    assert ("'Limit' of Logic was not given" in printed) == (limit is None)


VALUES = [
    ("A=3", 3),
    ("A = 'text'", "text"),
    ("A=true", True),
    ("A=@2026-01-31", Temporal.parse("date", "2026-01-31")),
    ('A={"resourceType": "Patient"}', {"resourceType": "Patient"}),
    ("A='a=b'", "a=b"),
]


@pytest.mark.parametrize("text, value", VALUES)
def test_a_value_is_written_as_in_cql(text, value):
    assert of_words([text]) == {"A": value}


@pytest.mark.parametrize("text", ["A", "=3", "A=text", "A=", 'A={"resourceType": '])
def test_what_is_no_value_is_wrong_use(text):
    with pytest.raises(ConfigError, match="--parameter"):
        of_words([text])
