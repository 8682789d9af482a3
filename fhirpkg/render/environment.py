"""The one Jinja environment: it escapes everything and puts FHIR's values into words."""

from __future__ import annotations

import functools
import re
from pathlib import Path
from typing import Any

import jinja2
from markupsafe import Markup, escape

from fhirpkg.languages.words import gettext, gettext_in, language
from fhirpkg.render import clinical, times, words
from fhirpkg.render.cited import taken_from

_QUOTES = {"&#39;": "'", "&#34;": '"'}
_QUOTED = re.compile(r"&#3[49];(?=[^<>]*<)")
"""A quotation mark in text: in an attribute the tag ends behind it."""
_TEMPLATES = Path(__file__).parent / "templates"


def timing(element: dict[str, Any]) -> str:
    """When or how long, of an action or a definition; a duration in numbers."""
    repeat = element.get("timingTiming", {}).get("repeat", {})
    if "duration" in repeat:
        return times.lasting(repeat)
    return times.timed(element, "timing")


def rows(values: dict[str, object]) -> Markup:
    """The rows of a table, by what stands before each; none for a value that is absent or empty."""
    found = ((name, escape(value)) for name, value in values.items() if value)
    text = "".join(f"<tr><td><b>{name}</b></td><td>{value}</td></tr>\n" for name, value in found)
    return Markup(text)  # noqa: S704 - names are ours, values were escaped


def _concepts(found: Any) -> str:
    """Concepts in words; nothing for none."""
    return "; ".join(map(words.concept, found or ()))


class _Environment(jinja2.Environment):
    """Takes members of resources, most of which are absent, without raising for each of them."""

    _absent = jinja2.ChainableUndefined()

    def getattr(self, obj: Any, attribute: str) -> Any:
        """The member of a dictionary that a template names; never its methods, such as `items`."""
        if isinstance(obj, dict):
            return obj.get(attribute, self._absent)
        return super().getattr(obj, attribute)


@functools.cache
def _environment() -> jinja2.Environment:
    environment = _Environment(
        loader=jinja2.FileSystemLoader(_TEMPLATES),
        autoescape=True,
        undefined=jinja2.ChainableUndefined,  # nearly every element of FHIR may be absent
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    environment.filters.update(
        behavior=words.behavior,
        concept=words.concept,
        concepts=_concepts,
        dosage=clinical.dosage,
        how_often=clinical.how_often,
        people=words.people,
        quantity=times.quantity,
        target=words.target,
        timing=timing,
    )
    environment.globals.update(
        _=gettext,
        language=language,
        relation=clinical.relation,
        rows=rows,
        say=gettext_in,
        taken_from=taken_from,
    )
    return environment


@functools.cache
def _template(name: str) -> jinja2.Template:
    template = _environment().get_template(name)
    template.globals = dict(template.globals)  # it is copied for each rendering, a ChainMap slowly
    return template


def render(template: str, **values: Any) -> str:
    """A template of the folder beside this module, filled with values.

    Quotation marks in text are not escaped there: servers that parse XHTML write them plainly,
    and what comes back shall be what was sent.
    """
    text = _template(template).render(**values)
    return _QUOTED.sub(lambda found: _QUOTES[found[0]], text)
