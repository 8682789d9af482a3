"""Membership, codes and displays from definitions alone."""

import gc

import pytest

from fhirpkg.definitions.definitions import Definitions
from fhirpkg.definitions.terminology.codesystems import CodeSystem, Concept
from fhirpkg.definitions.terminology.composition import Composition
from fhirpkg.definitions.terminology.contents import Contents
from fhirpkg.definitions.terminology.valuesets import Terminology
from fhirpkg.definitions.terminology.verdicts import YES, unknown

CORE = "http://hl7.org/fhir/ValueSet/"
ANIMALS = "http://example.org/animals"


def concept(code, *children, **properties):
    return {
        "code": code,
        "display": code.title(),
        "property": [{"code": k, **v} for k, v in properties.items()],
        "concept": list(children),
    }


SYSTEM = {
    "resourceType": "CodeSystem",
    "url": ANIMALS,
    "version": "1",
    "content": "complete",
    "concept": [
        concept(
            "animal",
            concept(
                "dog",
                concept("poodle", size={"valueString": "small"}),
                concept("mastiff", size={"valueString": "large"}),
            ),
            concept("dodo", inactive={"valueBoolean": True}),
            notSelectable={"valueBoolean": True},
        ),
        concept("plant", concept("fern")),
    ],
}
PART = {
    "resourceType": "CodeSystem",
    "url": "http://example.org/part",
    "content": "fragment",
    "concept": [{"code": "known"}],
}


def value_set(name, *include, exclude=(), **more):
    compose = {"include": list(include), "exclude": list(exclude), **more.pop("compose", {})}
    url = f"http://example.org/vs/{name}"
    return {"resourceType": "ValueSet", "url": url, "compose": compose, **more}


def clause(*filters, **more):
    keys = ("property", "op", "value")
    found = {"system": ANIMALS, **more}
    if filters:
        found["filter"] = [dict(zip(keys, f, strict=True)) for f in filters]
    return found


def terminology(*resources, server=None):
    return Terminology(Definitions.core().with_resources([SYSTEM, PART, *resources]), server)


def members(*include, exclude=(), **more):
    """What the value set holds, asked code by code; the listing must say the same."""
    made = value_set("under-test", *include, exclude=exclude, **more)
    asked = terminology(made)
    url = made["url"]
    every = ["animal", "dog", "poodle", "mastiff", "dodo", "plant", "fern"]
    found = [code for code in every if asked.membership(url, code, ANIMALS) == YES]
    assert asked.codes(url) == frozenset(found)
    return " ".join(found)


@pytest.mark.parametrize(
    "one, expected",
    [
        (("concept", "is-a", "dog"), "dog poodle mastiff"),
        (("concept", "descendent-of", "dog"), "poodle mastiff"),
        (("concept", "is-not-a", "animal"), "plant fern"),
        (("concept", "in", "dog, fern"), "dog fern"),
        (("concept", "not-in", "animal,dog,poodle,mastiff,dodo"), "plant fern"),
        (("concept", "generalizes", "poodle"), "animal dog poodle"),
        (("code", "regex", "p.*"), "poodle plant"),
        (("size", "=", "small"), "poodle"),
        (("size", "exists", "true"), "poodle mastiff"),
        (("size", "exists", "false"), "animal dog dodo plant fern"),
        (("size", "in", "small,large"), "poodle mastiff"),
        (("parent", "=", "plant"), "fern"),
        (("child", "=", "fern"), "plant"),
        (("display", "=", "Fern"), "fern"),
        (("inactive", "=", "true"), "dodo"),
    ],
)
def test_a_filter_selects_by_its_operator(one, expected):
    assert members(clause(one)) == expected


def test_all_filters_of_a_clause_must_hold():
    filters = [("concept", "is-a", "animal"), ("size", "=", "large")]
    assert members(clause(*filters)) == "mastiff"


def test_clauses_add_up_and_exclusions_take_away():
    include = [clause(("concept", "is-a", "dog")), clause(concept=[{"code": "fern"}])]
    exclude = [clause(concept=[{"code": "poodle"}])]
    assert members(*include, exclude=exclude) == "dog mastiff fern"


def test_a_whole_system_holds_all_its_codes():
    assert members(clause()) == "animal dog poodle mastiff dodo plant fern"


def test_an_abstract_code_is_in_the_sets_that_its_place_in_the_system_puts_it_in():
    asked = terminology(value_set("whole", clause()))
    assert asked.membership("http://example.org/vs/whole", "animal", ANIMALS).verdict == "yes"
    assert members(clause(concept=[{"code": "animal"}])) == "animal"


def test_inactive_codes_can_be_left_out():
    assert "dodo" not in members(clause(), compose={"inactive": False})


def test_value_sets_in_one_clause_are_intersected():
    dogs = value_set("dogs", clause(("concept", "is-a", "dog")))
    small = value_set("small", clause(("size", "=", "small")))
    both = value_set("both", {"valueSet": [dogs["url"], small["url"]]})
    asked = terminology(dogs, small, both)
    assert asked.codes(both["url"]) == {"poodle"}
    assert asked.membership(both["url"], "dog", ANIMALS).verdict == "no"


def test_a_code_without_system_may_be_of_any_system_of_the_set():
    two = value_set("two", clause(), {"system": PART["url"], "concept": [{"code": "known"}]})
    asked = terminology(two)
    assert asked.membership(two["url"], "known") == YES
    assert asked.membership(two["url"], "known", ANIMALS).verdict == "no"


def test_a_code_not_in_the_set_is_told_with_the_nearest_that_is():
    found = Terminology(Definitions.core()).membership(CORE + "administrative-gender", "femal")
    assert found.verdict == "no"
    assert "'female'" in found.reason


@pytest.mark.parametrize(
    "made, code, words",
    [
        (value_set("x", {"system": "http://example.org/part"}), "other", "fragment"),
        (value_set("x", {"system": "http://example.org/nowhere"}), "a", "no package holds"),
        (value_set("x", {"valueSet": ["http://example.org/vs/absent"]}), "a", "is not loaded"),
        (value_set("x", {"valueSet": ["http://example.org/vs/x"]}), "a", "includes itself"),
        (value_set("x", clause(("concept", "near", "dog"))), "dog", "cannot be evaluated"),
        (value_set("x", clause(("code", "regex", "("))), "dog", "cannot be evaluated"),
        ({"resourceType": "ValueSet", "url": "http://example.org/vs/x"}, "a", "neither"),
    ],
)
def test_what_cannot_be_known_is_said_and_not_listed(made, code, words):
    asked = terminology(made)
    system = made.get("compose", {}).get("include", [{}])[0].get("system", "")
    found = asked.membership(made["url"], code, system)
    assert found.verdict == "unknown"
    assert words in found.reason
    assert asked.codes(made["url"]) is None


def test_value_sets_that_multiply_are_looked_into_once():
    """Thirty sets that each name the next one twice would be a thousand million questions."""
    chain = [
        value_set(f"n{i}", *({"valueSet": [f"http://example.org/vs/n{i + 1}"]} for _ in "ab"))
        for i in range(30)
    ]
    last = value_set("n30", clause(concept=[{"code": "dog"}]))
    asked = terminology(*chain, last)
    assert asked.membership(chain[0]["url"], "cat", ANIMALS).verdict == "no"
    assert asked.codes(chain[0]["url"]) == {"dog"}


def test_a_chain_without_end_is_given_up():
    chain = [
        value_set(f"n{i}", {"valueSet": [f"http://example.org/vs/n{i + 1}"]}) for i in range(3000)
    ]
    assert "too deeply" in terminology(*chain).membership(chain[0]["url"], "a", "s").reason


def test_an_expansion_serves_where_the_definition_cannot_be_evaluated():
    contains = [{"system": "http://x.org", "code": "in", "contains": [{"code": "nested"}]}]
    made = value_set("x", {"system": "http://x.org"}, expansion={"contains": contains})
    asked = terminology(made)
    assert asked.membership(made["url"], "in", "http://x.org") == YES
    assert asked.membership(made["url"], "out", "http://x.org").verdict == "no"
    assert asked.codes(made["url"]) == {"in", "nested"}


@pytest.mark.parametrize("page", [{"total": 9}, {"offset": 10}, {"offset": 10, "total": 1}])
def test_a_page_of_an_expansion_says_nothing_of_the_rest(page):
    expansion = {**page, "contains": [{"system": "http://x.org", "code": "in"}]}
    made = value_set("x", {"system": "http://x.org"}, expansion=expansion)
    asked = terminology(made)
    assert asked.membership(made["url"], "out", "http://x.org").verdict == "unknown"
    assert asked.codes(made["url"]) is None


def test_a_contained_value_set_is_asked_itself():
    contained = {"resourceType": "ValueSet", "id": "mine", "compose": {"include": [clause()]}}
    assert terminology().membership(contained, "dog", ANIMALS) == YES


def test_a_fragment_names_a_value_set_that_a_resource_contains():
    own = {"resourceType": "ValueSet", "id": "mine", "compose": {"include": [clause()]}}
    others = [
        {"resourceType": "CodeSystem", "id": "mine"},
        {"resourceType": "ValueSet", "id": "other"},
    ]
    url = "http://example.org/holder"
    holder = {"resourceType": "Questionnaire", "url": url, "contained": [*others, own]}
    asked = terminology(holder)
    assert asked.membership(f"{url}#mine", "dog", ANIMALS) == YES
    assert asked.membership(f"{url}#none", "dog", ANIMALS).verdict == "unknown"


def test_a_code_system_goes_by_its_identifiers_too():
    named = SYSTEM | {"identifier": [{"value": "urn:oid:1.2.3"}, {"value": "urn:oid:1.2.4"}]}
    contents = Contents(Definitions.core().with_resources([named, PART]))
    assert contents.identified("urn:oid:1.2.4") == ANIMALS
    assert contents.identified("urn:oid:1.2.5") == ""


@pytest.mark.parametrize(
    "properties, inactive",
    [
        ({"inactive": ("true",)}, True),
        ({"inactive": (False,)}, False),
        ({"status": ("active",)}, False),
        ({"status": ("Retired",)}, True),
        ({"status": ("active", "inactive")}, True),
        ({}, False),
    ],
)
def test_a_code_is_inactive_by_its_property_or_its_status(properties, inactive):
    assert Concept("a", properties=properties).is_inactive is inactive


def test_lookup_gives_the_concept_with_what_is_said_of_it():
    asked = terminology()
    assert asked.lookup(ANIMALS, "animal").is_abstract
    assert asked.lookup(ANIMALS, "dodo").is_inactive
    assert not asked.lookup(ANIMALS, "dog").is_inactive
    assert asked.lookup(ANIMALS, "dog").parents == ("animal",)
    assert asked.lookup(ANIMALS, "doge").verdict == "no"
    assert asked.lookup(PART["url"], "doge").verdict == "unknown"
    assert isinstance(asked.lookup("urn:ietf:bcp:47", "de"), Concept)


def test_case_counts_unless_the_system_says_otherwise():
    folded = SYSTEM | {"url": "http://example.org/folded", "caseSensitive": False}
    asked = terminology(folded)
    assert asked.lookup(folded["url"], "DOG").code == "dog"
    assert asked.lookup(ANIMALS, "DOG").verdict == "no"


def test_displays_come_from_the_system_its_designations_and_supplements():
    supplement = {
        "resourceType": "CodeSystem",
        "url": "http://example.org/in-german",
        "content": "supplement",
        "supplements": ANIMALS + "|1",
        "concept": [{"code": "dog", "designation": [{"language": "de", "value": "Hund"}]}],
    }
    definitions = Definitions.core().with_resources([SYSTEM, supplement])
    assert Terminology(definitions).displays(ANIMALS, "dog") == ("Dog", "Hund")


def test_displays_come_from_what_a_value_set_lists_and_from_its_expansion():
    listed = clause(concept=[{"code": "dog", "display": "Good dog"}])
    contains = [
        {"system": ANIMALS, "code": "dog", "display": "Best dog"},
        {"system": "http://a.org", "code": "dog", "display": "Hot dog"},
        {"system": "http://z.org", "code": "dog", "display": "Sea dog"},
    ]
    made = value_set("x", listed, expansion={"contains": contains})
    found = terminology(made).listed_displays(made["url"], ANIMALS, "dog")
    assert sorted(found) == ["Best dog", "Good dog"]


@pytest.mark.parametrize(
    "system, verdict",
    [("http://unitsofmeasure.org", "yes"), ("http://example.org/units", "unknown")],
)
def test_only_units_of_ucum_are_compared_by_their_canonical_form(system, verdict):
    made = value_set("x", clause(("canonical", "=", "g"), system=system))
    assert terminology(made).membership(made["url"], "mg", system).verdict == verdict


def test_what_names_a_system_to_supplement_is_a_supplement_whatever_it_says_of_its_content():
    mistaken = SYSTEM | {"url": "http://example.org/more", "supplements": ANIMALS}
    asked = terminology(mistaken)
    assert asked.system(mistaken["url"]).content == "supplement"
    assert asked.lookup(mistaken["url"], "cat").verdict == "unknown"


def test_a_code_of_a_million_characters_is_told_in_few_words():
    huge = "x" * 1_000_000
    asked = terminology()
    for found in (asked.lookup(ANIMALS, huge), asked.membership(CORE + "languages", huge)):
        assert found.verdict == "no"
        assert len(found.reason) < 500


def test_a_server_is_asked_only_what_is_unknown_here():
    asked_for = []

    def server(value_set, code, system, version):
        asked_for.append((value_set, code, system, version))
        return YES

    asked = terminology(server=server)
    snomed = "http://snomed.info/sct"
    assert asked.membership(CORE + "condition-code", "94222008", snomed) == YES
    assert asked.membership(CORE + "administrative-gender", "male") == YES
    assert isinstance(asked.lookup("http://example.org/part", "other"), Concept)
    assert asked_for == [
        (CORE + "condition-code", "94222008", snomed, None),
        (None, "other", "http://example.org/part", None),
    ]


def test_an_answer_does_not_depend_on_what_was_asked_before():
    loop = [
        value_set(
            "a", {"valueSet": ["http://example.org/vs/b"]}, clause(concept=[{"code": "dog"}])
        ),
        value_set("b", {"valueSet": ["http://example.org/vs/a"]}),
    ]
    first, second = terminology(*loop), terminology(*loop)
    url_a, url_b = loop[0]["url"], loop[1]["url"]
    forwards = [first.membership(u, "dog", ANIMALS) for u in (url_a, url_b)]
    backwards = [second.membership(u, "dog", ANIMALS) for u in (url_b, url_a)]
    assert forwards == backwards[::-1] == [YES, YES]
    assert unknown("").verdict == first.membership(url_b, "cat", ANIMALS).verdict


def test_media_types_are_known_by_the_name_that_expressions_are_bound_to():
    terminology = Terminology(Definitions.core())
    bound = "http://www.rfc-editor.org/bcp/bcp13.txt"
    assert terminology.membership(bound, "text/cql").verdict == "yes"
    assert terminology.membership(bound, "no media type").verdict == "no"


def test_few_of_the_value_sets_and_code_systems_that_were_looked_into_are_remembered():
    systems = [SYSTEM | {"url": f"{ANIMALS}/{n}"} for n in range(1200)]
    sets = [value_set(str(n), {"system": each["url"]}) for n, each in enumerate(systems)]
    asked = terminology(*systems, *sets)
    before = held(Composition, CodeSystem)
    for one, system in [*zip(sets, systems, strict=True), (sets[0], systems[0])]:
        assert asked.membership(one["url"], "dog", system["url"]) == YES
        assert asked.any_in(one["url"], [(ANIMALS, "dog"), (system["url"], "fern")]) == YES
        assert "plant" in asked.codes(one["url"])
    assert held(Composition, CodeSystem) - before <= 1000, "not the 2400 that were asked for"


def held(*types):
    """How many objects of some types there are."""
    gc.collect()
    return sum(isinstance(each, types) for each in gc.get_objects())
