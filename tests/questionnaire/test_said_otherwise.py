"""A form that says the same in another way gives the same: draft, response, score and extracted resources, modulo its names
and order; and however its pages are filled in, the response is the same."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterator
from random import Random
from typing import Any

import pytest

from portal.fhir import exact
from portal.questionnaire import Filling, Form, FormRefused, Node, extract, load, populate, populated
from portal.questionnaire.parameters import context_of
from tests.bench.forms import ANSWERS
from tests.corpus.corpus import NOW, ROOT, forms, needed, read, registry
from tests.corpus.server import Server, bare
from tests.corpus.test_populate_and_assemble import POPULATE, named
from tests.questionnaire import rich
from tests.questionnaire.changing import (
    Json,
    deeper,
    items,
    nameless,
    names,
    renamed,
    shuffled,
    spoken,
    swapped,
    text,
    unordered,
)
from tests.questionnaire.make import context
from tests.questionnaire.mutating import bases

ROUNDS = 12
WHOLE = bool(os.environ.get("PREVISIT_WHOLE"))
EVERY, EXTRACTING, LONGEST = (1, 1, 10**6) if WHOLE else (40, 9, 25_000)
"""Of the public forms one in so many is walked, of those that extract, and how long ours may be; make otherwise walks them all."""


# -- filling


def said(node: Node, seed: int, back: dict[str, str]) -> list[Json]:
    """What is always answered to a question, whenever it is asked."""
    name = f"{seed}|{back.get(node.link_id, node.link_id)}|{node.instance or 0}"
    chance = Random(hashlib.blake2s(name.encode()).digest())
    listed = sorted((option.value for option in node.options), key=text)
    if chance.randrange(4) == 0:
        return []
    if listed:
        return [dict(chance.choice(listed))]
    if node.type == "boolean":
        return [{"valueBoolean": chance.random() < 0.6}]
    if node.type == "integer":
        return [{"valueInteger": chance.randrange(-1, 9)}]
    return [dict(ANSWERS.get(node.type, ANSWERS["string"]))]


def asked(nodes: list[Node]) -> Iterator[Node]:
    for node in nodes:
        if node.item.is_question and not node.read_only and not node.disabled:
            yield node
        yield from asked(node.children)


def unanswered(form: Form, back: dict[str, str]) -> list[str]:
    """Of questions that apply by one another's answers, whichever was answered first decides: here one is."""
    circle = (found.link_id for found in form.features.defects if found.code == "circle")
    return sorted(set(circle), key=lambda name: back.get(name, name))[1:]


Way = Callable[[Filling], list[list[Node]]]


def at_once(held: Filling) -> list[list[Node]]:
    return [[node for key in held.keys for node in asked(held.nodes(key))]]


def page_by_page(held: Filling) -> list[list[Node]]:
    return [list(asked(held.nodes(key))) for key in held.keys]


def backwards(held: Filling) -> list[list[Node]]:
    return page_by_page(held)[::-1]


def one_by_one(held: Filling) -> list[list[Node]]:
    nodes = at_once(held)[0]
    Random(len(nodes)).shuffle(nodes)
    return [[node] for node in nodes]


def filled(raw: Json, seed: int, way: Way = at_once, back: dict[str, str] | None = None, *, again: bool = False) -> Any:
    """The items of the response when nothing is left to say. `again`: read back from its draft after each post."""
    form, back = load(raw, registry=registry()), back or {}
    held = Filling(form, populate(form, context()), context())
    silent = unanswered(form, back)
    for _ in range(ROUNDS):
        before = held.draft_text()
        for nodes in way(held):
            held.put({node.name: said(node, seed, back) for node in nodes if node.link_id not in silent})
            if again:
                held = Filling(form, exact.loads(held.draft_text()), held.context)
        if held.draft_text() == before:
            break
    return unordered(held.response("completed").get("item", []))


def walked(raw: Json, seed: int) -> None:
    first = filled(raw, seed)
    for way in (page_by_page, backwards, one_by_one):
        assert text(filled(raw, seed, way)) == text(first), way.__name__
    assert text(filled(raw, seed, page_by_page, again=True)) == text(filled(raw, seed, again=True))
    new = names(raw)
    back = {name: old for old, name in new.items()}
    assert text(unordered(renamed(filled(renamed(raw, new), seed, back=back), back))) == text(first), "other names"
    assert text(filled(shuffled(raw, Random(seed)), seed)) == text(first), "another order"


def logical(form: Form) -> bool:
    return any(
        one.conditions or one.enable_formula or one.calculation or one.toggles or one.answer_formula
        for one in form.all_items
    )


@pytest.mark.parametrize("raw", [pytest.param(raw, id=str(raw.get("name"))) for raw in bases()])
def test_however_a_form_is_filled_in_the_response_is_the_same(raw: Json) -> None:
    if logical(load(raw)) and len(exact.dumps(raw)) < LONGEST:
        walked(raw, 0)


@needed
def test_so_are_public_forms(capsys: pytest.CaptureFixture[str]) -> None:
    """All but names that an expression takes apart are changed; of questions that apply by one another's answers one is
    answered: what that leaves out is printed."""
    tried = 0
    for path in forms()[::EVERY]:
        try:
            raw = read(path)
            form = load(raw, registry=registry())
        except (FormRefused, ValueError):
            continue
        if WHOLE or (len(exact.dumps(raw)) < 60_000 and logical(form)):
            walked(form.raw, tried)
            tried += 1
            kept = len(form.all_items) - len(names(form.raw))
            if WHOLE and (kept or unanswered(form, {})):
                with capsys.disabled():
                    print(f"{path}: {kept} names taken apart, not answered: {unanswered(form, {})}")
    assert tried > 2


# -- population


def drafted(raw: Json, parameters: Json, server: list[Json]) -> Any:
    draft, _ = populated(load(raw), context_of(parameters, NOW, fetch=Server(server).fetch))
    return bare(draft)


def others(raw: Json, parameters: Json, server: list[Json]) -> Iterator[tuple[str, Any, Any]]:
    """What changed; what comes of it; what must: by the form, its Parameters and the records."""
    first = drafted(raw, parameters, server)
    new = names(raw)
    yield "other names", drafted(renamed(raw, new), parameters, server), renamed(first, new)
    yield "one language more", drafted(spoken(raw), parameters, server), first
    for seed in range(3):
        mixed = drafted(shuffled(raw, Random(seed)), parameters, server)
        yield "another order", unordered(mixed), unordered(first)
    old = [
        (
            "http://hl7.org/fhir/uv/sdc/StructureDefinition/sdc-questionnaire-",
            "http://hl7.org/fhir/StructureDefinition/questionnaire-",
        )
    ]
    yield "as SDC was spelt before", drafted(swapped(raw, old), parameters, server), first
    if "%resource" not in text(raw):
        inner = drafted(deeper(raw), parameters, server)
        yield "one group deeper", inner.get("item", [{}])[0].get("item"), first.get("item")
    called = sorted(_context_names(raw))
    pairs = [(f'"{name}"', f'"zz{name}"') for name in called] + [(f"%{name}", f"%zz{name}") for name in called]
    other, given = swapped(raw, pairs), swapped(parameters, pairs)
    yield "other names of what is given", drafted(other, given, server), first


def _context_names(raw: Json) -> Iterator[str]:
    for extension in raw.get("extension", []):
        if extension["url"].endswith("launchContext"):
            for part in extension["extension"]:
                if part["url"] == "name":
                    yield part.get("valueCoding", {}).get("code") or part.get("valueId")


@needed
@pytest.mark.parametrize("case", POPULATE, ids=lambda case: case["test"])
def test_a_form_that_says_the_same_otherwise_is_filled_in_with_the_same(case: dict[str, Any]) -> None:
    (operation,) = case["ops"]
    server, parameters = case["server"], operation["data"]
    raw = named(parameters, "questionnaire", "Questionnaire") or Server(server).fetch(
        operation["path"].removesuffix("/$populate")
    )
    assert raw is not None
    for what, mine, wanted in others(raw, parameters, server):
        assert text(mine) == text(wanted), what


# -- extraction

ASKED = ("observationExtract", "definitionExtract", "itemExtractionContext", "templateExtract", "templateExtractBundle")
HEAD = {"authored": "2026-11-21T10:00:00Z", "subject": {"reference": "Patient/1"}}


def extracted(raw: Json, response: Json) -> list[Json]:
    made = extract(load(raw, registry=registry()), response, context(), identity="x")
    return [{key: held for key, held in entry.items() if key != "fullUrl"} for entry in made.bundle.get("entry", [])]


def extracting() -> list[str]:
    texts = ((path, (ROOT / path).read_text("utf-8-sig")) for path in forms() if path.endswith(".json"))
    return [path for path, held in texts if any(f'{word}"' in held for word in ASKED)]


def same_resources(raw: Json, response: Json) -> None:
    first, new = extracted(raw, response), names(raw)
    other = extracted(renamed(raw, new), renamed(response, new))
    assert nameless(other) == nameless(renamed(first, new)), "other names"
    assert nameless(extracted(spoken(raw), response)) == nameless(first), "one language more"
    if not any(word in text(raw) for word in ("resource.item", "templateExtract", "definitionExtractValue")):
        inside = {**response, "item": [{"linkId": "around", "item": response["item"]}]}
        assert nameless(extracted(deeper(raw), inside)) == nameless(first), "one group deeper"
    for one in [*items(response)][:: 1 if WHOLE else 4]:
        if one.get("answer") and not any(answer.get("item") for answer in one["answer"]):
            less = nameless(extracted(raw, _without(response, one)))
            assert _within(less, nameless(first)), f"without {one['linkId']}"


def _without(holder: Any, gone: Json) -> Any:
    if isinstance(holder, list):
        return [_without(one, gone) for one in holder if one is not gone]
    return {key: _without(held, gone) for key, held in holder.items()} if isinstance(holder, dict) else holder


def _within(less: Any, more: Any) -> bool:
    """Whether nothing is in `less` that is not in `more`; words worked out of several answers may be shorter."""
    if isinstance(less, dict):
        return isinstance(more, dict) and all(key in more and _within(held, more[key]) for key, held in less.items())
    if isinstance(less, list):
        left = list(more) if isinstance(more, list) else []
        for one in less:
            found = next((other for other in left if _within(one, other)), None)
            if found is None:
                return False
            left.remove(found)
        return True
    return less == more or (isinstance(less, str) and isinstance(more, str))


def test_a_form_that_says_the_same_otherwise_extracts_the_same() -> None:
    same_resources(rich.FORM, rich.RESPONSE)


@needed
def test_so_do_public_forms() -> None:
    every = extracting()
    for number, path in enumerate(every[::EXTRACTING]):
        raw = read(path)
        try:
            filling = Filling(load(raw, registry=registry()), None, context())
        except FormRefused:
            continue
        for nodes in page_by_page(filling):
            filling.put({node.name: said(node, number, {}) for node in nodes})
        response = {**filling.response("completed"), **HEAD}
        if response.get("item"):
            same_resources(raw, response)
    assert len(every) > 40
