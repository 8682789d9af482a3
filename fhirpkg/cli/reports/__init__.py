"""An Outcome in the formats that people and machines read: one function a format.

Each takes the checked inputs in order and gives the text that goes to standard output.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fhirpkg.corpus.checking import Checked

FORMATS = ("text", "json", "fhir", "github", "html", "junit", "sarif")


def render(output_format: str, checked: list[Checked]) -> str:
    """The report in one of FORMATS; it ends in a line feed, or is empty."""
    import importlib

    report: str = importlib.import_module(f"{__name__}.{output_format}").report(checked)
    return report
