"""Public reports of what went wrong with other publishers, rebuilt: each with what should happen.

The numbers and sources are those of the table in the trial that collected them; what servers do is
played by habits in front of the embedded one. Reports 24 to 26 are about servers: their tests are
in tests/server (planning, capabilities, search).
"""

import json
import re

import pytest

from fhirpkg.cli import _run
from fhirpkg.publishing.bookkeeping.state import Versions
from fhirpkg.publishing.planning import make_plan
from fhirpkg.publishing.proving.verify import verify
from fhirpkg.publishing.prune import prune
from fhirpkg.publishing.survey import Change
from tests.publishing.sample import canonical, client, document, publish, release, state
from tests.servers import faults, habits, vendors
from tests.servers.habits import is_transaction, server_like, with_body
from tests.servers.scripted import Reply, scripted
from tests.servers.vendors import MEDPLUM, throttles_later_entries

REFERENCE = re.compile(r'"reference": "([^"]+)"')


def written_out(folder, *listed, name=None):
    """A folder of JSON, with package.json when it has a name; its path."""
    folder.mkdir(parents=True)
    for number, each in enumerate(listed):
        (folder / f"{number}.json").write_text(json.dumps(each))
    if name:
        facts = {"name": name, "version": "1.0.0", "dependencies": {"hl7.fhir.r4.core": "4.0.1"}}
        (folder / "package.json").write_text(json.dumps(facts))
    return str(folder)


def refuses(check, words):
    """A server that refuses resources by a rule of its own, in a transaction the whole of it."""

    def habit(request, forward):
        bundle = request.resource if request.method in {"POST", "PUT"} else None
        entries = (bundle or {}).get("entry") or [{"resource": bundle}]
        if any(check(entry["resource"]) for entry in entries if entry.get("resource")):
            return habits.outcome(400, words)
        return forward(request)

    return habit


def leads_nowhere(request, forward):
    """A server with referential integrity: every literal reference must lead to something."""
    if not is_transaction(request):
        return forward(request)
    bundle = request.resource
    sent = {e["request"]["url"] for e in bundle["entry"]}
    root = request.path.rstrip("/")
    for target in set(REFERENCE.findall(json.dumps(bundle))) - sent:
        if forward(type(request)("GET", f"{root}/{target}", {}, b"")).status != 200:
            return habits.outcome(400, f"HAPI-1094: Resource {target} not found", "processing")
    return forward(request)


def count(base_url, resource_type):
    with client(base_url) as connected:
        return connected.count(resource_type, [])


def test_1_the_same_push_four_times_writes_once(server):
    """brianpos/UploadFIG#10."""
    with scripted(server_like(*vendors.HAPI), server) as proxy:
        assert publish(proxy.base_url).created == 4
        before, writes = state(server), len(proxy.writes)
        for _ in range(3):
            assert publish(proxy.base_url).unchanged == 4
        assert (state(server), len(proxy.writes)) == (before, writes)


@pytest.mark.parametrize("examples", [False, True], ids=["without", "with"])
def test_2_a_guide_is_complete_without_its_examples_and_with_them(server, tmp_path, examples):
    """hapifhir/hapi-fhir#719, brianpos/UploadFIG#22."""
    listed = [{"reference": {"reference": f"{name}"}} for name in ("ValueSet/a", "Patient/p")]
    guide = canonical("ImplementationGuide", "g", packageId="demo.g", fhirVersion=["4.0.1"])
    folder = tmp_path / "p"
    patient = {"resourceType": "Patient", "id": "p"}
    written_out(folder, canonical("ValueSet", "a"), guide | {"definition": {"resource": listed}})
    (folder / "package.json").write_text('{"name": "demo.g", "version": "1.0.0", "canonical": "x"}')
    (folder / "example").mkdir()
    (folder / "example" / "p.json").write_text(json.dumps(patient))
    more = ["--examples"] if examples else []
    with scripted(server_like(leads_nowhere), server) as proxy:
        for _ in range(2):
            assert _run(["push", str(folder), "--server", proxy.base_url, *more]) == 0
        assert _run(["verify", str(folder), "--server", proxy.base_url, *more]) == 0
    assert count(server, "Patient") == examples


def test_3_a_package_without_a_guide_is_published(server, tmp_path):
    """brianpos/UploadFIG#8, samply/blazectl#7, microsoft/fhir-server#2793."""
    folder = written_out(tmp_path / "p", canonical("ValueSet", "a"), name="de.simplifier")
    assert _run(["push", folder, "--server", server]) == 0
    assert _run(["push", folder, "--server", server]) == 0
    assert count(server, "ValueSet") == 1


def test_4_one_id_for_two_value_sets_of_two_packages_is_refused(server):
    """hapifhir/hapi-fhir#5183."""
    publish(server, release(canonical("ValueSet", "a"), name="demo.one"))
    other = release(canonical("ValueSet", "a", url="http://example.org/other"), name="demo.two")
    report = publish(server, other)
    assert (report.conflicts, report.created) == ({"ValueSet/a"}, 0)
    assert count(server, "ValueSet") == 1


def test_5_what_two_packages_carry_alike_stays_while_one_needs_it(server):
    """preston/cql-studio#78."""
    for name in ("demo.one", "demo.two"):
        assert publish(server, release(canonical("ValueSet", "a"), name=name)).is_complete
    with client(server) as connected:
        plan = make_plan(release(canonical("ValueSet", "b"), name="demo.two"), connected)
        assert prune(plan, connected, delete=True).deleted == []
        assert verify(release(canonical("ValueSet", "a"), name="demo.one"), connected)


def test_6_a_new_version_replaces_or_stands_beside_by_choice(server):
    """hapifhir/hapi-fhir-jpaserver-starter#706."""
    publish(server, release(canonical("CodeSystem", "c")))
    new = release(canonical("CodeSystem", "c", version="2.0.0"), version="2.0.0")
    with client(server) as connected:
        (item,) = make_plan(new, connected).items
        assert (item.change, item.why) == (Change.UPDATE, "it replaces version 1.0.0")
        beside = make_plan(new, connected, versions=Versions.MULTIPLE)
        assert [(i.change, i.local) for i in beside.items] == [
            (Change.CREATE, "CodeSystem/c-2.0.0")
        ]


@pytest.mark.parametrize(
    "other",
    [
        canonical("ValueSet", "b", url="http://example.org/fhir/ValueSet/a"),
        canonical("ValueSet", "a", url="http://example.org/other"),
        canonical("ValueSet", "a"),
    ],
    ids=["7: one canonical", "8: one id", "8: one resource"],
)
def test_7_and_8_one_identity_in_two_files_is_refused_before_anything_is_written(
    server, tmp_path, other, capfd
):
    """hapifhir/hapi-fhir#8183, synthetichealth/synthea#241."""
    folder = written_out(tmp_path / "p", canonical("ValueSet", "a"), other, name="demo.twice")
    assert _run(["push", folder, "--server", server]) == 2
    told = capfd.readouterr().err
    assert "0.json" in told
    assert "1.json" in told
    assert count(server, "ValueSet") == 0


def test_9_10_and_13_what_a_server_does_not_take_is_named_and_the_rest_written(server):
    """hackathon-dataset#59, hapi-fhir#1875, hapi-fhir#5148."""
    digits = canonical("PlanDefinition", "20983")
    nameless = {"resourceType": "ValueSet", "id": "nameless", "status": "draft"}
    later = {"code": "appends", "target": {"reference": "http://elsewhere.example/Binary/b"}}
    absolute = document("absolute", relatesTo=[later])
    rules = (
        refuses(lambda r: r.get("id", "").isdigit(), "HAPI-0960: an id needs a letter"),
        refuses(lambda r: r["resourceType"] == "ValueSet" and "url" not in r, "needs a url"),
        refuses(lambda r: "http://elsewhere" in json.dumps(r), "HAPI-0507: external reference"),
    )
    given = release(digits, nameless, absolute, canonical("PlanDefinition", "good"))
    with scripted(server_like(*rules), server) as proxy:
        report = publish(proxy.base_url, given)
    assert report.created == 1
    reasons = {local: why.partition(": ")[2][:9] for local, why in report.refused.items()}
    assert reasons == {
        "PlanDefinition/20983": "HAPI-0960",
        "ValueSet/nameless": "needs a u",
        "DocumentReference/absolute": "HAPI-0507",
    }


def test_11_a_conditional_reference_that_was_resolved_is_kept(server, tmp_path):
    """MicrosoftDocs/azure-docs#65082, synthetichealth/synthea#795."""
    author = {"resourceType": "Practitioner", "id": "a"}
    author |= {"identifier": [{"system": "urn:example:npi", "value": "1"}]}
    with client(server) as other:
        other.request("PUT", "Practitioner/a", body=author)
    reference = {"reference": "Practitioner?identifier=urn:example:npi|1"}
    folder = written_out(tmp_path / "p", document("d", author=[reference]), name="demo.synthea")
    for verb in ("push", "push", "plan", "verify"):
        assert _run([verb, folder, "--server", server]) == 0, verb
    with client(server) as connected:
        stored = connected.read("DocumentReference", "d")
    assert stored["author"] == [{"reference": "Practitioner/a"}]


def test_12_contained_resources_and_extensions_of_references_come_back(server):
    """hapifhir/hapi-fhir#7591, samply/blaze#758."""
    contained = {"resourceType": "Organization", "id": "o", "name": "Inside"}
    reference = {"reference": "#o", "extension": [{"url": "http://e.org", "valueCode": "x"}]}
    given = release(document("d", contained=[contained], author=[reference]))
    assert publish(server, given).created == 1
    assert publish(server, given).unchanged == 1
    with client(server) as connected:
        assert verify(given, connected)


def test_14_a_bundle_and_a_folder_of_json_are_content(server, tmp_path):
    """brianpos/UploadFIG#6."""
    named = ["--as", "demo.named#1.0.0", "--server", server]
    entries = [{"resource": canonical("ValueSet", "a")}, {"resource": canonical("ValueSet", "b")}]
    file = tmp_path / "b.json"
    file.write_text(json.dumps({"resourceType": "Bundle", "type": "collection", "entry": entries}))
    assert _run(["push", str(file), *named]) == 0
    folder = written_out(tmp_path / "p", *(entry["resource"] for entry in entries))
    assert _run(["plan", folder, *named]) == 0
    assert count(server, "ValueSet") == 2


def test_15_one_canonical_of_two_types_is_two_resources(server):
    """HL7/fhir-ig-publisher#1060."""
    url = "http://example.org/x"
    given = release(canonical("ValueSet", "x", url=url), canonical("CodeSystem", "x", url=url))
    assert publish(server, given).created == 2
    assert publish(server, given).unchanged == 2


def test_16_entries_that_were_throttled_are_sent_again_and_no_others(server):
    """medplum/medplum#9506, microsoft/fhir-server#1658."""
    given = release(*(canonical("PlanDefinition", f"p{n}") for n in range(40)))
    with scripted(server_like(throttles_later_entries(7), *MEDPLUM), server) as proxy:
        assert publish(proxy.base_url, given).created == 40
    assert {version for version, _ in state(server).values()} == {"1"}


def test_17_what_is_too_large_is_halved(server):
    """CDCgov/phdi-azure#130."""

    def small(request, forward):
        too_large = len(request.body) > 20_000
        return habits.outcome(413, "too large", "too-long") if too_large else forward(request)

    given = release(*(canonical("PlanDefinition", f"p{n}") for n in range(90)))
    with scripted(server_like(small), server) as proxy:
        assert publish(proxy.base_url, given).created == 90


def test_17_the_size_that_a_server_takes_is_learnt_from_the_first_portion(server):
    given = release(*(canonical("PlanDefinition", f"p{n}") for n in range(300)))
    with scripted(server_like(habits.at_most(30)), server) as proxy:
        assert publish(proxy.base_url, given).created == 300
        sizes = [len(each.resource["entry"]) for each in proxy.writes if is_transaction(each)]
    assert sizes[0] == 200
    assert sizes[-4:] == [25] * 4  # the last hundred, none of it refused any more


@pytest.mark.parametrize("answer", [Reply(200, "<html/>"), Reply(204), Reply(200, b'{"a')])
def test_18_a_success_that_says_nothing_of_its_entries_is_none(server, answer):
    """samply/blazectl#34."""

    def tells_nothing(request, forward):
        return answer if is_transaction(request) else forward(request)

    with scripted(tells_nothing, server) as proxy:
        report = publish(proxy.base_url)
    assert (report.created, report.is_complete) == (0, False)
    assert publish(server).created == 4


@pytest.mark.parametrize("fault", [faults.throttled(), faults.html_502, faults.html_502_after])
def test_19_an_overloaded_server_is_tried_again_and_nothing_dropped(server, fault):
    """fhir-populator 1.3.0."""
    with scripted(faults.at(4, fault), server) as proxy:
        assert publish(proxy.base_url).is_complete
    assert len(state(server)) == 4


def test_20_a_plan_needs_no_library(server):
    """cqframework/cqf-tooling#521."""
    given = release(canonical("PlanDefinition", "alone", library=["http://example.org/none|1"]))
    assert publish(server, given).created == 1


def test_21_profiles_in_another_order_are_the_same(server, tmp_path):
    """hapifhir/hapi-fhir#5216."""

    def sorts(request, forward):
        if not is_transaction(request):
            return forward(request)
        bundle = request.resource
        for entry in bundle["entry"]:
            entry["resource"].get("meta", {}).get("profile", []).sort()
        return forward(with_body(request, bundle))

    meta = {"profile": ["http://example.org/z", "http://example.org/a"]}
    folder = written_out(tmp_path / "p", canonical("ValueSet", "a", meta=meta), name="demo.sorted")
    with scripted(server_like(sorts), server) as proxy:
        for verb in ("push", "push", "plan", "verify"):
            assert _run([verb, folder, "--server", proxy.base_url]) == 0, verb


def test_22_packages_that_share_libraries_load_all(server):
    """hapifhir/hapi-fhir-jpaserver-starter#712."""
    shared = [canonical("Library", f"l{n}") for n in range(5)]
    for name in ("demo.one", "demo.two", "demo.three"):
        own = canonical("PlanDefinition", name.replace(".", "-"))
        report = publish(server, release(own, *shared, name=name))
        assert (report.created, report.is_complete) == (6 if name == "demo.one" else 1, True)


def test_23_an_interrupted_load_goes_on(server):
    """google/fhir-data-pipes#107."""
    given = release(*(canonical("PlanDefinition", f"p{n}") for n in range(450)))
    dead = faults.always(faults.reset_before, is_transaction, after=1)
    with scripted(dead, server) as proxy:
        assert not publish(proxy.base_url, given, patience=2.0).is_complete
    report = publish(server, given)
    assert (report.created, report.unchanged, report.is_complete) == (250, 200, True)
