"""Many resources, wherever they lie: checked line by line, and applied to patient by patient.

No framework is in here: for Spark, Dask, Ray or a plain pool.
"""

from fhirpkg.bulk.checking import Checker, Line, Row, findings, index_of
from fhirpkg.bulk.population import ForPatient, applied

__all__ = ["Checker", "ForPatient", "Line", "Row", "applied", "findings", "index_of"]
