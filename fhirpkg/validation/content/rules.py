"""Rules of our own content: what claims one of the profiles installed with fhirpkg."""

from fhirpkg.rules import error, warning

_CRMI = "http://hl7.org/fhir/uv/crmi/"
_CPT = "http://terminology.hl7.org/NamingSystem/CPT"

CONTENT_NAME = error(
    "content-name",
    "business-rule",
    title="Id, name and the end of the url agree",
    text="this is '{found}', but the id is '{id}'",
    advice="use the same word for the id, the name and the end of the url",
    spec=_CRMI,
)
CONTENT_KEY = error(
    "content-key",
    "business-rule",
    title="The code of the procedure is where servers search for it",
    text="the code of the procedure, {code}, is missing here",
    advice="servers have no search parameter for a code in another place",
    spec="http://hl7.org/fhir/R4/searchparameter-registry.html",
)
CONTENT_ONE_CODE = error(
    "content-one-code",
    "business-rule",
    title="A resource has the code of its procedure; related codes are also topics",
    text=(
        "this is {found}, but the code of the procedure is {code} and the topics do not have "
        "{found}"
    ),
    advice="use the code of the procedure, or add this one to 'topic'",
    spec="http://hl7.org/fhir/R4/metadatatypes.html#UsageContext",
)
CONTENT_CPT_DISPLAY = error(
    "content-cpt-display",
    "business-rule",
    title=("CPT codes have no display: the descriptors belong to the American Medical Association"),
    text="a coding of CPT has the display '{display}'",
    advice="delete it, and describe the concept in your own words in its text",
    spec=_CPT,
)
CONTENT_CODE = error(
    "content-code",
    "code-invalid",
    title="Each code is valid in its system",
    text="this is not a valid code: {problem}",
    spec="http://hl7.org/fhir/R4/terminologies-systems.html",
)
CONTENT_SYSTEM = error(
    "content-system",
    "code-invalid",
    title="Urls of code systems are written as their owners write them",
    text="'{system}' looks like a misspelling of '{meant}'",
    advice="write the url of the system as its owner does",
    spec="http://hl7.org/fhir/R4/terminologies-systems.html",
)
CONTENT_CODING = error(
    "content-coding",
    "code-invalid",
    title="A coding has a code and a system",
    text="this coding has no {missing}",
    advice="give the code and the url of its code system, or remove the coding",
    spec="http://hl7.org/fhir/R4/datatypes.html#Coding",
)
CONTENT_EXPRESSION = error(
    "content-expression",
    "value",
    title="Expressions can be parsed and their language is supported",
    text="this expression cannot be used: {problem}",
    spec="http://hl7.org/fhir/R4/metadatatypes.html#Expression",
)
CONTENT_DEFINITION = error(
    "content-definition",
    "not-found",
    title="Conditions name definitions that exist in the plan's library",
    text="{library} has no definition '{name}'{nearest}",
    spec="http://hl7.org/fhir/R4/metadatatypes.html#Expression",
)
CONTENT_REPEATED = error(
    "content-repeated",
    "duplicate",
    title="Lists have no duplicates",
    text="this repeats item {first} of the list",
    advice="remove one of the two",
)
CONTENT_IDENTITY = error(
    "content-identity",
    "business-rule",
    title="Identifier and tag follow from type, id and canonical base",
    text="this is '{found}' but should be '{expected}'",
    advice="publishing finds a resource by its identifier and tag",
    spec="http://hl7.org/fhir/R4/datatypes.html#Identifier",
)
CONTENT_FILTER_PATH = error(
    "content-filter-path",
    "value",
    title="Filters of data requirements use elements of their type",
    text="{type} has no element '{path_}'{nearest}",
    spec="http://hl7.org/fhir/R4/metadatatypes.html#DataRequirement",
)
CONTENT_ICD_10_CM = error(
    "content-icd-10-cm",
    "code-invalid",
    title="Codes of ICD-10-CM have the url of ICD-10-CM as system",
    text="'{code}' uses the url of the international ICD-10",
    advice="write http://hl7.org/fhir/sid/icd-10-cm",
    spec="http://hl7.org/fhir/R4/icd.html",
)
CONTENT_NOTICE = error(
    "content-notice",
    "business-rule",
    title="The notice of each code system in use is present",
    text="codes of {system} are used without the notice of {owner}",
    advice="add the notice that the owner of the codes requires",
    spec="http://hl7.org/fhir/R4/terminologies-systems.html",
)
CONTENT_ACTION_ID = error(
    "content-action-id",
    "duplicate",
    title="Ids of actions and goals are unique",
    text="this id is not usable: {problem}",
    spec="http://hl7.org/fhir/R4/plandefinition-definitions.html#PlanDefinition.action",
)
CONTENT_GOAL_ID = error(
    "content-goal-id",
    "not-found",
    title="Actions name goals of the plan",
    text="the plan has no goal '{goal}'{nearest}",
    spec="http://hl7.org/fhir/R4/plandefinition-definitions.html#PlanDefinition.action.goalId",
)
CONTENT_RELATED_ACTION = error(
    "content-related-action",
    "not-found",
    title="Related actions exist in the plan",
    text="the plan has no action '{action}'{nearest}",
    spec="http://hl7.org/fhir/R4/plandefinition-definitions.html#PlanDefinition.action.relatedAction.actionId",
)
CONTENT_COMPOSED_OF = error(
    "content-composed-of",
    "business-rule",
    title="Definitions that actions use are listed as parts of the plan",
    text="'{canonical}' is not among the related artifacts of type composed-of",
    advice="list it: servers search only the definitions of top-level actions",
    spec="http://hl7.org/fhir/R4/metadatatypes.html#RelatedArtifact",
)
CONTENT_UNUSED_PART = error(
    "content-unused-part",
    "business-rule",
    title="Parts of the plan are used by actions",
    text="no action uses '{canonical}'",
    spec="http://hl7.org/fhir/R4/metadatatypes.html#RelatedArtifact",
)
CONTENT_TARGET_SOURCE = error(
    "content-target-source",
    "business-rule",
    title="Targets have a source",
    text="this goal has a target but no documentation that gives its source",
    spec="http://hl7.org/fhir/R4/plandefinition-definitions.html#PlanDefinition.goal.documentation",
)
CONTENT_MARKDOWN = warning(
    "content-markdown",
    "value",
    title="Strings have no Markdown",
    text="this reads as Markdown, but the element is a plain string",
    spec="http://hl7.org/fhir/R4/datatypes.html#markdown",
)
CONTENT_ATTACHMENT_SIZE = error(
    "content-attachment-size",
    "value",
    title="The size of a document is the size of its data",
    text="the size is given as {found}, but the data has {size} bytes",
    spec="http://hl7.org/fhir/R4/datatypes.html#Attachment",
)
CONTENT_ATTACHMENT_HASH = error(
    "content-attachment-hash",
    "value",
    title="The hash of a document is the hash of its data",
    text="the hash is given as {found}, but the SHA-1 of the data is {hash}",
    spec="http://hl7.org/fhir/R4/datatypes.html#Attachment",
)
CONTENT_DOCUMENT_VERSION = error(
    "content-document-version",
    "value",
    title="Each content of a document has its own master identifier",
    text="the master identifier is {found}, but this content needs {expected}",
    advice="build the documents again",
    spec="http://hl7.org/fhir/R4/documentreference-definitions.html#DocumentReference.masterIdentifier",
)
CONTENT_PACKAGE_VERSION = error(
    "content-package-version",
    "business-rule",
    title="Resources have the version of their package",
    text="{reference} has the version {found}, the package has {version}",
    spec="http://hl7.org/fhir/R4/references.html#canonical",
)
CONTENT_PACKAGE_BASE = error(
    "content-package-base",
    "business-rule",
    title="Urls begin with the canonical base of the package",
    text="{reference} has the url {found}, the base of the package is {base}",
    spec="http://hl7.org/fhir/R4/references.html#canonical",
)
CONTENT_PACKAGE_TAG = error(
    "content-package-tag",
    "business-rule",
    title="Resources have the tag of their package",
    text="{reference} lacks the tag {system}|{code}",
    advice="a push owns the resources that have its package's tag",
    spec="http://hl7.org/fhir/R4/resource.html#Meta",
)
CONTENT_PACKAGE_IDENTIFIER = error(
    "content-package-identifier",
    "duplicate",
    title="Identifiers are unique within a package",
    text="{reference} and {other} both have the identifier {identifier}",
    spec="http://hl7.org/fhir/R4/datatypes.html#Identifier",
)
