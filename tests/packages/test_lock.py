"""Packages one can trust: locked, hashed, from the registry of their namespace and no other."""

import base64
import hashlib
import json
import shutil

import pytest
from click.testing import CliRunner

from fhirpkg.canonical import PackageId
from fhirpkg.cli.publishing.install import command
from fhirpkg.errors import ConfigError, PackageError
from fhirpkg.packages.cache import PackageCache, resolve_package
from fhirpkg.packages.registry import Distribution, RegistryClient, registry_for
from tests.packages.loopback import archive, running


@pytest.fixture
def registry(registry):
    registry.publish(archive(dependencies={"test.two": "1.0.x"}))
    registry.publish(archive("test.two"), "test.two")
    return registry


@pytest.fixture
def lock(tmp_path):
    return tmp_path / "packages.lock"


def install(*arguments):
    return CliRunner().invoke(command, [str(a) for a in arguments], standalone_mode=False)


def empty_cache(tmp_path):
    shutil.rmtree(tmp_path / "cache")


def test_a_lock_names_version_url_archive_and_tree_and_is_the_same_each_time(registry, lock):
    assert install("test.one#1.0.0", "--lock", lock).return_value == 0
    text = lock.read_text()
    one, two = json.loads(text)["packages"]
    assert (one["name"], one["version"]) == ("test.one", "1.0.0")
    assert one["url"] == f"{registry.base}/test.one/1.0.0"
    packed = archive(dependencies={"test.two": "1.0.x"})
    assert one["sha256"] == hashlib.sha256(packed).hexdigest()
    assert len(two["tree"]) == 64
    assert install("test.one#1.0.0", "--lock", lock).return_value == 0
    assert lock.read_text() == text


def test_a_frozen_install_is_what_the_lock_says(registry, lock, tmp_path):
    install("test.one#1.0.0", "--lock", lock)
    registry.publish(archive("test.two", "1.0.1"), "test.two", "1.0.1")
    empty_cache(tmp_path)
    text = lock.read_text()
    result = install("--frozen", "--lock", lock)
    assert result.return_value == 0, result.output
    assert [str(each) for each in PackageCache().installed()] == [
        "test.one#1.0.0",
        "test.two#1.0.0",
    ]
    assert lock.read_text() == text


def test_a_frozen_install_refuses_another_archive_another_tree_and_what_is_not_locked(
    registry, lock, tmp_path
):
    install("test.one#1.0.0", "--lock", lock)
    file = tmp_path / "cache" / "test.two#1.0.0" / "package" / "package.json"
    file.write_text(file.read_text().replace("{", '{"x": 1,', 1))
    result = install("--frozen", "--lock", lock)
    assert result.return_value == 2
    assert "test.two#1.0.0: its tree is" in result.stderr
    empty_cache(tmp_path)
    registry.answers["/test.two/1.0.0"] = (200, archive("test.two", x="other"))
    result = install("--frozen", "--lock", lock)
    assert result.return_value == 2
    assert "the SHA-256 of its archive is" in result.stderr
    assert [str(each) for each in PackageCache().installed()] == ["test.one#1.0.0"]
    registry.publish(archive("test.three"), "test.three")
    result = install("test.three", "--frozen", "--lock", lock)
    assert result.return_value == 2
    assert "test.three: it is not in the lock file" in result.stderr


def test_frozen_needs_a_lock_and_a_lock_must_be_one(registry, lock):
    with pytest.raises(ConfigError, match="--lock"):
        CliRunner().invoke(command, ["--frozen"], standalone_mode=False, catch_exceptions=False)
    lock.write_text('{"packages": 5}')
    assert "not a lock file" in str(install("test.one", "--lock", lock).exception)


@pytest.mark.parametrize("algorithm", ["sha512", "sha256"])
def test_the_integrity_that_npm_tells_is_checked(registry, algorithm):
    packed = archive("test.three")
    digest = base64.b64encode(hashlib.new(algorithm, packed).digest()).decode()
    registry.publish(packed, "test.three", integrity=f"{algorithm}-{digest}")
    assert resolve_package("test.three#1.0.0").id == PackageId("test.three", "1.0.0")
    wrong = base64.b64encode(hashlib.new(algorithm, b"other").digest()).decode()
    registry.publish(archive("test.four"), "test.four", integrity=f"sha1-x {algorithm}-{wrong}")
    with pytest.raises(PackageError, match="is not the one the registry lists"):
        resolve_package("test.four#1.0.0")


@pytest.mark.parametrize("asked", ["", "#latest", "#1.x", "#2.x"])
def test_a_pre_release_is_never_the_latest(registry, asked):
    registry.publish(archive("test.two", "2.0.0-ballot"), "test.two", "2.0.0-ballot")
    listing = json.loads(registry.answers["/test.two"][1])
    listing["dist-tags"] = {"latest": "2.0.0-ballot"}
    registry.answers["/test.two"] = (200, json.dumps(listing))
    told = []
    found = resolve_package(f"test.two{asked}", tell=told.append)
    assert found.id.version == ("2.0.0-ballot" if asked == "#2.x" else "1.0.0")
    assert bool(told) == (asked != "#1.x")
    named = resolve_package("test.two#2.0.0-ballot", tell=told.append)
    assert named.id.version == "2.0.0-ballot"


def test_names_that_differ_in_case_only_are_refused(registry):
    resolve_package("test.two#1.0.0")
    registry.publish(archive("Test.Two"), "Test.Two")
    with pytest.raises(PackageError, match="differ in case only"):
        resolve_package("Test.Two#1.0.0")


def test_a_public_name_never_shadows_a_private_one(registry, monkeypatch):
    registry.publish(archive("acme.secret", "9.0.0"), "acme.secret", "9.0.0")
    with running() as private:
        private.publish(archive("acme.secret"), "acme.secret")
        monkeypatch.setenv("ACME_TOKEN", "sesame")
        monkeypatch.setenv("FPL_REGISTRY_TOKEN", "public")
        monkeypatch.setenv("FHIRPKG_REGISTRIES", f"acme={private.base}|ACME_TOKEN")
        assert resolve_package("acme.secret").id.version == "1.0.0"
        assert {token for _, token in private.seen} == {"Bearer sesame"}
        with pytest.raises(PackageError, match="no such version"):
            resolve_package("acme.secret#9.0.0")
        resolve_package("test.two#1.0.0")
        assert {token for _, token in registry.seen} == {"Bearer public"}
        assert registry_for("acmeother.x").base == registry.base


def test_what_came_from_the_public_registry_before_is_not_taken_for_private(registry, monkeypatch):
    registry.publish(archive("acme.secret"), "acme.secret")
    resolve_package("acme.secret#1.0.0")
    monkeypatch.setenv("FHIRPKG_REGISTRIES", "acme=https://npm.acme.example")
    with pytest.raises(PackageError, match=r"namespace belongs to https://npm\.acme\.example"):
        resolve_package("acme.secret#1.0.0")


def test_a_registry_over_https_never_leads_to_http():
    client = RegistryClient("https://registry.example", "sesame")
    there = Distribution(PackageId("test.one", "1.0.0"), "http://registry.example/one.tgz")
    with pytest.raises(PackageError, match="redirects to http://registry"):
        client.download(there)


def test_a_redirect_to_another_port_gets_no_token(registry):
    with running() as other:
        other.answers["/one"] = (200, archive())
        registry.answers["/moved"] = (302, "", {"Location": f"{other.base}/one"})
        there = Distribution(PackageId("test.one", "1.0.0"), f"{registry.base}/moved")
        assert RegistryClient(token="sesame").download(there) == archive()
        assert registry.seen == [("/moved", "Bearer sesame")]
        assert other.seen == [("/one", None)]
