"""Plans for tests: small ones by hand, any by hypothesis, and the official examples."""

import json
import pathlib

from hypothesis import strategies as st

ROOT = pathlib.Path(__file__).parent.parent.parent
OURS = json.loads(
    (ROOT / "resources/cpt-20983/fhir/PlanDefinition-BoneTumorCryoablationPlan.json").read_text()
)
EXAMPLES = sorted(
    (ROOT / ".examples/hl7.fhir.r4.examples#4.0.1/package").glob("PlanDefinition-*.json")
)


def plan(*actions, **more):
    return {"resourceType": "PlanDefinition", "title": "A plan", "action": list(actions), **more}


def step(name, *parts, **more):
    """An action whose id is its title."""
    return {"id": name, "title": name, **({"action": list(parts)} if parts else {}), **more}


def after(*names, how="after-end", **more):
    return {"relatedAction": [{"actionId": n, "relationship": how, **more} for n in names]}


WORDS = st.text(max_size=60) | st.text("abc DEF.", max_size=2000) | st.text("漢字かな", max_size=80)
IDS = st.sampled_from(["a", "b", "c", "d", "e", ""])
RELATED = st.fixed_dictionaries(
    {"actionId": IDS},
    optional={
        "relationship": st.sampled_from(
            ["before-start", "before-end", "after-end", "after-start", "concurrent", "odd"]
        ),
        "offsetDuration": st.just({"value": 2, "unit": "h"}),
    },
)
FACTS = {
    "id": IDS,
    "title": WORDS,
    "description": WORDS,
    "selectionBehavior": st.sampled_from(
        ["any", "all", "all-or-none", "exactly-one", "at-most-one", "one-or-more"]
    ),
    "requiredBehavior": st.sampled_from(["must", "could", "must-unless-documented"]),
    "cardinalityBehavior": st.sampled_from(["single", "multiple"]),
    "priority": st.sampled_from(["routine", "stat"]),
    "relatedAction": st.lists(RELATED, max_size=4),
    "condition": st.lists(
        st.fixed_dictionaries({"kind": st.just("start"), "expression": st.fixed_dictionaries(
            {"description": WORDS})}),
        max_size=2,
    ),
    "participant": st.lists(
        st.fixed_dictionaries({"role": st.fixed_dictionaries({"text": WORDS})}), max_size=3
    ),
    "timingDuration": st.just({"value": 3, "unit": "wk"}),
}  # fmt: skip
LEAVES = st.fixed_dictionaries({}, optional=FACTS)
ACTIONS = st.recursive(
    LEAVES,
    lambda inner: st.fixed_dictionaries(
        {"action": st.lists(inner, max_size=5)}, optional=FACTS
    ),
    max_leaves=15,
)  # fmt: skip
PLANS = st.builds(lambda actions: plan(*actions), st.lists(ACTIONS, max_size=6))

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(
        st.sampled_from(["value", "repeat", "text", "coding", "low", "actionId", "role", "action"]),
        inner, max_size=3,
    ),
    max_leaves=6,
)  # fmt: skip
ODD_PLANS = st.dictionaries(
    st.sampled_from(["title", "contained", "action"]),
    VALUES | st.lists(st.dictionaries(
        st.sampled_from([*FACTS, "action", "trigger", "code", "definitionCanonical"]), VALUES
    ), max_size=3),
)  # fmt: skip
"""Plans that are wrong in structure at any place."""
