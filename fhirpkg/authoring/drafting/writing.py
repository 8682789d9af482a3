"""A monograph's facts to the text of a procedure.yaml, with no word that its fact does not have."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Literal

import yaml

from fhirpkg.authoring.drafting.coded import one_of_each
from fhirpkg.authoring.drafting.heading_table import table
from fhirpkg.authoring.drafting.keys import Keys, read_keys
from fhirpkg.authoring.drafting.lock import LONGEST_RUN
from fhirpkg.authoring.drafting.monograph import ONE_FACT, Fact
from fhirpkg.authoring.scaffold import plain_letters

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from fhirpkg.authoring.drafting.monograph import Monograph

Rights = Literal["none", "own", "licensed"]
"""What may be done with the monograph's words: with `none` they are not copied."""

ORDER = (
    "name", "code", "summary", "purpose", "indications", "contraindications", "preparation",
    "steps", "duration", "setting", "personnel", "equipment", "risks", "benefits", "recovery",
    "alternatives", "experience",
)  # fmt: skip
"""The sections of procedure.yaml that a monograph can have facts of, in their order there."""

_SAY = "say it in your own words"
_NUMBER = re.compile(r"\d+(?:[.,]\d+)*")
_THOUSANDS = re.compile(r"\d{1,3}(,\d{3})+")
_SMALL = frozenset(
    "a an the of for to in on at by from with and or is are be been was were will would may can "
    "might could should must not no it its this that these those as if any some your you their "
    "there than then into onto about which who has have had do does during per".split()
)
_RESERVED = frozenset(
    "counseling eligibility risks benefits alternatives experience preparation checklist procedure "
    "recovery readiness contraindications".split()
)
_ID_GROUPS = {"risks": "goal", "benefits": "goal"} | dict.fromkeys(
    ("preparation", "steps", "recovery"), "action"
)


def draft(
    monograph: Monograph, *, title: str, stem: str, given: Sequence[str], rights: Rights
) -> Keys:
    """The data of procedure.yaml; `title` says what the source is, `stem` names a nameless one.

    Codes that are `given` stand instead of those that the monograph names.
    """
    labels = dict(zip(map(id, monograph.facts), monograph.labels(), strict=True))
    names = _Names()
    name = _short_name(monograph, stem)
    codes, open_ = (list(given), []) if given else one_of_each(monograph.codes)
    open_ += [] if given else [f"code: {why}" for why in monograph.wrong_codes]
    data: Keys = {"id": pascal_case(name)}
    source: Keys = {"title": title, "facts": _counts(monograph)}
    data["source"] = source
    for section in ORDER:
        facts = monograph.of(section)
        pairs = [(fact, labels[id(fact)]) for fact in facts]
        if section == "code":
            named = [labels[id(fact)] for fact in monograph.of("name")]
            origin = named + [label for _, label in pairs]
            data["code"] = _code(name, origin, codes, open_)
        elif section in ONE_FACT and (facts or section == "name"):
            data[section] = _one(pairs, rights, section, name)
        elif facts:
            data[section] = [_item(fact, label, names, rights) for fact, label in pairs]
    numbers = {section: _numbers(monograph, data, section) for section in monograph.counts}
    source["numbers"] = {section: found for section, found in numbers.items() if found}
    _fill(data)
    if codes:
        data["codes"] = {name: codes[0] if len(codes) == 1 else codes}
    return data


def _numbers(monograph: Monograph, data: Keys, section: str) -> list[int | float | str]:
    """The numbers of a section's facts, and those that its keys have for words."""
    texts = [fact.text for fact in monograph.of(section)]
    texts += _values(data.get(section)) if section != "code" else ()
    found = [_plain(number) for text in texts for number in _NUMBER.findall(text)]
    return [_figure(number) for number in dict.fromkeys(found)]


def _counts(monograph: Monograph) -> dict[str, int]:
    counts = monograph.counts
    return {section: counts[section] for section in ORDER if section in counts}


def _fill(data: Keys) -> None:
    """What no procedure goes without, where the monograph does."""
    if "steps" not in data:
        data["steps"] = [
            {"id": "to-write", "added": "The source has no steps.", "todo": "say what is done"}
        ]
    if "indications" not in data and "purpose" not in data:
        data["purpose"] = {
            "added": "The source does not say what it is for.", "todo": "say what it is for",
        }  # fmt: skip


def _code(name: str, origin: list[str], codes: list[str], open_: list[str]) -> Keys:
    found: Keys = {"use": name}
    found |= _from(origin) if origin else {"added": "The source has no name."}
    return _with_todo(found, open_ or ([] if codes else ["code: its system and code"]))


def _one(facts: Sequence[tuple[Fact, str]], rights: Rights, section: str, name: str) -> Keys:
    """A section that is one thing said, whatever the number of its facts."""
    if not facts:
        return {"text": name, "added": "The source has no name.", "todo": "say its name"}
    keys: Keys = {}
    todo: list[str] = []
    for fact, _ in facts:
        more, open_ = read_keys(fact)
        keys |= more
        todo += open_
    text = facts[0][0].text if section == "name" else " ".join(fact.text for fact, _ in facts)
    may_copy = rights != "none" or (section == "name" and len(text.split()) < LONGEST_RUN)
    said: Keys = {"text": text} if may_copy else {}
    said |= _from([label for _, label in facts]) | keys
    return _with_todo(said, todo if may_copy else [_SAY, *todo])


def _item(fact: Fact, label: str, names: _Names, rights: Rights) -> Keys:
    keys, todo = read_keys(fact)
    found: Keys = {"id": names.of(fact)}
    if rights != "none":
        found["text"] = _said(fact)
    else:
        todo = [_SAY, *todo]
    return _with_todo(found | _from([label]) | keys, todo)


def _said(fact: Fact) -> str:
    """The words of a fact; with those that lead it in where they say "not".

    >>> _said(Fact("recovery", "Drive", 7, "After-care", "You should not:", 6))
    'You should not: Drive'
    """
    turns = fact.section != "contraindications" and table().says_not(fact.lead)
    return f"{fact.lead.rstrip(':')}: {fact.text}" if turns else fact.text


def _from(labels: list[str]) -> Keys:
    return {"from": labels[0] if len(labels) == 1 else labels}


def _with_todo(found: Keys, todo: list[str]) -> Keys:
    unique = list(dict.fromkeys(todo))
    return found | ({"todo": unique[0] if len(unique) == 1 else unique} if unique else {})


class _Names:
    """Ids of a fact's own words, none twice among things that are named together."""

    def __init__(self) -> None:
        self._used: dict[str, set[str]] = {}

    def of(self, fact: Fact) -> str:
        """A new id for a fact."""
        used = self._used.setdefault(_ID_GROUPS.get(fact.section, fact.section), set(_RESERVED))
        words = re.findall(r"[a-z]+(?:'[a-z]+)?|\d+", fact.text.lower())
        told = [w.replace("'", "") for w in words if w not in _SMALL and w.isascii()]
        while told and told[0].isdigit():
            told = [*told[1:]]
        base = _joined(told[:3]) or "fact"
        found, number = base, 2
        for count in range(4, len(told) + 1):
            if found not in used:
                break
            found = _joined(told[:count])
        while found in used:
            found, number = f"{base[:28]}-{number}", number + 1
        used.add(found)
        return found


def _joined(words: list[str]) -> str:
    text = ""
    for word in words:
        if len(text) + len(word) + 1 > 32:
            break
        text = f"{text}-{word}" if text else word
    return text or (words[0][:32] if words else "")


def _short_name(monograph: Monograph, stem: str) -> str:
    """The name as the procedure is called in short: at most seven words of it."""
    named = monograph.of("name")
    name = named[0].text.rstrip(".") if named else re.sub(r"[-_]+", " ", stem).capitalize()
    if len(name.split()) < LONGEST_RUN:
        return name
    if found := re.search(r"\(([^()]{4,40})\)", name):
        return found[1]
    words = re.split(r"[,;(]", name)[0].split()[: LONGEST_RUN - 1]
    while len(words) > 1 and words[-1].lower() in _SMALL:
        words.pop()
    return " ".join(words)


def pascal_case(name: str) -> str:
    """A name as the id of a procedure.

    >>> pascal_case("Removal of a port")
    'RemovalPort'
    """
    text = ""
    for word in re.findall(r"[A-Za-z0-9]+", plain_letters(name)):
        if word.lower() not in _SMALL and len(text) + len(word) <= 32:
            text += word[:1].upper() + word[1:]
    return text if text[:1].isalpha() else f"Procedure{text}"[:32]


def _plain(number: str) -> str:
    return number.replace(",", "") if _THOUSANDS.fullmatch(number) else number


def _figure(number: str) -> int | float | str:
    """A number as YAML writes it; one with other points or commas stays a text."""
    if number.isdigit() and (number == "0" or number[0] != "0"):
        return int(number)
    return (
        float(number)
        if re.fullmatch(r"\d+\.\d+", number) and str(float(number)) == number
        else number
    )


def _values(value: object) -> Iterator[str]:
    """The texts of the keys of a section but for ids and what is left to do."""
    if isinstance(value, dict):
        for key, item in value.items():
            if key not in ("id", "from", "todo", "added"):
                yield from _values(item)
    elif isinstance(value, list):
        for item in value:
            yield from _values(item)
    elif isinstance(value, str):
        yield value


def todos(data: object) -> int:
    """How many things are left to do in the data of a procedure.yaml."""
    if isinstance(data, dict):
        own = data.get("todo", [])
        count = 1 if isinstance(own, str) else len(own)
        return count + sum(todos(value) for key, value in data.items() if key != "todo")
    return sum(map(todos, data)) if isinstance(data, list) else 0


class _Dumper(yaml.SafeDumper):
    """Block style, but for lists of single values."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:  # noqa: ARG002
        """Indent the items of a list below its key, which PyYAML does not do by itself."""
        super().increase_indent(flow, indentless=False)


def _sequence(dumper: yaml.SafeDumper, data: list[object]) -> yaml.SequenceNode:
    plain = all(not isinstance(item, (list, dict)) for item in data)
    return dumper.represent_sequence("tag:yaml.org,2002:seq", data, flow_style=plain)


def _string(dumper: yaml.SafeDumper, data: str) -> yaml.ScalarNode:
    """A text; one of figures in quotation marks, which YAML 1.2 would read as a number."""
    style = '"' if re.fullmatch(r"[\d.,_:eE+-]+", data) else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", data, style=style)


_Dumper.add_representer(list, _sequence)
_Dumper.add_representer(str, _string)


def text(data: Keys, head: Sequence[str]) -> str:
    """The YAML of a draft, a blank line between its sections, below some lines of comment."""
    parts = [
        yaml.dump({key: value}, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=110)
        for key, value in data.items()
    ]
    return "".join(f"# {line}\n" for line in head) + "\n" + "\n".join(parts)
