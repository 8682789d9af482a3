"""What order sets from the wild taught of printing: drugs by reference, orders that fail."""

import pytest

from fhirpkg.render import clinical
from tests.cli.test_applied import action, activity, printed, under

__all__ = ["printed"]

TABLET = {"resourceType": "Medication", "id": "m", "code": {"text": "Citalopram 20 mg"}}


@pytest.mark.parametrize("contained", [True, False])
def test_a_drug_that_is_referred_to_is_named(printed, contained):
    drug = {"productReference": {"reference": "#m" if contained else "Medication/m"}}
    drug |= {"contained": [TABLET]} if contained else {}
    definition = activity("a", "MedicationRequest", **drug)
    lines = under(printed(action("Act", "a"), resources=[definition]), "+ Act")
    named = "Citalopram 20 mg" if contained else "Medication/m"
    assert lines[0] == f"order: MedicationRequest {named}"


def test_a_drug_beside_a_contained_definition_is_named(printed):
    definition = activity("a", "MedicationRequest", productReference={"reference": "#m"})
    lines = printed(action("Act", definitionCanonical="#a"), contained=[definition, TABLET])
    assert "order: MedicationRequest Citalopram 20 mg" in lines


@pytest.mark.parametrize("name", ["nowhere", "kindless"])
def test_an_action_whose_order_could_not_be_made_says_so_where_it_stands(printed, name):
    kindless = activity("kindless")
    del kindless["kind"]
    lines = printed(action("Act", name), action("Next"), resources=[kindless])
    assert under(lines, "+ Act")[0].startswith("NO ORDER could be made: ")
    assert not under(lines, "+ Next")[0].startswith("NO ORDER")


def test_many_failures_for_one_reason_are_one_line(printed):
    expression = {"language": "text/fhirpath", "expression": "%nobody"}
    values = [{"path": path, "expression": expression} for path in ("description", "title", "code")]
    lines = printed({"dynamicValue": values})
    (error,) = [line for line in lines if line.startswith("error")]
    assert error.endswith("(and 2 more for the same reason)")
    assert "+ (untitled)" in lines


def test_a_unit_that_is_an_annotation_is_read_without_its_braces():
    assert clinical.quantity({"value": 30, "code": "{tbl}"}) == "30 tbl"
