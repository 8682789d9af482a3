import pytest

from fhirpkg.canonical import PackageId
from fhirpkg.errors import PackageError
from fhirpkg.packages.cache import PackageCache, needed, resolve_package, with_dependencies
from fhirpkg.packages.package import read_package
from fhirpkg.packages.packing import write_package
from tests.packages.loopback import archive


@pytest.fixture
def cache(tmp_path):
    return PackageCache(tmp_path / "cache")


def put(cache, name="test.one", version="1.0.0", **manifest):
    return cache.add(archive(name, version, **manifest), PackageId(name, version))


def test_what_is_put_in_is_found_again(cache):
    put(cache, canonical="http://x")
    found = cache.read(PackageId("test.one", "1.0.0"))
    assert found.manifest.canonical == "http://x"
    assert (cache.folder / "test.one#1.0.0" / "package" / "package.json").is_file()
    there = sorted(path.name for path in cache.folder.iterdir())
    assert there == [".fhirpkg", "test.one#1.0.0"]  # the first tells where the second came from


@pytest.mark.parametrize(
    "wanted, found",
    [
        ("test.one", "1.10.0"),
        ("test.one#latest", "1.10.0"),
        ("test.one#1.9.x", "1.9.1"),
        ("test.one#1.9.0", "1.9.0"),
        ("test.one#2.0.0", None),
        ("test.two", None),
    ],
)
def test_a_version_is_exact_a_wildcard_or_the_newest(cache, wanted, found):
    for version in ("1.9.0", "1.10.0", "1.9.1"):
        put(cache, version=version)
    id_ = cache.find(PackageId.parse(wanted))
    assert (id_ and id_.version) == found


def test_an_empty_or_missing_cache_holds_nothing(cache):
    assert cache.installed() == []
    assert cache.read(PackageId("test.one")) is None


def test_a_package_already_there_is_never_changed(cache):
    folder = cache.folder / "test.one#1.0.0"
    folder.mkdir(parents=True)
    (folder / "mine").write_text("of another tool")
    put(cache)
    assert [path.name for path in folder.iterdir()] == ["mine"]
    with pytest.raises(PackageError, match=r"no package/package\.json"):
        cache.read(PackageId("test.one", "1.0.0"))


def test_an_archive_of_another_package_is_not_put_in(cache):
    with pytest.raises(PackageError, match=r"the downloaded package is test\.one#1\.0\.0"):
        cache.add(archive(), PackageId("test.two", "1.0.0"))
    assert cache.installed() == []


def test_a_package_without_version_is_not_put_in(cache):
    packed = write_package({"name": "test.one"}, {})
    with pytest.raises(PackageError, match="gives no version"):
        cache.add(packed, PackageId("test.one"))


def test_the_cache_is_where_the_environment_says(monkeypatch, tmp_path):
    monkeypatch.setenv("FHIRPKG_CACHE", str(tmp_path / "here"))
    assert PackageCache().folder == tmp_path / "here"
    monkeypatch.delenv("FHIRPKG_CACHE")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert PackageCache().folder == tmp_path / ".fhir" / "packages"


def test_a_file_or_folder_is_taken_as_it_is(cache, tmp_path):
    (tmp_path / "x.tgz").write_bytes(archive())
    assert resolve_package(str(tmp_path / "x.tgz"), cache).id.name == "test.one"
    put(cache)
    assert resolve_package(str(cache.folder / "test.one#1.0.0"), cache).id.name == "test.one"


def test_offline_only_the_cache_is_asked(cache, registry):
    registry.publish(archive())
    with pytest.raises(PackageError, match="fhirpkg install"):
        resolve_package("test.one#1.0.0", cache, offline=True)
    assert registry.seen == []


def test_what_is_not_in_the_cache_is_fetched_once(cache, registry):
    registry.publish(archive())
    assert resolve_package("test.one#1.0.x", cache).id == PackageId("test.one", "1.0.0")
    asked = len(registry.seen)
    assert resolve_package("test.one#1.0.x", cache).id == PackageId("test.one", "1.0.0")
    assert len(registry.seen) == asked


def test_a_name_that_is_none_is_told(cache):
    with pytest.raises(PackageError, match="write name#version"):
        resolve_package("no such thing", cache)


def test_dependencies_come_first_and_what_is_missing_is_told(cache):
    put(cache, "test.two", dependencies={"test.three": "1.0.0", "test.one": "1.0.0"})
    put(cache, "test.four", dependencies={"test.two": "1.0.0"})
    one = read_package(
        archive("test.one", dependencies={"test.four": "1.0.0", "test.two": "1.0.x"})
    )
    found, missing = with_dependencies([one], cache)
    assert [package.id.name for package in found] == ["test.two", "test.four", "test.one"]
    assert missing == [PackageId("test.three", "1.0.0")]


def test_packages_of_fhir_itself_are_not_needed_and_aliases_are_followed():
    dependencies = {
        "hl7.fhir.r4.core": "4.0.1",
        "hl7.fhir.r5.core": "5.0.0",
        "hl7.fhir.r4.examples": "4.0.1",
        "hl7.fhir.uv.cpg": "2.0.0",
        "alias": "npm:test.two@3.0.0",
    }
    manifest = read_package(archive(dependencies=dependencies)).manifest
    assert [str(id_) for id_ in needed(manifest)] == ["hl7.fhir.uv.cpg#2.0.0", "test.two#3.0.0"]
    broken = read_package(archive(dependencies={"alias": "npm:!"})).manifest
    with pytest.raises(PackageError, match="alias"):
        list(needed(broken))
