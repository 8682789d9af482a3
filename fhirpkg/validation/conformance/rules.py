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
    title="A derived search parameter keeps the type and bases of its origin",
    text="the {part} is {found}, but {base} has {allowed}",
    spec=f"{_R4}/searchparameter-definitions.html#SearchParameter.derivedFrom",
)
DEFINITION_EXPRESSION = error(
    "definition-expression",
    "invalid",
    title="FHIRPath in a definition can be parsed",
    text="this is not FHIRPath: {problem}",
    spec=f"{_R4}/fhirpath.html",
    is_strict=True,
)
OPERATION_PROFILE = error(
    "operation-profile",
    "business-rule",
    title="An operation's inputProfile and outputProfile are on Parameters",
    text="{canonical} is a profile on {found}, but an operation takes and returns Parameters",
    spec=f"{_R4}/operationdefinition.html",
)
OPERATION_PROFILE_UNKNOWN = warning(
    "operation-profile-unknown",
    "not-found",
    title="An operation's inputProfile and outputProfile are loaded",
    text="{canonical} is not loaded, so the parameters were not checked against it",
    spec=f"{_R4}/operationdefinition.html",
    is_strict=True,
)
OPERATION_PARAMETER = error(
    "operation-parameter",
    "business-rule",
    title="The profiles of an operation do not conflict with its parameters",
    text="{canonical} conflicts with the parameters: {problem}",
    spec=f"{_R4}/operationdefinition-definitions.html#OperationDefinition.inputProfile",
)
STRUCTURE_MAP_GROUP = error(
    "structure-map-group",
    "not-found",
    title="Groups that a map calls or extends exist in that map or in one that it imports",
    text="there is no group '{name}'{near}",
    spec=f"{_R4}/structuremap-definitions.html#StructureMap.group.rule.dependent",
)
STRUCTURE_MAP_INPUTS = error(
    "structure-map-inputs",
    "business-rule",
    title="A call of a group passes as many variables as the group has inputs",
    text="the group '{name}' has {wanted} inputs, but {found} are passed",
    spec=f"{_R4}/structuremap-definitions.html#StructureMap.group.rule.dependent.variable",
)
STRUCTURE_MAP_VARIABLE = warning(
    "structure-map-variable",
    "not-found",
    title="A variable is an input of the group or is set by an earlier source or target",
    text="there is no variable '{name}' here{near}",
    spec=f"{_R4}/structuremap-definitions.html#StructureMap.group.rule.source.context",
    is_strict=True,  # R4's own example names something else
)
STRUCTURE_MAP_TYPE = error(
    "structure-map-type",
    "not-found",
    title="The type of an input is a structure that the map declares or a FHIR type",
    text="the map declares no structure '{name}'{near}",
    advice="add it to the structures of the map",
    spec=f"{_R4}/structuremap-definitions.html#StructureMap.group.input.type",
)
STRUCTURE_MAP_MODE = error(
    "structure-map-mode",
    "business-rule",
    title="The mode of an input agrees with the mode of its structure",
    text="the input has mode {mode}, but the structure '{name}' has mode {found}",
    spec=f"{_R4}/structuremap-definitions.html#StructureMap.structure.mode",
)
STRUCTURE_MAP_ELEMENT = warning(
    "structure-map-element",
    "not-found",
    title="Sources and targets name elements of the type of their context",
    text="{type} has no element '{name}'{near}",
    spec=f"{_R4}/structuremap-definitions.html#StructureMap.group.rule.source.element",
    is_strict=True,  # R4's own example writes to an element that SupplyRequest once had
)
ACTOR_DERIVED = error(
    "actor-derived",
    "business-rule",
    title="Actors are derived from actors of the same kind, and not from themselves",
    text="an actor cannot be derived from this one: {problem}",
    spec="http://hl7.org/fhir/R5/actordefinition-definitions.html#ActorDefinition.derivedFrom",
)
GUIDE_DEPENDENCY_VERSION = warning(
    "guide-dependency-version",
    "business-rule",
    title="Guides say which versions of others they depend on",
    text="the dependency on {name} names no version",
    advice="write the version: without one, a new release may change what a check finds",
    spec=f"{_R4}/implementationguide-definitions.html#ImplementationGuide.dependsOn.version",
)
GUIDE_DEPENDENCY_URL = warning(
    "guide-dependency-url",
    "business-rule",
    title="A dependency of a guide is named by the url of its ImplementationGuide",
    text="'{found}' is not the url of an ImplementationGuide",
    advice="name the ImplementationGuide resource: https://.../ImplementationGuide/its-id",
    spec=f"{_R4}/implementationguide-definitions.html#ImplementationGuide.dependsOn.uri",
    is_strict=True,
)
GUIDE_DEPENDENCY_PACKAGE = error(
    "guide-dependency-package",
    "invalid",
    title="A package id is lower-case words joined by dots",
    text="'{found}' is not a package id",
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
    text="the type does not fit: {problem}",
    spec=f"{_SD}#StructureDefinition.type",
)
STRUCTURE_DEFINITION_ELEMENT_TYPE = error(
    "structure-definition-element-type",
    "business-rule",
    title="The types of elements are FHIR's own or named by their url",
    text="FHIR has no type '{code}'",
    spec="http://hl7.org/fhir/R4/elementdefinition-definitions.html#ElementDefinition.type.code",
)
STRUCTURE_DEFINITION_PATH = error(
    "structure-definition-path",
    "business-rule",
    title="Paths start with the type of the StructureDefinition",
    text="the path '{found}' does not start with the type '{type}'",
    spec=f"{_SD}#invs",
)
STRUCTURE_DEFINITION_ID = warning(
    "structure-definition-id",
    "business-rule",
    title="The id of an element is its path with the names of slices",
    text="the id '{id}' contradicts the element's {found}",
    advice="tools that use the id will mistake it for another element",
    spec="http://hl7.org/fhir/R4/elementdefinition.html#id",
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
    title="A constraint allows no more than its base",
    text="this allows what the base does not: {problem}",
    spec=f"{_R4}/profiling.html#resources",
)
STRUCTURE_DEFINITION_CHARACTERISTIC = error(
    "structure-definition-characteristic",
    "business-rule",
    title="Constraints make sense for the types of their element",
    text="{stated} makes no sense for type {types}",
    advice="it is meant for {allowed}",
    spec=f"{_R4}/elementdefinition.html",
)
STRUCTURE_DEFINITION_VALUE_TYPE = error(
    "structure-definition-value-type",
    "business-rule",
    title="Fixed values and patterns have a type that their element allows",
    text="{key} has type {found}, but the element allows {allowed}",
    spec=f"{_R4}/elementdefinition.html",
)
STRUCTURE_DEFINITION_EXTENSION_URL = error(
    "structure-definition-extension-url",
    "business-rule",
    title="The definition of an extension fixes Extension.url to its own url",
    text="the fixed url is '{found}', but the url of the definition is '{url}'",
    spec=f"{_R4}/defining-extensions.html",
)
STRUCTURE_DEFINITION_CONTEXT = error(
    "structure-definition-context",
    "business-rule",
    title="The context of an extension is an existing element",
    text="there is no element '{written}'{near}",
    spec=f"{_R4}/defining-extensions.html#context",
)
STRUCTURE_DEFINITION_ELEMENT = error(
    "structure-definition-element",
    "business-rule",
    title="A differential lists elements of its base, each once and in order",
    text="the differential is not in order: {problem}",
    spec=f"{_R4}/profiling.html#snapshot",
)
STRUCTURE_DEFINITION_SLICE_UNANNOUNCED = warning(
    "structure-definition-slice-unannounced",
    "business-rule",
    title="Slicing is declared before its slices",
    text="'{name}' names a slice, but its element has no slicing",
    advice="put an element with the same path and `slicing` before it, or remove sliceName",
    spec=f"{_R4}/profiling.html#slicing",
    is_strict=True,
)
STRUCTURE_DEFINITION_SLICING = error(
    "structure-definition-slicing",
    "business-rule",
    title="A profile slices repeating elements and narrows the slicing of its base",
    text="this slicing is not allowed: {problem}",
    spec=f"{_R4}/profiling.html#slicing",
)
STRUCTURE_DEFINITION_PROPERTY = error(
    "structure-definition-property",
    "business-rule",
    title="ElementDefinition properties fit their place and derivation",
    text="this property does not belong here: {problem}",
    spec=f"{_R4}/elementdefinition.html#interpretation",
)
STRUCTURE_DEFINITION_TYPE_PROFILE = error(
    "structure-definition-type-profile",
    "business-rule",
    title="Profiles on a type fit that type",
    text="this profile does not fit: {problem}",
    spec=f"{_R4}/elementdefinition-definitions.html#ElementDefinition.type.profile",
)
STRUCTURE_DEFINITION_CONSTRAINT_KEY = warning(
    "structure-definition-constraint-key",
    "business-rule",
    title="Constraint keys are unique",
    text="the key '{key}' already names another constraint: {other}",
    advice="give the constraint a different key",
    spec=f"{_R4}/elementdefinition-definitions.html#ElementDefinition.constraint.key",
    is_strict=True,
)
STRUCTURE_DEFINITION_CONSTRAINT_SOURCE = error(
    "structure-definition-constraint-source",
    "business-rule",
    title="A differential's constraints have their own profile as source",
    text="the source is {source}, but the constraint is defined in {url}",
    advice="remove the source",
    spec=f"{_R4}/elementdefinition-definitions.html#ElementDefinition.constraint.source",
)
STRUCTURE_DEFINITION_OBLIGATION = error(
    "structure-definition-obligation",
    "business-rule",
    title="Obligation profiles only add obligations",
    text="this is more than an obligation: {problem}",
    spec="http://hl7.org/fhir/extensions/obligations.html",
)
STRUCTURE_DEFINITION_DISCRIMINATOR = error(
    "structure-definition-discriminator",
    "business-rule",
    title="Discriminators lead to elements that exist",
    text="this discriminator leads nowhere: {problem}",
    spec=f"{_R4}/profiling.html#discriminator",
)
DEFINITION_EXPRESSION_TYPE = warning(
    "definition-expression-type",
    "invalid",
    title="FHIRPath in a definition uses elements that exist",
    text="this FHIRPath cannot give a result: {problem}",
    spec=f"{_R4}/fhirpath.html",
    is_strict=True,
)
STRUCTURE_DEFINITION_SNAPSHOT_SIZE = warning(
    "structure-definition-snapshot-size",
    "business-rule",
    title="A snapshot is the differential applied to the base",
    text="the snapshot has {found} elements, but the differential gives {expected}",
    advice="regenerate the snapshot from the differential",
    spec=f"{_R4}/profiling.html#snapshot",
    is_strict=True,
)
