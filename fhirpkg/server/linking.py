"""Links between the entries of a transaction, and references that are searches.

See http://hl7.org/fhir/R4/http.html#trules: where an entry's fullUrl is in a reference, a uri
or a narrative's link, the address that the entry gets is put; canonicals stay as they are.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from fhirpkg.fhirpath.walking import shapes_of
from fhirpkg.server.exchange import split_url
from fhirpkg.server.searching.criteria import read_criteria

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from fhirpkg.fhirpath.model import TypeModel
    from fhirpkg.issues import Resource
    from fhirpkg.server.endpoint import Endpoint
    from fhirpkg.server.exchange import Request

_REST = re.compile(r"https?://.+/([A-Z][A-Za-z]+/[A-Za-z0-9.-]{1,64})")
_NARRATIVE_LINK = re.compile(r"""((?:href|src)\s*=\s*["'])([^"'#]+)""")
_CONDITIONAL = re.compile(r'"reference":"[A-Z][A-Za-z]+\?')
_URIS = {"uri", "url", "oid", "uuid"}


class Links:
    """Rewrites resources; `targets` leads from each fullUrl to the relative address."""

    def __init__(self, types: TypeModel, targets: Mapping[str, str]) -> None:
        self._shapes = shapes_of(types)
        self._targets = {url: target for url, target in targets.items() if url != target}
        self._relative = {
            match[1]: target
            for url, target in self._targets.items()
            if (match := _REST.fullmatch(url)) and match[1] != target
        }

    def rewritten(self, resource: Resource) -> Resource:
        """The resource with its links to other entries led to where they will be."""
        if not self._targets:
            return resource
        found: Resource = self._walk(resource, "")
        return found

    def _walk(self, value: Any, type_name: str) -> Any:
        if isinstance(value, list):
            return [self._walk(item, type_name) for item in value]
        if isinstance(value, str):
            return self._link(value, type_name)
        if not isinstance(value, dict):
            return value
        type_name = type_name or str(value.get("resourceType", ""))
        if type_name == "Reference" and isinstance(value.get("reference"), str):
            value = value | {"reference": self._referred(value["reference"])}
        shape = self._shapes[type_name]
        plans = shape.by_key if shape else {}
        return {
            key: self._walk(item, plans[key][2]) if key in plans else item
            for key, item in value.items()
        }

    def _referred(self, reference: str) -> str:
        url, mark, version = reference.partition("/_history/")
        target = self._targets.get(url) or self._relative.get(url)
        return f"{target}{mark}{version}" if target else reference

    def _link(self, value: str, type_name: str) -> str:
        if type_name in _URIS and value.startswith("urn:"):
            # Only urn: addresses are sure to be meant: a definition's url may be its own fullUrl.
            return self._targets.get(value, value)
        if type_name == "xhtml":
            return _NARRATIVE_LINK.sub(
                lambda match: match[1] + self._targets.get(match[2], match[2]), value
            )
        return value


def may_be_conditional(content: str) -> bool:
    """Whether there can be a conditional reference in JSON text, as the store writes it."""
    return _CONDITIONAL.search(content) is not None


def conditional_references(
    resource: Resource, request: Request, endpoint: Endpoint
) -> tuple[Resource, list[tuple[str, int]]]:
    """The resource with references like ``Patient?identifier=x`` led to the one match.

    Those without exactly one match stay, and are given with the number of their matches.
    """
    found = {text for text in _references(resource) if "?" in text and _is_search(text, endpoint)}
    if not found:
        return resource, []
    answers: dict[str, str] = {}
    left: list[tuple[str, int]] = []
    for text in sorted(found):
        path, query = split_url(text)
        criteria = read_criteria(query, path[0], endpoint.indexing, base=request.base)
        matches = endpoint.matches(criteria, most=2)
        if len(matches) == 1:
            answers[text] = f"{path[0]}/{matches[0].id}"
        else:
            left.append((text, endpoint.count(criteria)))
    return _replace(resource, answers) if answers else resource, left


def _is_search(text: str, endpoint: Endpoint) -> bool:
    return text.partition("?")[0] in endpoint.definitions.types.resource_types()


def _references(value: Any) -> Iterator[str]:
    if isinstance(value, list):
        for item in value:
            yield from _references(item)
    elif isinstance(value, dict):
        for key, item in value.items():
            if key == "reference" and isinstance(item, str):
                yield item
            else:
                yield from _references(item)


def _replace(value: Any, answers: Mapping[str, str]) -> Any:
    if isinstance(value, list):
        return [_replace(item, answers) for item in value]
    if isinstance(value, dict):
        return {
            key: answers.get(item, item)
            if key == "reference" and isinstance(item, str)
            else _replace(item, answers)
            for key, item in value.items()
        }
    return value
