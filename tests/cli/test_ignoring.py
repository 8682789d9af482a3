"""The ignore file: reasons demanded, matches set apart, useless entries told."""

import dataclasses

import pytest

from fhirpkg.corpus.ignoring import baseline, read_ignore_file
from fhirpkg.errors import ConfigError, SourceError
from fhirpkg.issues import Issue, Outcome, Severity
from tests.cli.test_validate import BAD, validate, write

ISSUE = Issue(Severity.ERROR, "value", "r-a", "t", "Patient.name[0].given", "x/a.json", 1, 1)


def ignoring(tmp_path, text):
    file = tmp_path / "ignore.toml"
    file.write_text(text)
    return read_ignore_file(file)


@pytest.mark.parametrize("path", ["", 'path = "x/*.json"', 'path = "Patient.name*"'])
def test_an_issue_that_an_entry_names_is_set_apart_with_the_reason(tmp_path, path):
    entries = ignoring(tmp_path, f'[[ignore]]\nrule = "r-a"\n{path}\nreason = "agreed"\n')
    outcome = entries.apply(Outcome((ISSUE,)))
    assert outcome.issues == ()
    assert outcome.ignored == ((ISSUE, "agreed"),)
    assert not entries.unused().issues


@pytest.mark.parametrize("entry", ['rule = "r-b"', 'rule = "r-a"\npath = "y/*"'])
def test_an_entry_that_matches_nothing_is_told_with_its_line(tmp_path, entry):
    entries = ignoring(tmp_path, f'\n\n[[ignore]]\n{entry}\nreason = "agreed"\n')
    assert entries.apply(Outcome((ISSUE,))).issues == (ISSUE,)
    [told] = entries.unused().issues
    assert (told.rule, told.line) == ("ignore-unused", 3)


@pytest.mark.parametrize(
    "text, words",
    [
        ('[[ignore]]\nrule = "a"\n', "no reason"),
        ('[[ignore]]\nrule = "a"\nreason = " "\n', "no reason"),
        ('[[ignore]]\nreason = "b"\n', "no rule"),
        ('[[ignore]]\nrule = "a"\npath = 1\nreason = "b"\n', "list of globs"),
        ('[[ignore]]\nrule = "a"\nreson = "b"\n', "did you mean 'reason'"),
        ("[ignored]\n", r"\[\[ignore\]\] tables"),
        ("[[ignore", "not TOML"),
    ],
)
def test_a_file_that_makes_no_sense_is_refused_with_the_reason(tmp_path, text, words):
    with pytest.raises(ConfigError, match=words):
        ignoring(tmp_path, text)


def test_a_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(SourceError, match=r"none\.toml"):
        read_ignore_file(tmp_path / "none.toml")


def test_a_file_that_cannot_be_read_is_told_in_words(tmp_path):
    with pytest.raises(SourceError, match="nowhere: No such file or directory"):
        read_ignore_file(tmp_path / "nowhere")
    (tmp_path / "binary").write_bytes(b"\xff\xfe")
    with pytest.raises(SourceError, match="this is not UTF-8"):
        read_ignore_file(tmp_path / "binary")


OTHER = dataclasses.replace(ISSUE, file="y/b[1].json", text="a 'b'\n\x7f\\ \"c\"")


def test_a_baseline_is_refused_until_its_reasons_are_filled_in_and_then_takes_out_all(tmp_path):
    text = baseline([ISSUE, OTHER, dataclasses.replace(ISSUE, rule="r-b", file="")])
    assert text.count("[[ignore]]") == 2
    with pytest.raises(ConfigError, match="no reason"):
        ignoring(tmp_path, text)
    entries = ignoring(tmp_path, text.replace('reason = ""', 'reason = "agreed"'))
    assert not entries.apply(Outcome((ISSUE, OTHER))).issues
    new = dataclasses.replace(ISSUE, file="x/new.json")
    assert entries.apply(Outcome((new,))).issues == (new,)


def test_of_several_paths_each_that_matches_nothing_is_told(tmp_path):
    entry = '[[ignore]]\nrule = "r-a"\npath = ["x/*", "z/*"]\nreason = "agreed"\n'
    entries = ignoring(tmp_path, entry)
    assert not entries.apply(Outcome((ISSUE,))).issues
    [told] = entries.unused().issues
    assert "z/*" in told.text


def test_validate_writes_a_baseline_that_makes_it_pass_and_never_writes_over_one(tmp_path):
    bad = write(tmp_path / "b.json", BAD)
    file = tmp_path / "ignore.toml"
    assert validate(bad, "--write-ignore", file).return_value == 1
    with pytest.raises(ConfigError, match="exists"):
        validate(bad, "--write-ignore", file)
    write(file, file.read_text().replace('reason = ""', 'reason = "agreed"'))
    assert validate(bad, "--ignore-file", file).return_value == 0
