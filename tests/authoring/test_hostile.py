"""Whatever stands in the files: one of three exit codes, JSON on standard output, and never a traceback."""

from __future__ import annotations

import copy
import json
import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from portal.authoring.command import OURS
from tests.authoring.forms import COLOURS, FORM, PATIENT, bundle, context, observation, parameters, response
from tests.authoring.running import desk, portal
from tests.corpus.corpus import ROOT, needed

ANSWERS = response(
    name={"valueString": "N"},
    kg={"valueDecimal": 71},
    mood={"valueCoding": {"system": "urn:x", "code": "low"}},
    colour={"valueCoding": {"system": "urn:c", "code": "red"}},
)
ABOUT = parameters(
    context("patient", PATIENT),
    context("found", bundle(observation("o", "p1", 5, "2026"))),
    {"name": "subject", "valueReference": {"reference": "Patient/p1"}},
)
RECORDS = bundle(observation("o", "p1", 5, "2026-01-01"), PATIENT)
STEP = int(os.environ.get("PORTAL_CORPUS_STEP") or 120)
"""Of the corpus' files one in so many is put to every command; PORTAL_CORPUS_STEP=1 takes them all (half an hour)."""

odd = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-3, 10**20),
    st.sampled_from([1.5, 1e300, "", " ", "x", "\x00", "Patient/p1", "2026-13-45", "%x", "{{%patient.id}}", "#a|b"]),
    st.sampled_from([[], {}, [None], [[]], [{}], {"a": 1}, ["x"], {"reference": 5}, {"resourceType": "Questionnaire"}]),
    st.text(max_size=8),
)


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The path of every part of a JSON value."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(deeper for key, part in inner for deeper in places(part, (*path, key)))]


def spoilt(value: Any, path: tuple[Any, ...], by: Any) -> Any:
    """A copy with one part replaced, or taken away where `by` is the text GONE."""
    if not path:
        return by
    made = copy.deepcopy(value)
    place = made
    for key in path[:-1]:
        place = place[key]
    if by == "GONE":
        del place[path[-1]]
    else:
        place[path[-1]] = by
    return made


@st.composite
def one_thing_wrong(draw: st.DrawFn) -> dict[str, Any]:
    """Form, response, parameters and records, one or two parts of one of them replaced by something odd."""
    table: dict[str, Any] = {
        "form": bundle(FORM, COLOURS),
        "response": ANSWERS,
        "parameters": ABOUT,
        "records": RECORDS,
    }
    name = draw(st.sampled_from(sorted(table)))
    for _ in range(draw(st.integers(1, 2))):
        path = draw(st.sampled_from(places(table[name])))
        table[name] = spoilt(table[name], path, draw(st.one_of(odd, st.just("GONE"))))
    return table


def holds_up(*words: object) -> int:
    ran = portal(*words)
    assert ran.code in (0, 1, 2), ran
    assert OURS not in ran.err, (words, ran.err)
    assert "Traceback" not in ran.err
    assert ran.out, (words, ran)
    for line in ran.out.splitlines():
        json.loads(line)
    assert ran.code != 2 or ran.err.strip(), "unreadable without a sentence"
    return ran.code


def every_command(form: Path, answers: Path, about: Path, records: Path) -> None:
    for words in (
        ("check", form),
        ("validate", form, answers),
        ("populate", form, about, "--data", records),
        ("populate", form, "--context", f"patient={records}", "--origins"),
        ("extract", form, answers, "--context", about, "--data", records),
        ("assemble", form),
        ("score", form, answers),
    ):
        holds_up("questionnaire", *words)
    for model in ((), ("--r4",)):
        holds_up(
            "fhirpath", "descendants().take(20) | %x.where($this is Quantity)", answers, "--env", f"x={about}", *model
        )


@settings(max_examples=120, deadline=None, suppress_health_check=list(HealthCheck))
@given(one_thing_wrong())
def test_one_odd_thing_in_a_file_never_breaks_a_command(table: dict[str, Any]) -> None:
    with desk() as here:
        text = {name: json.dumps(value) for name, value in table.items()}
        every_command(*(here.put(f"{name}.json", text[name]) for name in ("form", "response", "parameters", "records")))


@settings(max_examples=150, deadline=None)
@given(st.one_of(st.text(max_size=40), st.text("$%()[]{}.|&=~<>'`\"@0123456789andorwhereselectiif +-*/", max_size=40)))
def test_any_text_may_be_given_as_an_expression(text: str) -> None:
    with desk() as here:
        holds_up("fhirpath", text, here.put("p.json", PATIENT), "--r4")


@settings(max_examples=100, deadline=None)
@given(
    st.lists(
        st.one_of(
            st.sampled_from(["--now", "--data", "--context", "--form", "--", "-", "check", "populate"]),
            st.text(max_size=6),
        ),
        max_size=6,
    )
)
def test_any_words_may_be_typed(words: list[str]) -> None:
    words = [word for word in words if word != "-"]
    ran = portal("questionnaire", *words)
    assert ran.code in (0, 2)
    assert OURS not in ran.err


FILES = sorted(path for path in ROOT.rglob("*") if path.is_file())[7::STEP] if ROOT.is_dir() else []


@needed
@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name[:80])
def test_any_public_file_may_stand_in_any_place(path: Path) -> None:
    with desk() as here:
        form, answers = here.put("form.json", bundle(FORM, COLOURS)), here.put("response.json", ANSWERS)
        about, records = here.put("parameters.json", ABOUT), here.put("records.json", RECORDS)
        every_command(path, answers, about, records)
        every_command(form, path, about, records)
        every_command(form, answers, path, path)
