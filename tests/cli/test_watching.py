"""`validate --watch`: what changes is checked again; what others depend on, with all of them."""

import json
import os
import signal
import subprocess
import sys
import threading

import click
import pytest

from fhirpkg.corpus.checking import validate_all
from fhirpkg.errors import ConfigError
from tests.cli.test_validate import BAD, PATIENT, validate, write

PROFILE = {"resourceType": "ValueSet", "id": "v", "url": "http://a.example/v", "status": "draft"}


def checked(folder, *changed):
    return [each.file for each in validate_all([folder], changed=frozenset(changed))]


@pytest.fixture
def folder(tmp_path):
    for name, resource in {"a": PATIENT, "b": BAD, "v": PROFILE}.items():
        write(tmp_path / f"{name}.json", resource)
    return tmp_path


def test_only_what_changed_is_checked(folder):
    assert checked(folder, folder / "b.json") == [str(folder / "b.json")]


def test_what_defines_something_or_is_gone_concerns_all(folder):
    assert len(checked(folder, folder / "v.json")) == 3
    assert len(checked(folder, folder / "gone.json")) == 3


def test_a_change_is_checked_until_interrupted_and_a_broken_file_ends_nothing(folder):
    arguments = [sys.executable, "-m", "fhirpkg", "validate", "--watch", "."]
    with subprocess.Popen(
        arguments, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        killer = threading.Timer(60, process.kill)
        killer.start()
        try:
            expect(process.stderr, "3 inputs checked")
            # The watch begins after this line: save until it is seen.
            saved = threading.Event()
            saver = threading.Thread(target=save, args=(folder / "a.json", BAD, saved))
            saver.start()
            expect(process.stderr, "a.json changed")
            saved.set()
            saver.join()
            expect(process.stderr, "1 input checked; 1 error")
            write(folder / "b.json", '{"resourceType": ')
            expect(process.stderr, "b.json changed")
            expect(process.stderr, "1 input checked; 1 error")
            process.send_signal(signal.SIGINT)
            out, _ = process.communicate(timeout=30)
        finally:
            killer.cancel()
            process.kill()
    assert process.returncode == 130
    assert out.count("a.json:4:2: error binding-required") > 0
    assert "b.json:1:" in out


def save(file, resource, enough):
    text = json.dumps(resource, indent=1)
    while not enough.wait(0.5):
        whole = file.with_suffix(".new")
        whole.write_text(text)
        os.replace(whole, file)  # noqa: PTH105 - as editors do


def expect(stream, words):
    for line in stream:
        if words in line:
            return
    pytest.fail(f"{words!r} never came")


@pytest.mark.parametrize("path", ["-", "test.one#1.0.0"])
def test_what_is_no_file_cannot_be_watched(path):
    with pytest.raises(ConfigError, match="files and folders"):
        validate("--watch", path)


def test_a_baseline_of_what_is_watched_is_wrong_use(folder):
    with pytest.raises(click.UsageError, match="--write-ignore"):
        validate("--watch", "--write-ignore", folder / "i.toml", folder)


def test_without_watchfiles_it_is_said_how_to_get_it(folder, monkeypatch):
    monkeypatch.setitem(sys.modules, "watchfiles", None)
    with pytest.raises(ConfigError, match=r"fhirpkg\[watch\]"):
        validate("--watch", folder)
