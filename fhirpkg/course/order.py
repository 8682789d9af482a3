"""What comes before what among the parts of one action: arrows, no more than needed."""

from __future__ import annotations

import heapq
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

Pair = tuple[int, int]
"""The first comes before the second, by their indexes."""


def in_circles(count: int, pairs: Collection[Pair]) -> set[int]:
    """Those that come before themselves, over others or at once."""
    after = _neighbours(pairs)
    left = set(range(count)).difference(sequence(range(count), pairs))
    return {node for node in left if node in _reached(after, after.get(node, ()))}


def reduced(count: int, pairs: Collection[Pair]) -> set[Pair]:
    """The pairs without those that follow from others; there must be no circles."""
    after = _neighbours(pairs)
    beyond = [0] * count  # by node, a bit for each that comes after it
    kept = set()
    for node in reversed(sequence(range(count), pairs)):
        seconds = after.get(node, set())
        over = 0
        for second in seconds:
            over |= beyond[second]
        kept |= {(node, second) for second in seconds if not over >> second & 1}
        beyond[node] = over
        for second in seconds:
            beyond[node] |= 1 << second
    return kept


@dataclass(frozen=True, slots=True)
class Rail:
    """A line beside the steps: it leaves each of `starts` and leads to each of `ends`."""

    starts: tuple[int, ...]
    ends: tuple[int, ...]
    column: int = 0
    """Which of the lines beside each other, from 0; two in one column do not meet."""


def rails(arrows: Iterable[Pair]) -> tuple[list[Pair], list[Rail]]:
    """Arrows between positions, downwards, as straight ones to the next and as rails beside.

    What leads from the same steps shares a rail.
    """
    before = _neighbours((second, first) for first, second in arrows)
    after = _neighbours((first, second) for second, firsts in before.items() for first in firsts)
    straight = [
        (second - 1, second)
        for second, firsts in sorted(before.items())
        if firsts == {second - 1} and after[second - 1] == {second}
    ]
    by_starts: dict[tuple[int, ...], list[int]] = {}
    for second, firsts in sorted(before.items()):
        if (second - 1, second) not in straight:
            by_starts.setdefault(tuple(sorted(firsts)), []).append(second)
    found: list[Rail] = []
    for starts, ends in sorted(by_starts.items(), key=lambda each: each[1][-1] - each[0][0]):
        taken = {r.column for r in found if r.starts[0] < ends[-1] and starts[0] < r.ends[-1]}
        column = next(c for c in range(len(found) + 1) if c not in taken)
        found.append(Rail(starts, tuple(ends), column))
    return straight, found


def sequence(ranks: Sequence[float], pairs: Collection[Pair]) -> list[int]:
    """Indexes so that each comes after those before it, the lowest rank first where free.

    Those in a circle, and after one, are left out.
    """
    pairs = set(pairs)
    after = _neighbours(pairs)
    waiting = [0] * len(ranks)
    for _, second in pairs:
        waiting[second] += 1
    ready = [(ranks[node], node) for node, count in enumerate(waiting) if not count]
    heapq.heapify(ready)
    found = []
    while ready:
        _, node = heapq.heappop(ready)
        found.append(node)
        for second in after.get(node, ()):
            waiting[second] -= 1
            if not waiting[second]:
                heapq.heappush(ready, (ranks[second], second))
    return found


def _neighbours(pairs: Iterable[Pair]) -> dict[int, set[int]]:
    after: dict[int, set[int]] = {}
    for first, second in pairs:
        after.setdefault(first, set()).add(second)
    return after


def _reached(after: dict[int, set[int]], start: Iterable[int]) -> set[int]:
    """All that come after, the start itself among them."""
    found: set[int] = set()
    ahead = list(start)
    while ahead:
        node = ahead.pop()
        if node not in found:
            found.add(node)
            ahead += after.get(node, ())
    return found
