"""What people have: packages of others, folders, Bundles, NDJSON; and what is refused of it."""

import json
import tarfile

import pytest

from fhirpkg import fhirxml
from fhirpkg.bundling.reading import Selection, read_content
from fhirpkg.canonical import PackageId
from fhirpkg.cli import _run
from fhirpkg.definitions.definitions import Definitions
from fhirpkg.errors import FhirpkgError, PackageError, SourceError
from fhirpkg.publishing.members import release_of
from tests.publishing.sample import canonical, client, publish, state

ID = PackageId("demo.named", "1.0.0")
NAMED = Selection(identity=ID)


def write(folder, *listed, **named):
    """JSON files in a folder, numbered or named."""
    folder.mkdir(parents=True, exist_ok=True)
    files = {f"{n}.json": each for n, each in enumerate(listed)}
    files |= {f"{name}.json": each for name, each in named.items()}
    for name, each in files.items():
        (folder / name).write_text(each if isinstance(each, str) else json.dumps(each))
    return folder


def guide(**more):
    url = "http://example.org/fhir/ImplementationGuide/demo.guide"
    given = {"packageId": "demo.guide", "fhirVersion": ["4.0.1"], "url": url, **more}
    return canonical("ImplementationGuide", "demo.guide", **given)


def package(tmp_path, *listed, name="demo.simplifier", examples=(), **more):
    """A .tgz as Simplifier makes it: package.json, and resources without a guide."""
    root = write(tmp_path / "p" / "package", *listed)
    (root / "package.json").write_text(json.dumps({"name": name, "version": "2.1.0"} | more))
    for number, each in enumerate(examples):
        write(root / "example", **{f"e{number}": each})
    file = tmp_path / "p.tgz"
    with tarfile.open(file, "w:gz") as archive:
        archive.add(root, "package")
    return file


def names(content):
    return sorted(f"{r['resourceType']}/{r['id']}" for r in content.resources)


def test_a_package_without_a_guide_is_who_its_package_json_says(tmp_path, server):
    file = package(tmp_path, canonical("PlanDefinition", "course"))
    content = read_content(file)
    assert (str(content.id), names(content)) == ("demo.simplifier#2.1.0", ["PlanDefinition/course"])
    assert publish(server, release_of(content)).created == 1
    assert _run(["push", str(file), "--server", server]) == 0
    assert _run(["prune", str(file), "--server", server]) == 0
    assert _run(["package", str(file), "--output", str(tmp_path / "dist")]) == 0
    again = read_content(tmp_path / "dist" / "demo.simplifier-2.1.0.tgz")
    assert (again.id, again.digest) == (content.id, content.digest)


def test_a_package_cannot_take_the_name_of_another(tmp_path, server):
    file = package(tmp_path, guide(packageId="acme.good"), name="evil.pkg")
    with pytest.raises(PackageError, match=r"evil\.pkg.*the package acme\.good"):
        read_content(file)
    assert _run(["push", str(file), "--server", server]) == 2
    assert state(server) == {}


def test_the_guide_in_a_package_for_one_fhir_version_is_its_own(tmp_path):
    file = package(tmp_path, guide(packageId="demo.terms.4.0.1"), name="demo.terms.r4")
    assert str(read_content(file).id) == "demo.terms.r4#2.1.0"


def test_a_package_of_another_fhir_version_is_refused(tmp_path):
    file = package(tmp_path, canonical("PlanDefinition", "course"), fhirVersions=["5.0.0"])
    with pytest.raises(PackageError, match=r"for FHIR 5\.0\.0"):
        read_content(file)


def test_json_xml_ndjson_and_transactions_in_folders_are_content(tmp_path):
    inside = [{"resource": canonical("PlanDefinition", "a")}]
    example = {"resourceType": "Bundle", "id": "example", "type": "history", "entry": inside}
    folder = write(
        tmp_path / "c",
        canonical("PlanDefinition", "a"),
        {"compilerOptions": {}},
        {
            "resourceType": "Bundle",
            "type": "transaction",
            "entry": [{"resource": canonical("PlanDefinition", "b")}],
        },
        {"resourceType": "Bundle", "id": "kept", "type": "collection"},
        guide(),
        **{"Bundle-example": example},
    )
    (folder / "deep").mkdir()
    lines = [canonical("PlanDefinition", name) for name in "cd"]
    (folder / "deep" / "x.ndjson").write_text("\n".join(map(json.dumps, lines)) + "\n\n")
    types = Definitions.core().types
    (folder / "e.xml").write_bytes(fhirxml.dump(canonical("PlanDefinition", "e"), types))
    (folder / "style.xml").write_text("<!-- <b> --><a>http://hl7.org/fhir</a>")
    content = read_content(folder)
    plans = [f"PlanDefinition/{name}" for name in "abcde"]
    kept = ["Bundle/example", "Bundle/kept", "ImplementationGuide/demo.guide"]
    assert names(content) == [*kept, *plans]
    assert content.id == PackageId("demo.guide", "1.0.0")
    unpacked, passed = content.notes
    assert "2.json" in unpacked
    assert "1.json" in passed
    assert "style.xml" in passed


def test_the_output_of_sushi_is_found_in_its_project_with_what_is_not_written_in_fsh(tmp_path):
    write(tmp_path / "fsh-generated" / "resources", canonical("ValueSet", "a"), guide())
    write(tmp_path / "input" / "profiles", canonical("StructureDefinition", "by-hand"))
    write(tmp_path / "input" / "vocabulary", canonical("ValueSet", "b"))
    carried = {"resource": canonical("ValueSet", "a")}
    bundle = {"resourceType": "Bundle", "id": "x", "type": "transaction", "entry": [carried]}
    write(tmp_path / "input" / "examples", canonical("ValueSet", "shown"), bundle)
    write(tmp_path / "input" / "pagecontent", canonical("ValueSet", "not-this"))
    write(tmp_path / "input-cache", canonical("ValueSet", "nor-this"))
    guides, profiles = ["ImplementationGuide/demo.guide"], ["StructureDefinition/by-hand"]
    made = [*guides, *profiles, "ValueSet/a", "ValueSet/b"]
    assert names(read_content(tmp_path)) == made
    everything = read_content(tmp_path, Selection(examples=True))
    assert names(everything) == ["Bundle/x", *made, "ValueSet/shown"]
    for pattern in ("input/vocabulary", "input/vocabulary/*", "0.json"):
        left = names(read_content(tmp_path, Selection(exclude=(pattern,))))
        assert "ValueSet/b" not in left, pattern


def test_the_rest_of_what_a_server_does_not_know_can_be_published_as_it_says(
    tmp_path, server, capfd
):
    r5 = {"resourceType": "Requirements", "id": "r", "status": "draft"}
    write(tmp_path / "p", r5, canonical("ValueSet", "a"))
    at = [str(tmp_path / "p"), "--as", "demo.r#1.0.0", "--server", server]
    assert _run(["push", *at]) == 1
    *_, advice = capfd.readouterr().out.splitlines()
    assert _run(["push", *at, *advice.partition(": ")[2].split()]) == 0
    with client(server) as connected:
        assert connected.count("ValueSet", []) == 1


def test_a_project_whose_fsh_was_not_compiled_says_so(tmp_path):
    (tmp_path / "sushi-config.yaml").write_text("id: demo.fsh")
    with pytest.raises(PackageError, match="SUSHI"):
        read_content(tmp_path)
    write(tmp_path / "input" / "vocabulary", canonical("ValueSet", "b"))
    content = read_content(tmp_path, Selection(identity=PackageId("demo.fsh", "1.0.0")))
    assert names(content) == ["ValueSet/b"]
    assert "SUSHI" in " ".join(content.notes)


def test_a_project_has_the_name_in_its_package_json_and_the_resources_below(tmp_path):
    facts = {"name": "de.project", "version": "2025.0.1", "fhirVersions": ["4.0.1"]}
    (tmp_path / "package.json").write_text(json.dumps(facts))
    write(tmp_path / "profiles", canonical("ValueSet", "a"))
    content = read_content(tmp_path)
    assert (str(content.id), names(content)) == ("de.project#2025.0.1", ["ValueSet/a"])
    write(tmp_path / "fsh-generated" / "resources", canonical("ValueSet", "b"))
    assert names(read_content(tmp_path)) == ["ValueSet/b"]


def test_a_guide_that_only_lists_more_is_updated_in_its_version(tmp_path, server):
    entries = [{"reference": {"reference": name}} for name in ("ValueSet/a", "Patient/p")]
    active = guide(definition={"resource": entries}, status="active")
    patient = {"resourceType": "Patient", "id": "p"}
    listed = (canonical("ValueSet", "a"), active)
    file = package(tmp_path, *listed, name="demo.guide", examples=[patient])
    assert publish(server, release_of(read_content(file))).created == 2
    report = publish(server, release_of(read_content(file, Selection(examples=True))))
    assert (report.created, report.updated, report.conflicts) == (1, 1, frozenset())
    again = package(tmp_path, listed[0], active | {"title": "New"}, name="demo.guide")
    report = publish(server, release_of(read_content(again)))
    assert report.conflicts == {"ImplementationGuide/demo.guide"}


def test_a_bundle_is_unpacked_and_its_links_by_full_url_lead_on(tmp_path):
    patient = {"resourceType": "Patient"}
    subject = {"reference": "urn:uuid:0c3151bd-1cbf-4d64-b04d-cd9187a4c6e0"}
    observation = {"resourceType": "Observation", "id": "o", "subject": subject}
    entries = [
        {"fullUrl": "urn:uuid:1", "resource": observation},
        {"fullUrl": subject["reference"], "resource": patient},
        {"request": {"method": "DELETE", "url": "Patient/old"}},
    ]
    file = tmp_path / "b.json"
    file.write_text(json.dumps({"resourceType": "Bundle", "type": "batch", "entry": entries}))
    content = read_content(file, NAMED)
    assert names(content) == ["Observation/o", f"Patient/{subject['reference'][9:]}"]
    found = next(r for r in content.resources if r["resourceType"] == "Observation")
    assert found["subject"]["reference"] == f"Patient/{subject['reference'][9:]}"
    assert any("entry[2]: left out: a DELETE" in note for note in content.notes)


@pytest.mark.parametrize("pattern", ["images/*", "images", "images/", "images/0.json"])
def test_a_broken_file_in_a_folder_can_be_left_out_by_its_name(tmp_path, pattern):
    folder = write(tmp_path / "c", canonical("ValueSet", "a"))
    write(folder / "images", '{"resourceType": "ValueSet"} {}')
    with pytest.raises(SourceError, match=r"images/0\.json: it cannot be read"):
        read_content(folder, NAMED)
    named = Selection(identity=NAMED.identity, exclude=(pattern,))
    assert names(read_content(folder, named)) == ["ValueSet/a"]


def test_content_without_a_name_needs_one(tmp_path):
    folder = write(tmp_path / "c", canonical("ValueSet", "a"))
    with pytest.raises(PackageError, match="--as NAME#VERSION"):
        read_content(folder)
    assert read_content(folder, NAMED).id == NAMED.identity
    named = write(tmp_path / "d", guide())
    with pytest.raises(PackageError, match=r"it is demo\.guide#1\.0\.0"):
        read_content(named, NAMED)


def test_types_excluded_resources_and_examples_are_selected(tmp_path):
    patient = {"resourceType": "Patient", "id": "p"}
    listed = [canonical("ValueSet", "a"), canonical("ValueSet", "b"), canonical("Library", "c")]
    file = package(tmp_path, *listed, examples=[patient])

    def taken(**options):
        return names(read_content(file, Selection(**options)))

    assert taken(types=("ValueSet",)) == ["ValueSet/a", "ValueSet/b"]
    assert taken(exclude=("Library", "ValueSet/a*")) == ["ValueSet/b"]
    assert taken(exclude=("*/ValueSet/*",)) == ["Library/c"]
    assert taken(types=("Patient", "Library"), examples=True) == ["Library/c", "Patient/p"]
    with pytest.raises(PackageError, match="no FHIR resource that --type and --exclude leave"):
        taken(types=("Patient",))


REFUSED = {
    "no id": ({"resourceType": "ValueSet"}, ["this ValueSet has no id"]),
    "an id that cannot be one": (canonical("ValueSet", "a_b"), ["the id 'a_b' is not valid"]),
    "an id that leads elsewhere": (canonical("ValueSet", "a/../b"), ["is not valid"]),
    "an id twice": (canonical("ValueSet", "a", url="http://x"), ["ValueSet/a is in ", "0.json"]),
    "a canonical twice": (
        canonical("ValueSet", "b", url="http://example.org/fhir/ValueSet/a"),
        ["http://example.org/fhir/ValueSet/a|1.0.0 is in ", "0.json"],
    ),
    "meta that is not an object": (canonical("ValueSet", "b", meta=[]), ["meta is not an object"]),
    "tags that are none": (
        canonical("ValueSet", "b", meta={"tag": ["x"]}),
        ["meta.tag[0] is not an object"],
    ),
    "a version that is a number": (canonical("ValueSet", "b", version=1), ["version is not a str"]),
    "a broken file": ('{"resourceType": "ValueSet", "id":', ["it cannot be read"]),
    "a type that is none": (canonical("value set", "b"), ["resourceType is 'value set'"]),
}


@pytest.mark.parametrize("other, words", REFUSED.values(), ids=REFUSED)
def test_what_no_server_can_keep_is_refused_with_its_file(tmp_path, other, words, server, capfd):
    folder = write(tmp_path / "c", canonical("ValueSet", "a"), other)
    with pytest.raises(SourceError) as caught:
        read_content(folder, NAMED)
    for word in ("1.json", *words):
        assert word in str(caught.value)
    assert _run(["push", str(folder), "--as", "demo.named#1", "--server", server]) == 2
    assert "Traceback" not in capfd.readouterr().err
    with client(server) as connected:
        assert connected.count("ValueSet", []) == 0


def test_members_that_are_strings_in_most_types_are_none_in_some(tmp_path, server):
    device = {"resourceType": "Device", "id": "d", "version": [{"value": "1.3"}]}
    authorization = {"resourceType": "MedicinalProductAuthorization", "id": "m", "status": {}}
    folder = write(tmp_path / "c", device, authorization, {"resourceType": "Patient", "id": "p"})
    given = release_of(read_content(folder, Selection(("Device", "Patient"), identity=ID)))
    assert {m.type for m in given.members} == {"Device", "Patient"}
    assert len(read_content(folder, NAMED).resources) == 3


def test_one_canonical_of_two_types_and_two_versions_of_one_are_content(tmp_path):
    url = "http://example.org/fhir/x"
    folder = write(
        tmp_path / "c",
        canonical("ValueSet", "a", url=url),
        canonical("CodeSystem", "a", url=url),
        canonical("ValueSet", "b", url=url, version="2.0.0"),
    )
    assert len(read_content(folder, NAMED).resources) == 3


ODD = [None, [], {}, "", "x", 5, True, [None], [[]], [{}], {"x": 1}, [{"tag": 5}], -1.5]
MEMBERS = [
    "id", "meta", "text", "extension", "contained", "url", "version", "identifier", "status",
    "packageId", "definition", "dependsOn", "useContext", "topic", "context", "content", "date",
    "jurisdiction", "fhirVersion", "title", "name", "publisher", "relatedArtifact", "entry",
]  # fmt: skip


@pytest.mark.parametrize("member", MEMBERS)
def test_no_member_of_a_resource_brings_more_than_a_refusal(tmp_path, member):
    """Each odd value in each member: content, or an error of ours that says what is wrong."""
    for number, odd in enumerate(ODD):
        for resource_type in ("ImplementationGuide", "DocumentReference", "PlanDefinition"):
            resource = guide() | {"resourceType": resource_type, member: odd}
            file = tmp_path / f"{number}.json"
            file.write_text(json.dumps(resource))
            try:
                found = release_of(read_content(file, Selection(examples=True)))
                assert [m.type for m in found.members] == [resource_type]
                _ = [found.resource(m) for m in found.members]
            except FhirpkgError as error:
                refusal = str(error)
                assert str(file) in refusal


@pytest.mark.parametrize("member", ["name", "version", "dependencies", "canonical", "fhirVersions"])
def test_no_member_of_package_json_brings_more_than_a_refusal(tmp_path, member, capfd):
    for number, odd in enumerate(ODD):
        folder = tmp_path / str(number)
        folder.mkdir()
        file = package(folder, canonical("PlanDefinition", "a"), **{member: odd})
        try:
            release_of(read_content(file))
        except FhirpkgError as error:
            assert str(file) in str(error)  # noqa: PT017 - it may be taken as well
        assert _run(["package", str(file), "--output", str(folder)]) in {0, 2}
    assert "Traceback" not in capfd.readouterr().err


@pytest.mark.parametrize("action", [None, "x", ["x"], [{"definitionCanonical": ["x"]}], [[]]])
def test_a_plan_of_another_shape_is_packaged_without_its_page(tmp_path, action, capfd):
    plans = canonical("PlanDefinition", "a", action=action), canonical("PlanDefinition", "b")
    file = package(tmp_path, *plans, description="d", author="a")
    assert _run(["package", str(file), "--output", str(tmp_path / "dist")]) == 0
    assert "no page of a" in capfd.readouterr().out
    assert [each.name for each in (tmp_path / "dist").glob("*.xhtml")] == ["b.xhtml"]


def test_a_guide_lists_on_the_server_only_what_is_published(tmp_path, server):
    entries = [
        {"reference": {"reference": name}} for name in ("ValueSet/a", "Patient/p", "Binary/b")
    ]
    canonical_only = {"reference": {"reference": "http://example.org/x"}}
    whole = guide(definition={"resource": [*entries, canonical_only]})
    patient = {"resourceType": "Patient", "id": "p"}
    listed = (canonical("ValueSet", "a"), whole)
    file = package(tmp_path, *listed, name="demo.guide", examples=[patient])
    release = release_of(read_content(file))
    (note,) = release.notes
    assert "lists 4 resources, of which 2 will not be published" in note
    published = next(release.resource(m) for m in release.members if m.id == "demo.guide")
    assert published["definition"]["resource"] == [entries[0], canonical_only]
    release = release_of(read_content(file, Selection(examples=True)))
    published = next(release.resource(m) for m in release.members if m.id == "demo.guide")
    assert published["definition"]["resource"] == [*entries[:2], canonical_only]
    assert publish(server, release).is_complete
    assert publish(server, release).unchanged == 3
