"""The functions by name: `FUNCTIONS` joins the tables of the chapters beside this file."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fhirpkg.fhirpath.functions.aggregates import FUNCTIONS as AGGREGATES
from fhirpkg.fhirpath.functions.collections import FUNCTIONS as COLLECTIONS
from fhirpkg.fhirpath.functions.conversion import FUNCTIONS as CONVERSION
from fhirpkg.fhirpath.functions.existence import FUNCTIONS as EXISTENCE
from fhirpkg.fhirpath.functions.fhir import FUNCTIONS as FHIR
from fhirpkg.fhirpath.functions.filtering import FUNCTIONS as FILTERING
from fhirpkg.fhirpath.functions.moments import FUNCTIONS as MOMENTS
from fhirpkg.fhirpath.functions.numbers import FUNCTIONS as NUMBERS
from fhirpkg.fhirpath.functions.strings import FUNCTIONS as STRINGS

if TYPE_CHECKING:
    from fhirpkg.fhirpath.functions.function import Function

FUNCTIONS: dict[str, Function] = {
    **EXISTENCE,
    **FILTERING,
    **COLLECTIONS,
    **CONVERSION,
    **STRINGS,
    **NUMBERS,
    **AGGREGATES,
    **MOMENTS,
    **FHIR,
}
