"""Rules of our own content: what claims one of the profiles installed with fhirpkg."""

from fhirpkg.rules import error, warning

_CRMI = "http://hl7.org/fhir/uv/crmi/"
_CPT = "http://terminology.hl7.org/NamingSystem/CPT"

CONTENT_NAME = error(
    "content-name",
    "business-rule",
    title="Id, name and the end of the url are the same",
    text="this is '{found}', the id is '{id}'",
    advice="make the id, the name and the end of the url the same",
    spec=_CRMI,
)
CONTENT_KEY = error(
    "content-key",
    "business-rule",
    title="The code of the procedure is where servers search for it",
    text="the code of the procedure, {code}, is not here",
    advice="servers have no search parameter for a code that stands elsewhere",
    spec="http://hl7.org/fhir/R4/searchparameter-registry.html",
)
CONTENT_ONE_CODE = error(
    "content-one-code",
    "business-rule",
    title="A resource is found by the code of its procedure, and by codes of its family",
    text="this is {found}, but the code of the procedure is {code}",
    advice="codes of the family stand in the topics too",
)
CONTENT_CPT_DISPLAY = error(
    "content-cpt-display",
    "business-rule",
    title="A CPT code stands without the words of the American Medical Association",
    text="a coding of CPT has the display '{display}'",
    advice="delete it, and put words of your own into the text of the concept",
    spec=_CPT,
)
CONTENT_CODE = error(
    "content-code",
    "code-invalid",
    title="Each code is one that its system can have",
    text="{problem}",
)
CONTENT_SYSTEM = error(
    "content-system",
    "code-invalid",
    title="Each code system is written as its owner does",
    text="'{system}' is nearly '{meant}'",
    advice="write the url of the system as its owner does",
    spec="http://hl7.org/fhir/R4/terminologies-systems.html",
)
CONTENT_CODING = error(
    "content-coding",
    "code-invalid",
    title="Each coding has a code and says which system it is of",
    text="this coding has no {missing}",
    advice="give the code and the url of its code system, or take the coding out",
    spec="http://hl7.org/fhir/R4/datatypes.html#Coding",
)
CONTENT_EXPRESSION = error(
    "content-expression",
    "value",
    title="Each expression can be read, and its language is known",
    text="{problem}",
    spec="http://hl7.org/fhir/R4/metadatatypes.html#Expression",
)
CONTENT_DEFINITION = error(
    "content-definition",
    "not-found",
    title="What a condition names is defined in the library of the plan",
    text="{library} has no definition '{name}'{nearest}",
    spec="http://hl7.org/fhir/R4/metadatatypes.html#Expression",
)
CONTENT_REPEATED = error(
    "content-repeated",
    "duplicate",
    title="No item stands twice in a list",
    text="this is the same as item {first} of the list",
    advice="take one of them out",
)
CONTENT_IDENTITY = error(
    "content-identity",
    "business-rule",
    title="Identifier and tag follow from type, id and canonical base",
    text="this is '{found}'; it should be '{expected}'",
    advice="publishing finds a resource again by them",
)
CONTENT_FILTER_PATH = error(
    "content-filter-path",
    "value",
    title="What data are filtered by is an element of their type",
    text="{type} has no element '{path_}'{nearest}",
    spec="http://hl7.org/fhir/R4/metadatatypes.html#DataRequirement",
)
CONTENT_ICD_10_CM = error(
    "content-icd-10-cm",
    "code-invalid",
    title="Codes of ICD-10-CM stand under its own url",
    text="'{code}' stands under the url of the international ICD-10",
    advice="write http://hl7.org/fhir/sid/icd-10-cm",
    spec="http://hl7.org/fhir/R4/icd.html",
)
CONTENT_NOTICE = error(
    "content-notice",
    "business-rule",
    title="The notice of each code system that is used is there",
    text="codes of {system} are used, but there is no notice of {owner}",
    advice="add the notice that the owner of the codes asks for",
)
CONTENT_ACTION_ID = error(
    "content-action-id",
    "duplicate",
    title="Each action and each goal has an id of its own",
    text="{problem}",
)
CONTENT_GOAL_ID = error(
    "content-goal-id",
    "not-found",
    title="Each goal that an action serves is a goal of the plan",
    text="there is no goal '{goal}'{nearest}",
    spec="http://hl7.org/fhir/R4/plandefinition-definitions.html#PlanDefinition.action.goalId",
)
CONTENT_RELATED_ACTION = error(
    "content-related-action",
    "not-found",
    title="Each action that another refers to is an action of the plan",
    text="there is no action '{action}'{nearest}",
)
CONTENT_COMPOSED_OF = error(
    "content-composed-of",
    "business-rule",
    title="Each definition that an action uses is listed as a part of the plan",
    text="'{canonical}' is not among the related artifacts of type composed-of",
    advice="servers search the definitions of top-level actions only; list every one",
)
CONTENT_UNUSED_PART = error(
    "content-unused-part",
    "business-rule",
    title="Each part that is listed is used by an action",
    text="no action uses '{canonical}'",
)
CONTENT_TARGET_SOURCE = error(
    "content-target-source",
    "business-rule",
    title="A number that is to be reached has a source",
    text="this goal has a target, but no documentation that says where it comes from",
)
CONTENT_MARKDOWN = warning(
    "content-markdown",
    "value",
    title="Strings hold no Markdown",
    text="this reads as Markdown, but the element is a string",
    spec="http://hl7.org/fhir/R4/datatypes.html#markdown",
)
CONTENT_ATTACHMENT_SIZE = error(
    "content-attachment-size",
    "value",
    title="The size of a document is that of its data",
    text="the size is given as {found}, the data have {size} bytes",
    spec="http://hl7.org/fhir/R4/datatypes.html#Attachment",
)
CONTENT_ATTACHMENT_HASH = error(
    "content-attachment-hash",
    "value",
    title="The hash of a document is that of its data",
    text="the hash is given as {found}, the SHA-1 of the data is {hash}",
    spec="http://hl7.org/fhir/R4/datatypes.html#Attachment",
)
CONTENT_DOCUMENT_VERSION = error(
    "content-document-version",
    "value",
    title="A document with other content has another master identifier",
    text="the master identifier is {found}; for this content it is {expected}",
    advice="build the documents again",
)
CONTENT_PACKAGE_VERSION = error(
    "content-package-version",
    "business-rule",
    title="All resources of a package have its version",
    text="{reference} has the version {found}, the package has {version}",
)
CONTENT_PACKAGE_BASE = error(
    "content-package-base",
    "business-rule",
    title="All urls of a package begin with its canonical base",
    text="{reference} has the url {found}, the base of the package is {base}",
)
CONTENT_PACKAGE_TAG = error(
    "content-package-tag",
    "business-rule",
    title="Everything in a package has its tag",
    text="{reference} lacks the tag {system}|{code}",
    advice="a push owns what has the tag of its package",
)
CONTENT_PACKAGE_IDENTIFIER = error(
    "content-package-identifier",
    "duplicate",
    title="No two resources of a package have one identifier",
    text="{reference} has the identifier {identifier}, as has {other}",
)
