"""A procedure beside the source.lock of its monograph: each fact of the source is accounted for."""

import json

import pytest

from fhirpkg.cli import ExitCode
from fhirpkg.cli import _run as main

MONOGRAPH = """# Removal of a port

CPT code: 36590

## Indications

- The port is no longer needed for any of the treatments that were planned with it
- The port is infected

## Steps

- The port is taken out through a small cut

## Parking

- North of the house
"""
COPIED = "The port is no longer needed for any of the treatments."
PROCEDURE = "procedure.yaml"


@pytest.fixture
def package(tmp_path, capfd):
    """The monograph as a draft in words of ours, with nothing left to do."""
    file = tmp_path / "port.md"
    file.write_text(MONOGRAPH)
    assert main(["draft", str(file), "--output", str(tmp_path / "port")]) == ExitCode.DONE
    edit(tmp_path / "port", "    from: indications-1\n    todo: say it in your own words\n",
         "    text: Treatment has ended.\n    from: indications-1\n")  # fmt: skip
    edit(tmp_path / "port", "    from: indications-2\n    todo: say it in your own words\n",
         "    text: It is infected.\n    from: indications-2\n")  # fmt: skip
    edit(tmp_path / "port", "    from: steps\n    todo: say it in your own words\n",
         "    text: Take it out.\n    from: steps\n")  # fmt: skip
    capfd.readouterr()
    return tmp_path / "port"


def edit(package, old, new):
    file = package / PROCEDURE
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new))


def covered(package, capfd):
    ended = main(["coverage", str(package), "--output-format", "json"])
    told = capfd.readouterr()
    facts = {fact["fact"]: fact for fact in json.loads(told.out)["."]}
    return ended, facts, told.err


def test_each_fact_of_the_source_is_placed_left_out_or_lost(package, capfd):
    ended, facts, told = covered(package, capfd)
    assert ended == ExitCode.DONE
    assert list(facts) == ["name", "code", "indications-1", "indications-2", "steps", "line 16"]
    assert "Parking" not in told
    assert "heading" in facts["line 16"]["left-out"]
    assert "6 facts, 1 left out, 0 lost, 5 placed" in told


def test_a_fact_that_procedure_yaml_does_not_count_is_lost_all_the_same(package, capfd):
    text = (package / PROCEDURE).read_text()
    start = text.index("  - id: port-infected")
    item = text[start : text.index("\n\n", start)]
    edit(package, item, "")
    edit(package, "    indications: 2", "    indications: 1")
    edit(package, "from: indications-1", "from: indications")
    ended, facts, told = covered(package, capfd)
    assert ended == ExitCode.ISSUES
    assert facts["indications-2"]["lost"] is True
    assert "source-facts-differ" in told


def test_a_fact_left_out_with_a_reason_is_not_lost(package, capfd):
    text = (package / PROCEDURE).read_text()
    start = text.index("  - id: port-infected")
    edit(package, text[start : text.index("\n\n", start)], "")
    edit(package, "  facts:\n", "  left-out: {indications-2: It is another procedure.}\n  facts:\n")
    ended, facts, told = covered(package, capfd)
    assert ended == ExitCode.DONE
    assert facts["indications-2"]["left-out"] == "It is another procedure."
    assert "2 left out, 0 lost, 4 placed" in told


@pytest.mark.parametrize("verb", ["build", "validate", "coverage"])
def test_words_that_may_not_be_copied_are_told_by_every_verb(package, capfd, verb):
    main([verb, str(package)])
    assert "source-copied" not in str(capfd.readouterr())
    edit(package, "    text: Treatment has ended.\n", f"    text: {COPIED}\n")
    main([verb, str(package)])
    told = str(capfd.readouterr())
    line = (package / PROCEDURE).read_text()[: (package / PROCEDURE).read_text().index(COPIED)]
    assert f"procedure.yaml:{line.count(chr(10)) + 1}:" in told
    assert "source-copied" in told


def test_words_of_a_licensed_source_may_be_copied(package, tmp_path, capfd):
    out = ["--output", str(tmp_path / "licensed"), "--rights", "licensed"]
    assert main(["draft", str(tmp_path / "port.md"), *out]) == ExitCode.DONE
    main(["build", str(tmp_path / "licensed")])
    assert "source-copied" not in str(capfd.readouterr())


def test_a_damaged_lock_stops_a_build(package, capfd):
    (package / "source.lock").write_text("{}")
    assert main(["build", str(package)]) == ExitCode.UNUSABLE
    assert "source.lock" in capfd.readouterr().err
