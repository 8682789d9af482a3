"""SNOMED CT's expression constraint language, as far as saying whether a text is of it.

Operands and what joins them are checked in turn; what they mean is for a terminology server
(SNOMED International, ECL 2.2, section 5).
"""

from __future__ import annotations

import re

_TOKEN = re.compile(
    r"""\s*(?:
        (?P<term>\|[^|]*\|)
      | (?P<comment>/\*.*?\*/)
      | (?P<join>(?:AND|OR|MINUS|,)(?=[\s(<>^*!\[\d])|[:.=]|!=|<=|>=)
      | (?P<level><<!|>>!|<<|>>|<!|>!|!!>|!!<|[<>]
          |(?:ancestor|child|descendant|parent)(?:OrSelf)?Of\b)
      | (?P<prefix>\[\d+(?:\.\.|\s+to\s+)(?:\d+|\*|many)\]|(?:R|reverseOf)(?=\s*\d)
          |(?:\^|memberOf\b)(?:\s*\[(?:\*|[\w\s,]+)\])?)
      | (?P<operand>\d{6,18}|\*|any\b|\#-?\d+(?:\.\d+)?|[A-Za-z][\w-]*\#[\w.:-]+|true|false
          |"(?:[^"\\]|\\.)*"(?:\s+"(?:[^"\\]|\\.)*")*)
      | (?P<open>[({]) | (?P<close>[)}])
      | (?P<filter>\{\{.*?\}\})
    )""",
    re.VERBOSE | re.IGNORECASE | re.DOTALL,
)
_CLOSES = {")": "(", "}": "{"}


def problem_of(text: str) -> str:
    """What keeps a text from being an expression constraint; empty when nothing does."""
    text = re.sub(r"\{\{.*?\}\}", " ", text, flags=re.DOTALL)
    opened: list[str] = []
    wants_operand = True
    before = ""
    at = 0
    while text[at:].strip():
        match = _TOKEN.match(text, at)
        if match is None:
            return f"'{text[at:].strip()[:20]}' is not understood"
        kind, found = str(match.lastgroup), match.group().strip()
        at = match.end()
        if kind in {"term", "comment"}:
            continue
        problem = _misplaced(kind, found, opened, wants_operand=wants_operand)
        if kind == before == "level":
            problem = f"'{found}' follows another one of its kind"
        if problem:
            return problem
        wants_operand = kind in {"join", "level", "prefix", "open"}
        before = kind
    if opened:
        return f"'{opened[-1]}' is not closed"
    return "an operand is missing at the end" if wants_operand else ""


def _misplaced(kind: str, found: str, opened: list[str], *, wants_operand: bool) -> str:
    """Keep track of brackets, and say what is wrong with a token at its place."""
    if kind == "open":
        opened.append(found)
        return "" if wants_operand else f"'{found}' follows an operand"
    if kind == "close":
        if not opened or opened.pop() != _CLOSES[found]:
            return f"'{found}' closes nothing"
        return f"an operand is missing before '{found}'" if wants_operand else ""
    if kind == "join":
        return f"an operand is missing before '{found}'" if wants_operand else ""
    return "" if wants_operand else f"'{found}' follows an operand without AND, OR or MINUS"
