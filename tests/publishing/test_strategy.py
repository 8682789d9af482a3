from types import SimpleNamespace

import pytest

from fhirpkg.client.capabilities import Capabilities
from fhirpkg.publishing.writing.strategy import (
    Key,
    Portions,
    alternative,
    condition,
    refusals,
    strategy_for,
)
from fhirpkg.publishing.writing.writer import Writer
from tests.publishing.sample import canonical, document, release

ALL = ["read", "search-type", "update", "create"]
MEMBERS = release(canonical("PlanDefinition", "course"), document("leaflet")).members


def capabilities(system=(), **types):
    """What a server offers: type to interactions, or to a whole entry of the statement."""
    resources = []
    for name, given in types.items():
        more = given if isinstance(given, dict) else {"interaction": given}
        codes = [{"code": code} for code in more.get("interaction", ALL)]
        resources.append({"type": name, **more, "interaction": codes})
    interactions = [{"code": code} for code in system]
    rest = [{"mode": "server", "interaction": interactions, "resource": resources}]
    return Capabilities.of({"fhirVersion": "4.0.1", "rest": rest}, "http://x")


@pytest.mark.parametrize(
    "system, portions, size",
    [
        (["transaction", "batch"], Portions.TRANSACTION, 200),
        (["batch"], Portions.BATCH, 200),
        ([], Portions.SINGLE, 1),
    ],
)
def test_the_largest_portions_that_are_offered_are_taken(system, portions, size):
    found = strategy_for(capabilities(system), MEMBERS)
    assert (found.portions, found.size) == (portions, size)


def test_a_server_that_takes_no_ids_of_ours_is_written_to_by_condition():
    denied = capabilities(PlanDefinition={"updateCreate": False})
    assert strategy_for(denied, MEMBERS).key is Key.CONDITION
    assert strategy_for(capabilities(), MEMBERS).key is Key.ID


def test_every_rung_leads_to_single_requests():
    found = strategy_for(capabilities(["transaction"]), MEMBERS)
    lower = found.smaller()
    assert lower.portions is Portions.BATCH
    assert (lower.smaller().portions, lower.smaller().size) == (Portions.SINGLE, 1)
    assert lower.smaller().smaller() is None


def test_each_type_that_is_not_taken_has_its_reason():
    offered = capabilities(DocumentReference=["read", "search-type", "create"])
    assert refusals(offered, MEMBERS) == {
        "DocumentReference": "the server does not offer: update",
        "PlanDefinition": "the server does not know this type",
    }
    assert refusals(capabilities(PlanDefinition=ALL, DocumentReference=ALL), MEMBERS) == {}


def test_the_way_out_is_named_for_definitions_only():
    assert "CDS Hooks" in alternative(capabilities(), ["PlanDefinition"])
    assert alternative(capabilities(), ["DocumentReference"]) == ""


@pytest.mark.parametrize(
    "parameters, plan, leaflet",
    [
        (
            ["url", "version", "identifier"],
            "url=http%3A%2F%2Fexample.org%2Ffhir%2FPlanDefinition%2Fcourse&version=1.0.0",
            "identifier=urn%3Aexample%3Adocuments%7Cleaflet",
        ),
        (["url"], "url=http%3A%2F%2Fexample.org%2Ffhir%2FPlanDefinition%2Fcourse", ""),
        ([], "", ""),
    ],
)
def test_a_condition_uses_what_the_server_searches_by(parameters, plan, leaflet):
    entry = {"searchParam": [{"name": name} for name in parameters]}
    offered = capabilities(PlanDefinition=entry, DocumentReference=entry)
    assert [condition(offered, member) for member in MEMBERS] == [plan, leaflet]


def test_a_condition_may_be_by_identifier_alone():
    entry = {"searchParam": [{"name": name} for name in ("url", "version", "identifier")]}
    named = [{"system": "urn:x", "value": "course"}]
    members = release(
        canonical("PlanDefinition", "course", identifier=named),
        canonical("ActivityDefinition", "walk"),
    ).members
    offered = capabilities(PlanDefinition=entry, ActivityDefinition=entry)
    found = [condition(offered, member, by_identifier=True) for member in members]
    assert found == ["identifier=urn%3Ax%7Ccourse", ""]


@pytest.mark.parametrize("place", ["Library/1", "Library/zz", "Library/mine"])
def test_what_stands_elsewhere_than_it_asked_for_is_linked_by_where_it_stands(place):
    writer = SimpleNamespace(done={}, links={})
    done = SimpleNamespace(place=place)
    Writer._keep(writer, SimpleNamespace(local="Library/mine"), done)
    assert writer.done == {"Library/mine": done}
    assert writer.links == ({} if place == "Library/mine" else {"Library/mine": place})
