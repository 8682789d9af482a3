"""Rules of StructureDefinitions: what their differentials and elements may say."""

from fhirpkg.rules import ERROR, WARNING, Rule

_R4 = "http://hl7.org/fhir/R4"

RULES = (
    Rule(
        "structure-definition-element",
        ERROR,
        "business-rule",
        "A differential names elements of its base, each once and in their order",
        "{problem}",
        spec=f"{_R4}/profiling.html#snapshot",
    ),
    Rule(
        "structure-definition-slice-unannounced",
        WARNING,
        "business-rule",
        "An element says how it is sliced before its slices follow",
        "'{name}' names a slice, but nothing says how its element is sliced",
        "put an element with the same path and `slicing` before it, or leave sliceName out",
        f"{_R4}/profiling.html#slicing",
    ),
    Rule(
        "structure-definition-slicing",
        ERROR,
        "business-rule",
        "A profile slices what repeats, and only narrows how its base does",
        "{problem}",
        spec=f"{_R4}/profiling.html#slicing",
    ),
    Rule(
        "structure-definition-property",
        ERROR,
        "business-rule",
        "An element states only what its place and the derivation allow",
        "{problem}",
        spec=f"{_R4}/elementdefinition.html#interpretation",
    ),
    Rule(
        "structure-definition-type-profile",
        ERROR,
        "business-rule",
        "A profile that an element names is for its type",
        "{problem}",
        spec=f"{_R4}/elementdefinition-definitions.html#ElementDefinition.type.profile",
    ),
    Rule(
        "structure-definition-constraint-key",
        WARNING,
        "business-rule",
        "One key is one constraint",
        "the key '{key}' is that of another constraint: {other}",
        "give the constraint a key of its own",
        f"{_R4}/elementdefinition-definitions.html#ElementDefinition.constraint.key",
    ),
    Rule(
        "structure-definition-constraint-source",
        ERROR,
        "business-rule",
        "A constraint in a differential comes from its own profile",
        "the source is {source}, but the constraint stands in {url}",
        "leave the source out",
        f"{_R4}/elementdefinition-definitions.html#ElementDefinition.constraint.source",
    ),
    Rule(
        "structure-definition-obligation",
        ERROR,
        "business-rule",
        "Obligation profiles only add obligations",
        "{problem}",
        spec="http://hl7.org/fhir/extensions/obligations.html",
    ),
)
