from hypothesis import given
from hypothesis import strategies as st

from fhirpkg.publishing.writing.order import chunks, halves, levels, rings
from tests.publishing.sample import canonical, release


def members(links):
    """Members by their number, each referring to the numbers given."""
    listed = [
        canonical("List", str(n), entry=[{"item": {"reference": f"List/{m}"}} for m in needed])
        for n, needed in links.items()
    ]
    return release(*listed).members


def ids(groups):
    return [[member.id for member in group] for group in groups]


def test_what_is_needed_comes_first_and_rings_stay_together():
    assert ids(rings(members({1: [2], 2: [3], 3: [], 4: [5], 5: [4]}))) == [
        ["3"],
        ["2"],
        ["1"],
        ["4", "5"],
    ]


def test_a_long_chain_needs_no_recursion():
    chain = members({n: [n + 1] for n in range(3000)})
    assert len(rings(chain)) == 3000


def test_a_ring_larger_than_a_portion_is_not_divided():
    ring = members({n: [(n + 1) % 5] for n in range(5)})
    assert [len(group) for group in chunks(ring, 2)] == [5]
    assert len(halves(ring)) == 1


GRAPHS = st.dictionaries(
    st.integers(0, 12), st.lists(st.integers(0, 12), max_size=4), min_size=1, max_size=12
)


@given(GRAPHS, st.integers(1, 5))
def test_every_group_is_closed_over_itself_and_what_came_before(links, size):
    listed = members(links)
    there = {member.local for member in listed}
    for divided in (chunks(listed, size), halves(listed)):
        seen: set[str] = set()
        for group in divided:
            seen |= {member.local for member in group}
            assert all(set(member.references) & there <= seen for member in group)
        assert seen == there
        assert sum(len(group) for group in divided) == len(listed)


@given(GRAPHS, st.integers(1, 5))
def test_a_level_refers_only_to_earlier_ones_but_for_rings(links, size):
    listed = members(links)
    there = {member.local for member in listed}
    rounds = {m.local: [n.local for n in ring] for ring in rings(listed) for m in ring}
    seen: set[str] = set()
    for group in levels(listed, size):
        for member in group:
            others = set(member.references) & there - set(rounds[member.local])
            assert others <= seen
        seen |= {member.local for member in group}
        assert len(group) <= size
    assert seen == there
