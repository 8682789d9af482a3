"""The option of verbs whose output is for people: the language of its words."""

from __future__ import annotations

import click


def _known(_context: click.Context, _parameter: click.Parameter, asked: str) -> str:
    """The catalogue for a tag, of its region or in general; BadParameter where there is none."""
    from fhirpkg.languages.choosing import best
    from fhirpkg.languages.words import known_languages

    if found := best([asked], known_languages()):
        return found
    known = ", ".join(known_languages())
    raise click.BadParameter(
        f"headings and fixed words are not available in '{asked}', only in: {known}"
    )


language_option = click.option(
    "--language",
    default="en",
    show_default=True,
    metavar="TAG",
    callback=_known,
    help="The language of headings and fixed words, and of texts that have a translation.",
)
