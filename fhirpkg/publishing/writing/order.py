"""In which order and in which groups members are written, so that no reference dangles.

Members that refer to each other in a ring stay together; a group otherwise refers only to itself
and to earlier groups.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from fhirpkg.publishing.writing.strategy import Portions

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from fhirpkg.publishing.members import Member
    from fhirpkg.publishing.survey import Item
    from fhirpkg.publishing.writing.strategy import Strategy


def rings(members: Sequence[Member]) -> list[list[Member]]:
    """Groups of members that need each other, the needed ones first (Tarjan, without recursion)."""
    by_local = {member.local: member for member in members}
    number: dict[str, int] = {}
    lowest: dict[str, int] = {}
    stack: list[str] = []
    waiting: set[str] = set()
    found: list[list[Member]] = []
    for start, member in by_local.items():
        if start in number:
            continue
        walk = [(start, iter(member.references))]
        number[start] = lowest[start] = len(number)
        stack.append(start)
        waiting.add(start)
        while walk:
            here, further = walk[-1]
            there = next((r for r in further if r in by_local), None)
            if there is None:
                walk.pop()
                if walk:
                    above = walk[-1][0]
                    lowest[above] = min(lowest[above], lowest[here])
                if lowest[here] == number[here]:
                    found.append(_unwind(stack, waiting, here, by_local))
            elif there not in number:
                number[there] = lowest[there] = len(number)
                stack.append(there)
                waiting.add(there)
                walk.append((there, iter(by_local[there].references)))
            elif there in waiting:
                lowest[here] = min(lowest[here], number[there])
    return found


def chunks(members: Sequence[Member], size: int) -> list[list[Member]]:
    """Members in groups of about `size`, each closed over references to itself and before it.

    A ring larger than `size` is one group: it cannot be divided.
    """
    packed: list[list[Member]] = []
    for ring in rings(members):
        if packed and len(packed[-1]) + len(ring) <= size:
            packed[-1] += ring
        else:
            packed.append(list(ring))
    return packed


def levels(members: Sequence[Member], size: int) -> list[list[Member]]:
    """Groups of at most `size` whose members do not refer to each other, but in rings.

    For a batch, whose entries are carried out in any order.
    """
    depth: dict[str, int] = {}
    by_depth: dict[int, list[Member]] = {}
    for ring in rings(members):
        own = {member.local for member in ring}
        needed = [depth[r] for m in ring for r in m.references if r in depth and r not in own]
        level = max(needed, default=-1) + 1
        depth.update(dict.fromkeys(own, level))
        by_depth.setdefault(level, []).extend(ring)
    return [
        group[start : start + size]
        for _, group in sorted(by_depth.items())
        for start in range(0, len(group), size)
    ]


def halves(members: Sequence[Member]) -> list[list[Member]]:
    """Two groups of about half the size, in order; one when it is a single ring."""
    ordered = rings(members)
    if len(ordered) < 2:
        return [list(members)]
    first: list[Member] = []
    while ordered and (not first or 2 * len(first) < len(members)):
        first += ordered.pop(0)
    return [first, [member for ring in ordered for member in ring]] if ordered else [first]


def in_portions(
    members: Sequence[Member], strategy: Strategy, items: Mapping[str, Item]
) -> list[list[Item]]:
    """The items to write, in portions that suit the strategy, needed ones first."""
    if strategy.portions is Portions.BATCH:
        groups = levels(members, strategy.size)
    else:
        groups = chunks(members, strategy.size)
    if strategy.portions is Portions.SINGLE:
        groups = [[member] for group in groups for member in group]
    return [[items[member.local] for member in group] for group in groups]


def _unwind(
    stack: list[str], waiting: set[str], root: str, by_local: dict[str, Member]
) -> list[Member]:
    ring: list[Member] = []
    while not ring or ring[-1].local != root:
        local = stack.pop()
        waiting.discard(local)
        ring.append(by_local[local])
    return sorted(ring, key=lambda member: member.index)
