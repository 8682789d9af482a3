"""What registries, packages and lock files must not be able to do, each refused in words."""

import hashlib
import io
import json
import tarfile

import pytest

from fhirpkg.cli import _run
from fhirpkg.packages.cache import PackageCache
from tests.packages.loopback import archive

MANIFEST = ("package/package.json", b'{"name": "test.one", "version": "1.0.0"}')
DEEP = "[" * 100_000


@pytest.fixture
def registry(registry):
    registry.publish(archive())
    return registry


def packed(*members):
    """A .tgz of the manifest and further files."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as made:
        for name, data in (MANIFEST, *members):
            info = tarfile.TarInfo(name)
            info.size = len(data)
            made.addfile(info, io.BytesIO(data))
    return buffer.getvalue()


def refused(capfd, *words, arguments=("test.one#1.0.0",)):
    """That an install ends with 2 or 1 and says the words, without a traceback."""
    code = _run(["install", *map(str, arguments)])
    told = capfd.readouterr().err
    assert code in {1, 2}
    assert "Traceback" not in told
    assert not [word for word in words if word not in told], told


@pytest.mark.parametrize(
    "members, words",
    [
        ([("package/a", b"x"), ("package/a/b.json", b"{}")], "as a file and as a folder"),
        ([("package/a/b.json", b"{}"), ("package/a", b"x")], "as a file and as a folder"),
        ([(f"package/{'n' * 300}.json", b"{}")], "is too long"),
        # With a line break in it, one name would have the digest of two files in a lock.
        ([(f"package/a\n{'0' * 64}  b", b"x")], "is not text"),
        ([("package/\udcff.json", b"{}")], "is not text"),
    ],
    ids=["file and folder", "folder and file", "long", "line break", "no UTF-8"],
)
def test_names_that_no_folder_can_hold_as_they_are(registry, capfd, members, words):
    registry.publish(packed(*members))
    refused(capfd, words)
    assert PackageCache().installed() == []


@pytest.mark.parametrize(
    "place", ["http://127.0.0.1:99999/x", "http://[::1/x", "file:///etc/passwd", "ftp://h/x"]
)
def test_places_that_are_no_url_of_http(registry, capfd, place):
    registry.publish(archive(), tarball=place)
    refused(capfd, "test.one#1.0.0")
    registry.publish(archive())
    registry.answers["/test.one/1.0.0"] = (302, "", {"Location": place})
    refused(capfd, "test.one#1.0.0")


@pytest.mark.parametrize("integrity", ["md5-AAAA", "sha1-AAAA", "crc32-AA md5-BB"])
def test_an_integrity_that_proves_nothing_or_another_archive(registry, capfd, integrity):
    registry.publish(archive(), integrity=integrity)
    refused(capfd, "not the one the registry lists")


def test_a_sha1_may_be_written_in_capitals(registry):
    registry.publish(archive(), shasum=hashlib.sha1(archive()).hexdigest().upper())
    assert _run(["install", "test.one#1.0.0"]) == 0


@pytest.mark.parametrize("kind", ["url", "folder", "dots"])
def test_a_dependency_leads_to_the_registry_and_nowhere_else(registry, capfd, tmp_path, kind):
    folder = tmp_path / "evil#1.0.0"
    folder.mkdir()
    (folder / "package.json").write_text('{"name": "evil", "version": "1.0.0"}')
    registry.answers["/evil.tgz"] = (200, archive("evil"))
    name = {"url": f"{registry.base}/evil.tgz", "folder": f"{tmp_path}/evil", "dots": "../evil"}
    registry.publish(archive(dependencies={name[kind]: "1.0.0"}))
    refused(capfd, "is not a package id", "needed by test.one#1.0.0")
    assert "/evil.tgz" not in [path for path, _ in registry.seen]


def test_versions_that_differ_in_case_only(registry, capfd):
    registry.publish(archive(version="1.0.0-Beta"), version="1.0.0-Beta")
    registry.publish(archive(version="1.0.0-beta"), version="1.0.0-beta")
    assert _run(["install", "test.one#1.0.0-Beta"]) == 0
    refused(capfd, "differ in case only", arguments=["test.one#1.0.0-beta"])


def locked(**facts):
    return {"name": "test.one", "version": "1.0.0", "url": "", "sha256": "", "tree": ""} | facts


@pytest.mark.parametrize(
    "text, words",
    [
        (json.dumps({"format": 1, "packages": [locked()]}), "no tree to check"),
        (
            json.dumps({"format": 1, "packages": [locked(tree="0" * 64), locked(tree="1" * 64)]}),
            "twice",
        ),
        (DEEP, "not a lock file"),
    ],
    ids=["blank digests", "one package twice", "deep"],
)
def test_a_lock_that_locks_nothing(registry, capfd, tmp_path, text, words):
    lock = tmp_path / "packages.lock"
    lock.write_text(text)
    refused(capfd, words, arguments=["test.one#1.0.0", "--lock", lock, "--frozen"])
    assert PackageCache().installed() == []


def test_a_listing_that_is_too_deep(registry, capfd):
    registry.answers["/test.one"] = (200, DEEP)
    refused(capfd, "not a package listing")
