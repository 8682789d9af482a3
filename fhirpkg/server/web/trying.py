"""Try a plan on a patient: `/try/{id}`, a form that a browser fills in, and what came of it."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl

from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect
from starlette.responses import Response
from starlette.routing import Route

from fhirpkg import fhirjson
from fhirpkg.errors import ConfigError, FhirpkgError
from fhirpkg.languages.words import gettext
from fhirpkg.packages.installed import bundled_content
from fhirpkg.pages.trying import Asked, Tried, of_bundle, tried, try_page
from fhirpkg.render import clinical
from fhirpkg.repository import Layers
from fhirpkg.server.operations.apply import OnlyKnowledge
from fhirpkg.server.web.formats import body_within, media_type
from fhirpkg.server.web.pages import LINKS, html, in_language, missing
from fhirpkg.server.web.shelf import StoreShelf

if TYPE_CHECKING:
    from pathlib import Path

    from starlette.requests import Request as HttpRequest

    from fhirpkg.issues import Resource
    from fhirpkg.repository import Repository
    from fhirpkg.server.endpoint import Endpoint

_LARGEST_FORM = 16 * 1024 * 1024
"""A Bundle of 5 MB, as a browser encodes it."""
_FORM = "application/x-www-form-urlencoded"
_AT_ONCE = 2
_OFFERED = 100


def try_routes(endpoint: Endpoint, sources: Path | None) -> list[Route]:
    """The route; `sources` is a folder of authored procedures with made-up patients."""
    turns = asyncio.Semaphore(_AT_ONCE)

    async def answer(request: HttpRequest) -> Response:
        identity = request.path_params["id"]
        if request.method == "GET":
            return await run_in_threadpool(_answered, endpoint, sources, identity, None)
        if media_type(request.headers.get("content-type", "")) != _FORM:
            return await run_in_threadpool(
                _told, endpoint, sources, identity, 415, gettext(_NOT_A_FORM)
            )
        try:
            body = await body_within(_LARGEST_FORM, request)
        except (ClientDisconnect, TimeoutError):
            return Response(status_code=400)
        if body is None:
            return await run_in_threadpool(
                _told, endpoint, sources, identity, 413, gettext(_TOO_LARGE)
            )
        async with turns:
            return await run_in_threadpool(_answered, endpoint, sources, identity, body)

    return [Route("/try/{id}", in_language(answer), methods=["GET", "POST"])]


_NOT_A_FORM = "What was sent is not this form."
_TOO_LARGE = f"The Bundle is too large for this form: {_LARGEST_FORM // 3_000_000} MB at most."


def _told(
    endpoint: Endpoint, sources: Path | None, identity: str, status: int, problem: str
) -> Response:
    """The form with what was wrong with the way in which it was sent."""
    shelf = StoreShelf(endpoint)
    plan = shelf.read("PlanDefinition", identity)
    if plan is None:
        return missing()
    asked = _asked({}, plan, shelf, sources)
    return html(try_page(plan, shelf, LINKS, asked, None, problem), status)


def _answered(
    endpoint: Endpoint, sources: Path | None, identity: str, body: bytes | None
) -> Response:
    shelf = StoreShelf(endpoint)
    plan = shelf.read("PlanDefinition", identity)
    if plan is None:
        return missing()
    try:
        filled = _fields(body)
    except ValueError:
        return _told(endpoint, sources, identity, 400, gettext(_NOT_A_FORM))
    asked = _asked(filled, plan, shelf, sources)
    found, problem = None, ""
    try:
        if body is not None:
            found = _tried(filled.get("from", ""), asked, plan, shelf, sources)
    except FhirpkgError as error:
        problem = str(error)
    status = 400 if problem else 200
    return html(try_page(plan, shelf, LINKS, asked, found, problem), status)


def _fields(body: bytes | None) -> dict[str, str]:
    text = (body or b"").decode("ascii")
    return dict(parse_qsl(text, keep_blank_values=True, max_num_fields=10, errors="strict"))


def _tried(
    kind: str, asked: Asked, plan: Resource, shelf: StoreShelf, sources: Path | None
) -> Tried:
    """Apply the plan to who was chosen. Raises FhirpkgError when that cannot be done."""
    known = OnlyKnowledge(shelf)
    if kind == "example":
        file = _examples(plan["id"], sources).get(asked.example)
        if file is None:
            raise ConfigError(f"there is no sample patient '{asked.example}'")
        subject, data = of_bundle(fhirjson.read(file.read_bytes())[0])
        return tried(plan, subject, Layers(data, known))
    if kind == "patient":
        return tried(plan, _typed(asked.patient, shelf), shelf)
    value, issues = fhirjson.read(asked.bundle)
    if issues:
        raise ConfigError(f"the Bundle cannot be read: {issues[0].text}")
    subject, data = of_bundle(value)
    return tried(plan, subject, Layers(data, known))


def _typed(reference: str, shelf: Repository) -> str:
    """The reference to a patient who is here. Raises ConfigError."""
    identity = reference.strip().removeprefix("Patient/")
    if not identity or shelf.read("Patient", identity) is None:
        raise ConfigError(f"there is no patient '{reference}' on this server")
    return f"Patient/{identity}"


def _asked(
    filled: dict[str, str], plan: Resource, shelf: StoreShelf, sources: Path | None
) -> Asked:
    patients = shelf.listed("Patient")[:_OFFERED]
    return Asked(
        examples=tuple(_examples(plan["id"], sources)),
        patients=tuple((p["id"], clinical.person(p)) for p in patients),
        example=filled.get("example", ""),
        patient=filled.get("patient", ""),
        bundle=filled.get("bundle", ""),
    )


def _examples(plan_id: str, sources: Path | None) -> dict[str, Path]:
    """The made-up patients beside the built plan, in the sources or in what is installed."""
    folders = [sources] if sources else []
    with contextlib.suppress(ConfigError):  # installed without content
        folders.append(bundled_content())
    for folder in folders:
        for built in sorted(folder.glob("*/fhir/PlanDefinition-*.json")):
            if built.name == f"PlanDefinition-{plan_id}.json":
                found = sorted((built.parent.parent / "examples").glob("*.json"))
                return {f.stem: f for f in found if not f.stem.endswith(".applied")}
    return {}
