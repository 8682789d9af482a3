"""What known servers drop, cannot compile or evaluate differently; asked for by --portability.

Measured on HAPI FHIR 8.8 with its Clinical Reasoning 4.4.
"""

from fhirpkg.issues import Severity
from fhirpkg.rules import INFORMATION, WARNING, Rule

_APPLY = "http://hl7.org/fhir/R4/plandefinition-operation-apply.html"


def _rule(key: str, severity: Severity, title: str, text: str, advice: str = "") -> Rule:
    return Rule(f"portability-{key}", severity, "not-supported", title, text, advice, _APPLY)


RULES = (
    _rule(
        "dropped",
        INFORMATION,
        "What a plan says survives $apply on HAPI",
        "$apply on HAPI drops '{element}' without a word ({count} time(s) here, first at this one)",
        "apply with fhirpkg, or say it in a dynamicValue too",
    ),
    _rule(
        "fhirpath",
        WARNING,
        "A FHIRPath expression means the same on HAPI, which compiles it as CQL",
        "HAPI evaluates text/fhirpath as CQL, where {problem}",
        "begin every path with a variable, and use comparisons, and, or, .not(), where(), "
        "exists(criteria), first(), count(), all(), select(), matches(), startsWith(), length()",
    ),
    _rule(
        "speed",
        INFORMATION,
        "Few FHIRPath expressions in one plan",
        "HAPI compiles each of the {count} FHIRPath expressions of this plan anew at every call, "
        "which takes it a fraction of a second each",
        "put the logic into a Library as CQL, as criteria in procedure.yaml do",
    ),
    _rule(
        "inline-cql",
        WARNING,
        "CQL in an expression is told apart from the name of a definition",
        "HAPI takes the text of language 'text/cql' for the name of a definition, not for CQL",
        "write the language text/cql-expression, or put the text into a Library and name it",
    ),
    _rule(
        "no-cql",
        WARNING,
        "Logic is there as CQL text",
        "HAPI does not run ELM; this Library has no content of type text/cql",
        "add the CQL that the ELM was made from",
    ),
    _rule(
        "no-library",
        WARNING,
        "A definition that is named belongs to a library",
        "'{name}' is the name of a definition, but no library is given",
        "name the Library in 'library', first if there are several",
    ),
    _rule(
        "hooks",
        INFORMATION,
        "A plan is for one hook",
        "HAPI offers the first hook of a plan only, '{first}'; '{other}' is lost",
        "make a plan for each hook",
    ),
    _rule(
        "value-set",
        WARNING,
        "A value set has a definition, not only an expansion",
        "$expand on HAPI gives nothing for a value set that has only an expansion",
        "add the compose that the expansion was made from",
    ),
)
