"""Answers remembered: about objects without a key of their own, and a limited number by key."""

from __future__ import annotations

from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Hashable

_Key = TypeVar("_Key")
_Answer = TypeVar("_Answer")


class ByIdentity(Generic[_Answer]):
    """Answers by object and, if given, a further key.

    The object is kept with its answer: an id() alone is given to another object once the first is
    gone, and an answer would pass to that.
    """

    def __init__(self) -> None:
        self._known: dict[tuple[int, Hashable], tuple[object, _Answer]] = {}

    def get(self, of: object, key: Hashable = None) -> _Answer | None:
        """The answer kept for an object, None when there is none."""
        found = self._known.get((id(of), key))
        return found[1] if found else None

    def has(self, of: object, key: Hashable = None) -> bool:
        """Whether an answer is kept; it may be None."""
        return (id(of), key) in self._known

    def keep(self, of: object, answer: _Answer, key: Hashable = None) -> _Answer:
        """Keep an answer and give it back."""
        self._known[id(of), key] = of, answer
        return answer


class Bounded(dict[_Key, _Answer]):
    """Answers by key, at most `most`: before there would be more, all are forgotten."""

    def __init__(self, most: int) -> None:
        super().__init__()
        self._most = most

    def __setitem__(self, key: _Key, answer: _Answer) -> None:
        """Remember an answer."""
        if len(self) >= self._most and key not in self:
            self.clear()
        super().__setitem__(key, answer)
