"""Monographs of very different procedures: every fact at its place, none lost, no word added."""

import json
import pathlib
import re

import pytest
import yaml
from click.testing import CliRunner

from fhirpkg.authoring.drafting import lock, writing
from fhirpkg.authoring.drafting.heading_table import table
from fhirpkg.authoring.drafting.reading import read
from fhirpkg.authoring.drafting.sorting import sort
from fhirpkg.cli.authoring.draft import command

HERE = pathlib.Path(__file__).parent
EXPECTED = yaml.safe_load((HERE / "monographs.yaml").read_text("utf-8"))
FILES = sorted((HERE / "monographs").iterdir())
FREE = {"id", "from", "todo", "added", "kind", "strength"}
LEFT_OUT = {
    "cardioversion.txt": {1},  # the descriptor
    "dialysis_catheter.html": {5, 13},  # headings with nothing of their own
    "eswl.txt": {6},
    "lumbar_puncture.txt": {11},
    "vasectomy.md": {10, 18},
}
UNITS = set("s min h d wk mo a before after from within in mg g ug".split())


def sorted_facts(file):
    return sort(read(file, file.read_bytes(), table()), table())


def draft(file, folder, *options):
    ran = CliRunner().invoke(
        command, [str(file), "--output", str(folder), *options], standalone_mode=False
    )
    assert ran.return_value == 0, ran.output
    return ran


def words(text):
    return set(re.findall(r"[a-z]+", text.lower()))


def texts(value):
    if isinstance(value, dict):
        for key, item in value.items():
            yield from () if key in FREE else texts(item)
    elif isinstance(value, list):
        for item in value:
            yield from texts(item)
    else:
        yield str(value)


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_the_facts_are_those_that_a_reader_counts(file, tmp_path):
    ran = draft(file, tmp_path / "made", "--output-format", "json")
    found = json.loads(ran.stdout)
    assert found["sections"] == EXPECTED[file.name]["sections"]
    assert [told["line"] for told in found["told"]] == EXPECTED[file.name]["told"]
    assert all(told["why"] for told in found["told"])
    assert found["todo"] == writing.todos(
        yaml.safe_load((tmp_path / "made/procedure.yaml").read_text())
    )


def test_each_monograph_is_expected():
    assert {file.name for file in FILES} == EXPECTED.keys()


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_no_word_is_lost_but_those_of_headings(file):
    found = sorted_facts(file)
    kept = words(" ".join(part.text for part in (*found.facts, *found.told)))
    heads = words(" ".join(f"{f.heading} {f.lead}" for f in found.facts))
    heads |= words(" ".join(told.heading for told in found.told))
    lost = {
        line.line
        for line in read(file, file.read_bytes(), table())
        if not words(line.text) <= kept | heads | words("how often")
    }
    assert lost == LEFT_OUT.get(file.name, set())


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_a_draft_has_no_word_that_its_fact_lacks(file):
    found = sorted_facts(file)
    labelled = dict(zip(found.labels(), found.facts, strict=True))
    data = writing.draft(found, title="t", stem=file.stem, given=(), rights="own")
    for section in writing.ORDER:
        items = data.get(section, [])
        for item in [items] if isinstance(items, dict) else items:
            origin = item.get("from", [])
            facts = [labelled[label] for label in ([origin] if isinstance(origin, str) else origin)]
            around = " ".join(f"{f.text} {f.heading} {f.lead}" for f in facts)
            if item.get("added"):
                continue
            assert words(" ".join(texts(item))) - words(around) - UNITS == set(), item


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_without_rights_no_words_are_copied(file):
    found = sorted_facts(file)
    made = writing.draft(found, title="t", stem=file.stem, given=(), rights="none")
    locked = lock.lock(found, file="f", content=b"", rights="none")
    assert not any(lock.copied(locked, text) for text in texts(made))
    assert (
        lock.copied(locked, f"So: {found.of('summary')[0].text}") if found.of("summary") else True
    )
    sections = {label.partition("-")[0] for label in found.labels()}
    names = words(
        "file rights none facts fact line hash runs why stands in it below before heading"
    )
    written = re.sub(
        r'"(hash|sha256)": "[^"]*"|"[0-9a-f]{16}"|"why": "[^"]*"', "", lock.write(locked)
    )
    assert words(written) - sections - names == set("f")


def test_the_descriptor_of_the_code_is_never_read(tmp_path):
    file = HERE / "monographs/cardioversion.txt"
    ran = draft(file, tmp_path / "made", "--rights", "own")
    everything = ran.output + "".join(
        path.read_text("utf-8") for path in (tmp_path / "made").rglob("*") if path.is_file()
    )
    assert "synchronized" not in everything
    assert "CPT: 99999" in everything.replace("Cardioversion: CPT 99999", "CPT: 99999")
