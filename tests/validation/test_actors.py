"""Actors of R5 and what they are derived from."""

import pytest

from fhirpkg.definitions.definitions import Definitions
from fhirpkg.definitions.terminology.valuesets import Terminology
from fhirpkg.validation.conformance.actors import check_actor
from fhirpkg.validation.run import Run

URL = "http://example.org/ActorDefinition/"


def actor(name, *bases, kind="system"):
    return {
        "resourceType": "ActorDefinition",
        "url": URL + name,
        "status": "draft",
        "type": kind,
        "derivedFrom": [URL + base for base in bases],
    }


@pytest.mark.parametrize(
    "known, found",
    [
        ([], []),
        ([actor("b")], []),
        ([actor("b", "c"), actor("c")], []),
        ([actor("b", kind="person")], ["actor-derived"]),
        ([actor("b", "a")], ["actor-derived"]),
        ([actor("b", "c"), actor("c", "a")], ["actor-derived"]),
        ([actor("b", "c"), actor("c", "b")], []),
    ],
)
def test_an_actor_is_derived_from_others_of_its_kind(known, found):
    mine = actor("a", "b")
    definitions = Definitions.core().with_resources(known)
    run = Run(mine, definitions, Terminology(definitions))
    check_actor(mine, (), run)
    assert [f.rule.id for f in run.findings] == found
    assert all(f.path == ("derivedFrom", 0) for f in run.findings)
