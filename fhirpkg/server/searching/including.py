"""`_include` and `_revinclude`: resources that matches refer to, or that refer to them.

See http://hl7.org/fhir/R4/search.html#include. References lead by type and id, canonicals by url
and version.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from fhirpkg.server.exchange import refused
from fhirpkg.server.rules import (
    SERVER_SEARCH_VALUE,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from fhirpkg.server.endpoint import Endpoint
    from fhirpkg.server.searching.indexing import Parameter
    from fhirpkg.server.storing.store import Version

_MOST = 1000


def included(
    matches: Sequence[Version], wanted: Iterable[tuple[str, str]], endpoint: Endpoint
) -> list[Version]:
    """What the includes of a search add to its matches."""
    known = {(version.type, version.id) for version in matches}
    found: dict[tuple[str, str], Version] = {}
    for name, value in wanted:
        source, _, rest = value.partition(":")
        code, _, target = rest.partition(":")
        follow = _referring if name == "_revinclude" else _referred
        for parameter in _parameters(name, source, code, value, endpoint):
            for version in follow(parameter, target, matches, endpoint):
                found.setdefault((version.type, version.id), version)
    return [version for place, version in found.items() if place not in known][:_MOST]


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


def _referred(
    parameter: Parameter, target: str, versions: Sequence[Version], endpoint: Endpoint
) -> list[Version]:
    """What the references and canonicals of a parameter lead to."""
    found: list[Version] = []
    for version in versions:
        rows = endpoint.store.query(
            "SELECT r.type, r.value, r.version FROM searchable r JOIN current c ON c.key = r.key"
            " WHERE c.type = ? AND c.id = ? AND r.param = ? AND r.value IS NOT NULL",
            (version.type, version.id, parameter.name),
        )
        for type_, value, wanted in rows:
            if type_ is None:
                found += _by_canonical(value, wanted, target, endpoint)
            elif there := endpoint.store.present(type_, value):
                found.append(there)
    return [version for version in found if target in {"", version.type}]


def _by_canonical(
    url: str, version: str | None, resource_type: str, endpoint: Endpoint
) -> list[Version]:
    """The resources of a canonical url, of a version and a type if those are given."""
    types = [resource_type] if resource_type else endpoint.definitions.types.resource_types()
    names = [f"{type_}.url" for type_ in types]
    places = ",".join("?" * len(names))
    there = f"SELECT key FROM searchable WHERE value = ? AND param IN ({places})"  # noqa: S608 - ours
    found = endpoint.store.all_present(f"current.key IN ({there})", [url, *names])
    return [v for v in found if version is None or v.resource().get("version") == version]


def _referring(
    parameter: Parameter, _: str, versions: Sequence[Version], endpoint: Endpoint
) -> list[Version]:
    """What refers to the versions by a parameter."""
    found: list[Version] = []
    for version in versions:
        url = endpoint.store.query(
            "SELECT value FROM searchable u JOIN current c ON c.key = u.key"
            " WHERE c.type = ? AND c.id = ? AND u.param = ?",
            (version.type, version.id, f"{version.type}.url"),
        )
        found += endpoint.store.all_present(
            "current.key IN (SELECT key FROM searchable WHERE param = ?"
            " AND (value = ? AND type = ? OR value = ? AND type IS NULL))",
            (parameter.name, version.id, version.type, url[0][0] if url else None),
        )
    return found
