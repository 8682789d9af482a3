"""source.lock: what changed between two editions, without a word of either."""

import json
import pathlib

import pytest
from click.testing import CliRunner

from fhirpkg.authoring.drafting import lock
from fhirpkg.authoring.drafting.heading_table import table
from fhirpkg.authoring.drafting.reading import read
from fhirpkg.authoring.drafting.sorting import sort
from fhirpkg.cli.authoring.draft import command
from fhirpkg.errors import SourceError

OLD = "# Test\n## Risks\n- Bleeding\n- Infection\n- Scar\n## Steps\n- Cut\n## Parking\n- North\n"
NEW = (
    "# Test\n## Risks\n- Pain\n- Bleeding\n- Infection of the wound\n- Scar\n## Parking\n- North\n"
)


def locked(text):
    content = text.encode()
    found = sort(read(pathlib.Path("a.md"), content, table()), table())
    return lock.lock(found, file="a.md", content=content, rights="none")


def test_a_new_edition_is_compared_fact_by_fact():
    changes = {(c.kind, c.before, c.after) for c in lock.changes(locked(OLD), locked(NEW))}
    assert changes == {
        ("new", "", "risks-1"),
        ("renamed", "risks-1", "risks-2"),
        ("changed", "risks-2", "risks-3"),
        ("renamed", "risks-3", "risks-4"),
        ("gone", "steps", ""),
    }


def test_a_fact_that_another_section_has_now_has_a_new_label():
    moved = OLD.replace("- Infection\n", "").replace("## Steps\n", "## Steps\n- Infection\n")
    assert {(c.kind, c.before, c.after) for c in lock.changes(locked(OLD), locked(moved))} == {
        ("renamed", "risks-2", "steps-1"),
        ("renamed", "risks-3", "risks-2"),
        ("renamed", "steps", "steps-2"),
    }
    below = OLD.replace("## Risks", "## Contraindications")
    kinds = {(c.kind, c.before, c.after) for c in lock.changes(locked(OLD), locked(below))}
    assert kinds == {("renamed", f"risks-{n}", f"contraindications-{n}") for n in (1, 2, 3)}


def test_a_fact_whose_heading_is_no_longer_known_is_unplaced():
    unknown = OLD.replace("## Steps", "## Odds and ends")
    there, back = (locked(OLD), locked(unknown)), (locked(unknown), locked(OLD))
    assert [(c.kind, c.before, c.after) for c in lock.changes(*there)] == [
        ("unplaced", "steps", "")
    ]
    assert [(c.kind, c.before, c.after) for c in lock.changes(*back)] == [("placed", "", "steps")]


def test_the_same_words_are_the_same_fact_whatever_their_points_and_capitals():
    same = locked(OLD.replace("Bleeding", "bleeding.").replace("- Cut", "* cut"))
    assert list(lock.changes(locked(OLD), same)) == []


def test_a_lock_is_read_as_it_was_written(tmp_path):
    file = tmp_path / "source.lock"
    file.write_text(lock.write(locked(OLD)))
    assert lock.read(file) == locked(OLD)


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"facts": [{}]}'])
def test_what_is_no_lock_is_refused(tmp_path, text):
    (tmp_path / "source.lock").write_text(text)
    with pytest.raises(SourceError):
        lock.read(tmp_path / "source.lock")


def run(*arguments):
    return CliRunner().invoke(command, list(map(str, arguments)), standalone_mode=False)


def test_an_update_shows_what_changed_and_waits_for_the_new_counts(tmp_path):
    file, made = tmp_path / "a.md", tmp_path / "made"
    file.write_text(OLD)
    assert run(file, "--output", made, "--rights", "own").return_value == 0
    file.write_text(NEW)
    ran = run(file, "--output", made, "--update", "--output-format", "json")
    assert ran.return_value == 1
    assert {"change": "gone", "before": "steps", "line": 7} in json.loads(ran.stdout)
    authored = (made / "procedure.yaml").read_text()
    counts = authored.replace("    steps: 1\n", "").replace("risks: 3", "risks: 4")
    (made / "procedure.yaml").write_text(counts)
    assert run(file, "--output", made, "--update").return_value == 1
    assert run(file, "--output", made, "--update").return_value == 0


def test_a_draft_never_overwrites_an_authors_work(tmp_path):
    from fhirpkg.errors import ConfigError

    file, made = tmp_path / "a.md", tmp_path / "made"
    file.write_text(OLD)
    assert run(file, "--output", made).return_value == 0
    before = (made / "procedure.yaml").read_text()
    assert isinstance(run(file, "--output", made).exception, ConfigError)
    assert (made / "procedure.yaml").read_text() == before


def test_a_text_without_known_headings_leaves_nothing_behind(tmp_path):
    (tmp_path / "a.txt").write_text("Nothing here\nis a heading.\n")
    ran = run(tmp_path / "a.txt", "--output", tmp_path / "made")
    assert isinstance(ran.exception, SourceError)
    assert not (tmp_path / "made").exists()


@pytest.mark.parametrize(
    "name, content", [("a.pdf", b"%PDF"), ("a.docx", b"no zip"), ("a.html", b"")]
)
def test_what_cannot_be_read_is_an_error_with_its_reason(tmp_path, name, content):
    (tmp_path / name).write_bytes(content)
    assert isinstance(run(tmp_path / name).exception, SourceError)
