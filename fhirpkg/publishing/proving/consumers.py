"""The searches by which others look for this content, made from the content itself.

A consumer does not know our ids: he has a canonical with its version, or a procedure's code. The
search parameters are those of http://hl7.org/fhir/R4/searchparameter-registry.html.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from fhirpkg.publishing.reading import escaped

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fhirpkg.client.capabilities import Capabilities
    from fhirpkg.publishing.members import Member, Release

_FEW, _TOGETHER = 200, 40
"""Above that many members, canonicals are sought so many at a time."""


@dataclass(frozen=True, slots=True)
class Search:
    """One search and the members that it must find, in a server's words."""

    type: str
    query: tuple[tuple[str, str], ...]
    expected: frozenset[str]
    """``Type/id`` in the content."""
    exactly: bool
    """Whether nothing else may be found: true for a canonical with its version."""

    def __str__(self) -> str:
        return f"{self.type}?" + "&".join(f"{name}={value}" for name, value in self.query)


def searches(
    release: Release, capabilities: Capabilities, *, sample: bool = False
) -> Iterator[Search]:
    """Every search by which the members must be found on a server with these capabilities.

    A sample has every code but only the first canonicals of each type.
    """
    by_code: dict[tuple[str, str, str], set[str]] = {}
    by_version: dict[tuple[str, str], list[Member]] = {}
    for member in release.members:
        known = capabilities.search_parameters(member.type)
        if member.url and member.version and {"url", "version"} <= known:
            by_version.setdefault((member.type, member.version), []).append(member)
        for parameter, token in member.codes:
            if parameter in known:
                by_code.setdefault((member.type, parameter, token), set()).add(member.local)
    together = 1 if len(release.members) <= _FEW else _TOGETHER
    for (resource_type, version), members in by_version.items():
        for start in range(0, together if sample else len(members), together):
            group = members[start : start + together]
            token = escaped(version, "\\,|$")
            query = (("url", ",".join(escaped(m.url) for m in group)), ("version", token))
            expected = frozenset(m.local for m in group)
            yield Search(resource_type, query, expected, exactly=True)
    for (resource_type, parameter, token), found in by_code.items():
        yield Search(resource_type, ((parameter, token),), frozenset(found), exactly=False)
