"""Documents for people as tagged PDF (PDF/UA-1) on A4 or Letter, also in large print.

The same document gives the same bytes on any day: dates are the caller's, the identifier is that of
the content, and every glyph comes from one font that a package brings, never from the machine's.
"""

from __future__ import annotations

import functools
import hashlib
import importlib.metadata
import importlib.util
import itertools
import re
from typing import TYPE_CHECKING, Any, Literal

from fhirpkg.errors import ConfigError

if TYPE_CHECKING:
    from pathlib import Path

Paper = Literal["A4", "Letter"]

_EXTRA = "PDF needs WeasyPrint and its font: pip install 'fhirpkg[pdf]'"
_FONT = "font_source_sans_pro"
_FAMILY = "Leaflet"
"""A name that no font of the machine has."""
_FACES = {
    "SourceSansPro-Regular.ttf": "normal normal",
    "SourceSansPro-Bold.ttf": "normal bold",
    "SourceSansPro-It.ttf": "italic normal",
    "SourceSansPro-BoldIt.ttf": "italic bold",
}
_STYLE = """
@page {{ size: {paper}; margin: 14mm 16mm 16mm;
  @bottom-left {{ content: string(title); font: 8.5pt "{family}"; color: #444; width: 75%; }}
  @bottom-right {{ content: counter(page) " / " counter(pages); font: 8.5pt "{family}"; }} }}
html {{ font-family: "{family}" !important; font-variant-ligatures: none; }}
body {{ font: {size}/1.3 "{family}" !important; margin: 0 !important; padding: 0 !important;
  max-width: none !important; }}
h1 {{ string-set: title content(); font-size: 1.6em !important; }}
h2 {{ font-size: 1.18em !important; margin: .6em 0 .1em !important; }}
ul, ol {{ padding-left: 1.4em; break-inside: avoid; }}
footer {{ font-size: .7em !important; margin-top: .8em !important; }} footer ul {{ columns: 2; }}
figure {{ break-inside: avoid; }} figure svg {{ height: {drawing} !important; }}
label span {{ float: left; width: 34%; }}
input {{ display: inline-block; width: 62%; height: 1.3em; margin: 0; padding: 0 .2em;
  font: {size} "{family}"; border: .5pt solid #444; }}
"""
_BLANK = re.compile(r"<li>([^<>]+?):? _{4,}</li>")
"""A line to fill in, as documents have it; in PDF it is a field that can be typed into."""
_SIZES = {False: ("11pt", "30mm"), True: ("18pt", "60mm")}
"""Size of the text and height of a drawing: in ordinary and in large print."""


def is_installed() -> bool:
    """Whether the extra `pdf` is there; what it needs of the system shows when it runs."""
    return all(importlib.util.find_spec(name) for name in ("weasyprint", _FONT))


def pdf(text: str, *, paper: Paper, created: str, large_print: bool = False) -> bytes:
    """A document (a complete XHTML page with a title and a language) as PDF.

    `created` is a day, the one date in it. Raises ConfigError when the extra `pdf`, or what it
    needs of the system, is not there, and when the font lacks a character of the text.
    """
    weasyprint, folder = _weasyprint(), _folder()
    _check_glyphs(text, folder)
    fonts = importlib.import_module("weasyprint.text.fonts").FontConfiguration()
    fetcher = importlib.import_module("weasyprint.urls").URLFetcher
    style = weasyprint.CSS(
        string=_style(paper, folder, large_print=large_print),
        font_config=fonts,
        url_fetcher=fetcher(allowed_protocols=("file",), fail_on_errors=True),
    )
    in_font = text.replace("<svg ", f'<svg font-family="{_FAMILY}" ')  # a drawing inherits none
    filled = _with_fields(in_font)
    page = weasyprint.HTML(string=filled, url_fetcher=fetcher(allowed_protocols=()))
    document = page.render(font_config=fonts, stylesheets=[style], pdf_forms=True)
    document.metadata.created = document.metadata.modified = f"{created}T00:00:00Z"
    key = hashlib.sha256(f"{paper} {large_print} {created}\n{text}".encode()).digest()[:16]
    made: bytes = document.write_pdf(pdf_variant="pdf/ua-1", pdf_identifier=key)
    return made


def _with_fields(text: str) -> str:
    """A document whose lines to fill in are fields, each with its label as its name for readers."""
    numbers = itertools.count(1)

    def field(found: re.Match[str]) -> str:
        label, number = found[1], next(numbers)
        named = f'name="field-{number}" title="{label}"'
        return f'<li><label><span>{label}:</span><input type="text" {named}/></label></li>'

    return _BLANK.sub(field, text)


@functools.cache
def _weasyprint() -> Any:
    if not is_installed():
        raise ConfigError(_EXTRA)
    try:
        return importlib.import_module("weasyprint")
    except OSError as error:
        raise ConfigError(f"WeasyPrint needs Pango on this system: {error}") from error


@functools.cache
def _folder() -> Path:
    """Where the package of the font has its files."""
    found = importlib.metadata.distribution("font-source-sans-pro").locate_file(f"{_FONT}/files")
    from pathlib import Path  # noqa: PLC0415 - a path by the type of the metadata

    return Path(str(found))


def _style(paper: Paper, folder: Path, *, large_print: bool) -> str:
    """The style of print, with the faces of the font."""
    faces = []
    for name, kind in _FACES.items():
        style, weight = kind.split()
        faces.append(
            f'@font-face {{ font-family: "{_FAMILY}"; font-style: {style}; font-weight: {weight}; '
            f"src: url({(folder / name).as_uri()}); }}\n"
        )
    size, drawing = _SIZES[large_print]
    return "".join(faces) + _STYLE.format(paper=paper, family=_FAMILY, size=size, drawing=drawing)


def _check_glyphs(text: str, folder: Path) -> None:
    """Each character is one of the font; another font would be that of the machine."""
    words = re.sub(r"<style>.*?</style>|<[^>]*>", "", text, flags=re.DOTALL)
    missing = sorted(set(words) - _glyphs(folder) - set("\n\t\r"))
    if missing:
        raise ConfigError(f"the font of the PDF has no sign for {' '.join(missing)!r}")


@functools.cache
def _glyphs(folder: Path) -> frozenset[str]:
    font = importlib.import_module("fontTools.ttLib").TTFont(folder / next(iter(_FACES)))
    return frozenset(map(chr, font.getBestCmap()))
