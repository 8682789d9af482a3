"""The JSON Schema of authored files, for editors."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fhirpkg.authoring.translating import KEYS

if TYPE_CHECKING:
    from fhirpkg.authoring.model.parts import Part

_DRAFT = "https://json-schema.org/draft/2020-12/schema"
_TAG = "^[a-z]{2,3}(-[A-Z][a-z]{3})?(-[A-Z]{2})?$"
_ABOUT = ("title", "description", "examples", "default")


def schema_of(model: type[Part]) -> dict[str, Any]:
    """The schema of a model, in which texts may be in several languages."""
    schema = model.model_json_schema(by_alias=True)
    for part in (schema, *schema.get("$defs", {}).values()):
        properties = part.get("properties", {})
        for key in KEYS & properties.keys():
            properties[key] = _in_languages(properties[key])
    return {"$schema": _DRAFT, **schema}


def _in_languages(form: dict[str, Any]) -> dict[str, Any]:
    """The form of a text, or of a mapping of languages to it."""
    about = {name: form[name] for name in _ABOUT if name in form}
    one = {name: value for name, value in form.items() if name not in _ABOUT}
    several = {
        "type": "object",
        "patternProperties": {_TAG: one},
        "additionalProperties": False,
        "minProperties": 1,
    }
    return {**about, "anyOf": [one, several]}
