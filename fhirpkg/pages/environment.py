"""The Jinja environment of the pages, and what surrounds each of them."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jinja2

import fhirpkg
from fhirpkg.languages.words import gettext, language
from fhirpkg.render.cited import purpose, taken_from

if TYPE_CHECKING:
    from fhirpkg.pages.links import Links

_HERE = Path(__file__).parent
ASSETS = {"style.css": "text/css", "search.js": "text/javascript"}
"""The files that every page loads, with their media types; a served page loads no script."""


@functools.cache
def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(_HERE / "templates"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals.update(_=gettext, language=language, taken_from=taken_from, purpose=purpose)
    return environment


def rendered(template: str, links: Links, **values: Any) -> str:
    """A page of the templates beside this module."""
    found = _environment().get_template(template)
    return found.render(links=links, version=fhirpkg.__version__, **values)


@functools.cache
def asset(name: str) -> bytes:
    """The bytes of a file that pages load. Raises KeyError for another name."""
    if name not in ASSETS:
        raise KeyError(name)
    return (_HERE / "static" / name).read_bytes()
