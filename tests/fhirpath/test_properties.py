"""Properties: whatever the text, only FhirPathSyntaxError; whatever the data, only FhirPathError."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from portal.fhirpath import FhirDate, FhirDateTime, FhirPathError, FhirPathSyntaxError, ResponseIndex, compile
from portal.fhirpath.functions import FUNCTIONS

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)

WORDS = [
    "name", "given", "item", "answer", "value", "linkId", "Patient", "%resource", "%context", "%x", "$this", "$index", "$total",
    "1", "2.50", "5L", "'a'", "'1'", "true", "{}", "@2014", "@2014-01-05T10:00Z", "@T10:30", "4 days", "3 'mg'", "`b`",
    "+", "-", "*", "/", "div", "mod", "&", "|", "=", "!=", "~", "!~", "<", ">", "<=", ">=", "and", "or", "xor", "implies",
    "in", "contains", "is Integer", "as string", ".", "(", ")", "[", "]", ",", "[0]", "/* c */", "// c\n",
    *(f".{name}(" for name in sorted(FUNCTIONS)),
]  # fmt: skip
texts = st.text(max_size=60) | st.lists(st.sampled_from(WORDS), max_size=14).map(" ".join)

atoms = st.sampled_from(
    ["name", "name.given", "birthDate", "%x", "$this", "1", "0", "-1", "2.50", "5L", "'a'", "'1.5'", "true", "false", "{}", "@2014",
     "@2014-02-28T10:00Z", "@T10:30", "4 days", "3 'mg'", "1 'Cel'", "item.answer.value", "(1 | 2 | 'a')", "%resource", "''"]
)  # fmt: skip


def grown(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    operators = [
        "+",
        "-",
        "*",
        "/",
        "div",
        "mod",
        "&",
        "|",
        "=",
        "~",
        "<",
        ">=",
        "and",
        "or",
        "implies",
        "in",
        "contains",
    ]
    binary = st.tuples(inner, st.sampled_from(operators), inner).map(
        lambda three: f"({three[0]} {three[1]} {three[2]})"
    )
    names = st.sampled_from([name for name in sorted(FUNCTIONS) if not {"type", "sort"} & set(FUNCTIONS[name].kinds)])
    calls = st.tuples(inner, names, inner, inner).map(lambda four: call(*four))
    return binary | calls


def call(target: str, name: str, first: str, second: str) -> str:
    arguments = [first, second, first][: FUNCTIONS[name].least]
    return f"({target}).{name}({', '.join(arguments)})"


expressions = st.recursive(atoms, grown, max_leaves=12)
primitives = (
    st.none()
    | st.booleans()
    | st.integers(-(2**40), 2**40)
    | st.text(max_size=12)
    | st.floats()
    | st.decimals(places=3)
)
documents = st.recursive(
    primitives,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(
                [
                    "name",
                    "given",
                    "birthDate",
                    "_birthDate",
                    "item",
                    "answer",
                    "valueQuantity",
                    "value",
                    "linkId",
                    "code",
                    "system",
                ]
            ),
            inner,
            max_size=5,
        )
    ),
    max_leaves=20,
)


@settings(max_examples=600, deadline=None)
@given(texts)
def test_reading_any_text_gives_an_expression_or_a_syntax_error(text: str) -> None:
    try:
        compile(text)
    except FhirPathSyntaxError as error:
        assert 0 <= error.position <= len(text)


@settings(max_examples=600, deadline=None)
@given(expressions, documents, st.sampled_from(["Patient", "QuestionnaireResponse", "Observation", "Nonsense"]))
def test_evaluating_anything_on_anything_gives_a_list_or_an_error_of_ours(text: str, document: Any, kind: str) -> None:
    data = (
        {"resourceType": kind, **document} if isinstance(document, dict) else {"resourceType": kind, "name": document}
    )
    try:
        compiled = compile(text)
    except FhirPathSyntaxError:
        return
    with suppress(FhirPathError):
        assert isinstance(compiled.evaluate(data, {"x": [1, "b", data]}, now=NOW), list)


@given(st.integers(-(2**31), 2**31 - 1), st.integers(-(2**31), 2**31 - 1).filter(bool))
def test_div_and_mod_make_the_number_again(left: int, right: int) -> None:
    found = compile("%a = (%a div %b) * %b + (%a mod %b)").evaluate({}, {"a": left, "b": right})
    assert found in ([True], [])


@given(st.decimals(-(10**9), 10**9, places=4), st.decimals(-(10**9), 10**9, places=4))
def test_decimals_are_exact(left: Decimal, right: Decimal) -> None:
    assert compile("%a + %b - %b = %a").evaluate({}, {"a": left, "b": right}) == [True]
    assert compile("%a * %b").evaluate({}, {"a": left, "b": right}) == [left * right]


@given(st.dates())
def test_a_date_reads_as_it_is_written(day: Any) -> None:
    assert str(FhirDate.parse(day.isoformat())) == day.isoformat()
    assert compile("%d + 1 day - 1 day").evaluate({}, {"d": day}) in ([FhirDate.parse(day.isoformat())], [])


@given(st.datetimes(timezones=st.just(UTC)))
def test_a_date_time_reads_as_it_is_written(moment: datetime) -> None:
    value = FhirDateTime.at(moment)
    assert FhirDateTime.parse(str(value)) == value


answers = st.lists(st.fixed_dictionaries({"valueString": st.sampled_from("abc")}), max_size=2)
link_ids = st.sampled_from(["a", "b", "c"])


def nested(inner: st.SearchStrategy[dict[str, Any]]) -> st.SearchStrategy[dict[str, Any]]:
    below = st.lists(inner, max_size=3)
    under_answers = st.lists(st.fixed_dictionaries({"valueString": st.just("z"), "item": below}), max_size=2)
    groups = st.fixed_dictionaries({"linkId": link_ids, "item": below})
    return groups | st.fixed_dictionaries({"linkId": link_ids, "answer": under_answers})


items = st.recursive(st.fixed_dictionaries({"linkId": link_ids, "answer": answers}), nested, max_leaves=12)
SHAPES = [
    "%resource.item.where(linkId = 'a').answer.value",
    "%resource.repeat(item).where(linkId = 'a').answer.value",
    "%resource.descendants().where(linkId = 'a').answer.value",
    "repeat(item).where('a' = linkId).repeat(item).where($this.linkId = 'b').answer.value",
    "QuestionnaireResponse.item.where(linkId = 'a').item.where(linkId = 'b').answer.value",
]


@settings(max_examples=200, deadline=None)
@given(st.lists(items, max_size=4), st.sampled_from(SHAPES))
def test_a_look_up_finds_what_a_walk_finds(found: list[dict[str, Any]], expression: str) -> None:
    response = {"resourceType": "QuestionnaireResponse", "item": found}
    compiled = compile(expression)
    assert compiled.evaluate(response, context=ResponseIndex()) == compiled.evaluate(response)
