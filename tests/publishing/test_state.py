import pytest

from fhirpkg.publishing.bookkeeping.state import (
    Head,
    Inventory,
    Line,
    Phase,
    fitting_id,
    head_id,
    head_of,
    inventory_of,
    is_listed,
)

HEAD = Head("demo.walking", "1.0", "d" * 64, Phase.PUSHING, "me:1", "Library/a", "Library/b")


@pytest.mark.parametrize("resource_type", ["List", "Basic"])
def test_a_head_comes_back_from_its_resource(resource_type):
    head = Head(**{**fields(HEAD), "type": resource_type, "id": "x"})
    assert head_of(head.resource(), 3.0) == head


def fields(value):
    return {name: getattr(value, name) for name in value.__slots__}


def test_another_list_is_no_head():
    assert head_of({"resourceType": "List", "id": "a", "identifier": [{"value": "1"}]}, 0) is None


def test_a_write_of_the_head_is_never_without_effect():
    assert HEAD.next().resource() != HEAD.resource()


@pytest.mark.parametrize(
    "phase, age, held",
    [(Phase.PUSHING, 59, True), (Phase.PUSHING, 61, False), (Phase.INCOMPLETE, 1, False)],
)
def test_a_head_is_held_while_its_push_gives_signs_of_life(phase, age, held):
    assert Head(**{**fields(HEAD), "phase": phase, "age": age}).is_held is held


@pytest.mark.parametrize("resource_type", ["Library", "Binary"])
def test_an_inventory_comes_back_from_its_resource(resource_type):
    lines = {
        "PlanDefinition/a": Line("0" * 32, "PlanDefinition/a", "3"),
        "List/b": Line("1" * 32, "List/17", ""),
    }
    inventory = Inventory("demo", "1", "d" * 64, lines, "Library/z")
    assert inventory_of(inventory.resource(resource_type)) == inventory


def test_a_damaged_inventory_is_none():
    assert inventory_of({"resourceType": "Library", "content": [{"data": "AAAA"}]}) is None


def test_an_inventory_of_ten_thousand_lines_is_small():
    lines = {f"PlanDefinition/p{n}": Line(f"{n:064}", f"PlanDefinition/p{n}") for n in range(10000)}
    data = Inventory("demo", "1", "d" * 64, lines).resource("Library")["content"][0]["data"]
    assert len(data) < 300_000


def test_half_a_digest_is_enough_and_none_is_not():
    assert is_listed(Line("ab" * 16, "x"), "ab" * 32)
    assert not is_listed(Line("", "x"), "ab" * 32)


def test_a_long_name_gives_a_valid_id_of_its_own():
    one, other = head_id("a" * 80 + "b"), head_id("a" * 80 + "c")
    assert len(one) == len(other) == 64
    assert one != other


@pytest.mark.parametrize("length, is_kept", [(63, True), (64, True), (65, False)])
def test_an_id_is_shortened_only_where_fhir_has_no_room_for_it(length, is_kept):
    name = "a" * length
    assert (fitting_id(name) == name) is is_kept
    assert len(fitting_id(name)) <= 64
