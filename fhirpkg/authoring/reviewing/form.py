"""What every form of a sheet has: its columns, and how it is filled in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fhirpkg.languages.words import recognized

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

MARK = "fhirpkg review of"
"""What the first cell of a worksheet says, before the id of the procedure."""
COLUMNS = (
    "Fact", "Words", "Elements", "Codes", "Criteria", "Sources", "Earlier verdict", "Verdict",
    "Comment", "Digest",
)  # fmt: skip
READ = ("Fact", "Words", "Verdict", "Comment", "Digest")
"""The columns that are read back."""
GUIDE = (
    (
        "Compare the words of each line with your copy of the source (in a line that begins with "
        "'+', with the sources named there) and write a verdict: same, weaker, stronger or added "
        "words. Say in the comment how they differ, and what they should be."
    ),
    (
        "The last line is about the whole: reviewed (you have read it), approved (the publisher "
        "puts it into use) or endorsed (another body supports it). Leave it empty if you do not "
        "sign."
    ),
    "Change nothing else. What you leave empty stays as it was.",
)


def heads(texts: Iterable[str]) -> list[str]:
    """The English heads of columns, in whatever language and spelling they come back."""
    known = recognized(COLUMNS)
    return [known.get(text.strip().casefold(), text.strip()) for text in texts]


def missing(names: Sequence[str]) -> str:
    """Which of the columns that are read back is not there, or there twice; or nothing."""
    gone = [name for name in READ if name not in names]
    if gone:
        return f"there is no column {', '.join(gone)}"
    twice = [name for name in READ if names.count(name) > 1]
    return f"the column {', '.join(twice)} appears twice" if twice else ""
