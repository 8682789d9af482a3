import gzip
import hashlib
import io
import json
import tarfile

import pytest

from fhirpkg.canonical import PackageId
from fhirpkg.errors import ConfigError, PackageError
from fhirpkg.packages import archive as unpacking
from fhirpkg.packages import installed as module
from fhirpkg.packages.installed import content_root, read_profiles
from fhirpkg.packages.package import read_package
from fhirpkg.packages.packing import index, pack, write_package

MANIFEST = {"name": "test.one", "version": "1.0.0", "fhirVersions": ["4.0.1"]}
PLAN = {"resourceType": "PlanDefinition", "id": "p", "url": "http://x/p", "type": {"text": "t"}}


def files(**resources):
    return {f"{name}.json": json.dumps(value).encode() for name, value in resources.items()}


def tar(*members, mode="w:gz"):
    """An archive of (name, content) or TarInfo, made as a stranger would."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode=mode) as archive:
        for member in members:
            if isinstance(member, tarfile.TarInfo):
                archive.addfile(member)
                continue
            name, content = member
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return packed.getvalue()


def link(name, target, type_=tarfile.SYMTYPE):
    info = tarfile.TarInfo(name)
    info.type, info.linkname = type_, target
    return info


PACKAGE_JSON = ("package/package.json", json.dumps(MANIFEST).encode())


def test_what_is_written_is_read_again():
    written = write_package(
        {**MANIFEST, "dependencies": {"a.b": "1.0.0"}, "canonical": "http://x"},
        {**files(p=PLAN), "example/e.json": b"{}"},
    )
    package = read_package(written)
    assert package.id == PackageId("test.one", "1.0.0")
    assert package.manifest.dependencies == {"a.b": "1.0.0"}
    assert package.manifest.canonical == "http://x"
    assert package.manifest.fhir_versions == ("4.0.1",)
    assert list(package.resources()) == [("p.json", PLAN)]
    assert package.files["example/e.json"] == b"{}"


def test_the_bytes_depend_on_the_content_alone(monkeypatch):
    one = write_package(MANIFEST, {"b.json": b"{}", "a.json": b"{}"})
    other = write_package(MANIFEST, {"a.json": b"{}", "b.json": b"{}"})
    assert one == other
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1700000000")
    later = write_package(MANIFEST, {"a.json": b"{}", "b.json": b"{}"})
    with tarfile.open(fileobj=io.BytesIO(later)) as archive:
        members = archive.getmembers()
    assert [m.name for m in members] == sorted(m.name for m in members)
    assert {(m.mtime, m.uid, m.gid, m.mode) for m in members} == {(1700000000, 0, 0, 0o644)}
    assert gzip.GzipFile(fileobj=io.BytesIO(later)).read() == gzip.decompress(later)
    assert later[4:8] == b"\0\0\0\0"


def test_a_senseless_epoch_is_told(monkeypatch):
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "yesterday")
    with pytest.raises(ConfigError, match="yesterday"):
        write_package(MANIFEST, {})


def test_the_digest_is_that_of_the_tar_inside():
    stream = io.BytesIO()
    found = pack(stream, MANIFEST, {"a.json": b"{}"})
    assert stream.getvalue() == write_package(MANIFEST, {"a.json": b"{}"})
    assert found == hashlib.sha256(gzip.decompress(stream.getvalue())).hexdigest()


def test_the_index_takes_top_level_strings_only():
    observation = {"type": "x", "resourceType": "Observation", "id": "o"}
    found = index({**files(p=PLAN, o=observation, other={"a": 1}), "t.txt": b"x"})
    assert found == {
        "index-version": 2,
        "files": [
            {"filename": "o.json", "resourceType": "Observation", "id": "o", "type": "x"},
            {
                "filename": "p.json",
                "resourceType": "PlanDefinition",
                "id": "p",
                "url": "http://x/p",
            },
        ],
    }


def test_the_written_package_holds_its_index():
    package = read_package(write_package(MANIFEST, files(p=PLAN)))
    assert json.loads(package.files[".index.json"]) == index(files(p=PLAN))


def test_a_folder_is_a_package_too(tmp_path):
    (tmp_path / "package" / "example").mkdir(parents=True)
    (tmp_path / "package" / "package.json").write_text(json.dumps(MANIFEST))
    (tmp_path / "package" / "example" / "p.json").write_text(json.dumps(PLAN))
    package = read_package(tmp_path)
    assert package.id.name == "test.one"
    assert list(package.resources()) == []
    assert list(package.resources("example")) == [("example/p.json", PLAN)]
    assert read_package(tmp_path / "package").files.keys() == package.files.keys()


def test_what_lies_beside_the_package_folder_is_left_out():
    package = read_package(tar(PACKAGE_JSON, ("other/x.json", b"{}"), ("./package/y.json", b"{}")))
    assert sorted(package.files) == ["package.json", "y.json"]


@pytest.mark.parametrize(
    "archive, words",
    [
        (tar(PACKAGE_JSON, ("package/../../x", b"")), "points outside"),
        (tar(PACKAGE_JSON, ("/etc/x", b"")), "points outside"),
        (tar(PACKAGE_JSON, ("package\\..\\x", b"")), "points outside"),
        (tar(PACKAGE_JSON, link("package/x.json", "/etc/passwd")), "link"),
        (tar(PACKAGE_JSON, link("package/x.json", "package/y", tarfile.LNKTYPE)), "link"),
        (tar(PACKAGE_JSON, link("package/x.json", "", tarfile.FIFOTYPE)), "link or a device"),
        (tar(PACKAGE_JSON, PACKAGE_JSON), "twice"),
        (tar(("package/x.json", b"{}")), "no package/package.json"),
        (tar(("package/package.json", b"[]")), "not a JSON object with a name"),
        (tar(("package/package.json", b'{"name": "../x"}')), "package id"),
        (tar(PACKAGE_JSON)[:-30], "not a readable .tgz"),
        (tar(PACKAGE_JSON, mode="w"), "not a readable .tgz"),
        (gzip.compress(b"x" * 5000), "not a readable .tgz"),
        (b"", "not a readable .tgz"),
    ],
    # an archive is no name: gzip writes the time into it, and test processes must agree on names
    ids=lambda value: value if isinstance(value, str) else "archive",
)
def test_a_damaged_or_hostile_archive_is_refused(archive, words):
    with pytest.raises(PackageError) as told:
        read_package(archive)
    assert words in str(told.value)


@pytest.mark.parametrize("limit", [("MAX_BYTES", 100_000), ("MAX_MEMBERS", 3)])
def test_an_archive_that_unpacks_to_very_much_is_refused(monkeypatch, limit):
    members = [(f"package/{number}", b"\0" * 30_000) for number in range(4)]
    assert len(read_package(tar(PACKAGE_JSON, *members)).files) == 5
    monkeypatch.setattr(unpacking, *limit)
    with pytest.raises(PackageError, match="unpacks to more than"):
        read_package(tar(PACKAGE_JSON, *members))


@pytest.mark.parametrize("type_", [tarfile.XHDTYPE, tarfile.GNUTYPE_LONGNAME, tarfile.REGTYPE])
def test_a_bomb_is_refused_before_it_is_unpacked(type_):
    info = tarfile.TarInfo("package/x")
    info.type, info.size = type_, 8 << 30
    bomb = gzip.compress(info.tobuf(tarfile.GNU_FORMAT) + b"\0" * (4 << 20))
    with pytest.raises(PackageError, match=r"unpacks to more than|headers is larger"):
        read_package(bomb)


def test_a_file_that_is_not_there_is_told(tmp_path):
    with pytest.raises(PackageError, match="there is no such file"):
        read_package(tmp_path / "none.tgz")


def test_profiles_beside_the_content_come_first(tmp_path):
    (tmp_path / "profiles").mkdir()
    (tmp_path / "profiles" / "a.json").write_text('{"resourceType": "ValueSet"}')
    assert read_profiles(tmp_path / "resources") == [{"resourceType": "ValueSet"}]
    (tmp_path / "profiles" / "b.json").write_text("{")
    with pytest.raises(PackageError, match=r"b\.json"):
        read_profiles(tmp_path / "resources")


def test_our_own_content_is_found_in_a_checkout_and_in_a_wheel(tmp_path, monkeypatch):
    installed = tmp_path / "site" / "fhirpkg"
    (installed / "packages").mkdir(parents=True)
    monkeypatch.setattr(module, "__file__", str(installed / "packages" / "installed.py"))
    with pytest.raises(PackageError, match="not installed"):
        content_root()
    for root in (tmp_path / "site", installed / "content"):
        (root / "resources").mkdir(parents=True)
        (root / "resources" / "package.yaml").write_text("")
        assert content_root() == root
