"""`_include` and `_revinclude`: resources that matches refer to, or that refer to them.

See http://hl7.org/fhir/R4/search.html#include. References lead by type and id, canonicals by url
and version; `:iterate` follows what was included as well.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from fhirpkg.server.exchange import refused
from fhirpkg.server.rules import (
    SERVER_SEARCH_MODIFIER,
    SERVER_SEARCH_VALUE,
)
from fhirpkg.server.storing.layout import param_key

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from fhirpkg.server.endpoint import Endpoint
    from fhirpkg.server.searching.indexing import Parameter
    from fhirpkg.server.storing.versions import Version

INCLUDES = ("_include", "_revinclude")
MOST_INCLUDED = 1000
_MOST_CHARACTERS = 32_000_000
_MOST_ROUNDS = 10


@dataclass(frozen=True, slots=True)
class _Wish:
    """One include as it was understood."""

    parameters: tuple[Parameter, ...]
    source: str
    target: str
    is_reverse: bool
    iterates: bool


@dataclass(slots=True)
class _Gathering:
    """What was found so far."""

    endpoint: Endpoint
    known: set[tuple[str, str]]
    found: list[Version] = field(default_factory=list)
    characters: int = 0

    @property
    def is_full(self) -> bool:
        """Whether more resources, or more text, were found than an answer may include."""
        return len(self.found) > MOST_INCLUDED or self.characters > _MOST_CHARACTERS

    def add(self, versions: Iterable[Version]) -> None:
        """Add the resources that are not in the answer yet."""
        for version in versions:
            place = version.type, version.id
            if place not in self.known:
                self.known.add(place)
                self.found.append(version)
                self.characters += len(version.content or "")
            if self.is_full:
                return


def included(
    matches: Sequence[Version], wanted: Iterable[tuple[str, str]], endpoint: Endpoint
) -> tuple[list[Version], bool]:
    """What the includes of a search add to its matches, and whether that is all.

    Raises Refused (400) for an include that is not understood.
    """
    wishes = [_wish(name, value, endpoint) for name, value in wanted]
    gathering = _Gathering(endpoint, {(version.type, version.id) for version in matches})
    latest: Sequence[Version] = matches
    for round_ in range(_MOST_ROUNDS):
        before = len(gathering.found)
        for wish in wishes:
            if round_ == 0 or wish.iterates:
                _follow(wish, latest, gathering)
        latest = gathering.found[before:]
        if not latest or gathering.is_full:
            break
    is_whole = not latest or not any(wish.iterates for wish in wishes)
    return gathering.found[:MOST_INCLUDED], is_whole and not gathering.is_full


def _wish(name: str, value: str, endpoint: Endpoint) -> _Wish:
    kind, _, modifier = name.partition(":")
    if kind not in INCLUDES or modifier not in {"", "iterate"}:
        raise refused(
            400, SERVER_SEARCH_MODIFIER, parameter=kind, modifier=modifier,
            allowed="it takes :iterate",
        )  # fmt: skip
    source, _, rest = value.partition(":")
    code, _, target = rest.partition(":")
    if target:
        endpoint.check_type(target)
    parameters = tuple(_parameters(kind, source, code, value, endpoint))
    return _Wish(parameters, source, target, kind == "_revinclude", modifier == "iterate")


def _parameters(
    name: str, source: str, code: str, value: str, endpoint: Endpoint
) -> list[Parameter]:
    endpoint.check_type(source)
    known = endpoint.indexing.parameters(source)
    if code == "*":
        return [parameter for parameter in known.values() if parameter.kind == "reference"]
    if code not in known or known[code].kind != "reference":
        names = ", ".join(p.code for p in known.values() if p.kind == "reference")
        problem = f"'{value}' is not Type:parameter[:Type]; of {source} there are: {names}"
        raise refused(400, SERVER_SEARCH_VALUE, parameter=name, problem=problem)
    return [known[code]]


def _follow(wish: _Wish, versions: Sequence[Version], gathering: _Gathering) -> None:
    for parameter in wish.parameters:
        if wish.is_reverse:
            for version in versions:
                if wish.target in {"", version.type}:
                    gathering.add(_referring(parameter, version, gathering.endpoint))
        else:
            sources = [version.id for version in versions if version.type == wish.source]
            gathering.add(_referred(parameter, wish, sources, gathering.endpoint))
        if gathering.is_full:
            return


def _referred(
    parameter: Parameter, wish: _Wish, sources: list[str], endpoint: Endpoint
) -> Iterator[Version]:
    """What the references and canonicals of a parameter lead to, from resources of some ids."""
    rows = endpoint.store.query(
        "SELECT DISTINCT r.type, r.value, r.version FROM json_each(?) AS source"
        " CROSS JOIN current c ON c.type = ? AND c.id = source.value"
        " CROSS JOIN searchable r INDEXED BY searchable_key"
        " ON r.key = c.key AND r.param = ? AND r.value <> '' ORDER BY source.key",
        (json.dumps(sources), wish.source, param_key(parameter.name)),
    )
    local = [[type_, value] for type_, value, _ in rows if type_ and wish.target in {"", type_}]
    keys = endpoint.store.query(
        "SELECT c.key FROM json_each(?) AS wanted CROSS JOIN current c"
        " ON c.type = wanted.value ->> 0 AND c.id = wanted.value ->> 1 AND c.digest IS NOT NULL"
        " ORDER BY wanted.key",
        (json.dumps(local),),
    )
    yield from endpoint.store.each(row[0] for row in keys[: MOST_INCLUDED + 1])
    for type_, value, version in rows:
        if type_ is None:
            yield from _by_canonical(value, version, wish.target, parameter, endpoint)


def _by_canonical(
    url: str, version: str | None, target: str, parameter: Parameter, endpoint: Endpoint
) -> Iterator[Version]:
    """The resources of a canonical url, of a version and a type if those are given."""
    types = [target] if target else parameter.targets
    if not types or "Resource" in types:
        types = tuple(endpoint.definitions.types.resource_types())
    names = [param_key(f"{type_}.url") for type_ in types]
    places = ",".join("?" * len(names))
    there = f"SELECT key FROM searchable WHERE param IN ({places}) AND value = ?"  # noqa: S608 - ours
    found = endpoint.store.all_present(f"current.key IN ({there}) LIMIT 50", [*names, url])
    for one in found:
        if version is None or one.resource().get("version") == version:
            yield one


def _referring(parameter: Parameter, version: Version, endpoint: Endpoint) -> list[Version]:
    """What refers to a version by a parameter."""
    url = endpoint.store.query(
        "SELECT value FROM searchable u JOIN current c ON c.key = u.key"
        " WHERE c.type = ? AND c.id = ? AND u.param = ?",
        (version.type, version.id, param_key(f"{version.type}.url")),
    )
    canonical = url[0][0] if url else version.id
    return endpoint.store.all_present(
        "current.key IN (SELECT key FROM searchable WHERE param = ? AND value IN (?, ?)"
        " AND (value = ? AND type = ? OR value = ? AND type IS NULL)) LIMIT ?",
        (
            *(param_key(parameter.name), version.id, canonical),
            *(version.id, version.type, canonical, MOST_INCLUDED + 1),
        ),
    )
