"""The command line as a whole: help, exit codes, and errors in one line."""

import subprocess
import sys

import pytest
from click.testing import CliRunner

from fhirpkg.cli import VERBS, cli


def fhirpkg(*arguments, text=""):
    return subprocess.run(
        [sys.executable, "-W", "error", "-m", "fhirpkg", *arguments],
        input=text, capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip


def test_help_lists_every_verb():
    result = fhirpkg("--help")
    assert result.returncode == 0
    assert all(verb in result.stdout for verb in VERBS)


@pytest.mark.parametrize("verb", VERBS)
def test_each_verb_has_help_with_an_example(verb):
    result = fhirpkg(verb, "-h")
    assert result.returncode == 0, result.stderr
    assert "Example: fhirpkg" in " ".join(result.stdout.split())


def test_a_verb_that_is_not_there_is_told_with_the_nearest():
    result = fhirpkg("valdate")
    assert result.returncode == 2
    assert "did you mean 'validate'" in result.stderr
    assert "Traceback" not in result.stderr


def test_an_input_that_is_not_there_is_one_line_and_exit_code_2():
    result = fhirpkg("validate", "nowhere.json")
    assert result.returncode == 2
    assert result.stdout == ""
    assert result.stderr.count("\n") == 1
    assert "nowhere.json" in result.stderr


def test_the_validator_imports_with_the_standard_library_alone(unmeasured):
    code = (
        "import sys, fhirpkg; fhirpkg.Validator;"
        "outside = {n.split('.')[0] for n in sys.modules} - sys.stdlib_module_names;"
        "print(sorted(n for n in outside if not n.startswith(('_', 'fhirpkg'))))"
    )
    result = subprocess.run(
        [sys.executable, "-I", "-c", code], capture_output=True, text=True, check=True
    )
    assert result.stdout.strip() == "[]"


def test_an_interrupt_while_it_starts_is_no_traceback(unmeasured):
    code = (
        "import builtins, fhirpkg.__main__ as start\n"
        "def interrupted(*_, **__): raise KeyboardInterrupt\n"
        "builtins.__import__ = interrupted\n"
        "start.main()"
    )
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False
    )
    assert (result.returncode, result.stderr) == (130, "interrupted\n")


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-"])
def test_a_standard_stream_that_is_closed_is_no_fault_of_ours(tmp_path, closed):
    file = tmp_path / "p.json"
    file.write_text('{"resourceType": "Patient"}')
    command = f'"{sys.executable}" -m fhirpkg validate "{file}" {closed}'
    result = subprocess.run(["sh", "-c", command], capture_output=True, text=True, check=False)
    assert (result.returncode, result.stderr.count("Traceback")) == (0, 0)


def test_output_that_cannot_be_written_is_one_line_and_exit_code_2():
    with open("/dev/full", "w") as full:  # noqa: PTH123 - a device
        command = [sys.executable, "-m", "fhirpkg", "schema"]
        result = subprocess.run(
            command, stdout=full, stderr=subprocess.PIPE, text=True, check=False
        )
    assert result.returncode == 2
    assert result.stderr == "fhirpkg: reading or writing failed: No space left on device\n"


@pytest.mark.parametrize("variables, is_coloured", [({}, True), ({"NO_COLOR": "1"}, False)])
def test_severities_are_coloured_unless_no_color_is_set(tmp_path, variables, is_coloured):
    file = tmp_path / "p.json"
    file.write_text("{")
    result = CliRunner(env={"NO_COLOR": "", **variables}).invoke(
        cli, ["validate", str(file)], color=True
    )
    assert ("\x1b[31merror" in result.stdout) == is_coloured
