"""Which interaction a request asks for: one table of paths and methods."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from fhirpkg.server import capabilities, history, interactions, patching, transactions
from fhirpkg.server.exchange import Answer, Request, refused
from fhirpkg.server.operations import operations
from fhirpkg.server.rules import (
    SERVER_METHOD,
    SERVER_UNKNOWN_PATH,
)
from fhirpkg.server.searching import search

if TYPE_CHECKING:
    from collections.abc import Callable

    from fhirpkg.server.endpoint import Endpoint

    Interaction = Callable[[Request, Endpoint], Answer]


def handle(request: Request, endpoint: Endpoint) -> Answer:
    """Carry out any request. Raises Refused."""
    shape = _shape(request.path)
    methods = _ROUTES.get(shape)
    if methods is None:
        raise refused(
            404, SERVER_UNKNOWN_PATH, path=f"{request.base}/{request.at}", base=request.base
        )
    if shape.startswith("Type"):
        endpoint.check_type(request.path[0])
    asked = "GET" if request.method == "HEAD" else request.method
    interaction = methods.get(asked)
    if interaction is None:
        offered = ", ".join(methods)
        raise refused(
            405,
            SERVER_METHOD,
            headers={"Allow": offered},
            method=request.method,
            path=f"/{request.at}",
            allowed=f"{offered} are" if len(methods) > 1 else f"{offered} is",
        )
    _demand(request)
    return interaction(request, endpoint)


_RIGHTS = {
    ("GET", "Type"): "s",
    ("GET", "Type/id"): "r",
    ("GET", "Type/_history"): "r",
    ("GET", "Type/id/_history"): "r",
    ("GET", "Type/id/_history/version"): "r",
    ("POST", "Type"): "cs",
    ("POST", "Type/_search"): "s",
    ("PUT", "Type"): "cus",
    ("PUT", "Type/id"): "cu",
    ("PATCH", "Type"): "us",
    ("PATCH", "Type/id"): "u",
    ("DELETE", "Type"): "ds",
    ("DELETE", "Type/id"): "d",
}
_OF_DEFINITIONS = {"$expand", "$lookup", "$validate-code", "$validate"}


def _demand(request: Request) -> None:
    """Ask for the rights that an interaction needs; entries of a Bundle are asked for theirs."""
    shape = _shape(request.path)
    if request.rights is None or shape in {"", "metadata"}:
        return
    method = "GET" if request.method == "HEAD" else request.method
    if letters := _RIGHTS.get((method, shape)):
        request.demand(letters, request.path[0])
    elif request.path[-1] in _OF_DEFINITIONS and len(request.path) > 1:
        request.demand("r", request.path[0])
    else:
        # History of all, $apply and what else may touch any type.
        request.demand("ru" if method == "POST" else "r", "*")
    if any(mark in name for name, _ in request.query for mark in (".", "_has", "include")):
        request.demand("rs", "*")


def _shape(path: tuple[str, ...]) -> str:
    """The form of a path: `Type`, `Type/id/_history/version` or `Type/$`, among others."""
    if path and path[-1].startswith("$"):
        return "/".join([*("Type", "id", "?")[: len(path) - 1], "$"])
    names = ("Type", "id", "", "version")
    special = {"metadata", "_history", "_search"}
    parts = [part if part in special else names[min(n, 3)] for n, part in enumerate(path)]
    return "/".join(parts)


def _bundle(request: Request, endpoint: Endpoint) -> Answer:
    return transactions.process(request, endpoint, handle, _demand)


def _search_by_post(request: Request, endpoint: Endpoint) -> Answer:
    return search.search(replace(request, path=request.path[:1]), endpoint)


_OPERATION: dict[str, Interaction] = {"GET": operations.run, "POST": operations.run}
_ROUTES: dict[str, dict[str, Interaction]] = {
    "": {"POST": _bundle},
    "metadata": {"GET": capabilities.capabilities},
    "_history": {"GET": history.history},
    "Type": {
        "GET": search.search,
        "POST": interactions.create,
        "PUT": interactions.update_match,
        "DELETE": interactions.delete_match,
        "PATCH": patching.patch_match,
    },
    "Type/_search": {"POST": _search_by_post},
    "Type/_history": {"GET": history.history},
    "Type/id": {
        "GET": interactions.read,
        "PUT": interactions.update,
        "DELETE": interactions.delete,
        "PATCH": patching.patch,
    },
    "Type/id/_history": {"GET": history.history},
    "Type/id/_history/version": {"GET": interactions.vread},
    "$": _OPERATION,
    "Type/$": _OPERATION,
    "Type/id/$": _OPERATION,
}
