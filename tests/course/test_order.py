"""What comes before what: no more arrows than needed, circles in words, rails that do not meet."""

import itertools

from hypothesis import given
from hypothesis import strategies as st

from fhirpkg.course.order import in_circles, rails, reduced, sequence
from fhirpkg.course.reading import course
from tests.course.plans import after, plan, step

DOWNWARDS = st.sets(
    st.tuples(st.integers(0, 8), st.integers(0, 8)).filter(lambda pair: pair[0] < pair[1])
)
ANY = st.sets(st.tuples(st.integers(0, 6), st.integers(0, 6)))


def reachable(pairs):
    found = set(pairs)
    for middle, first, last in itertools.product(range(9), repeat=3):
        if (first, middle) in found and (middle, last) in found:
            found.add((first, last))
    return found


@given(DOWNWARDS)
def test_reduced_arrows_say_the_same_and_none_can_go(pairs):
    kept = reduced(9, pairs)
    assert reachable(kept) == reachable(pairs)
    assert all(pair not in reachable(kept - {pair}) for pair in kept)


@given(ANY)
def test_circles_are_those_that_come_before_themselves(pairs):
    found = reachable(pairs)
    assert in_circles(7, pairs) == {node for node in range(7) if (node, node) in found}


@given(DOWNWARDS, st.lists(st.integers(0, 9), min_size=9, max_size=9))
def test_a_sequence_keeps_the_order_and_forgets_nobody(pairs, ranks):
    found = sequence(ranks, pairs)
    assert sorted(found) == list(range(9))
    assert all(found.index(first) < found.index(second) for first, second in pairs)


@given(DOWNWARDS)
def test_rails_and_straight_arrows_are_all_arrows_and_no_more(pairs):
    straight, beside = rails(pairs)
    drawn = [*straight, *((a, b) for rail in beside for a in rail.starts for b in rail.ends)]
    assert sorted(drawn) == sorted(pairs)
    for one, other in itertools.combinations(beside, 2):
        if one.column == other.column:
            assert one.ends[-1] <= other.starts[0] or other.ends[-1] <= one.starts[0]


def arrows(*actions):
    """Titles of what comes before what, and the notes of time."""
    whole = course(plan(*actions), lambda _: None).whole
    names = {(whole.steps[a].title, whole.steps[b].title) for a, b in whole.arrows}
    return names, {(s.title, n.text) for s in whole.walk() for n in s.notes if n.label == "When"}


def test_before_and_after_are_the_same_arrow():
    assert arrows(step("a", **after("b", how="before-start")), step("b")) == ({("a", "b")}, set())
    assert arrows(step("a"), step("b", **after("a", how="after-start"))) == ({("a", "b")}, set())


def test_what_follows_from_other_arrows_is_not_drawn():
    assert arrows(step("a"), step("b", **after("a")), step("c", **after("a", "b"))) == (
        {("a", "b"), ("b", "c")}, set(),
    )  # fmt: skip


def test_distance_and_company_are_words():
    far = after("a", offsetDuration={"value": 2, "unit": "h"})
    assert arrows(step("a"), step("b", **far)) == (
        {("a", "b")}, {("b", "2 h after the end of 'a'")},
    )  # fmt: skip
    assert arrows(step("a"), step("b", **after("a", how="concurrent"))) == (
        set(), {("b", "during 'a'")},
    )  # fmt: skip


def test_circles_are_said_and_not_drawn():
    actions = step("a", **after("b")), step("b", **after("a")), step("c", **after("b"))
    found = course(plan(*actions), lambda _: None)
    assert "'a', 'b'" in found.remarks[0]
    names, words = arrows(*actions)
    assert names == {("b", "c")}
    assert words == {("a", "after 'b'"), ("b", "after 'a'")}


def test_an_unknown_action_is_named():
    (_, words) = arrows(step("a", **after("nowhere")))
    assert next(iter(words))[1] == "after the end of 'nowhere', which this plan does not have"


def test_relations_of_r5_are_read():
    later = {"relatedAction": [{"targetId": "l", "relationship": "after"}]}
    names, _ = arrows({"title": "a", "linkId": "l"}, step("b", **later))
    assert names == {("a", "b")}


def test_of_actions_with_one_id_the_one_beside_is_meant():
    names, _ = arrows(step("g", step("x")), step("x"), step("b", **after("x")))
    assert names == {("x", "b")}


def test_a_relation_across_groups_puts_these_in_order_and_is_said():
    names, words = arrows(step("late", step("b", **after("a"))), step("early", step("a")))
    assert names == set()
    assert words == {("b", "after the end of 'a'")}
    whole = course(
        plan(step("late", step("b", **after("a"))), step("early", step("a"))), lambda _: None
    ).whole
    assert [part.title for part in whole.steps] == ["early", "late"]


def test_a_tangle_is_said_in_words():
    layers = [[step(f"{layer}.{n}", **(after(*(f"{layer - 1}.{m}" for m in range(12) if m != n))
               if layer else {})) for n in range(12)] for layer in range(2)]  # fmt: skip
    names, words = arrows(*layers[0], *layers[1])
    assert names == set()
    assert len(words) == 12 * 11
