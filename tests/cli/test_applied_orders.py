"""What order sets from the wild taught of printing: drugs by reference, orders that fail."""

import pytest

from fhirpkg.errors import DefinitionError
from fhirpkg.render import clinical, times
from tests.cli.test_applied import action, activity, only_if, printed, under

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
    assert times.quantity({"value": 30, "code": "{tbl}"}) == "30 tbl"


PLACE = {"resourceType": "Location", "id": "setting", "name": "Day surgery"}
KIT = {"resourceType": "Device", "id": "kit", "deviceName": [{"name": "Probe", "type": "other"}]}


def test_a_place_that_a_definition_contains_is_called_by_its_name(printed):
    definition = activity("a", contained=[PLACE], location={"reference": "#setting"})
    lines = under(printed(action("Act", "a"), resources=[definition]), "+ Act")
    assert "where: Day surgery" in lines
    assert not any("#setting" in line for line in lines)


def test_a_place_beside_a_contained_definition_is_called_by_its_name(printed):
    definition = activity("a", location={"reference": "#setting"})
    lines = printed(action("Act", definitionCanonical="#a"), contained=[definition, PLACE])
    assert "where: Day surgery" in lines


@pytest.mark.parametrize(
    "request_, others, words",
    [
        ({"codeReference": {"reference": "#kit"}, "contained": [KIT]}, {}, "Probe"),
        ({"itemReference": {"reference": "Device/kit"}}, {"Device/kit": KIT}, "Probe"),
        ({"itemReference": {"reference": "http://x.org/Device/kit"}}, {"Device/kit": KIT}, "Probe"),
        ({"codeReference": {"reference": "#kit", "display": "A kit"}}, {}, "A kit"),
        ({"codeReference": {"reference": "Device/far"}}, {}, "Device/far"),
        ({"medicationReference": {"reference": "#m"},
          "contained": [{"resourceType": "Medication", "id": "m", "form": {"text": "syrup"}}]},
         {}, "syrup"),
        ({"itemReference": {"reference": "#b"},
          "contained": [{"resourceType": "Device", "id": "b"}]}, {}, "Device"),
    ],
)  # fmt: skip
def test_what_a_request_refers_to_has_its_name(request_, others, words):
    found = clinical.orders({"resourceType": "DeviceRequest", **request_}, others)
    assert next(found) == f"order: DeviceRequest {words}"


def test_an_action_without_words_is_called_by_what_defines_it(printed):
    definition = activity("a", title="Blood count")
    bare = {"definitionCanonical": definition["url"]}
    never = {**bare, **only_if("false")}
    lines = printed(bare, never, resources=[definition])
    assert "+ Blood count" in lines
    assert any(line.startswith("- Blood count: ") for line in lines)


def test_an_action_is_related_to_one_that_was_not_evaluated_by_its_title(printed):
    related = [{"actionId": "r", "relationship": "before-start"}]
    report = action("Report", id="r", **only_if("%nobody.exists()"))
    lines = printed(action("Measure", relatedAction=related), report)
    assert under(lines, "+ Measure") == ["when: before the start of Report"]


def test_content_that_is_not_fhir_is_an_error_with_its_place(printed):
    goal = {"description": {"text": "Spray"}, "target": [{"due": "2021-04-14"}]}
    with pytest.raises(DefinitionError, match="dueDuration: this must be an object"):
        printed(action("Act"), goal=[goal])
