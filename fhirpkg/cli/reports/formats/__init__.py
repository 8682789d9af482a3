"""Findings in the formats that people and machines read: each module of this room is a format.

A format has the name of its module, which defines `report(checked)`: it takes the checked inputs
in order and returns the text for standard output, which ends in a line feed or is empty.
"""

from __future__ import annotations

import importlib
import pkgutil
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fhirpkg.corpus.checking import Checked

FORMATS = tuple(sorted(module.name for module in pkgutil.iter_modules(__path__)))


def render(output_format: str, checked: list[Checked]) -> str:
    """The report in one of FORMATS."""
    report: str = importlib.import_module(f"{__name__}.{output_format}").report(checked)
    return report
