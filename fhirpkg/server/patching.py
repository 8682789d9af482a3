"""JSON Patch (RFC 6902) of a resource, and PATCH: read, change, write as one step.

http://hl7.org/fhir/R4/http.html#patch. Patches by XML and FHIRPath are refused.
"""

from __future__ import annotations

import copy
import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NoReturn

from fhirpkg import fhirjson
from fhirpkg.server import interactions
from fhirpkg.server.bounds import check_bounds
from fhirpkg.server.exchange import Answer, Request, refused
from fhirpkg.server.rules import SERVER_PATCH, SERVER_UNKNOWN_RESOURCE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fhirpkg.issues import Resource
    from fhirpkg.server.endpoint import Endpoint

_MOST_STEPS = 1000
_MOST_COPIED = 1_000_000  # characters: copies of copies grow without end
_NO_ESCAPE = re.compile("~(?![01])")
_MEMBERS = {
    "add": ("path", "value"), "replace": ("path", "value"), "test": ("path", "value"),
    "remove": ("path",), "move": ("path", "from"), "copy": ("path", "from"),
}  # fmt: skip


def patch(request: Request, endpoint: Endpoint) -> Answer:
    """Change a resource by the steps that were sent, all or none."""
    resource_type, identity = request.path
    with endpoint.store.transaction():
        version = endpoint.store.present(resource_type, identity)
        if version is None:
            raise refused(404, SERVER_UNKNOWN_RESOURCE, type=resource_type, id=identity)
        interactions.check_preconditions(request, version.version, resource_type, identity)
        changed = patched(version.resource(), request.patch)
        if not isinstance(changed, dict):
            _refuse("the patch leaves no resource")
        check_bounds(changed, may_have_controls=False)  # which were looked for in the patch
        return interactions.update(replace(request, resource=changed), endpoint)


def patch_match(request: Request, endpoint: Endpoint) -> Answer:
    """Conditional patch of the one resource that the criteria find."""
    with endpoint.store.transaction():
        there = interactions.only_match(request, endpoint, request.query)
        if there is None:
            raise refused(404, SERVER_UNKNOWN_RESOURCE, type=request.path[0], id="that matches")
        return patch(replace(request, path=(request.path[0], there.id), query=()), endpoint)


def patched(resource: Resource, steps: object) -> Any:
    """A resource as the steps of a patch change it. Raises Refused (400, 422)."""
    if not isinstance(steps, list) or len(steps) > _MOST_STEPS:
        _refuse(f"it is not a list of at most {_MOST_STEPS} steps")
    whole: Any = {"": resource}
    left = _MOST_COPIED
    for number, step in enumerate(steps):
        operation, path, source, value = _read(step, number)
        if operation in {"copy", "move"}:
            if operation == "move" and path[: len(source)] == source != path:
                _refuse(f"step {number} moves a part into itself")
            value = _at(whole, source, number)
            if operation == "move":
                _remove(whole, source, number)
            else:
                left -= len(fhirjson.dump(value))
                if left < 0:
                    _refuse(f"step {number}: more than {_MOST_COPIED} characters are copied")
                value = copy.deepcopy(value)
        if operation == "test":
            there = _at(whole, path, number)
            if type(there) is not type(value) or there != value:
                _refuse(f"step {number}: the value at '{step['path']}' is another", 422)
        elif operation == "remove":
            _remove(whole, path, number)
        else:
            _put(whole, path, value, number, replaces=operation == "replace")
    return whole.get("")


def _read(step: object, number: int) -> tuple[str, list[str], list[str], Any]:
    operation = step.get("op") if isinstance(step, dict) else None
    if not isinstance(step, dict) or operation not in _MEMBERS:
        _refuse(f"step {number} has no op of {', '.join(_MEMBERS)}")
    for member in _MEMBERS[operation]:
        if member not in step or (member != "value" and not isinstance(step[member], str)):
            _refuse(f"step {number} ({operation}) needs {member}")
    source = _pointer(step["from"], number) if "from" in _MEMBERS[operation] else []
    return operation, _pointer(step["path"], number), source, step.get("value")


def _pointer(text: str, number: int) -> list[str]:
    if text and not text.startswith("/"):
        _refuse(f"step {number}: '{text}' does not begin with '/'")
    if _NO_ESCAPE.search(text):
        _refuse(f"step {number}: '{text}' has a '~' that is not followed by 0 or 1")
    return [part.replace("~1", "/").replace("~0", "~") for part in text.split("/")]


def _at(whole: Any, path: Sequence[str], number: int) -> Any:
    here = whole
    for part in path:
        if isinstance(here, dict) and part in here:
            here = here[part]
        elif isinstance(here, list):
            here = here[_index(part, len(here) - 1, number)]
        else:
            _refuse(f"step {number}: there is nothing at '{'/'.join(path)}'", 422)
    return here


def _index(part: str, last: int, number: int) -> int:
    if not (part.isascii() and part.isdecimal()) or len(part) > 9 or part != str(int(part)):
        _refuse(f"step {number}: '{part}' is not an index of a list")
    if int(part) > last:
        _refuse(f"step {number}: the list has no index {part}", 422)
    return int(part)


def _remove(whole: Any, path: Sequence[str], number: int) -> None:
    _at(whole, path, number)
    parent = _at(whole, path[:-1], number)
    if isinstance(parent, list):
        del parent[int(path[-1])]
    else:
        del parent[path[-1]]


def _put(whole: Any, path: Sequence[str], value: Any, number: int, *, replaces: bool) -> None:
    if replaces:
        _at(whole, path, number)
    parent = _at(whole, path[:-1], number)
    if isinstance(parent, dict):
        parent[path[-1]] = value
    elif isinstance(parent, list):
        if replaces:
            parent[int(path[-1])] = value
        else:
            end = len(parent)
            parent.insert(end if path[-1] == "-" else _index(path[-1], end, number), value)
    else:
        _refuse(f"step {number}: nothing can be put into '{'/'.join(path[:-1])}'", 422)


def _refuse(problem: str, status: int = 400) -> NoReturn:
    raise refused(status, SERVER_PATCH, problem=problem)
