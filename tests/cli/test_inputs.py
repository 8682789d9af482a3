"""What `validate` makes of the paths it is given."""

import io
import json
import os
import sys

import pytest

from fhirpkg.corpus.inputs import inputs_of, left_out_of
from fhirpkg.errors import SourceError
from fhirpkg.packages.package import read_package
from fhirpkg.packages.packing import write_package
from fhirpkg.releases import R4


def names(*paths):
    return [each and each.file for each in inputs_of(tuple(str(path) for path in paths))]


def test_a_folder_is_walked_in_order_and_what_is_no_resource_is_passed_over(tmp_path):
    for name in ("b.json", "a.xml", "package.json", ".index.json", "note.txt", "package.yaml"):
        (tmp_path / name).write_text("{}")
    (tmp_path / ".git").mkdir()
    (tmp_path / ".git" / "x.json").write_text("{}")
    (tmp_path / "z").mkdir()
    (tmp_path / "z" / "c.json").write_text("{}")
    found = names(tmp_path)
    assert [n.removeprefix(f"{tmp_path}/") for n in found if n] == [
        "a.xml", "b.json", "package.yaml", "z/c.json",
    ]  # fmt: skip
    assert found.count(None) == 3


def test_a_file_of_a_folder_may_be_no_resource_and_one_that_is_named_may_not(tmp_path):
    (tmp_path / "a.json").write_text("{}")
    [walked] = inputs_of((str(tmp_path),))
    [named] = inputs_of((str(tmp_path / "a.json"),))
    assert (walked.named, named.named) == (False, True)


def test_ndjson_gives_its_lines_one_by_one_with_their_numbers(tmp_path):
    file = tmp_path / "a.ndjson"
    file.write_text('{"a":1}\n\n{"b":2}\n')
    [stream] = inputs_of((str(file),))
    assert stream.is_stream
    assert [(line.data().strip(), line.first_line) for line in stream.lines()] == [
        (b'{"a":1}', 1),
        (b'{"b":2}', 3),
    ]


@pytest.mark.parametrize(
    "text, lines",
    [
        (b'{"a":\n1}', [1]),
        (b'{"a":1}\n{"b":2}\n', [1, 2]),
        (b'{\n"a":{}\n}', [1]),
        (b"<Patient/>\n", [1]),
    ],
)
def test_standard_input_is_ndjson_when_each_line_is_an_object(monkeypatch, text, lines):
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(text)))
    assert [each.first_line for each in inputs_of(("-",))] == lines


def test_a_path_that_is_not_there_is_an_error_that_names_it(tmp_path):
    with pytest.raises(SourceError, match="nowhere"):
        names(tmp_path / "nowhere")


def test_a_package_gives_the_resources_of_its_top_folder_and_its_examples(tmp_path):
    file = tmp_path / "a.tgz"
    held = ("a.json", "b.xml", "example/b.json", "examples/c.json", "openapi/d.json", "note.txt")
    files = dict.fromkeys(held, b"{}")
    file.write_bytes(write_package({"name": "test.one", "version": "1.0.0"}, files))
    whole, *inside = inputs_of((str(file),))
    assert (bool(whole.package), whole.file) == (True, str(file))
    assert [(bool(each.package), each.file) for each in inside] == [
        (False, f"{file}:package/{name}") for name in held[:4]
    ]


@pytest.mark.parametrize("versions, left_out", [(["4.0.1"], 3), ([], 3), (["5.0.0"], 0)])
def test_what_other_folders_of_a_package_hold_is_counted_unless_it_is_of_another_version(
    versions, left_out
):
    other = ("other/a.json", "xml/b.xml", "examples/deep/c.json")
    none = ("a.json", "example/b.json", "other/.index.json", "other/package.json", "other/d.txt")
    files = dict.fromkeys((*other, *none), b"{}")
    manifest = {"name": "test.one", "version": "1.0.0", "fhirVersions": versions}
    assert left_out_of(read_package(write_package(manifest, files)), R4) == left_out


MANIFEST = {"name": "test.one", "version": "1.0.0", "fhirVersions": ["4.0.1"]}


def unpack(folder, manifest, *names):
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text("{}")
    (folder / "package.json").write_text(json.dumps(manifest))


@pytest.mark.parametrize("above", [".", "a", "test.one#1.0.0/package"])
@pytest.mark.parametrize("index", [(), (".index.json", "own/g.json")])
def test_a_folder_with_an_unpacked_package_gives_what_its_archive_gives(tmp_path, above, index):
    folder = tmp_path / above
    held = ("a.json", "b.xml", "example/c.json", "examples/d.xml")
    unpack(folder, MANIFEST, *held, "other/e.json", "openapi/f.json", *index)
    whole, *inside = inputs_of((str(tmp_path),))
    assert (whole.file, left_out_of(whole.package, R4)) == (str(folder), 2 + len(index[1:]))
    assert [(bool(each.package), each.path) for each in inside] == [
        (False, folder / name) for name in held
    ]
    assert {each.named for each in inside} == {False}


@pytest.mark.parametrize("manifest, name", [
    ({"name": "node-tool", "version": "1.0.0", "dependencies": {"fhir": "4.12.0"}}, "other/b.json"),
    (MANIFEST, "valuesets/b.json"),  # a project that is published by other means
    ({**MANIFEST, "name": ""}, "other/b.json"),
    ([], "other/b.json"),
])  # fmt: skip
def test_a_folder_with_another_package_json_is_walked_as_any(tmp_path, manifest, name):
    unpack(tmp_path, manifest, "a.json", name)
    assert set(names(tmp_path)) == {str(tmp_path / "a.json"), str(tmp_path / name), None}


@pytest.mark.parametrize("needs", [
    {"fhir-version-list": ["4.0.1"]},
    {"canonical": "http://example.org"},
    {"dependencies": {"hl7.fhir.r4.core": "4.0.1"}},
])  # fmt: skip
def test_a_manifest_is_of_fhir_when_it_says_anything_of_it(tmp_path, needs):
    unpack(tmp_path, {"name": "test.one", "version": "1.0.0", **needs}, "a.json", "other/b.json")
    assert names(tmp_path) == [str(tmp_path), str(tmp_path / "a.json")]


def test_a_folder_that_leads_back_to_itself_is_walked_once(tmp_path):
    (tmp_path / "a.json").write_text("{}")
    (tmp_path / "again").symlink_to(".")
    assert names(tmp_path) == [str(tmp_path / "a.json")]


def test_a_pipe_in_a_folder_is_passed_over_because_reading_it_would_wait(tmp_path):
    os.mkfifo(tmp_path / "a.json")
    assert names(tmp_path) == [None]
