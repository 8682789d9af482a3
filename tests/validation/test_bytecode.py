"""Code that is kept serves for the source that it was made of, and for nothing else."""

import marshal
import sys

import pytest

from fhirpkg.validation.compiling import bytecode
from fhirpkg.validation.compiling.bytecode import compiled

SOURCE = "def f0(v):\n    return v + 1\n"


@pytest.fixture
def kept(tmp_path, monkeypatch):
    """The file for all code, in a folder that is not there yet."""
    path = tmp_path / "inner" / "check.pyc"
    monkeypatch.setattr(bytecode, "_place", lambda _name: path)
    monkeypatch.setattr(sys, "dont_write_bytecode", False)
    return path


def result(source, *, keep=True):
    names = {}
    exec(compiled(source, keep=keep), names)
    return names["f0"](1)


def with_code(path, code, made_of=SOURCE, by=bytecode._MADE_BY):
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(by + marshal.dumps((made_of, code)))


MARKED = compile("def f0(v):\n    return 'kept'\n", "x", "exec")


def test_code_is_written_once_and_read_again(kept):
    assert result(SOURCE) == 2
    assert list(kept.parent.iterdir()) == [kept]
    with_code(kept, MARKED)
    assert result(SOURCE) == "kept"


def test_code_of_other_source_does_not_serve(kept):
    with_code(kept, MARKED, made_of=SOURCE + "\n")
    assert result(SOURCE) == 2
    with_code(kept, MARKED, by=b"another Python")
    assert result(SOURCE) == 2
    with_code(kept, 5)
    assert result(SOURCE) == 2


@pytest.mark.parametrize("end", [0, 1, 40, -1])
def test_what_was_cut_short_does_not_serve(kept, end):
    result(SOURCE)
    kept.write_bytes(kept.read_bytes()[:end])
    assert result(SOURCE) == 2


@pytest.mark.parametrize("data", [b"", b"\0", b"x" * 100, marshal.dumps(1), marshal.dumps((1,))])
def test_what_is_no_code_does_not_serve(kept, data):
    kept.parent.mkdir()
    kept.write_bytes(bytecode._MADE_BY + data)
    assert result(SOURCE) == 2


def test_where_nothing_can_be_written_code_is_made_again(kept):
    kept.parent.write_text("in the way")
    assert result(SOURCE) == 2


def test_nothing_is_written_where_python_writes_no_bytecode(kept, monkeypatch):
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    assert result(SOURCE) == 2
    assert not kept.parent.exists()


def test_code_of_profiles_is_not_kept(kept):
    assert result(SOURCE, keep=False) == 2
    assert not kept.parent.exists()


def test_files_stand_beside_the_modules_own_bytecode():
    place = bytecode._place("<check 1-2>")
    assert place is not None
    assert place.parent == type(place)(bytecode.__spec__.cached).parent
    assert place.name.startswith("check-1-2.")
    assert sys.implementation.cache_tag in place.name
