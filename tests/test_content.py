"""What may not be in the content: others' sentences, others' words for codes, invented numbers."""

import base64
import hashlib
import html
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
SOURCE = ROOT.parent / "shared" / "source" / "cpt-20983.txt"
SHINGLE = 8
"""So many words in a row are somebody's sentence, fewer are how one says such things."""

DESCRIPTOR_WORDS = 6
DESCRIPTOR = frozenset(
    # SHA-256, first 12 digits, of every six words in a row of the American Medical Association's
    # description of the code, in lower case and without marks: it may not be here, nor its parts.
    """
    0927fedabab5 12749186d687 12c28a9db3ce 12dd8f61d8b0 18a5fb12aac3 1a905f144254 31c68f83403f
    343362b49a60 3abe855bb77a 6f5fa4bb3dab 71194bf60481 746daf02f391 826f6cceafa9 89ae4ad33958
    9001c9537184 9794357c5d0d a18234b15915 a738e6679feb a8c5d89241d2 ac012edacc74 b10a7c4b622a
    b23983836a3a ba1b53a54dd6 c831edaa87f1 ff691374d397
    """.split()
)


def words(text):
    return re.findall(r"[a-z0-9]+", text.lower())


def shingles(text, length):
    found = words(text)
    return {tuple(found[at : at + length]) for at in range(len(found) - length + 1)}


def content_files():
    files = [*ROOT.glob("resources/**/*"), *ROOT.glob("profiles/*"), *ROOT.glob("README.md")]
    return [path for path in sorted(files) if path.is_file()]


def readable(path):
    """The text of a file, with the documents inside it."""
    text = path.read_text()
    inside = re.findall(r'"data": "([A-Za-z0-9+/=]+)"', text)
    documents = " ".join(base64.b64decode(data).decode() for data in inside)
    return html.unescape(re.sub(r"<[^>]+>", " ", f"{text} {documents}"))


@pytest.mark.skipif(not SOURCE.is_file(), reason=f"the monograph is not beside: {SOURCE}")
@pytest.mark.parametrize("path", content_files(), ids=lambda path: path.name)
def test_no_sentence_of_the_monograph_is_copied(path):
    source = SOURCE.read_text()
    text = readable(path)
    assert shingles(text, SHINGLE) & shingles(source, SHINGLE) == set()
    ours = " ".join(words(text))
    lines = [" ".join(words(line)) for line in source.splitlines()]
    copied = [line for line in lines if len(line.split()) > 3 and f" {line} " in f" {ours} "]
    assert copied == []


@pytest.mark.parametrize("path", content_files(), ids=lambda path: path.name)
def test_no_words_of_the_description_of_the_code_are_here(path):
    digests = {
        hashlib.sha256(" ".join(found).encode()).hexdigest()[:12]
        for found in shingles(readable(path), DESCRIPTOR_WORDS)
    }
    assert digests & DESCRIPTOR == set()


def test_the_digests_of_the_description_are_those_of_its_words():
    assert len(DESCRIPTOR) == 25
    if not SOURCE.is_file():
        pytest.skip(f"the monograph is not beside: {SOURCE}")
    first = SOURCE.read_text().splitlines()[0]
    digests = {
        hashlib.sha256(" ".join(found).encode()).hexdigest()[:12]
        for found in shingles(first, DESCRIPTOR_WORDS)
    }
    assert digests == DESCRIPTOR
