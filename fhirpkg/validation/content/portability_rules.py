"""What known servers drop, cannot compile or evaluate differently; asked for by --portability.

Measured on HAPI FHIR 8.8 with its Clinical Reasoning 4.4.
"""

from fhirpkg.rules import information, warning

_APPLY = "http://hl7.org/fhir/R4/plandefinition-operation-apply.html"

PORTABILITY_DROPPED = information(
    "portability-dropped",
    "not-supported",
    title="What a plan says survives $apply on HAPI",
    text=("$apply on HAPI silently drops '{element}' ({count} time(s) in this plan, first here)"),
    advice="apply with fhirpkg, or say it in a dynamicValue too",
    spec=_APPLY,
)
PORTABILITY_FHIRPATH = warning(
    "portability-fhirpath",
    "not-supported",
    title="A FHIRPath expression means the same on HAPI, which compiles it as CQL",
    text="HAPI evaluates text/fhirpath as CQL, where {problem}",
    advice=(
        "begin every path with a variable, and use comparisons, and, or, .not(), where(), "
        "exists(criteria), first(), count(), all(), select(), matches(), startsWith(), "
        "length()"
    ),
    spec=_APPLY,
)
PORTABILITY_SPEED = information(
    "portability-speed",
    "not-supported",
    title="Few FHIRPath expressions in one plan",
    text=(
        "HAPI recompiles each of the {count} FHIRPath expressions of this plan at every "
        "call, a fraction of a second for each"
    ),
    advice="put the logic into a Library as CQL, as criteria in procedure.yaml do",
    spec=_APPLY,
)
PORTABILITY_INLINE_CQL = warning(
    "portability-inline-cql",
    "not-supported",
    title="CQL in an expression is distinguishable from the name of a definition",
    text="HAPI takes the text of language 'text/cql' for the name of a definition, not for CQL",
    advice="write the language text/cql-expression, or put the text into a Library and name it",
    spec=_APPLY,
)
PORTABILITY_NO_CQL = warning(
    "portability-no-cql",
    "not-supported",
    title="Logic is available as CQL text",
    text="HAPI does not run ELM; this Library has no content of type text/cql",
    advice="add the CQL that the ELM was made from",
    spec=_APPLY,
)
PORTABILITY_NO_LIBRARY = warning(
    "portability-no-library",
    "not-supported",
    title="A definition that is named belongs to a library",
    text="'{name}' is the name of a definition, but no library is given",
    advice="name the Library in 'library', first if there are several",
    spec=_APPLY,
)
PORTABILITY_HOOKS = information(
    "portability-hooks",
    "not-supported",
    title="A plan answers one hook",
    text="HAPI offers the first hook of a plan only, '{first}'; '{other}' is lost",
    advice="make a plan for each hook",
    spec=_APPLY,
)
PORTABILITY_VALUE_SET = warning(
    "portability-value-set",
    "not-supported",
    title="A value set has a definition, not only an expansion",
    text="$expand on HAPI gives nothing for a value set that has only an expansion",
    advice="add the compose that the expansion was made from",
    spec=_APPLY,
)
