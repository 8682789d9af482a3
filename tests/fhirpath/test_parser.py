"""The shape of parsed expressions, and where their parts stand."""

from decimal import Decimal

import pytest

from fhirpkg.errors import FhirPathError
from fhirpkg.fhirpath.reading.ast import (
    Binary,
    Call,
    Index,
    Literal,
    Member,
    Special,
    TypeCall,
    Unary,
    Variable,
    is_constant,
    mentions,
)
from fhirpkg.fhirpath.reading.lexer import unescape
from fhirpkg.fhirpath.reading.parser import parse
from fhirpkg.fhirpath.values import Quantity


@pytest.mark.parametrize(
    "text, expected",
    [
        ("a.b", Member(Member(None, "a", 0), "b", 0)),
        ("a[1]", Index(Member(None, "a", 0), Literal(1, 0), 0)),
        ("-a", Unary("-", Member(None, "a", 0), 0)),
        ("-a.b", Unary("-", Member(Member(None, "a", 0), "b", 0), 0)),
        ("f(1, $this)", Call(None, "f", (Literal(1, 0), Special("this", 0)), 0)),
        ("a.is(System.String)", TypeCall(Member(None, "a", 0), "is", "System.String", 0)),
        ("a as Quantity", TypeCall(Member(None, "a", 0), "as", "Quantity", 0)),
        ("(a as FHIR.code)", TypeCall(Member(None, "a", 0), "as", "FHIR.code", 0)),
        ("%a-b", Variable("a-b", 0)),
        ("1 + 2 - 3", Binary("-", Binary("+", Literal(1, 0), Literal(2, 0), 0), Literal(3, 0), 0)),
        ("4 weeks", Literal(Quantity(Decimal(4), "week"), 0)),
        ("{}", Literal(None, 0)),
    ],
)
def test_text_becomes_parts(text, expected):
    assert parse(text) == expected


def test_parts_know_their_column():
    part = parse("name.where(use = 'a')")
    assert (part.at, part.arguments[0].at, part.arguments[0].right.at) == (6, 16, 18)


def test_a_name_as_long_as_the_text_is_no_reason_to_fail():
    assert parse("a" * 10_000) == Member(None, "a" * 10_000, 0)


@pytest.mark.parametrize(
    "text, column", [("a..b", 3), ("a + * b", 5), ("f(1,, 2)", 5), ("a[", 3), ("'a' 'b'", 5)]
)
def test_errors_have_the_column_of_what_should_not_stand_there(text, column):
    with pytest.raises(FhirPathError) as caught:
        parse(text)
    assert caught.value.column == column


def test_escapes_are_resolved():
    assert unescape(r"\r\n\t\f\\\/\'\"\`\u0041\q") == "\r\n\t\f\\/'\"`Aq"


@pytest.mark.parametrize(
    "text, constant",
    [
        ("%resource.a", True),
        ("%resource.descendants().as(uri) | 'a'", True),
        ("%resource[0].a", True),
        ("a", False),
        ("$this.a", False),
        ("%resource.a.where(b)", False),
        ("%resource | a", False),
        ("%resource.trace('x', $index)", False),
        ("now()", False),
    ],
)
def test_what_does_not_depend_on_the_focus_is_constant(text, constant):
    assert is_constant(parse(text)) is constant


def test_what_is_mentioned_is_found_at_any_depth():
    part = parse("a.select(b[f($index + 1)] is code)")
    assert mentions(part, "index")
    assert not mentions(part, "total")
