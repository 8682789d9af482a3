"""A folder of pages: whole or not at all, its own files alone."""

import pytest

from fhirpkg.errors import ConfigError, SourceError
from fhirpkg.pages.writing import LIST, write


def test_files_are_written_and_those_no_longer_made_go(tmp_path):
    out = tmp_path / "deep" / "out"
    assert write([("index.html", b"1"), ("a/b.html", b"2"), ("c/d.html", b"3")], out) == 3
    assert write([("index.html", b"4"), ("c/d.html", b"3")], out) == 2
    assert (out / "index.html").read_bytes() == b"4"
    assert sorted(file.name for file in out.iterdir()) == [LIST, "c", "index.html"]


def test_files_of_others_in_the_folder_stay(tmp_path):
    write([("index.html", b"1"), ("a/b.html", b"2")], tmp_path / "out")
    for name in ("CNAME", "a/notes.txt"):
        (tmp_path / "out" / name).write_text("mine")
    write([("index.html", b"2")], tmp_path / "out")
    assert (tmp_path / "out/CNAME").read_text() == "mine"
    assert (tmp_path / "out/a/notes.txt").read_text() == "mine"
    assert not (tmp_path / "out/a/b.html").exists()


def test_a_folder_that_is_not_its_own_is_refused_and_left_alone(tmp_path):
    (tmp_path / "thesis.txt").write_text("mine")
    with pytest.raises(ConfigError):
        write([("index.html", b"1")], tmp_path)
    assert [file.name for file in tmp_path.iterdir()] == ["thesis.txt"]


def test_a_file_of_somebody_else_in_the_way_is_refused(tmp_path):
    write([("index.html", b"1")], tmp_path / "out")
    (tmp_path / "out/new.html").write_text("mine")
    with pytest.raises(ConfigError):
        write([("index.html", b"2"), ("new.html", b"2")], tmp_path / "out")
    assert (tmp_path / "out/new.html").read_text() == "mine"
    assert (tmp_path / "out/index.html").read_bytes() == b"1"


def test_nothing_changes_when_a_page_cannot_be_made(tmp_path):
    write([("index.html", b"1"), ("a.html", b"1")], tmp_path / "out")

    def failing():
        yield "index.html", b"2"
        raise SourceError("x", "y")

    with pytest.raises(SourceError):
        write(failing(), tmp_path / "out")
    assert (tmp_path / "out/index.html").read_bytes() == b"1"
    assert {file.name for file in (tmp_path / "out").iterdir()} == {LIST, "index.html", "a.html"}


def test_what_cannot_be_written_is_told(tmp_path):
    (tmp_path / "file").write_text("x")
    with pytest.raises(SourceError):
        write([("index.html", b"1")], tmp_path / "file" / "out")


def test_names_in_the_list_do_not_lead_out_of_the_folder(tmp_path):
    write([("index.html", b"1")], tmp_path / "out")
    (tmp_path / "precious").write_text("mine")
    with (tmp_path / "out" / LIST).open("a") as file:
        file.write(f"../precious\n{tmp_path}/precious\na/../../precious\n")
    write([("index.html", b"1")], tmp_path / "out")
    assert (tmp_path / "precious").exists()
