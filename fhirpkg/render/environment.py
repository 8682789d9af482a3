"""The one Jinja environment: it escapes everything and puts FHIR's values into words."""

from __future__ import annotations

import functools
import re
from pathlib import Path
from typing import Any

import jinja2
from markupsafe import Markup, escape

from fhirpkg.languages.words import UNTRANSLATED, say
from fhirpkg.render import clinical, words

_TEXT = re.compile(r">[^<]*<")
_TEMPLATES = Path(__file__).parent / "templates"


def timing(element: dict[str, Any]) -> str:
    """When or how long, of an action or a definition; a duration in numbers."""
    repeat = element.get("timingTiming", {}).get("repeat", {})
    if "duration" in repeat:
        return clinical.schedule({"repeat": repeat}).removeprefix("lasting ")
    return clinical.timed(element, "timing")


def row(name: str, value: object) -> Markup:
    """A row of a table; nothing without a value. Most are empty, and a macro is slow at that."""
    return Markup(f"<tr><td><b>{name}</b></td><td>{escape(value)}</td></tr>\n" if value else "")  # noqa: S704


def _say(text: str, language: str) -> str:
    """Words of ours in a language, English where it has none."""
    return say(text, language).removeprefix(UNTRANSLATED)


@functools.cache
def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(_TEMPLATES),
        autoescape=True,
        undefined=jinja2.ChainableUndefined,  # nearly every element of FHIR may be absent
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["concept"] = words.concept
    environment.filters["behavior"] = words.behavior
    environment.filters["target"] = words.target
    environment.filters["dosage"] = clinical.dosage
    environment.globals.update(
        concept=words.concept,
        how_often=clinical.how_often,
        people=words.people,
        quantity=clinical.quantity,
        relation=clinical.relation,
        say=_say,
        row=row,
        timing=timing,
    )
    return environment


def render(template: str, **values: Any) -> str:
    """A template of the folder beside this module, filled with values.

    Quotation marks in text are not escaped there: servers that parse XHTML write them plainly,
    and what comes back shall be what was sent.
    """
    text = _environment().get_template(template).render(**values)
    return _TEXT.sub(lambda found: found[0].replace("&#39;", "'").replace("&#34;", '"'), text)
