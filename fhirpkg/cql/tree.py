"""The two things that CQL code handles: trees of ELM, and the values that they have."""

from __future__ import annotations

from typing import Any

Value = Any
"""A value of CQL: of a system type, FHIR JSON, a list, an interval, a tuple; None is null."""

Node = dict[str, Value]
"""A node of an ELM tree, as its JSON has it (https://cql.hl7.org/04-logicalspecification.html)."""
