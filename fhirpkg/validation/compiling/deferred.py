"""Constants of generated checks that are made when they are first used."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from fhirpkg.issues import Json


class Deferred:
    """A constant made when it is first used, which then takes its own place in every table."""

    __slots__ = ("_made", "_make", "_places")

    def __init__(self, make: Callable[[], Json]) -> None:
        self._make = make
        self._made: Json = None
        self._places: list[tuple[dict[str, Json], str]] = []

    def put_in(self, table: dict[str, Json], name: str) -> None:
        """Stand in a table under a name until the constant itself does."""
        self._places.append((table, name))
        table[name] = self if self._made is None else self._made

    def real(self) -> Json:
        """The constant itself."""
        if self._made is None:
            self._made = self._make()
            for table, name in self._places:
                table[name] = self._made
            self._places.clear()
        return self._made

    def __call__(self, *arguments: Json) -> Json:
        """Call the constant itself."""
        return self.real()(*arguments)

    def __contains__(self, item: Json) -> bool:
        return item in self.real()
