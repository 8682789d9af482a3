"""Rules of code systems, value sets and concept maps."""

from fhirpkg.rules import error, warning

_R4 = "http://hl7.org/fhir/R4"
_CS = f"{_R4}/codesystem.html"
_VS = f"{_R4}/valueset.html"

CODE_SYSTEM_COUNT = error(
    "code-system-count",
    "invalid",
    title="CodeSystem.count is the number of concepts of a complete code system",
    text="the system is complete and has {found} concepts, but count is {count}",
    spec=f"{_CS}#CodeSystem.count",
)
CODE_SYSTEM_PART_COUNT = warning(
    "code-system-part-count",
    "invalid",
    title="A part of a code system has no more concepts than the whole",
    text="there are {found} concepts here, but count says that the complete system has {count}",
    spec=f"{_CS}#CodeSystem.count",
)
CODE_SYSTEM_PROPERTY_TWICE = error(
    "code-system-property-twice",
    "duplicate",
    title="Properties of a code system are unique",
    text="another property already has this {part}: '{value}'",
    spec=f"{_CS}#properties",
    is_strict=True,
)
CODE_SYSTEM_PROPERTY_TYPE = error(
    "code-system-property-type",
    "invalid",
    title="Properties that FHIR defines have FHIR's type",
    text="the property {uri} has the type '{allowed}', not '{found}'",
    spec=f"{_CS}#defined-props",
)
CODE_SYSTEM_PROPERTY_CODE = error(
    "code-system-property-code",
    "invalid",
    title="Properties that FHIR defines have FHIR's code",
    text="the code of the property {uri} is '{allowed}'; '{found}' belongs to another property",
    spec=f"{_CS}#defined-props",
)
CODE_SYSTEM_PROPERTY_URI = error(
    "code-system-property-uri",
    "business-rule",
    title=("Property uris are absolute, and only FHIR's own are in its namespace"),
    text="the property's uri '{uri}' {problem}",
    spec=f"{_CS}#properties",
)
CODE_SYSTEM_PROPERTY_UNDEFINED = warning(
    "code-system-property-undefined",
    "invalid",
    title="Concepts have properties that the code system defines",
    text="the property '{code}' is not defined in CodeSystem.property{near}",
    spec=f"{_CS}#properties",
)
CODE_SYSTEM_PROPERTY_VALUE = error(
    "code-system-property-value",
    "invalid",
    title="Property values have the type that the code system defines",
    text="the property '{code}' is defined as {allowed}, but is {found} here",
    spec=f"{_CS}#properties",
)
CODE_SYSTEM_PROPERTY_CONCEPT = error(
    "code-system-property-concept",
    "code-invalid",
    title="Properties that relate concepts name codes of the system",
    text="'{value}' is not a code of this system{near}",
    spec=f"{_CS}#defined-props",
    is_strict=True,
)
CODE_SYSTEM_PROPERTY_BINDING = error(
    "code-system-property-binding",
    "code-invalid",
    title="Bound properties have values of their value set",
    text="the value is not in the property's value set: {reason}",
    spec="http://hl7.org/fhir/extensions/StructureDefinition-codesystem-property-valueset.html",
)
CODE_SYSTEM_NOT_PRESENT = error(
    "code-system-not-present",
    "invalid",
    title="A code system whose content is not present has no concepts",
    text="content is 'not-present', but there are {found} concepts",
    spec=f"{_CS}#CodeSystem.content",
)
CODE_SYSTEM_SUPPLEMENT_PART = error(
    "code-system-supplement-part",
    "business-rule",
    title="Supplements do not repeat what only the code system itself can state",
    text="this does not belong in a supplement: {problem}",
    spec=f"{_CS}#supplements",
)
CODE_SYSTEM_SUPPLEMENT_BASE = error(
    "code-system-supplement-base",
    "invalid",
    title="A supplement, and nothing else, states what it supplements",
    text="supplements and content do not agree: {problem}",
    spec=f"{_CS}#supplements",
)
CODE_SYSTEM_SUPPLEMENT_CODE = error(
    "code-system-supplement-code",
    "code-invalid",
    title="Supplements add to existing concepts",
    text="'{code}' is not a code of {system}{near}",
    spec=f"{_CS}#supplements",
)
CODE_SYSTEM_VALUE_SET = error(
    "code-system-value-set",
    "business-rule",
    title="CodeSystem.valueSet is the set of all codes",
    text="the value set {value_set} {problem}",
    spec=f"{_CS}#CodeSystem.valueSet",
)
VALUE_SET_SYSTEM = error(
    "value-set-system",
    "invalid",
    title="compose.include.system is the absolute url of a code system",
    text="'{system}' {problem}",
    spec=f"{_VS}#compositions",
    is_strict=True,
)
VALUE_SET_EXPANSION_VERSION = error(
    "value-set-expansion-version",
    "invalid",
    title="An expansion states the version of each code, where it used several",
    text="codes of {system} have no version, although the expansion used {found}",
    advice="state the version of each code",
    spec=f"{_VS}#expansion",
)
VALUE_SET_CONCEPT = warning(
    "value-set-concept",
    "code-invalid",
    title="Listed codes exist in their system",
    text="the value set lists a code that its system does not have: {reason}",
    spec=f"{_VS}#compositions",
    is_strict=True,
)
VALUE_SET_CONCEPT_TWICE = warning(
    "value-set-concept-twice",
    "duplicate",
    title="Listed codes are unique",
    text="the code '{code}' is already listed",
    spec=f"{_VS}#compositions",
)
VALUE_SET_FILTER_VALUE = error(
    "value-set-filter-value",
    "invalid",
    title="Filter values fit their property and operator",
    text="the value '{value}' for the filter on '{property}' {problem}",
    spec=f"{_R4}/valueset-definitions.html#ValueSet.compose.include.filter.value",
)
VALUE_SET_FILTER_OPERATOR = error(
    "value-set-filter-operator",
    "invalid",
    title="Filter operators fit their property",
    text="the property '{property}' does not support '{operator}'; it supports {allowed}",
    spec=f"{_R4}/valueset-definitions.html#ValueSet.compose.include.filter.op",
)
VALUE_SET_FILTER_PART = warning(
    "value-set-filter-part",
    "code-invalid",
    title="A filter on the parts of LOINC codes names a part by its code",
    text="the value '{value}' for the filter on '{property}' {problem}",
    advice="name the part by its code (LP…): servers are not required to know parts by name",
    spec=f"{_R4}/loinc.html",
    is_strict=True,
)
VALUE_SET_FILTER_EXPRESSION = error(
    "value-set-filter-expression",
    "invalid",
    title="A filter has a value, or a FHIRPath that gives it",
    text="the value of this filter is missing or wrong: {problem}",
    spec="http://hl7.org/fhir/extensions/StructureDefinition-cqf-expression.html",
)
VALUE_SET_FILTER_PROPERTY = warning(
    "value-set-filter-property",
    "invalid",
    title="Filters use properties that the code system defines",
    text="the code system {system} defines no property '{property}'{near}",
    spec=f"{_R4}/valueset-definitions.html#ValueSet.compose.include.filter.property",
)
VALUE_SET_PARAMETER = error(
    "value-set-parameter",
    "invalid",
    title="Expressions in a value set use its parameters",
    text="the expression '{written}' uses the parameter '{name}', which is not defined{near}",
    spec=_VS,
)
CONCEPT_MAP_CODE = warning(
    "concept-map-code",
    "code-invalid",
    title="Mapped codes exist in their group's system",
    text="this code is not in the group's system: {reason}",
    spec=f"{_R4}/conceptmap.html",
    is_strict=True,
)
CONCEPT_MAP_SCOPE = warning(
    "concept-map-scope",
    "code-invalid",
    title="Mapped codes are in the source or target value set",
    text="this code is outside the map's value set: {reason}",
    spec=f"{_R4}/conceptmap-definitions.html#ConceptMap.source_x_",
    is_strict=True,
)
CONCEPT_MAP_VALUE_SET = error(
    "concept-map-value-set",
    "invalid",
    title="The source and target of a map are value sets",
    text="{url} is a {found}, not a ValueSet",
    advice="code systems are named by the groups",
    spec=f"{_R4}/conceptmap-definitions.html#ConceptMap.source_x_",
)
