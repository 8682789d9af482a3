"""FHIR XML: the same Resource as from JSON, read and written by the definitions of the types.

See http://hl7.org/fhir/R4/xml.html. Types that are not loaded cannot be read.
"""

from fhirpkg.fhirxml.positions import locate
from fhirpkg.fhirxml.reading import read
from fhirpkg.fhirxml.writing import dump

__all__ = ["dump", "locate", "read"]
