"""Rules of code systems, value sets and concept maps."""

from fhirpkg.rules import error, warning

_R4 = "http://hl7.org/fhir/R4"
_CS = f"{_R4}/codesystem.html"
_VS = f"{_R4}/valueset.html"

CODE_SYSTEM_COUNT = error(
    "code-system-count",
    "invalid",
    title="CodeSystem.count is the number of concepts of a complete code system",
    text="the system is complete and has {found} concepts, but count says {count}",
    spec=f"{_CS}#CodeSystem.count",
)
CODE_SYSTEM_PART_COUNT = warning(
    "code-system-part-count",
    "invalid",
    title="A part of a code system has no more concepts than the whole",
    text="there are {found} concepts here, though count says that the whole has {count}",
    spec=f"{_CS}#CodeSystem.count",
)
CODE_SYSTEM_PROPERTY_TWICE = error(
    "code-system-property-twice",
    "duplicate",
    title="A property of a code system is defined once",
    text="a property with this {part} is defined before: '{value}'",
    spec=f"{_CS}#properties",
    is_strict=True,
)
CODE_SYSTEM_PROPERTY_TYPE = error(
    "code-system-property-type",
    "invalid",
    title="A property that FHIR defines has FHIR's type",
    text="the property {uri} has the type '{allowed}', not '{found}'",
    spec=f"{_CS}#defined-props",
)
CODE_SYSTEM_PROPERTY_CODE = error(
    "code-system-property-code",
    "invalid",
    title="A property that FHIR defines goes by FHIR's code",
    text="the property {uri} goes by the code '{allowed}'; '{found}' is the code of another one",
    spec=f"{_CS}#defined-props",
)
CODE_SYSTEM_PROPERTY_URI = error(
    "code-system-property-uri",
    "business-rule",
    title=(
        "The uri of a property is absolute, and FHIR's own namespace holds only FHIR's properties"
    ),
    text="the property's uri '{uri}' {problem}",
    spec=f"{_CS}#properties",
)
CODE_SYSTEM_PROPERTY_UNDEFINED = warning(
    "code-system-property-undefined",
    "invalid",
    title="A concept's properties are defined by the code system",
    text="the property '{code}' is not defined in CodeSystem.property{near}",
    spec=f"{_CS}#properties",
)
CODE_SYSTEM_PROPERTY_VALUE = error(
    "code-system-property-value",
    "invalid",
    title="A concept's property has the type that the code system defines for it",
    text="the property '{code}' is a {allowed} by its definition, but a {found} here",
    spec=f"{_CS}#properties",
)
CODE_SYSTEM_PROPERTY_CONCEPT = error(
    "code-system-property-concept",
    "code-invalid",
    title="A property that relates concepts names one of the code system",
    text="'{value}' is no code of this code system{near}",
    spec=f"{_CS}#defined-props",
    is_strict=True,
)
CODE_SYSTEM_PROPERTY_BINDING = error(
    "code-system-property-binding",
    "code-invalid",
    title="A property that is bound to a value set has values of it",
    text="{reason}",
    spec="http://hl7.org/fhir/extensions/StructureDefinition-codesystem-property-valueset.html",
)
CODE_SYSTEM_NOT_PRESENT = error(
    "code-system-not-present",
    "invalid",
    title="A code system whose content is not present has no concepts",
    text="the content is said not to be present, but there are {found} concepts",
    spec=f"{_CS}#CodeSystem.content",
)
CODE_SYSTEM_SUPPLEMENT_PART = error(
    "code-system-supplement-part",
    "business-rule",
    title="A supplement leaves to its code system what concerns all codes",
    text="{problem}",
    spec=f"{_CS}#supplements",
)
CODE_SYSTEM_SUPPLEMENT_BASE = error(
    "code-system-supplement-base",
    "invalid",
    title="A supplement says what it supplements, and nothing else does",
    text="{problem}",
    spec=f"{_CS}#supplements",
)
CODE_SYSTEM_SUPPLEMENT_CODE = error(
    "code-system-supplement-code",
    "code-invalid",
    title="A supplement adds to concepts of the system that it supplements",
    text="'{code}' is no code of {system}{near}",
    spec=f"{_CS}#supplements",
)
CODE_SYSTEM_VALUE_SET = error(
    "code-system-value-set",
    "business-rule",
    title="The value set of a code system is the whole system",
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
    title="An expansion tells of which version of its system a code is",
    text="codes of {system} have no version, and the expansion says that it used {found}",
    advice="state the version of each code",
    spec=f"{_VS}#expansion",
)
VALUE_SET_CONCEPT = warning(
    "value-set-concept",
    "code-invalid",
    title="A code that a value set lists is one of its code system",
    text="{reason}",
    spec=f"{_VS}#compositions",
    is_strict=True,
)
VALUE_SET_CONCEPT_TWICE = warning(
    "value-set-concept-twice",
    "duplicate",
    title="A value set lists a code once",
    text="the code '{code}' is listed before",
    spec=f"{_VS}#compositions",
)
VALUE_SET_FILTER_VALUE = error(
    "value-set-filter-value",
    "invalid",
    title="A filter's value is one that its property and operator can have",
    text="the value '{value}' for the filter on '{property}' {problem}",
    spec=f"{_R4}/valueset-definitions.html#ValueSet.compose.include.filter.value",
)
VALUE_SET_FILTER_OPERATOR = error(
    "value-set-filter-operator",
    "invalid",
    title="A filter's operator is one that its property takes",
    text="the operator '{operator}' is none for the property '{property}', which takes {allowed}",
    spec=f"{_R4}/valueset-definitions.html#ValueSet.compose.include.filter.op",
)
VALUE_SET_FILTER_PART = warning(
    "value-set-filter-part",
    "code-invalid",
    title="A filter on the parts of LOINC codes names a part by its code",
    text="the value '{value}' for the filter on '{property}' {problem}",
    advice="name the part by its code (LP…): servers need not know parts by name",
    spec=f"{_R4}/loinc.html",
    is_strict=True,
)
VALUE_SET_FILTER_EXPRESSION = error(
    "value-set-filter-expression",
    "invalid",
    title="A filter has a value or else a FHIRPath that gives it",
    text="{problem}",
    spec="http://hl7.org/fhir/extensions/StructureDefinition-cqf-expression.html",
)
VALUE_SET_FILTER_PROPERTY = warning(
    "value-set-filter-property",
    "invalid",
    title="A filter asks for a property that its code system defines",
    text="the code system {system} defines no property '{property}'{near}",
    spec=f"{_R4}/valueset-definitions.html#ValueSet.compose.include.filter.property",
)
VALUE_SET_PARAMETER = error(
    "value-set-parameter",
    "invalid",
    title="An expression in a value set uses parameters that the value set defines",
    text="the expression '{written}' uses the parameter '{name}', which is not defined{near}",
    spec=_VS,
)
CONCEPT_MAP_CODE = warning(
    "concept-map-code",
    "code-invalid",
    title="A mapped code is one of its group's system",
    text="{reason}",
    spec=f"{_R4}/conceptmap.html",
    is_strict=True,
)
CONCEPT_MAP_SCOPE = warning(
    "concept-map-scope",
    "code-invalid",
    title="A mapped code is one of the value set that the map is from or to",
    text="{reason}",
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
