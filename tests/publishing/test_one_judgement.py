"""What servers change: the same for plan, push and verify, or shown by all of them."""

import copy
from decimal import Decimal

import pytest

from fhirpkg.publishing.planning import make_plan
from fhirpkg.publishing.proving.verify import verify
from fhirpkg.publishing.survey import Change
from tests.publishing.sample import XHTML, canonical, client, publish, release
from tests.publishing.test_altered import altering
from tests.servers.habits import server_like
from tests.servers.scripted import scripted

A, B = ({"system": "http://example.org/labels", "code": code, "display": code} for code in "ab")
META = {"profile": ["http://example.org/p1", "http://example.org/p2"], "tag": [A, B]}
SECRET = {"security": [A, B]}
WORDS = f"<div {XHTML}>\n <p>One <b>two</b> <i>three</i></p>\n</div>"
TYPED = f"<div {XHTML}><pre>a  b</pre></div>"
GOAL = {"goal": [{"description": {"coding": [{"code": "g"}]}}]}
ENTRY = {"fullUrl": "urn:uuid:6c3c1c5e-2f0c-4b8e-9a55-3f7d0f0c9d11",
         "resource": {"resourceType": "Patient", "id": "p"}}  # fmt: skip


def narrative(div):
    return {"text": {"status": "generated", "div": div}}


def subject(reference):
    return {"resourceType": "Basic", "id": "r", "code": {"text": "r"},
            "subject": {"reference": reference}}  # fmt: skip


def reference(change):
    """The reference as a server at `base` gives it back."""

    def changed(resource, base):
        resource["subject"]["reference"] = change(resource["subject"]["reference"], base)

    return changed


def plan(**more):
    return canonical("PlanDefinition", "r", **more)


def setting(**more):
    return lambda resource, _: resource.update(more)


def meta(change):
    return lambda resource, _: change(resource["meta"])


def in_meta(**more):
    return lambda resource, _: resource["meta"].update(more)


def div(old, new):
    def changed(resource, _):
        assert old in resource["text"]["div"]
        resource["text"]["div"] = resource["text"]["div"].replace(old, new)

    return changed


def quantity(value):
    amount = {"resourceType": "Observation", "id": "r", "status": "final", "code": {"text": "c"}}
    return amount | {"valueQuantity": {"value": value}}


HAPIS = {"url": "http://hapifhir.io/fhir/StructureDefinition/resource-meta-source", "valueUri": "x"}
SAME = {
    "profiles in another order": (plan(meta=META), meta(lambda m: m["profile"].reverse())),
    "a profile once that was given twice": (
        plan(meta=META | {"profile": ["http://example.org/p1"] * 2}),
        in_meta(profile=["http://example.org/p1"]),
    ),
    "tags in another order": (plan(meta=META), meta(lambda m: m["tag"].reverse())),
    "the display of a tag": (plan(meta=META), meta(lambda m: m["tag"][0].update(display="A!"))),
    "security labels in another order": (
        plan(meta=META | SECRET),
        meta(lambda m: m["security"].reverse()),
    ),
    "a source": (plan(meta=META), in_meta(source="#x7")),
    "blanks between blocks": (plan(**narrative(WORDS)), div("\n", "")),
    "runs of blanks": (plan(**narrative(WORDS)), div("One ", "One\n    ")),
    "its base before a reference": (
        subject("Patient/p"),
        reference(lambda given, base: f"{base}/{given}"),
    ),
    "what a condition led to": (
        subject("Patient?identifier=http://example.org|1"),
        reference(lambda *_: "Patient/17"),
    ),
    "UTC in figures": (
        plan(date="2026-01-02T03:04:05Z"),
        setting(date="2026-01-02T03:04:05+00:00"),
    ),
    "a fraction without zeros": (
        plan(date="2026-01-02T03:04:05.120+01:00"),
        setting(date="2026-01-02T03:04:05.12+01:00"),
    ),
    "an extension by which HAPI keeps a source": (plan(), setting(extension=[HAPIS])),
}
DIFFERENT = {
    "a decimal without its zeros": (quantity(Decimal("1.0")), setting(valueQuantity={"value": 1})),
    "a time in another zone": (
        plan(date="2026-01-02T03:04:05+01:00"),
        setting(date="2026-01-02T02:04:05Z"),
    ),
    "an extension that is nobody's habit": (
        plan(),
        setting(extension=[{"url": "http://example.org/x", "valueCode": "x"}]),
    ),
    "another id of what is contained": (
        plan(contained=[{"resourceType": "Patient", "id": "one"}]),
        setting(contained=[{"resourceType": "Patient", "id": "1"}]),
    ),
    "a text of codes": (plan(**GOAL), lambda r, _: r["goal"][0]["description"].update(text="G")),
    "a display of a code": (
        plan(**GOAL),
        lambda r, _: r["goal"][0]["description"]["coding"][0].update(display="G"),
    ),
    "the full url of an entry": (
        {"resourceType": "Bundle", "id": "r", "type": "collection", "entry": [ENTRY]},
        lambda r, base: r["entry"][0].update(fullUrl=f"{base}/Patient/p"),
    ),
    "another server's base before a reference": (
        subject("Patient/p"),
        reference(lambda given, _: f"http://example.org/fhir/{given}"),
    ),
    "a version in a reference": (
        subject("Patient/p"),
        reference(lambda given, _: f"{given}/_history/1"),
    ),
    "words that run together": (plan(**narrative(WORDS)), div("</b> <i>", "</b><i>")),
    "blanks in what is shown as typed": (plan(**narrative(TYPED)), div("a  b", "a b")),
    "a security label less": (plan(meta=SECRET), meta(lambda m: m["security"].pop())),
    "parts in another order": (
        plan(action=[{"title": "a"}, {"title": "b"}]),
        lambda r, _: r["action"].reverse(),
    ),
}
CASES = {name: (*case, True) for name, case in SAME.items()}
CASES |= {name: (*case, False) for name, case in DIFFERENT.items()}


@pytest.mark.parametrize("given, change, is_same", CASES.values(), ids=CASES)
def test_what_a_server_makes_of_a_resource_is_judged_alike_by_all(server, given, change, is_same):
    place = f"{given['resourceType']}/{given['id']}"
    content = release(given)
    written = altering(lambda resource: change(resource, proxy.base_url))
    with scripted(server_like(written), server) as proxy, client(proxy.base_url) as connected:
        assert publish(proxy.base_url, content).is_complete
        (item,) = make_plan(content, connected).items
        found = verify(content, connected)
        assert (item.change, not item.why, bool(found)) == (Change.UNCHANGED, is_same, is_same)
        assert list(item.differences) == found.altered.get(place, [])
        before = len(proxy.writes)
        assert publish(proxy.base_url, content).unchanged == 1
        assert len(proxy.writes) == before


LATER = {name: case for name, case in CASES.items() if name != "what a condition led to"}


@pytest.mark.parametrize("given, change, is_same", LATER.values(), ids=LATER)
def test_what_is_changed_later_is_shown_if_it_is_not_the_same(server, given, change, is_same):
    place = f"{given['resourceType']}/{given['id']}"
    content = release(given)
    with client(server) as connected:
        assert publish(server, content).is_complete
        now = copy.deepcopy(connected.read(*place.split("/")))
        change(now, server)
        assert connected.request("PUT", place, body=now).worked
        (item,) = make_plan(content, connected).items
        found = verify(content, connected)
    assert (item.change is Change.UNCHANGED, bool(found)) == (is_same, is_same)
    assert list(item.differences) == found.altered.get(place, [])
    # Labels are no part of what was published (servers keep and drop them), so they are set again.
    labels = all("meta.security" in each for each in item.differences)
    assert is_same or item.change is (Change.UPDATE if labels else Change.DRIFT)
