"""What a table of functions says of each of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fhirpkg.fhirpath.environment import Scope
    from fhirpkg.fhirpath.values import Item
    from fhirpkg.issues import Json

Criteria = Callable[["Item", "Scope"], bool | None]
"""An argument evaluated for each item, to a truth value."""
Projection = Callable[["Item", "Scope"], "list[Item]"]
"""An argument evaluated for each item, to a collection."""


@dataclass(frozen=True, slots=True)
class Function:
    """A function: how it is called, what it takes and gives.

    `source` and `takes` are kinds: ``items`` a collection; ``criteria`` and ``projection`` what is
    evaluated for each item; ``lazy`` what the function may evaluate on its focus; ``string``,
    ``integer``, ``number``, ``value`` one value of that kind, and nothing is called when it is
    missing. `gives` is the type of the one value returned (None for the empty collection), or
    ``items`` for a list. A `scoped` one is handed the scope first.
    """

    call: Callable[..., Json]
    source: str
    takes: tuple[str, ...] = ()
    gives: str = "items"
    optional: int = 0
    """How many of the last arguments may be left out."""
    scoped: bool = False
    endless: bool = False
    """Whether the last argument may be repeated."""
