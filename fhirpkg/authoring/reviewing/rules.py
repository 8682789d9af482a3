"""Rules of sheets that come back from readers."""

from fhirpkg.rules import error

REVIEW_COLUMNS = error(
    "review-columns",
    "structure",
    title="A sheet has the columns that it was sent out with",
    text="{where}: these are not the columns of a review: {problem}",
    advice="the columns are {columns}; fill in a sheet made by 'fhirpkg review --output FILE'",
)
REVIEW_PROCEDURE = error(
    "review-procedure",
    "not-found",
    title="A sheet names a procedure of the content",
    text="{where}: the content has no procedure '{id}'{nearest}",
    advice="it has {allowed}",
)
REVIEW_FACT = error(
    "review-fact",
    "not-found",
    title="A line names a fact or an item of its procedure",
    text="{where}: the procedure has no '{fact}'{nearest}",
    advice="facts are listed under 'source'; if they have changed since, send out a new sheet",
)
REVIEW_TWICE = error(
    "review-twice",
    "duplicate",
    title="Each fact has one line",
    text="{where}: '{fact}' appears a second time; the first is in row {first}",
    advice="delete one of the two rows",
)
REVIEW_VERDICT = error(
    "review-verdict",
    "value",
    title="A verdict is one of the allowed words",
    text="{where}: '{found}' is not a verdict{nearest}",
    advice="write one of: {allowed}",
)
REVIEW_NO_VERDICT = error(
    "review-no-verdict",
    "required",
    title="A comment accompanies a verdict",
    text="{where}: '{fact}' has a comment but no verdict",
    advice="give the verdict that the comment explains",
)
REVIEW_FORMULA = error(
    "review-formula",
    "value",
    title="A cell holds text",
    text="{where}: the cell {cell} holds a formula",
    advice="write the text itself",
)
REVIEW_MERGED = error(
    "review-merged",
    "structure",
    title="Each line has its own cells",
    text="{where}: the cells {cells} are merged, so it is unclear which line they belong to",
    advice="unmerge them, and write the verdict of each line into its own cell",
)
REVIEW_WORDS = error(
    "review-words",
    "business-rule",
    title="The facts in a sheet are worded as they were sent out",
    text="{where}: the wording of '{fact}' was changed in the sheet",
    advice="restore the wording and suggest a better one in the comment",
)
REVIEW_LINE = error(
    "review-line",
    "structure",
    title="A line of text has procedure, fact, digest and verdict",
    text="{where}: this is not a line of a review",
    advice="write: PROCEDURE FACT DIGEST VERDICT: COMMENT",
)
