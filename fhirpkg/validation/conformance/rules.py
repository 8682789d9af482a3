"""Rules of definitions: profiles, search parameters, operations, guides."""

from fhirpkg.rules import error, warning

_R4 = "http://hl7.org/fhir/R4"
_SD = f"{_R4}/structuredefinition.html"

SEARCH_PARAMETER_COMPONENTS = error(
    "search-parameter-components",
    "business-rule",
    title="A composite search parameter has two or more components",
    text="the type is composite, but there are {found} components",
    spec=f"{_R4}/searchparameter.html",
)
SEARCH_PARAMETER_DERIVED = error(
    "search-parameter-derived",
    "business-rule",
    title="A derived search parameter keeps the type and the bases of what it is derived from",
    text="the {part} is {found}, but {base} has {allowed}",
    spec=f"{_R4}/searchparameter-definitions.html#SearchParameter.derivedFrom",
)
DEFINITION_EXPRESSION = error(
    "definition-expression",
    "invalid",
    title="A FHIRPath in a definition can be parsed",
    text="{problem}",
    spec=f"{_R4}/fhirpath.html",
    is_strict=True,
)
OPERATION_PROFILE = error(
    "operation-profile",
    "business-rule",
    title="The profile of an operation's input or output is one of Parameters",
    text="{canonical} is for {found}, but what goes in and comes out are Parameters",
    spec=f"{_R4}/operationdefinition.html",
)
OPERATION_PROFILE_UNKNOWN = warning(
    "operation-profile-unknown",
    "not-found",
    title="The profile of an operation's input or output is known",
    text="{canonical} is not loaded, so the parameters cannot be held against it",
    spec=f"{_R4}/operationdefinition.html",
    is_strict=True,
)
GUIDE_DEPENDENCY_URL = warning(
    "guide-dependency-url",
    "business-rule",
    title="A guide that another depends on is named by the url of its ImplementationGuide",
    text="'{found}' is not the url of an ImplementationGuide",
    advice="name the ImplementationGuide resource: https://.../ImplementationGuide/its-id",
    spec=f"{_R4}/implementationguide-definitions.html#ImplementationGuide.dependsOn.uri",
    is_strict=True,
)
GUIDE_DEPENDENCY_PACKAGE = error(
    "guide-dependency-package",
    "invalid",
    title="A package id is lower-case words joined by dots",
    text="'{found}' is no package id",
    spec=f"{_R4}/implementationguide-definitions.html#ImplementationGuide.dependsOn.packageId",
)
CAPABILITY_SEARCH_PARAMETER = error(
    "capability-search-parameter",
    "business-rule",
    title="A search parameter in a capability statement has the type of its definition",
    text="the type here is {found}, but {definition} is of type {allowed}",
    spec=f"{_R4}/capabilitystatement.html",
    is_strict=True,
)
STRUCTURE_DEFINITION_TYPE = error(
    "structure-definition-type",
    "business-rule",
    title="StructureDefinition.type fits its derivation and base",
    text="{problem}",
    spec=f"{_SD}#StructureDefinition.type",
)
STRUCTURE_DEFINITION_PATH = error(
    "structure-definition-path",
    "business-rule",
    title="Each path of a StructureDefinition starts with its type",
    text="the path '{found}' does not start with the type '{type}'",
    spec=f"{_SD}#invs",
)
STRUCTURE_DEFINITION_SNAPSHOT = error(
    "structure-definition-snapshot",
    "business-rule",
    title="The differential can be applied to its base",
    text="the differential cannot be applied to its base: {problem}",
    spec=f"{_R4}/profiling.html#snapshot",
)
STRUCTURE_DEFINITION_REFINEMENT = error(
    "structure-definition-refinement",
    "business-rule",
    title="A constraint allows no more than its base does",
    text="{problem}",
    spec=f"{_R4}/profiling.html#resources",
)
STRUCTURE_DEFINITION_CHARACTERISTIC = error(
    "structure-definition-characteristic",
    "business-rule",
    title="An element has only rules that make sense for its types",
    text="{stated} makes no sense for the type {types}",
    advice="it is meant for {allowed}",
    spec=f"{_R4}/elementdefinition.html",
)
STRUCTURE_DEFINITION_VALUE_TYPE = error(
    "structure-definition-value-type",
    "business-rule",
    title="A fixed value or pattern is of a type that the element may have",
    text="{key} is of the type {found}, but the element may be {allowed}",
    spec=f"{_R4}/elementdefinition.html",
)
STRUCTURE_DEFINITION_EXTENSION_URL = error(
    "structure-definition-extension-url",
    "business-rule",
    title="The definition of an extension fixes Extension.url to its own url",
    text="the fixed url is '{found}', but the definition's own is '{url}'",
    spec=f"{_R4}/defining-extensions.html",
)
STRUCTURE_DEFINITION_CONTEXT = error(
    "structure-definition-context",
    "business-rule",
    title="The context of an extension is an element that exists",
    text="there is no element '{written}'{near}",
    spec=f"{_R4}/defining-extensions.html#context",
)
STRUCTURE_DEFINITION_ELEMENT = error(
    "structure-definition-element",
    "business-rule",
    title="A differential names elements of its base, each once and in their order",
    text="{problem}",
    spec=f"{_R4}/profiling.html#snapshot",
)
STRUCTURE_DEFINITION_SLICE_UNANNOUNCED = warning(
    "structure-definition-slice-unannounced",
    "business-rule",
    title="An element says how it is sliced before its slices follow",
    text="'{name}' names a slice, but nothing says how its element is sliced",
    advice="put an element with the same path and `slicing` before it, or leave sliceName out",
    spec=f"{_R4}/profiling.html#slicing",
    is_strict=True,
)
STRUCTURE_DEFINITION_SLICING = error(
    "structure-definition-slicing",
    "business-rule",
    title="A profile slices what repeats, and only narrows how its base does",
    text="{problem}",
    spec=f"{_R4}/profiling.html#slicing",
)
STRUCTURE_DEFINITION_PROPERTY = error(
    "structure-definition-property",
    "business-rule",
    title="An element states only what its place and the derivation allow",
    text="{problem}",
    spec=f"{_R4}/elementdefinition.html#interpretation",
)
STRUCTURE_DEFINITION_TYPE_PROFILE = error(
    "structure-definition-type-profile",
    "business-rule",
    title="A profile that an element names is for its type",
    text="{problem}",
    spec=f"{_R4}/elementdefinition-definitions.html#ElementDefinition.type.profile",
)
STRUCTURE_DEFINITION_CONSTRAINT_KEY = warning(
    "structure-definition-constraint-key",
    "business-rule",
    title="One key is one constraint",
    text="the key '{key}' is that of another constraint: {other}",
    advice="give the constraint a key of its own",
    spec=f"{_R4}/elementdefinition-definitions.html#ElementDefinition.constraint.key",
    is_strict=True,
)
STRUCTURE_DEFINITION_CONSTRAINT_SOURCE = error(
    "structure-definition-constraint-source",
    "business-rule",
    title="A constraint in a differential comes from its own profile",
    text="the source is {source}, but the constraint stands in {url}",
    advice="leave the source out",
    spec=f"{_R4}/elementdefinition-definitions.html#ElementDefinition.constraint.source",
)
STRUCTURE_DEFINITION_OBLIGATION = error(
    "structure-definition-obligation",
    "business-rule",
    title="Obligation profiles only add obligations",
    text="{problem}",
    spec="http://hl7.org/fhir/extensions/obligations.html",
)
STRUCTURE_DEFINITION_DISCRIMINATOR = error(
    "structure-definition-discriminator",
    "business-rule",
    title="A discriminator leads to elements that what is sliced has",
    text="{problem}",
    spec=f"{_R4}/profiling.html#discriminator",
)
DEFINITION_EXPRESSION_TYPE = warning(
    "definition-expression-type",
    "invalid",
    title="A FHIRPath in a definition asks for what its types have",
    text="{problem}",
    spec=f"{_R4}/fhirpath.html",
    is_strict=True,
)
STRUCTURE_DEFINITION_SNAPSHOT_SIZE = warning(
    "structure-definition-snapshot-size",
    "business-rule",
    title="A snapshot is what the differential makes of the base",
    text="the snapshot has {found} elements, but the differential gives {expected}",
    advice="make the snapshot anew from the differential",
    spec=f"{_R4}/profiling.html#snapshot",
    is_strict=True,
)
