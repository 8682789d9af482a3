"""Texts in the manners of the web and of hospitals, each line marked with its section.

Marks stand before a bar: the first letters of a section, `t` for what is told, `-` for headings,
`x` for what must not be placed (whether it is told or left out).
"""

import html
import pathlib
import re

import pytest

from fhirpkg.authoring.drafting.heading_table import table
from fhirpkg.authoring.drafting.reading import read
from fhirpkg.authoring.drafting.sorting import sort

FILES = sorted((pathlib.Path(__file__).parent / "marked").iterdir())
SECTIONS = {
    "n": "name", "co": "code", "s": "summary", "p": "purpose", "i": "indications",
    "c": "contraindications", "pr": "preparation", "st": "steps", "d": "duration", "se": "setting",
    "pe": "personnel", "eq": "equipment", "r": "risks", "b": "benefits", "re": "recovery",
    "a": "alternatives", "e": "experience", "t": "told",
}  # fmt: skip
_ITEM = re.compile(r"^\s*([-*•\u2013]|\d+(\.\d+)*[.)]?|\(?[a-zA-Z][.)])\s+")


def plain(text):
    return " ".join(re.findall(r"\w+", html.unescape(re.sub(r"<[^>]+>", " ", text)).lower()))


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_each_line_stands_where_a_reader_puts_it(file):
    lines = [line.split("|", 1) for line in file.read_text("utf-8").splitlines()]
    content = "\n".join(text for _, text in lines).encode()
    found = sort(read(file, content, table()), table())
    parts = [(fact.section, plain(fact.text)) for fact in found.facts]
    parts += [("told", plain(told.text)) for told in found.told if told.text]
    wrong = {}
    for mark, text in lines:
        words = plain(_ITEM.sub("", text))
        within = {section for section, part in parts if part and (words in part or part in words)}
        is_placed = mark == "x" and bool(within - {"told"})
        if is_placed or (mark not in "-x" and SECTIONS[mark] not in within):
            wrong[text] = within
    assert wrong == {}
