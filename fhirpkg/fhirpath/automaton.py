"""Matching in time linear in the text, for patterns that Python's matcher can be slow on.

A pattern becomes a nondeterministic automaton that is followed in all its states at once
(https://swtch.com/~rsc/regexp/regexp1.html); the steps found are kept. What needs memory of the
text (back references, look-around) has no automaton.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from re import _parser as parser  # type: ignore[attr-defined]  # there is no public parse tree
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from fhirpkg.issues import Json

Test = Callable[[str], bool]
_MOST_STATES = 5_000
_MOST_KEPT = 5_000
_CATEGORIES: dict[str, Callable[[str], bool]] = {
    "CATEGORY_DIGIT": str.isdecimal,
    "CATEGORY_NOT_DIGIT": lambda char: not char.isdecimal(),
    "CATEGORY_SPACE": str.isspace,
    "CATEGORY_NOT_SPACE": lambda char: not char.isspace(),
    "CATEGORY_WORD": lambda char: char.isalnum() or char == "_",
    "CATEGORY_NOT_WORD": lambda char: not (char.isalnum() or char == "_"),
}
_STARTS = {"AT_BEGINNING", "AT_BEGINNING_STRING"}
_ENDS = {"AT_END", "AT_END_STRING"}
_REPEATS = {"MAX_REPEAT", "MIN_REPEAT", "POSSESSIVE_REPEAT"}


class NoAutomatonError(Exception):
    """A pattern that no automaton can follow, or only one that is too large."""


@functools.lru_cache(maxsize=4096)
def effort(pattern: str, length: int) -> float:
    """How long Python's matcher may need at most on a text of a length, as a logarithm.

    It may try each way in which the repeats and alternatives can be chosen.
    """
    return _ways(parser.parse(pattern), length) + math.log(length + 1)


def _ways(tree: Iterable[Json], length: int) -> float:
    total = 0.0
    for operation, argument in tree:
        name = str(operation)
        if name in _REPEATS:
            low, high, inner = argument
            times = min(high, length)
            total += math.log(max(times - low, 0) + 1) + times * _ways(inner, length)
        elif branches := _branches(name, argument):
            total += max(_ways(branch, length) for branch in branches) + math.log(len(branches))
    return total


def _branches(name: str, argument: Json) -> list[Json]:
    if name == "SUBPATTERN":
        return [argument[3]]
    if name == "BRANCH":
        return list(argument[1])
    if name in {"ASSERT", "ASSERT_NOT"}:
        return [argument[1]]
    return [argument] if name == "ATOMIC_GROUP" else []


class Automaton:
    """The automaton of a pattern. Raises NoAutomatonError."""

    def __init__(self, pattern: str) -> None:
        self._tests: list[Test | str] = []
        """Of each state, the test of the next character, or the anchor that must hold."""
        self._next: list[list[int]] = []
        tree = parser.parse(pattern)
        if tree.state.flags & ~32:  # what is not the default, re.UNICODE
            raise NoAutomatonError
        self._end = self._state("")
        self._start = self._sequence(tree, self._end)
        self._kept: dict[tuple[frozenset[int], str], frozenset[int]] = {}

    @property
    def size(self) -> int:
        """How many states it has: a character costs at most that many steps."""
        return len(self._tests)

    def search(self, text: str) -> bool:
        """Whether the pattern is found anywhere in the text."""
        return self._run(text, anywhere=True)

    def fullmatch(self, text: str) -> bool:
        """Whether the pattern takes the whole text."""
        return self._run(text, anywhere=False)

    def _run(self, text: str, *, anywhere: bool) -> bool:
        last = len(text) - 1
        states = self._closure({self._start}, at_start=True, at_end=text in {"", "\n"})
        restart = self._closure({self._start}, at_start=False, at_end=False)
        for at, char in enumerate(text):
            if anywhere and self._end in states:
                return True
            near_end = at == last or (at == last - 1 and text[last] == "\n")
            if near_end:
                states = self._step(states, char, at_end=True)
                again = self._closure({self._start}, at_start=False, at_end=True)
            else:
                states, again = self._kept_step(states, char), restart
            if anywhere:
                states |= again
            elif not states:
                return False
        return self._end in states

    def _kept_step(self, states: frozenset[int], char: str) -> frozenset[int]:
        key = (states, char)
        found = self._kept.get(key)
        if found is None:
            if len(self._kept) > _MOST_KEPT:
                self._kept.clear()
            found = self._kept[key] = self._step(states, char, at_end=False)
        return found

    def _step(self, states: frozenset[int], char: str, *, at_end: bool) -> frozenset[int]:
        reached: set[int] = set()
        for state in states:
            test = self._tests[state]
            if not isinstance(test, str) and test(char):
                reached.update(self._next[state])
        return self._closure(reached, at_start=False, at_end=at_end)

    def _closure(self, states: set[int], *, at_start: bool, at_end: bool) -> frozenset[int]:
        """The states and those reached from them without a character."""
        found: set[int] = set()
        waiting = list(states)
        while waiting:
            state = waiting.pop()
            if state in found:
                continue
            found.add(state)
            test = self._tests[state]
            holds = test == "" or (test == "start" and at_start) or (test == "end" and at_end)
            if isinstance(test, str) and holds:
                waiting += self._next[state]
        return frozenset(found)

    def _state(self, test: Test | str, *following: int) -> int:
        if len(self._tests) >= _MOST_STATES:
            raise NoAutomatonError
        self._tests.append(test)
        self._next.append(list(following))
        return len(self._tests) - 1

    def _sequence(self, tree: Iterable[Json], following: int) -> int:
        """The first state of a sequence that goes on to the state given: built from its end."""
        for operation, argument in reversed(list(tree)):
            following = self._part(str(operation), argument, following)
        return following

    def _part(self, name: str, argument: Json, following: int) -> int:
        if name in {"MAX_REPEAT", "MIN_REPEAT"}:
            low, high, inner = argument
            return self._repeat(low, high, inner, following)
        if name == "BRANCH":
            starts = [self._sequence(branch, following) for branch in argument[1]]
            return self._state("", *starts)
        if name == "SUBPATTERN":
            if argument[1] or argument[2]:
                raise NoAutomatonError
            return self._sequence(argument[3], following)
        if name == "AT":
            anchor = "start" if str(argument) in _STARTS else "end"
            if anchor == "end" and str(argument) not in _ENDS:
                raise NoAutomatonError
            return self._state(anchor, following)
        return self._state(_test(name, argument), following)

    def _repeat(self, low: int, high: Json, inner: Iterable[Json], following: int) -> int:
        inner = list(inner)
        start = following
        if high == parser.MAXREPEAT:
            start = loop = self._state("", following)
            self._next[loop].append(self._sequence(inner, loop))
        else:
            for _ in range(high - low):
                start = self._state("", following, self._sequence(inner, start))
        for _ in range(low):
            start = self._sequence(inner, start)
        return start


def _test(name: str, argument: Json) -> Test:
    if name == "LITERAL":
        wanted = chr(argument)
        return lambda char: char == wanted
    if name == "NOT_LITERAL":
        unwanted = chr(argument)
        return lambda char: char != unwanted
    if name == "ANY":
        return lambda _char: True
    if name == "RANGE":
        low, high = map(chr, argument)
        return lambda char: low <= char <= high
    if name == "CATEGORY":
        return _CATEGORIES[str(argument)]
    if name != "IN":
        raise NoAutomatonError
    negated = str(argument[0][0]) == "NEGATE"
    tests = [_test(str(kind), value) for kind, value in argument[negated:]]
    if negated:
        return lambda char: not any(test(char) for test in tests)
    return lambda char: any(test(char) for test in tests)
