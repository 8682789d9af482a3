import hashlib
import json
import re

import pytest

from fhirpkg.canonical import PackageId
from fhirpkg.errors import PackageError
from fhirpkg.packages.registry import DEFAULT_REGISTRY, RegistryClient, find
from tests.packages.loopback import archive, running

ONE = PackageId("test.one", "1.0.0")


def publish(registry, *versions):
    for version in versions:
        registry.publish(archive(version=version), version=version)


@pytest.mark.parametrize(
    "wanted, chosen",
    [
        ("1.9.0", "1.9.0"),
        ("1.9.x", "1.9.1"),
        ("1.x", "1.10.0"),
        ("latest", "1.10.0"),
        (None, "1.10.0"),
        ("2.0.x", "2.0.0-ballot"),
    ],
)
def test_a_version_is_exact_a_wildcard_or_the_latest_release(registry, wanted, chosen):
    publish(registry, "1.9.0", "1.10.0", "1.9.1", "2.0.0-ballot")
    release = RegistryClient().resolve(PackageId("test.one", wanted))
    assert release.id.version == chosen
    assert release.url == f"{registry.base}/test.one/{chosen}"


@pytest.mark.parametrize("latest, newer", [("1.0.0", "2.1.0"), ("2.0.0", ""), ("2.1.0", "")])
def test_latest_is_what_the_registry_calls_so_and_a_newer_major_is_told(registry, latest, newer):
    publish(registry, "1.0.0", "2.0.0", "2.1.0", "3.0.0-ballot")
    listing = json.loads(registry.answers["/test.one"][1]) | {"dist-tags": {"latest": latest}}
    registry.answers["/test.one"] = (200, json.dumps(listing))
    found = RegistryClient().resolve(PackageId("test.one"))
    assert found.id.version == latest
    assert newer in found.note
    assert bool(newer) == bool(found.note)


@pytest.mark.parametrize("status", [429, 502, 503, 504])
def test_a_busy_registry_is_asked_again(registry, status):
    publish(registry, "1.0.0")

    class Busy(dict):
        def get(self, path, default):
            once = not any(seen == path for seen, _ in registry.seen[:-1])
            headers = {"Retry-After": "9999"}
            return (status, "", headers) if once else super().get(path, default)

    registry.answers = Busy(registry.answers)
    client = RegistryClient()
    assert client.download(client.resolve(ONE)) == archive()
    assert len(registry.seen) == 4


@pytest.mark.parametrize("version", ["current", "current$main", "dev"])
def test_builds_that_change_are_refused_without_asking(registry, version):
    with pytest.raises(PackageError, match="a build that changes"):
        RegistryClient().resolve(PackageId("test.one", version))
    assert registry.seen == []


@pytest.mark.parametrize(
    "answer, words",
    [
        ((404, ""), "does not have it"),
        ((503, ""), "status 503"),
        ((200, "<html>"), "is not a package listing"),
        ((200, "[]"), "is not a package listing"),
        ((200, "{}"), "no such version; the latest: none"),
        ((200, '{"versions": {"3.0.0": {}}}'), "the latest: 3.0.0"),
    ],
)
def test_what_the_registry_does_not_have_is_told(registry, answer, words):
    registry.answers["/test.one"] = answer
    with pytest.raises(PackageError) as told:
        RegistryClient().resolve(ONE)
    assert words in str(told.value)


def test_a_registry_out_of_reach_is_told_with_what_to_do(registry):
    with pytest.raises(PackageError, match="--offline"):
        RegistryClient("http://127.0.0.1:1").resolve(ONE)


def test_the_archive_is_downloaded_and_progress_told(registry):
    publish(registry, "1.0.0")
    told = []
    client = RegistryClient()
    assert client.download(client.resolve(ONE), lambda *step: told.append(step)) == archive()
    assert told[-1] == (len(archive()), len(archive()))


def test_an_archive_that_is_not_the_listed_one_is_refused(registry):
    client = RegistryClient()
    registry.publish(archive(), shasum=hashlib.sha1(archive()).hexdigest())
    assert client.download(client.resolve(ONE)) == archive()
    registry.publish(archive(), shasum="0" * 40)
    with pytest.raises(PackageError, match="not the one the registry lists"):
        client.download(client.resolve(ONE))


def test_a_listing_without_a_place_means_the_usual_one(registry):
    registry.answers["/test.one"] = (200, '{"versions": {"1.0.0": {}}}')
    assert RegistryClient().resolve(ONE).url == f"{registry.base}/test.one/1.0.0"


def test_the_token_goes_to_the_registry_and_to_nobody_else(registry, monkeypatch):
    monkeypatch.setenv("FPL_REGISTRY_TOKEN", "secret")
    publish(registry, "1.0.0")
    elsewhere = registry.base.replace("127.0.0.1", "localhost")
    registry.publish(archive(), tarball=f"{elsewhere}/test.one/1.0.0")
    client = RegistryClient()
    client.download(client.resolve(ONE))
    assert registry.seen == [("/test.one", "Bearer secret"), ("/test.one/1.0.0", None)]


def test_the_token_goes_before_what_netrc_says(registry, monkeypatch, tmp_path):
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login someone password else\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    publish(registry, "1.0.0")
    RegistryClient(token="secret").resolve(ONE)
    assert registry.seen == [("/test.one", "Bearer secret")]


def test_without_a_choice_the_registry_is_the_one_constant(monkeypatch):
    monkeypatch.delenv("FPL_REGISTRY", raising=False)
    assert RegistryClient().base == DEFAULT_REGISTRY
    monkeypatch.setenv("FPL_REGISTRY", "https://registry.example/fhir/")
    assert RegistryClient().base == "https://registry.example/fhir"


@pytest.fixture
def second(registry, monkeypatch):
    """A second registry behind the first, both in the places of HL7's."""
    monkeypatch.delenv("FPL_REGISTRY", raising=False)
    monkeypatch.setenv("FPL_REGISTRY_TOKEN", "secret")
    with running() as other:
        monkeypatch.setattr("fhirpkg.packages.registry.DEFAULT_REGISTRY", registry.base)
        monkeypatch.setattr("fhirpkg.packages.registry.FALLBACK_REGISTRY", other.base)
        other.publish(archive("test.two"), "test.two")
        yield other


def test_what_the_first_registry_does_not_have_comes_from_the_second(registry, second):
    client, found = find(PackageId("test.two", "1.0.x"))
    assert (client.base, str(found.id)) == (second.base, "test.two#1.0.0")
    assert registry.base in found.note
    assert [token for _, token in second.seen] == [None]


def test_what_the_first_registry_has_is_not_looked_for_elsewhere(registry, second):
    registry.publish(archive("test.two"), "test.two")
    client, found = find(PackageId("test.two", "1.0.0"))
    assert (client.base, found.note, second.seen) == (registry.base, "", [])


def test_what_neither_has_is_told_by_the_first(registry, second):
    with pytest.raises(PackageError, match=re.escape(registry.base)):
        find(PackageId("test.none", "1.0.0"))
    assert second.seen


@pytest.mark.parametrize("variable", ["FPL_REGISTRY", "FHIRPKG_REGISTRIES"])
def test_a_registry_that_the_user_named_is_the_only_one(registry, second, monkeypatch, variable):
    value = registry.base if variable == "FPL_REGISTRY" else f"test={registry.base}"
    monkeypatch.setenv(variable, value)
    with pytest.raises(PackageError):
        find(PackageId("test.two", "1.0.0"))
    assert second.seen == []
