"""review.yaml, written: one line a verdict, and the author's own comment at its head kept."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from fhirpkg.authoring.model.review import Review, SignOff, Verdict


def written(review: Review, before: str = "") -> str:
    """The text of review.yaml; `before` is the one that it replaces."""
    head = "".join(_comments(before))
    lines = [f"by: {_quoted(review.by)}"]
    if review.on:
        lines.append(f"on: {review.on}")
    lines += ["facts:" if review.facts else "facts: {}", *_verdicts(review.facts)]
    if review.additions:
        lines += ["additions:", *_verdicts(review.additions)]
    if review.sign_off:
        lines += ["sign-off:", *(f"  - {_flow(each)}" for each in review.sign_off)]
    return head + "\n".join(lines) + "\n"


def _comments(before: str) -> Iterator[str]:
    for line in before.splitlines(keepends=True):
        if line.strip() and not line.lstrip().startswith("#"):
            return
        yield line


def _verdicts(verdicts: Mapping[str, Verdict]) -> Iterator[str]:
    for label, verdict in verdicts.items():
        yield f"  {label}: {_flow(verdict)}"


def _flow(part: Verdict | SignOff) -> str:
    """The keys that are given, in the order of the model."""
    given = part.model_dump(exclude_defaults=True)
    return "{" + ", ".join(f"{key}: {_quoted(str(value))}" for key, value in given.items()) + "}"


def _quoted(text: str) -> str:
    """A text as YAML; JSON's strings are YAML's."""
    return json.dumps(text, ensure_ascii=False)
