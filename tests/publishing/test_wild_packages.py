"""Packages as npm, other tools and enemies make them: handled, or refused before any write."""

import gzip
import io
import json
import tarfile
import zipfile

import pytest

from fhirpkg.cli import _run
from fhirpkg.publishing.bookkeeping.head import read_head
from tests.publishing.sample import canonical, client

MANIFEST = {
    "name": "demo.wild",
    "version": "1.0.0",
    "fhirVersions": ["4.0.1"],
    "dependencies": {"hl7.fhir.r4.core": "4.0.1"},
    "author": "x",
    "description": "x",
}
VALUE_SET = canonical("ValueSet", "v")
NESTED = b'[{"extension":' * 3000 + b"[]" + b"}]" * 3000
GUIDE_IN_XML = b"""<ImplementationGuide xmlns="http://hl7.org/fhir"><id value="demo.wild"/>
<url value="http://example.org/fhir/ImplementationGuide/demo.wild"/><version value="1.0.0"/>
<name value="Wild"/><status value="draft"/><packageId value="demo.wild"/>
<fhirVersion value="4.0.1"/></ImplementationGuide>"""


def made(*members, form=tarfile.PAX_FORMAT):
    """A .tgz of members: (name, content) or (name, content, pax headers), or a TarInfo."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz", format=form) as archive:
        for member in members:
            if isinstance(member, tarfile.TarInfo):
                archive.addfile(member)
                continue
            name, content, *headers = member
            data = content if isinstance(content, bytes) else json.dumps(content).encode()
            info = tarfile.TarInfo(name)
            info.size, info.pax_headers = len(data), headers[0] if headers else {}
            archive.addfile(info, io.BytesIO(data))
    return packed.getvalue()


def special(name, kind, to=""):
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, to
    return info


def zipped():
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("package/package.json", json.dumps(MANIFEST))
        archive.writestr("package/v.json", json.dumps(VALUE_SET))
    return packed.getvalue()


def manifest(**changes):
    return ("package/package.json", MANIFEST | changes)


def text(value, ending="\n"):
    return json.dumps(value, indent=1).replace("\n", ending).encode()


P, V = manifest(), ("package/v.json", VALUE_SET)
OTHER = ("package/o.json", canonical("ValueSet", "o"))
LONG = "package/" + "long" * 60 + ".json"
BOM = b"\xef\xbb\xbf"
TWICE = b'{"name": "demo.wild", "name": "demo.other", "version": "1.0.0"}'

HANDLED = {
    "./package": (made(("./package/package.json", MANIFEST), ("./package/v.json", VALUE_SET)), 1),
    "folders inside": (made(P, V, ("package/other/o.json", canonical("ValueSet", "o"))), 1),
    "files beside": (made(P, V, ("package.json", b"{"), ("other/x.json", b"{")), 1),
    "a folder called .json": (made(P, V, special("package/dir.json", tarfile.DIRTYPE)), 1),
    "PAX headers": (made(P, (*V, {"comment": "x" * 5000, "SCHILY.xattr.user": "v"})), 1),
    "a long name by PAX": (made(P, (LONG, VALUE_SET)), 1),
    "a long name by GNU": (made(P, (LONG, VALUE_SET), form=tarfile.GNU_FORMAT), 1),
    "byte order marks": (
        made((P[0], BOM + text(MANIFEST)), ("package/v.json", BOM + text(VALUE_SET))), 1
    ),
    "CRLF": (made((P[0], text(MANIFEST, "\r\n")), (V[0], text(VALUE_SET, "\r\n"))), 1),
    "an index that lies": (
        made(P, V, ("package/.index.json", {"files": [{"filename": "no.json"}, "x", 7]})), 1
    ),
    "an index of HTML": (made(P, V, ("package/.index.json", b"<html>")), 1),
    "names that differ in case": (made(P, V, ("package/V.json", canonical("ValueSet", "o"))), 2),
    "ids that differ in case": (made(P, V, ("package/w.json", canonical("ValueSet", "V"))), 2),
    "openapi and xml folders": (
        made(P, V, ("package/openapi/Patient.json", {"openapi": "3"}), ("package/xml/v.xml", b"<")),
        1,
    ),
    "a guide in XML": (made(P, V, ("package/guide.xml", GUIDE_IN_XML)), 2),
    "a copy of the guide for tools": (
        made(P, *((f"package/{name}.json",
                   canonical("ImplementationGuide", "demo.wild", packageId="demo.wild"))
                  for name in ("ig-r4", "ImplementationGuide-demo.wild"))),
        1,
    ),
    "XML beside its JSON": (made(P, V, ("package/v.xml", GUIDE_IN_XML)), 1),
    "no url": (made(P, (V[0], {k: v for k, v in VALUE_SET.items() if k != "url"})), 1),
    "a pipe in the version": (made(P, (V[0], VALUE_SET | {"version": "1|2,3$4"})), 1),
    "a pipe in the url": (made(P, (V[0], VALUE_SET | {"url": "http://example.org/v|1.0"})), 1),
    "much text": (made(P, (V[0], VALUE_SET | {"description": "word " * 400_000})), 1),
    "it depends on itself": (made(manifest(dependencies={"demo.wild": "1.0.0"}), V), 1),
    "a version that is a number": (made(manifest(version=1), V), 1),
    "references in a ring": (
        made(
            P,
            *(
                (
                    f"package/{one}.json",
                    {
                        "resourceType": "Organization",
                        "id": one,
                        "partOf": {"reference": f"Organization/{two}"},
                    },
                )
                for one, two in (("a", "b"), ("b", "a"))
            ),
        ),
        2,
    ),
}  # fmt: skip
REFUSED = {
    "no package.json": (made(V), "there is no package/package.json"),
    "another root": (made(("demo/package.json", MANIFEST)), "there is no package/package.json"),
    "a hard link": (made(P, V, special("package/w.json", tarfile.LNKTYPE, V[0])), "w.json"),
    "a symbolic link": (made(P, V, special("package/w.json", tarfile.SYMTYPE, "/x")), "w.json"),
    "a path out by PAX": (made(P, V, ("x", b"1", {"path": "package/../../e"})), "points outside"),
    "zip": (zipped(), "not a readable .tgz"),
    "no gzip": (gzip.decompress(made(P, V)), "not a readable .tgz"),
    "broken off": (
        made(P, V, (OTHER[0], VALUE_SET | {"x": "y" * 9999}))[:-40],
        "not a readable .tgz",
    ),
    "a member twice": (made(P, V, V), "v.json twice"),
    "a name twice in package.json": (made((P[0], TWICE), V), "'name' appears a second time"),
    "UTF-16": (made((P[0], json.dumps(MANIFEST).encode("utf-16")), V), "package.json"),
    "a scope of npm": (made(manifest(name="@acme/wild"), V), "package.json"),
    "a name that leads out": (made(manifest(name="../../evil"), V), "package.json"),
    "a version that leads out": (made(manifest(version="../1"), V), "package.json"),
}
"""Refused by every verb, with these words."""
NOT_PUBLISHED = {
    "R5": (made(manifest(fhirVersions=["5.0.0"]), V), ["5.0.0"]),
    "nothing inside": (made(P), ["no FHIR resource"]),
    "latin-1": (made(P, (V[0], '{"resourceType": "ö"}'.encode("latin-1"))), ["v.json"]),
    "a key twice": (made(P, (V[0], b'{"resourceType": "Basic", "id": "a", "id": "b"}')), ["'id'"]),
    "half a surrogate": (made(P, (V[0], b'{"resourceType": "X", "id": "\\ud800"}')), ["v.json"]),
    "too deep": (made(P, (V[0], b'{"resourceType": "X", "extension": ' + NESTED + b"}")), ["deep"]),
    "an id twice": (made(P, V, (OTHER[0], VALUE_SET)), ["package/o.json", "package/v.json"]),
    "a build of today": (made(manifest(version="current"), V), ["current", "a build that changes"]),
    "a wildcard": (made(manifest(version="1.2.x"), V), ["1.2.x", "a build that changes"]),
    "two guides": (
        made(P, *((f"package/{n}.json", canonical("ImplementationGuide", n, packageId=f"demo.{n}"))
                  for n in ("wild", "other"))),
        ["demo.other", "package/other.json"],
    ),
}  # fmt: skip
"""Installed as it is, and refused by plan and push, with these words."""


@pytest.fixture
def package(tmp_path, monkeypatch):
    monkeypatch.setenv("FHIRPKG_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("FPL_REGISTRY", "http://127.0.0.1:9")

    def write(archive):
        file = tmp_path / "demo.wild-1.0.0.tgz"
        file.write_bytes(archive)
        return str(file)

    return write


def is_written(server):
    with client(server) as reader:
        found = [read_head(reader, f"demo.{name}") for name in ("wild", "other")]
        return any(found) or reader.count("ValueSet", []) > 0


@pytest.mark.parametrize("name", HANDLED)
def test_what_can_be_read_is_published_whole(package, server, capfd, name):
    archive, count = HANDLED[name]
    file = package(archive)
    assert _run(["install", file, "--offline"]) == 0
    assert _run(["validate", file, "--offline", "--quiet"]) in {0, 1}
    capfd.readouterr()
    assert _run(["push", file, "--server", server, "--output-format", "json"]) == 0
    told = json.loads(capfd.readouterr().out)["releases"][0]
    assert told["counts"]["created"] == count
    assert _run(["plan", file, "--server", server]) == 0
    assert _run(["verify", file, "--server", server]) == 0


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_trusted_is_refused_by_every_verb(package, server, capfd, tmp_path, name):
    archive, words = REFUSED[name]
    file = package(archive)
    at = ["--server", server]
    for verb in (["install"], ["validate", "--offline"], ["plan", *at], ["push", *at]):
        assert _run([verb[0], file, *verb[1:]]) == 2
        told = capfd.readouterr().err
        assert file in told
        assert words in told
    assert not is_written(server)
    assert not list(tmp_path.glob("cache/*#*"))


@pytest.mark.parametrize("name", NOT_PUBLISHED)
def test_what_is_no_content_is_refused_before_anything_is_written(package, server, capfd, name):
    archive, words = NOT_PUBLISHED[name]
    file = package(archive)
    assert _run(["install", file, "--offline"]) == 0
    assert _run(["validate", file, "--offline", "--quiet"]) in {0, 1}
    capfd.readouterr()
    for verb in ("plan", "push"):
        assert _run([verb, file, "--server", server]) == 2
        told = capfd.readouterr().err
        assert all(each in told for each in words)
    assert not is_written(server)


@pytest.mark.parametrize(
    "version", ["^1.0.0", ">=1 <2", "*", "file:../q", "git+ssh://x", "current"]
)
def test_what_it_depends_on_by_words_of_npm_is_not_guessed(package, server, capfd, version):
    file = package(made(manifest(dependencies={"other.one": version}), V))
    assert _run(["push", file, "--server", server, "--with-dependencies"]) == 2
    assert "other.one" in capfd.readouterr().err
    assert not is_written(server)
    assert _run(["push", file, "--server", server]) == 0


def test_an_example_in_both_folders_is_refused_with_both(package, server, capfd):
    patient = {"resourceType": "Patient", "id": "p"}
    both = [(f"package/{folder}/p.json", patient) for folder in ("example", "examples")]
    file = package(made(P, V, *both))
    assert _run(["push", file, "--server", server, "--examples"]) == 2
    told = capfd.readouterr().err
    assert "package/example/p.json" in told
    assert "package/examples/p.json" in told
    assert not is_written(server)
