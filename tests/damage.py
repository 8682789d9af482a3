"""Damaged JSON for tests: resources with something else in a few places."""

import copy

from hypothesis import strategies as st

JUNK = st.sampled_from(
    [None, 5, 1.5, True, "", "x", [], {}, [None], [5], ["x"], [[]], [{}], {"a": 1}]
)


def paths(value, kept=(), path=()):
    """The way to each place in JSON, the keys that are kept as they are left out."""
    steps = value.items() if isinstance(value, dict) else enumerate(value)
    for step, inner in steps:
        if step not in kept:
            yield (*path, step)
        if isinstance(inner, (dict, list)):
            yield from paths(inner, kept, (*path, step))


@st.composite
def damaged(draw, values, kept=("resourceType",)):
    """One of the values with junk in one to three places."""
    value = copy.deepcopy(draw(st.sampled_from(values)))
    for _ in range(draw(st.integers(1, 3))):
        *way, last = draw(st.sampled_from(list(paths(value, kept))))
        node = value
        for step in way:
            node = node[step]
        node[last] = copy.deepcopy(draw(JUNK))
    return value
