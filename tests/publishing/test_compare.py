from decimal import Decimal

import pytest

from fhirpkg.publishing.compare import differences, digest, same

XHTML = 'xmlns="http://www.w3.org/1999/xhtml"'


def resource(**more):
    return {"resourceType": "PlanDefinition", "id": "a", **more}


def narrative(div):
    return resource(text={"status": "generated", "div": div})


ALIKE = {
    "a server's bookkeeping": (
        resource(meta={"profile": ["p"]}),
        resource(meta={"profile": ["p"], "versionId": "3", "lastUpdated": "2026", "source": "#x"}),
    ),
    "HealthLake's extensions": (
        resource(extension=[{"url": "http://example.org/ours"}]),
        resource(
            extension=[
                {"url": "http://healthlake.amazonaws.com/aws-cm/", "extension": []},
                {"url": "http://example.org/ours"},
            ]
        ),
    ),
    "HealthLake's extensions alone": (
        resource(),
        resource(extension=[{"url": "http://healthlake.amazonaws.com/aws-cm/status/"}]),
    ),
    "the order of keys": (resource(title="t", name="n"), resource(name="n", title="t")),
    "tags beyond ours, in any order": (
        resource(meta={"tag": [{"system": "s", "code": "b"}, {"system": "s", "code": "a"}]}),
        resource(meta={"tag": [{"system": "s", "code": c} for c in "xab"]}),
    ),
    "an exponent": (resource(x=Decimal("1E2")), resource(x=100)),
    "line breaks in base64": (resource(data="aGVs\nbG8="), resource(data="aGVsbG8=")),
    "quotes of attributes": (
        narrative(f"<div {XHTML}><p class='a'>it's</p></div>"),
        narrative(f'<div {XHTML}><p class="a">it\'s</p></div>'),
    ),
    "the order of attributes": (
        narrative(f'<div {XHTML} lang="en" xml:lang="en">a</div>'),
        narrative(f'<div xml:lang="en" {XHTML}  lang="en">a</div>'),
    ),
    "empty elements": (
        narrative(f"<div {XHTML}><br></br></div>"),
        narrative(f"<div {XHTML}><br /></div>"),
    ),
    "entities": (
        narrative(f"<div {XHTML}>a&nbsp;b&#233;</div>"),
        narrative(f"<div {XHTML}>a\u00a0b\u00e9</div>"),
    ),
    "comments and the blanks before them": (
        narrative(f"<div {XHTML}>a<!-- c --></div>"),
        narrative(f"<div {XHTML}>a    <!-- c --></div>"),
    ),
    "a namespace that was added": (narrative("<div>a</div>"), narrative(f"<div {XHTML}>a</div>")),
}
DIFFERENT = {
    "precision": (resource(x=Decimal("1.0")), resource(x=Decimal("1.00"))),
    "a number and its text": (resource(x=1), resource(x="1")),
    "the order of a list": (resource(x=["a", "b"]), resource(x=["b", "a"])),
    "a profile": (resource(meta={"profile": ["p"]}), resource()),
    "text that looks like markup": (
        narrative(f"<div {XHTML}>&lt;b&gt;</div>"),
        narrative(f"<div {XHTML}><b></b></div>"),
    ),
    "words of the narrative": (
        narrative(f"<div {XHTML}>one</div>"),
        narrative(f"<div {XHTML}>two</div>"),
    ),
    "a tag of ours that is gone": (
        resource(meta={"tag": [{"system": "s", "code": "a"}]}),
        resource(),
    ),
}


@pytest.mark.parametrize("ours, theirs", ALIKE.values(), ids=ALIKE)
def test_what_a_server_may_write_its_own_way_is_the_same(ours, theirs):
    assert same(ours, theirs)
    assert digest(ours) == digest(theirs)
    assert differences(ours, theirs) == []


@pytest.mark.parametrize("ours, theirs", DIFFERENT.values(), ids=DIFFERENT)
def test_what_means_something_else_is_not_the_same(ours, theirs):
    assert not same(ours, theirs)
    assert differences(ours, theirs)


def test_a_difference_tells_the_place_and_both_sides():
    ours = resource(action=[{"title": "Walk"}], version="1")
    theirs = resource(action=[{"title": "Run"}], extra=True)
    assert [str(d) for d in differences(ours, theirs)] == [
        "action[0].title: server has 'Run', content has 'Walk'",
        "version: server has nothing, content has '1'",
        "extra: server has 'true', content has nothing",
    ]


@pytest.mark.parametrize("shift", [0, 40, 300])
def test_both_sides_of_a_long_difference_are_cut_at_one_place(shift):
    before, after = "a" * (100 + shift), "b" * 50
    ours = resource(title=f"{before} morning {after}")
    theirs = resource(title=f"{before} evening, if need be {after}")
    (difference,) = differences(ours, theirs)
    server, content = str(difference).partition(": server has ")[2].split(", content has ")
    assert server.index("evening") == content.index("morning")


def test_a_difference_of_blanks_shows_them():
    (difference,) = differences(resource(title="a\nb"), resource(title="a b"))
    assert str(difference) == r"title: server has 'a b', content has 'a\nb'"


def test_a_digest_does_not_depend_on_labels_but_on_all_else():
    labelled = resource(meta={"tag": [{"system": "s", "code": "a"}], "profile": ["p"]})
    assert digest(labelled) == digest(resource(meta={"profile": ["p"]}))
    assert digest(labelled) != digest(resource())
