"""Rules of Library resources."""

from fhirpkg.rules import warning

LIBRARY_CQL = warning(
    "library-cql",
    "invalid",
    title="The CQL of a Library can be read",
    text="the CQL cannot be read: {problem}",
    advice="the line and column are those of the CQL text",
    spec="https://cql.hl7.org/19-l-cqlsyntaxdiagrams.html",
    is_strict=True,
)
