"""Pages of a form drawn through the real templates without HTTP, and what must hold of every one of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from flask import Flask
from jinja2 import Template
from werkzeug.datastructures import MultiDict

from portal.intake.fields import LookupField
from portal.intake.page_form import PageForm, page_form
from portal.questionnaire import Context, Filling, Issue, Node
from portal.questionnaire.richtext import unmarked
from portal.questionnaire.speaking import say
from tests.intake.forms_app import Page

NOW = datetime(2026, 11, 21, 10, 0, tzinfo=UTC)
ZONE = ZoneInfo("Europe/London")
DRAW = '{% from "intake/questions.html" import draw with context %}<div id="questions">{{ draw(nodes, form, title) }}</div>'
PARTS = ("", "-open", "-number", "-date", "-remove", "-absent")
VALUES: dict[str, dict[str, Any]] = {
    "boolean": {"valueBoolean": True},
    "string": {"valueString": " two\nlines "},
    "text": {"valueString": "\nabc\n  def"},
    "integer": {"valueInteger": 5},
    "decimal": {"valueDecimal": Decimal("1.10")},
    "date": {"valueDate": "2019-03"},
    "dateTime": {"valueDateTime": "2019-07-01T10:22:33.5+10:00"},
    "time": {"valueTime": "14:00:07"},
    "url": {"valueUri": "https://example.org"},
    "quantity": {
        "valueQuantity": {"value": Decimal("5.0"), "unit": "kg", "code": "kg", "system": "http://unitsofmeasure.org"}
    },
    "choice": {"valueCoding": {"system": "https://example.org", "code": "c", "display": "d"}},
    "open-choice": {"valueString": "something else"},
    "reference": {"valueReference": {"reference": "Patient/1", "display": "Ana"}},
    "attachment": {"valueAttachment": {"title": "a", "contentType": "image/png", "data": "iVBORw0KGgo="}},
}


def context(language: str = "en") -> Context:
    return Context(now=NOW, launch={}, language=language)


def flat(nodes: Sequence[Node]) -> Iterator[Node]:
    for node in nodes:
        yield node
        yield from flat(node.children)


def filled(filling: Filling) -> Filling:
    """Every question that can be seen answered, and every repetition there once more, answered too."""
    for again in (True, False):
        for page in filling.pages:
            nodes = list(flat(filling.nodes(page.key)))
            filling = filling.answer({node.name: _some(node) for node in nodes if node.item.is_question})
            for node in nodes if again else ():
                filling = filling.add(node.name)
    return filling


def _some(node: Node) -> list[dict[str, Any]]:
    return [dict(node.options[-1].value)] if node.options else [VALUES[node.type]]


def form_of(nodes: Sequence[Node], sent: Mapping[str, Sequence[str]] | None = None, language: str = "en") -> PageForm:
    data = None if sent is None else MultiDict([(name, value) for name, values in sent.items() for value in values])
    return page_form(nodes, language, data, ZONE)


@lru_cache(maxsize=2)
def _template(app: Flask) -> Template:
    return app.jinja_env.from_string(DRAW)


def drawn(app: Flask, nodes: Sequence[Node], form: PageForm, title: str = "", language: str = "en") -> Page:
    html = _template(app).render(nodes=nodes, form=form, title=title, say=say, language=language)
    return Page(200, html)


def faults(page: Page, nodes: Sequence[Node], form: PageForm) -> Iterator[str]:
    """What is wrong with a page: ids, names, labels, links."""
    yield from (f"id {ident} twice" for ident in {ident for ident in page.ids if page.ids.count(ident) > 1})
    seen = {control.name for control in page.controls}
    for control in page.controls:
        if control.kind not in ("hidden", "submit", "button") and not control.labelled:
            yield f"{control.name} ({control.kind}) has no label"
    for node in flat(nodes):
        if node.item.is_question and not node.read_only:
            field = form[node.name]
            if isinstance(field, LookupField) and field.nothing and not node.answers:
                continue
            if not any(f"{node.name}{part}" in seen for part in PARTS):
                yield f"{node.name} is not asked ({node.control})"
            if not _told(page, node):
                yield f"{node.name} does not say what it asks"
        if (node.type == "group" or (node.item.is_question and not node.read_only)) and node.name not in page.ids:
            yield f"{node.name} cannot be linked to ({node.type} {node.control})"
    described = [tag.get("aria-describedby") for _, tag in page.tags]
    yield from (
        f"{ident} describes nothing" for told in described if told for ident in told.split() if ident not in page.ids
    )


def _told(page: Page, node: Node) -> bool:
    """Whether each input of the question is named by its words."""
    words = "".join(unmarked(node.text or node.short_text).split())
    own = [
        c
        for c in page.controls
        if c.name.startswith(node.name) and c.name[len(node.name) :] in PARTS and c.kind != "hidden"
    ]
    return all(words in "".join((control.legend + page.labels.get(control.ident, "")).split()) for control in own)


def lost(nodes: Sequence[Node], page: Page, language: str = "en") -> Iterator[str]:
    """Answers that are not the same after the page was sent back as it stands."""
    form = form_of(nodes, {**page.sent({}), "shown": [",".join(form_of(nodes, None, language).names())]}, language)
    answers, unread = form.answers()
    yield from (f"{issue.name} cannot be read: {issue.message}" for issue in unread)
    for node in flat(nodes):
        if node.name in answers and answers[node.name] != node.answers:
            yield f"{node.name} ({node.type} {node.control}): {node.answers} became {answers[node.name]}"


def wrong_everywhere(nodes: Sequence[Node]) -> list[Issue]:
    return [Issue(node.name, node.link_id, "required") for node in flat(nodes) if node.type != "display"]
