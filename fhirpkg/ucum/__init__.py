"""Units of measure by UCUM, case sensitive (https://ucum.org/ucum): validity and conversion."""

from fhirpkg.ucum.units import canonical, commensurable, convert, is_valid, problem

__all__ = ["canonical", "commensurable", "convert", "is_valid", "problem"]
